package listing

import (
	"strings"

	"telltale/event"
	"telltale/internal/state"
)

// column is what a column of ps tells, and of how many words it is.
type column struct {
	what  string // "" for nothing that is of use
	words int
}

// columns are those of ps(1) by their headers, in the orders that collectors ask for.
var columns = map[string]column{
	"PID": {"pid", 1}, "PPID": {"ppid", 1}, "USER": {"user", 1}, "UID": {"user", 1}, "VSZ": {"vsz", 1}, "RSS": {"rss", 1}, "STAT": {"state", 1}, "S": {"state", 1}, "TTY": {"tty", 1}, "TT": {"tty", 1},
	"STARTED": {"started", 5}, "CGROUP": {"cgroup", -1}, "COMMAND": {"command", -1}, "CMD": {"command", -1}, "ARGS": {"command", -1},
}

// PS reads a list of ps, by its header. The last column takes the rest of the line, for it may hold anything; of a line of fewer words nothing is taken.
func PS(r *Reader) (func([]byte) bool, func()) {
	var cols []column
	return func(t []byte) bool {
		if cols == nil {
			cols = header(string(t))
			return cols != nil
		}
		f, ok := row(cols, string(t))
		if !ok {
			return false
		}
		pid, ok := pidOf(f["pid"])
		if !ok {
			return false
		}
		e := r.process(pid)
		if n, ok := pidOf(f["ppid"]); ok {
			e.AddInt(event.ParentPID, int64(n))
		}
		account(e, f["user"])
		e.AddText(event.CommandLine, state.Text([]byte(f["command"]), maxText*4))
		if tty := f["tty"]; tty != "?" && tty != "-" {
			e.AddText(event.Terminal, tty)
		}
		if f["vsz"] == "0" && f["rss"] == "0" && f["state"] != "" && f["state"][0] != 'Z' && strings.HasPrefix(f["command"], "[") {
			e.AddText(event.ProcessTrait, "kernel") // no memory of its own: no program can do without
		}
		if f["rss"] != "" && f["rss"] != "0" && strings.HasPrefix(f["command"], "[") {
			e.AddText(event.ProcessTrait, "own-memory")
		}
		if strings.HasPrefix(f["state"], "Z") {
			e.AddText(event.ProcessTrait, "zombie")
		}
		if at, n := r.in.Clock.Asctime([]byte(f["started"])); n > 0 {
			e.At = at
			e.AddText(event.EventStart, at.String())
		}
		controlGroup(e, f["cgroup"])
		r.yield(e)
		return true
	}, nil
}

// header reads the first line; nil where it has no PID or a column of several words that is not known.
func header(s string) (out []column) {
	has := false
	for _, h := range strings.Fields(s) {
		c, ok := columns[h]
		if !ok {
			c = column{"", 1}
		}
		has = has || c.what == "pid"
		out = append(out, c)
	}
	if !has || len(out) > 64 {
		return nil
	}
	return out
}

func row(cols []column, s string) (map[string]string, bool) {
	f := map[string]string{}
	for i, c := range cols {
		s = strings.TrimLeft(s, " \t")
		if c.words < 0 && i == len(cols)-1 {
			f[c.what] = strings.TrimRight(s, " ")
			return f, s != ""
		}
		rest := s
		for range max(c.words, 1) {
			rest = strings.TrimLeft(rest, " \t")
			n := strings.IndexAny(rest, " \t")
			if n < 0 {
				if n = len(rest); n == 0 {
					return nil, false
				}
			}
			rest = rest[n:]
		}
		f[c.what] = strings.TrimSpace(s[:len(s)-len(rest)])
		s = rest
	}
	return f, true
}
