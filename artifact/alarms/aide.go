package alarms

import (
	"bytes"
	"encoding/json"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// AIDE gives the artefact of AIDE's reports.
func AIDE() *artifact.Artifact {
	return &artifact.Artifact{Name: "aide", Doc: "files that AIDE found added, removed and changed", Spec: "AIDE 0.14 to 0.18 src/report.c, src/report_plain.c (report_level list_entries)", Files: []string{"/var/log/aide/*.log", "/var/log/aide/*.report", "/var/log/aide.log"}, Log: true,
		Sniff: func(head []byte) bool {
			return bytes.Contains(head[:min(len(head), 2048)], []byte("AIDE found ")) || bytes.HasPrefix(head, []byte("AIDE "))
		}, Parse: report(aide), Kinds: kinds()}
}

// AIDESaid gives the artefact of reports that go to syslog.
func AIDESaid() *artifact.Artifact {
	return &artifact.Artifact{Name: "aide-syslog", Doc: AIDE().Doc, Spec: AIDE().Spec + "; report_url=syslog", Programs: []string{"aide"}, Decode: aideSaid, Kinds: kinds()}
}

// aide reads "Start timestamp: yyyy-mm-dd hh:mm:ss +0000 (AIDE 0.18)", "Added entries:" and the like, and entries "f++++: /path" and "changed: /path" below them. What
// comes behind "Detailed information" are attributes. AIDE escapes what is odd in a path, but not in report_format=json, where each entry has a line, too.
func aide(p *page, c *logclock.Clock, m *artifact.Message, yield func(*event.Event)) {
	t := m.Text
	rest, ok := said.Rest(t, "Start timestamp: ")
	if !ok {
		rest, ok = said.Rest(t, `  "start_time": "`)
	}
	if ok {
		if at, n := zoned(c, rest); n > 0 {
			p.at = at
		}
		p.section = nil
		return
	}
	if section, begins := heading(t); begins {
		p.section = section
	}
	if p.section == nil {
		return
	}
	kind, path, ok := entry(t)
	if !ok {
		kind, path, ok = entryJSON(t)
	}
	if !ok {
		return
	}
	m.At = p.at
	change := p.section
	if bytes.Equal(change, mixed) {
		change = changeOf(kind)
	}
	alarm{service: "aide", path: path, message: bytes.TrimRight(kind, " "), change: change}.yield(m, yield)
}

var mixed = []byte("mixed")

// heading tells what the entries below a line are; none where it ends them.
func heading(t []byte) (section []byte, begins bool) {
	switch string(t) {
	case "Added entries:", "Added files:", `  "added": {`:
		return added, true
	case "Removed entries:", "Removed files:", `  "removed": {`:
		return removed, true
	case "Changed entries:", "Changed files:", `  "changed": {`:
		return changed, true
	case "Added, removed and changed entries:": // report_grouped=no
		return mixed, true
	}
	return nil, said.BeginsAny(t, []string{"Detailed information", "The attributes of the", "Summary:", "  }"})
}

// entry reads "f++++++: /path".
func entry(t []byte) (kind, path []byte, ok bool) {
	kind, path, ok = said.Cut(t, ": ")
	return kind, path, ok && len(path) > 0 && path[0] == '/' && len(kind) > 0 && len(kind) <= 40
}

// entryJSON reads `    "/path": "f++++++",`.
func entryJSON(t []byte) (kind, path []byte, ok bool) {
	rest, ok := said.Rest(t, `    "/`)
	quoted, kind, ok2 := said.CutLast(bytes.TrimRight(rest, `",`), `": "`)
	if !ok || !ok2 || len(kind) > 40 {
		return nil, nil, false
	}
	var s string
	if json.Unmarshal(append(append([]byte(`"/`), quoted...), '"'), &s) != nil {
		return nil, nil, false
	}
	return kind, []byte(s), true
}

// changeOf tells an entry's change by its flags, "f++++++", "f------", "f > ... ....H.. ", or by its word.
func changeOf(kind []byte) []byte {
	switch {
	case string(kind) == "added" || len(kind) > 2 && kind[1] == '+' && kind[2] == '+':
		return added
	case string(kind) == "removed" || len(kind) > 2 && kind[1] == '-' && kind[2] == '-':
		return removed
	}
	return changed
}

// aideSaid reads entries out of a report of which each line is a message, newlines before it. The same day's other lines, attributes and sums, are understood and told of nobody.
func aideSaid(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	for {
		rest, ok := said.Rest(t, "#012") // as rsyslog writes a newline
		if !ok {
			rest, ok = said.Rest(t, "\n")
		}
		if !ok {
			break
		}
		t = rest
	}
	kind, path, ok := entry(t)
	if !ok || !flags(kind) {
		return true
	}
	return alarm{service: "aide", path: path, message: bytes.TrimRight(kind, " "), change: changeOf(kind)}.yield(m, yield)
}

// flags tells an entry's flags or word from the names of attributes and file types.
func flags(kind []byte) bool {
	switch string(kind) {
	case "added", "removed", "changed":
		return true
	}
	const marks = "+-=<>!. "
	return len(kind) >= 10 && kind[0] != ' ' && (kind[1] == 'l' || bytes.IndexByte([]byte(marks), kind[1]) >= 0) && bytes.IndexByte([]byte(marks), kind[2]) >= 0
}

// zoned reads "yyyy-mm-dd hh:mm:ss[ +zzzz]".
func zoned(c *logclock.Clock, t []byte) (at evidence.Time, n int) {
	if len(t) >= 25 && t[19] == ' ' && (t[20] == '+' || t[20] == '-') {
		b := [24]byte(append(append(make([]byte, 0, 24), t[:19]...), t[20:25]...))
		return c.ISO(b[:])
	}
	return c.ISO(t)
}
