// Package fail2ban reads what fail2ban did: whom it found, banned and let go again, and when it ran. Its first ban is often the first alarm that anybody
// had; its stop may be the intruder's.
package fail2ban

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const spec = "fail2ban 0.8 to 1.1 server/{actions,filter,server}.py, logtarget"

// New gives the artefact of what goes to syslog.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "fail2ban", Doc: "whom fail2ban banned, and when it ran", Spec: spec, Programs: []string{"fail2ban", "fail2ban-server", "fail2ban.*"}, Decode: decode,
		Kinds: []event.Kind{event.AlarmRaised, event.ServiceStarted, event.ServiceStopped}}
}

// File gives the artefact of its own log.
func File() *artifact.Artifact {
	return &artifact.Artifact{Name: "fail2ban-log", Doc: New().Doc, Spec: spec, Files: []string{"/var/log/fail2ban.log", "/var/log/fail2ban/*.log"}, Log: true, Sniff: artifact.MostLines(ours), Parse: artifact.Stamped("fail2ban", stamp, decode), Kinds: New().Kinds}
}

var service = []byte("fail2ban")

// decode reads "[fail2ban.actions  [pid]: ]NOTICE  [jail] Ban 1.2.3.4".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if rest, ok := said.Rest(t, "fail2ban."); ok {
		_, after, ok := said.Cut(rest, ": ")
		if !ok {
			return false
		}
		t = bytes.TrimLeft(after, " ")
	}
	level, rest := said.FirstWord(t)
	switch string(level) {
	case "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "DEBUG":
	default:
		return false
	}
	if k := state(rest); k != event.Unknown {
		e := m.Event(k)
		e.Add(event.ServiceName, service)
		e.Add(event.Change, rest)
		yield(e)
		return true
	}
	jail, ok := said.Rest(rest, "[")
	if !ok {
		return true
	}
	jail, rest, ok = said.Cut(jail, "] ")
	if !ok {
		return true
	}
	what := bytes.TrimPrefix(rest, []byte("Restore "))
	word, address := said.FirstWord(what)
	var change string
	switch string(word) {
	case "Ban":
		change = "banned"
	case "Unban":
		change = "unbanned"
	case "Found":
		change = "found"
	default:
		return true // "1.2.3.4 already banned"
	}
	address, _ = said.FirstWord(address) // "- 2024-07-09 03:00:00" behind what was found
	ip := said.Address(address)
	if ip == nil {
		return true
	}
	e := m.Event(event.AlarmRaised)
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, ip)
	e.Add(event.Message, jail)
	e.Add(event.Change, []byte(change))
	yield(e)
	return true
}

func state(t []byte) event.Kind {
	switch {
	case bytes.HasPrefix(t, []byte("Starting Fail2ban v")):
		return event.ServiceStarted
	case bytes.HasPrefix(t, []byte("Exiting Fail2ban")), bytes.HasPrefix(t, []byte("Shutdown in progress")):
		return event.ServiceStopped
	}
	return event.Unknown
}

// stamp reads "yyyy-mm-dd hh:mm:ss,mmm ".
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	at, n := c.ISO(t)
	if n == 0 || n >= len(t) || t[n] != ' ' {
		return at, t, false
	}
	return at, bytes.TrimLeft(t[n:], " "), true
}

// ours tells a line of fail2ban's own log.
func ours(line []byte) bool {
	return len(line) > 34 && line[10] == ' ' && line[19] == ',' && bytes.HasPrefix(line[24:], []byte("fail2ban."))
}
