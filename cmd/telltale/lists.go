package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/process"
	"telltale/acquire/socket"
	"telltale/internal/state"
	"telltale/report/terminal"
)

// lists are our own ps, ss, lsof, who and lsmod: what the machine's own may have been changed to leave out. They are made by the same readers as the
// state of telltale live, and start nothing.
func lists(out io.Writer) []*cobra.Command {
	list := func(use, short string, show func(*listing, *acquire.Box)) *cobra.Command {
		var asJSON bool
		c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			b, err := look(c.Context(), out)
			if err != nil {
				return err
			}
			t := newListing(out, asJSON)
			show(t, b)
			return t.end()
		}}
		c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
		return c
	}
	return []*cobra.Command{
		list("ps", "Our own ps: processes, each with what is odd of its program", ps),
		list("ss", "Our own ss and netstat: sockets with their processes", ss),
		list("lsof", "Our own lsof: open files, and the libraries that are mapped", lsof),
		list("who", "Our own who: logins that still have processes, with the address they came from", who),
		list("lsmod", "Our own lsmod: modules by /proc and by /sys", lsmod),
	}
}

// aside is an Out of which only what fails is shown.
type aside struct{ w io.Writer }

func (a aside) Record(string, any) error                       { return nil }
func (a aside) File(string, int64, time.Time, io.Reader) error { return nil }
func (a aside) Failed(what string, err error) {
	fmt.Fprintf(a.w, "not seen: %s: %s\n", terminal.Escape(what), terminal.Escape(err.Error()))
}

