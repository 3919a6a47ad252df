package exim

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// turnedAway reads what clients are told that break the rules, or leave without a mail: "SMTP protocol error in "AUTH LOGIN" H=name (helo) [ip] ...",
// "SMTP call from name [ip] dropped: why", "no MAIL in SMTP connection from name [ip]", "H=name [ip] sender verify fail for <a>: why".
func turnedAway(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	where := t
	switch {
	case said.BeginsAny(t, []string{"SMTP protocol error in ", "SMTP protocol synchronization error"}): // what the client sent stands in quotes, before the address or behind it
		for _, end := range [...]string{" input=\"", " next input=\""} {
			where, _, _ = said.Cut(where, end)
		}
	case bytes.HasPrefix(t, []byte("unqualified verify rejected: ")): // VRFY root
	case said.BeginsAny(t, []string{"SMTP call from ", "SMTP connection from ", "no MAIL in SMTP connection from ", "SMTP command timeout on ", "SMTP data timeout "}):
		if !bytes.Contains(t, []byte(" dropped")) && !bytes.Contains(t, []byte(" closed by DROP ")) && t[0] == 'S' {
			return false // an ordinary connection
		}
	case bytes.HasPrefix(t, []byte("H=")) && bytes.Contains(t, []byte(" sender verify fail for ")):
		where, _, _ = said.Cut(t, " sender verify fail for ")
	default:
		return false
	}
	where, _, _ = said.CutLast(where, " I=[")
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, service)
	host(e, where[bytes.LastIndexByte(where, ' ')+1:])
	for e.Get(event.SourceIP) == nil { // words behind it
		var ok bool
		if where, _, ok = said.CutLast(where, " "); !ok {
			return false
		}
		host(e, where[bytes.LastIndexByte(where, ' ')+1:])
	}
	e.Add(event.AuthReason, t)
	yield(e)
	return true
}

// unbound reads what belongs to no message.
func unbound(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	if bytes.HasPrefix(t, []byte("H=")) && rejected(m, nil, t, yield) || turnedAway(m, t, yield) {
		return true
	}
	if name, rest, ok := said.Cut(t, " authenticator failed for "); ok && bytes.IndexByte(name, ' ') < 0 {
		refused(m, rest, yield)
		return true
	}
	if dir, ok := said.Rest(t, "cwd="); ok { // log_selector arguments: which folder called sendmail
		e := m.Event(event.ProgramSaid)
		e.Add(event.ServiceName, service)
		if i := bytes.Index(dir, []byte(" args: ")); i > 0 {
			before, _ := said.LastWord(dir[:i])
			e.Add(event.WorkingDirectory, before)
			e.Add(event.CommandLine, dir[i+len(" args: "):])
		}
		e.Add(event.Message, t)
		yield(e)
		return true
	}
	if bytes.HasPrefix(t, []byte("exim user lost privilege for ")) { // somebody ran it with a configuration or macros of his own
		e := m.Event(event.ProgramSaid)
		e.Add(event.ServiceName, service)
		e.Add(event.Message, t)
		yield(e)
		return true
	}
	if rest, ok := said.Rest(t, "exim "); ok && bytes.Contains(rest, []byte(" daemon started: pid=")) {
		e := m.Event(event.ServiceStarted)
		e.Add(event.ServiceName, service)
		yield(e)
		return true
	}
	return said.BeginsAny(t, routine)
}
