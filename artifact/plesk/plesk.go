// Package plesk reads the log of the hosting panel Plesk: refused logins, and what its action log tells. The name is the client's word and stands in quotes; the address
// stands at the end. The logs of the sites are the web server's, and read as such.
package plesk

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "plesk", Doc: "refused logins to the hosting panel Plesk, and what was done with it", Spec: "Plesk Onyx and Obsidian panel.log; the filter of its own fail2ban jail plesk-panel",
		Files: []string{"/var/log/plesk/{panel,action}*.log", "/usr/local/psa/admin/logs/{panel,action}*.log", "/opt/psa/admin/logs/{panel,action}*.log"}, Log: true, Sniff: artifact.MostLines(ours),
		Parse: artifact.Stamped("plesk", stamp, decode), Kinds: []event.Kind{event.AuthFailed, event.ProgramSaid}}
}

var service, password = []byte("plesk"), []byte("password")

// decode reads "[pid:request ]LEVEL [panel] [[Action Log] ]text".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	word, rest := said.FirstWord(t)
	if pid, _, ok := said.Cut(word, ":"); ok && len(pid) > 0 && len(said.Number(pid)) == len(pid) {
		m.PID = pid
		word, rest = said.FirstWord(rest)
	}
	switch string(word) {
	case "ERR", "INFO", "WARN", "NOTICE", "DEBUG", "CRIT", "ALERT", "EMERG":
	default:
		return said.BeginsAny(t, []string{"#", "Stack trace", "---", "file: ", "line: ", "code: ", "trace: "}) // an exception's trace
	}
	part, rest, ok := said.Cut(rest, "] ")
	if !ok || len(part) == 0 || part[0] != '[' {
		return false
	}
	rest, action := said.Rest(bytes.TrimLeft(rest, " "), "[Action Log] ")
	if known, told := login(m, rest, yield); known {
		return told
	}
	if action {
		e := m.Event(event.ProgramSaid)
		e.Add(event.ServiceName, service)
		e.Add(event.Message, rest)
		yield(e)
	}
	return true // the panel's own troubles, in words without end
}

// login reads "Failed login attempt with login 'NAME' from IP 1.2.3.4".
func login(m *artifact.Message, t []byte, yield func(*event.Event)) (known, told bool) {
	rest, ok := said.Rest(t, "Failed login attempt with login '")
	if !ok {
		return false, false
	}
	name, address, ok := said.CutLast(bytes.TrimRight(rest, " "), "' from IP ")
	ip := said.Address(address)
	if !ok || ip == nil {
		return true, false
	}
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
	return true, true
}

// stamp reads "[yyyy-mm-dd hh:mm:ss[.mmm]] ", and lets the lines of an exception's trace pass without a time.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if t[0] != '[' {
		return at, t, said.BeginsAny(t, []string{"#", "Stack trace", "---", "file: ", "line: ", "code: ", "trace: "})
	}
	at, n := c.ISO(t[1:])
	if n == 0 || n+2 >= len(t) || t[n+1] != ']' || t[n+2] != ' ' {
		return at, t, false
	}
	text = bytes.TrimLeft(t[n+2:], " ")
	return at, text, len(text) > 0
}

// ours tells a line of this log.
func ours(line []byte) bool {
	if len(line) < 30 || line[0] != '[' {
		return false
	}
	_, text, ok := stamp(&logclock.Clock{}, line)
	return ok && (bytes.Contains(text, []byte(" [panel] ")) || bytes.Contains(text, []byte(" [extension/")))
}