// look takes processes and sockets.
func look(ctx context.Context, out io.Writer) (*acquire.Box, error) {
	b, h, err := acquire.NewBox(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	for _, m := range h.Missing {
		fmt.Fprintf(os.Stderr, "note: not asked: %s\n", m)
	}
	for _, s := range []acquire.Step{process.New(process.Options{}).Step(), socket.New()} {
		if err := s.Take(ctx, b, aside{os.Stderr}); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// listing writes rows for people, or objects.
type listing struct {
	w    *tabwriter.Writer
	j    *json.Encoder
	err  error
	name func(uint32) string
}

func newListing(out io.Writer, asJSON bool) *listing {
	t := &listing{name: accounts()}
	if asJSON {
		t.j = json.NewEncoder(out)
	} else {
		t.w = tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	}
	return t
}

// row writes one; v is what stands behind it, for --json. What a process chose itself cannot move the cursor.
func (t *listing) row(v any, cells ...any) {
	if t.err != nil {
		return
	}
	if t.j != nil {
		if v != nil {
			t.err = t.j.Encode(v)
		}
		return
	}
	for i, c := range cells {
		s := strings.ReplaceAll(terminal.Escape(fmt.Sprint(c)), "\t", " ")
		if i > 0 {
			s = "\t" + s
		}
		if _, t.err = io.WriteString(t.w, s); t.err != nil {
			return
		}
	}
	_, t.err = io.WriteString(t.w, "\n")
}

func (t *listing) end() error {
	if t.w != nil && t.err == nil {
		t.err = t.w.Flush()
	}
	return t.err
}

// accounts names users by /etc/passwd alone: no library of the host is asked.
func accounts() func(uint32) string {
	names := map[string]string{}
	if f, err := os.Open("/etc/passwd"); err == nil {
		defer f.Close()
		for r := bufio.NewReader(io.LimitReader(f, 16<<20)); ; {
			line, err := r.ReadString('\n')
			if p := strings.Split(line, ":"); len(p) > 2 && names[p[2]] == "" {
				names[p[2]] = p[0]
			}
			if err != nil {
				break
			}
		}
	}
	return func(uid uint32) string { return cmp.Or(names[fmt.Sprint(uid)], fmt.Sprint(uid)) }
}

func ps(t *listing, b *acquire.Box) {
	t.row(nil, "PID", "PPID", "USER", "STARTED", "TTY", "CPU", "UNIT", "PROGRAM", "ODD", "COMMAND")
	for _, p := range b.Processes {
		command := strings.Join(p.Args, " ")
		if p.Kernel {
			command = "[" + p.Name + "]"
		}
		t.row(p, p.PID, p.PPID, t.name(p.EUID), moment(p.Started), cmp.Or(p.TTY, "-"), fmt.Sprintf("%.1fs", p.CPU), cmp.Or(p.Unit, "-"), cmp.Or(p.Exe, "-"), cmp.Or(odd(p), "-"), command)
	}
}

// odd says in words what a user should look at.
func odd(p *state.Process) string {
	var out []string
	for _, x := range []struct {
		is   bool
		word string
	}{{p.Found != "", "HIDDEN"}, {p.Memory, "from-memory"}, {p.Deleted && !p.Memory && !p.Replaced, "file-deleted"}, {p.Replaced, "file-replaced"}, {p.DirGone, "folder-deleted"}, {p.Tracer != 0, "traced"}, {len(p.Odd) > 0, "contradicts-itself"}, {p.Container != "", "in " + p.Container}} {
		if x.is {
			out = append(out, x.word)
		}
	}
	return strings.Join(out, ",")
}

func moment(at string) string {
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return "-"
	}
	return t.Format("2006-01-02T15:04:05Z")
}

func ss(t *listing, b *acquire.Box) {
	t.row(nil, "PROTO", "STATE", "LOCAL", "REMOTE", "USER", "VIEWS", "PROCESS")
	for _, s := range b.Sockets {
		if s.Protocol == "unix" && t.j == nil {
			continue
		}
		who := []string{}
		for _, pid := range s.PIDs {
			if p := b.Process(pid); p != nil {
				who = append(who, fmt.Sprintf("%d/%s", pid, p.Name))
			}
		}
		state := s.State
		if s.Filter > 0 {
			state += fmt.Sprintf(" filter of %d", s.Filter)
		}
		t.row(s, s.Protocol, cmp.Or(state, "-"), cmp.Or(s.Local, "-"), cmp.Or(s.Remote, "-"), t.name(s.UID), strings.Join(s.Views, ","), cmp.Or(strings.Join(who, " "), "-"))
	}
}

func lsof(t *listing, b *acquire.Box) {
	t.row(nil, "PID", "NAME", "USER", "FD", "MODE", "WHAT")
	for _, p := range b.Processes {
		for _, f := range p.Files {
			mode, what := "r", f.Target
			if f.Write {
				mode = "w"
			}
			if f.Deleted {
				what += " (deleted)"
			}
			t.row(struct {
				PID int `json:"pid"`
				state.Open
			}{p.PID, f}, p.PID, p.Name, t.name(p.EUID), f.FD, mode, what)
		}
		for _, m := range p.Mapped {
			what := m.Path
			if m.Deleted {
				what += " (deleted)"
			}
			t.row(struct {
				PID int `json:"pid"`
				state.Mapped
			}{p.PID, m}, p.PID, p.Name, t.name(p.EUID), "-", "x", what)
		}
	}
}

// session is a login that still has processes.
type session struct {
	Number  int64  `json:"session"`
	Account string `json:"account"`
	TTY     string `json:"tty"`
	From    string `json:"from"`
	Since   string `json:"since"`
	PIDs    []int  `json:"pids"`
}

func who(t *listing, b *acquire.Box) {
	var all []*session
	for _, p := range b.Processes {
		if p.LoginUID < 0 && !strings.HasPrefix(p.Unit, "session-") {
			continue
		}
		i := slices.IndexFunc(all, func(s *session) bool { return s.Number == p.Session && s.Account == t.name(uint32(max(p.LoginUID, 0))) })
		if i < 0 {
			all = append(all, &session{Number: p.Session, Account: t.name(uint32(max(p.LoginUID, 0))), Since: p.Started})
			i = len(all) - 1
		}
		s := all[i]
		s.PIDs = append(s.PIDs, p.PID)
		s.TTY, s.Since = cmp.Or(s.TTY, p.TTY), min(s.Since, p.Started)
		for _, v := range p.Env {
			if rest, ok := strings.CutPrefix(v, "SSH_CONNECTION="); ok && s.From == "" {
				s.From, _, _ = strings.Cut(rest, " ")
			}
		}
	}
	t.row(nil, "SESSION", "ACCOUNT", "TTY", "FROM", "SINCE", "PROCESSES")
	for _, s := range all {
		t.row(s, s.Number, s.Account, cmp.Or(s.TTY, "-"), cmp.Or(s.From, "-"), moment(s.Since), len(s.PIDs))
	}
}

func lsmod(t *listing, b *acquire.Box) {
	t.row(nil, "MODULE", "VIEWS")
	views := map[string][]string{}
	text, _ := bounded.Read(b.Proc+"/modules", 16<<20) // none: the kernel has no modules
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(line, " "); ok {
			views[name] = append(views[name], "proc-modules")
		}
	}
	dirs, _ := os.ReadDir(b.Sys + "/module") // none of it: the kernel has no modules
	for _, d := range dirs {
		if _, err := os.Stat(b.Sys + "/module/" + d.Name() + "/initstate"); err == nil {
			views[d.Name()] = append(views[d.Name()], "sys-module")
		}
	}
	for _, n := range slices.Sorted(maps.Keys(views)) {
		t.row(&state.Module{Name: n, Views: views[n]}, n, strings.Join(views[n], ","))
	}
}
