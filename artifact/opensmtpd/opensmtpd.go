// Package opensmtpd decodes what OpenSMTPD says of who logged in to send mail, and who was refused. One line tells the address and another the name, which a session's
// number joins; so what is said of sessions is kept while a file is read. Mails themselves are not told.
package opensmtpd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "opensmtpd", Doc: "logins to the mail server OpenSMTPD: accepted and refused, from where", Spec: "OpenSMTPD 6.0 to 7.5 usr.sbin/smtpd/smtp_session.c",
		Programs: []string{"smtpd"}, Decode: newReader().decode, Fresh: func() func(*artifact.Message, func(*event.Event)) bool { return newReader().decode }, Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen}}
}

// maxSessions bounds what is kept; beyond it logins are told without their address.
const maxSessions = 20000

// session is what is known of one: whose it is, and whether a line of its own told the last refused try.
type session struct {
	ip   string
	told bool
}

type reader struct{ of map[string]*session }

func newReader() *reader { return &reader{of: map[string]*session{}} }

var service, password = []byte("opensmtpd"), []byte("password")

// decode reads
//
//	5df87c903d709659 smtp connected address=192.0.2.1 host=h.example.org
//	5df87c903d709659 smtp authentication user=bob result=permfail
//	5df87c903d709659 smtp failed-command command="AUTH LOGIN" result="535 Authentication failed"
//	5df87c903d709659 smtp disconnected reason=quit
//
// and, before 6.4, "smtp event=connected address=192.0.2.1 host=h.example.org". A refused try leaves its own line, and that of the command, which is passed over then.
func (r *reader) decode(m *artifact.Message, yield func(*event.Event)) bool {
	id, rest := said.FirstWord(m.Text)
	what, ok := said.Rest(rest, "smtp ")
	if !ok || len(id) != 16 {
		return true
	}
	what, _ = said.Rest(what, "event=")
	verb, t := said.FirstWord(what)
	number := string(m.Host) + " " + string(id) // several servers may write to one log
	switch string(verb) {
	case "connected":
		r.connected(number, t)
	case "disconnected", "closed":
		delete(r.of, number)
	case "authentication":
		r.tried(m, number, t, yield)
	case "failed-command":
		r.command(m, number, t, yield)
	}
	return true
}

func (r *reader) connected(number string, t []byte) {
	at, ok := said.Rest(t, "address=")
	at, _ = said.FirstWord(at)
	if ip := said.Address(at); ok && ip != nil && len(r.of) < maxSessions {
		r.of[number] = &session{ip: string(ip)}
		return
	}
	delete(r.of, number) // of a socket of this machine
}

// address gives that of a session, nil where none is known.
func (r *reader) address(number string) []byte {
	if of := r.of[number]; of != nil {
		return []byte(of.ip)
	}
	return nil
}

// command reads `[address=A host=H ]command="AUTH PLAIN (...)" result="535 Authentication failed"`. The command is the client's.
func (r *reader) command(m *artifact.Message, number string, t []byte, yield func(*event.Event)) {
	ip := r.address(number)
	if rest, ok := said.Rest(t, "address="); ok {
		at, rest := said.FirstWord(rest)
		if _, t = said.FirstWord(rest); len(ip) == 0 {
			ip = said.Address(at)
		}
	}
	of := r.of[number]
	_, result, ok := said.CutLast(t, `" result="`)
	if len(ip) == 0 || !ok || !bytes.HasPrefix(t, []byte(`command="AUTH `)) || of != nil && of.told {
		if of != nil {
			of.told = false
		}
		return
	}
	kind := event.ConnectionSeen
	if bytes.HasPrefix(result, []byte("535 ")) {
		kind = event.AuthFailed
	}
	e := m.Event(kind)
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, ip)
	yield(e)
}

// tried reads "user=NAME [address=A host=H ]result=ok". The name is the client's.
func (r *reader) tried(m *artifact.Message, number string, t []byte, yield func(*event.Event)) {
	name, ok := said.Rest(t, "user=")
	name, result, ok2 := said.CutLast(name, " result=")
	if !ok || !ok2 {
		return
	}
	kind := event.AuthFailed
	switch string(result) {
	case "ok":
		kind = event.AuthAccepted
	case "permfail":
	default: // the table of accounts was not to be had
		return
	}
	ip := r.address(number)
	if of := r.of[number]; of != nil {
		of.told = kind == event.AuthFailed
	}
	if before, at, ok := said.CutLast(name, " address="); ok {
		at, _ = said.FirstWord(at)
		if name = before; len(ip) == 0 {
			ip = said.Address(at)
		}
	}
	e := m.Event(kind)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, bytes.TrimSpace(name))
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
}
