// Package cyrus decodes the logins of Cyrus IMAP: accepted and refused, from where. The address stands before anything that the client chose.
package cyrus

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "cyrus", Doc: "logins to mailboxes of Cyrus: accepted and refused, from where", Spec: "Cyrus IMAP 2.2 to 3.10 imap/{imapd,pop3d,lmtpengine,httpd}.c (syslog of login, badlogin)",
		Programs: []string{"cyrus/", "imap", "imaps", "pop3", "pop3s", "imapd", "pop3d", "timsieved", "sieve", "httpd"}, Decode: decode, Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen}}
}

var service = []byte("cyrus")

// decode reads "badlogin: host [ip] MECH user SASL(-13): why" and "login: host [ip] user MECH User logged in".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	k := event.AuthFailed
	rest, ok := said.Rest(m.Text, "badlogin: ")
	if !ok {
		if rest, ok = said.Rest(m.Text, "login: "); !ok {
			return untrusting(m, yield) || bytes.HasPrefix(m.Program, []byte("cyrus/"))
		}
		k = event.AuthAccepted
	}
	_, rest, ok = said.Cut(rest, "[")
	ip, rest, ok2 := said.Cut(rest, "]")
	address := said.Address(ip)
	if !ok || !ok2 || address == nil {
		return false
	}
	rest = bytes.TrimLeft(rest, " ")
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	if k == event.AuthAccepted {
		before, ok := bytes.CutSuffix(rest, []byte(" User logged in"))
		if !ok {
			if before, _, ok = said.CutLast(rest, " User logged in "); !ok { // "SESSIONID=<..>" since 2.4
				return true
			}
		}
		user, method := said.LastWord(bytes.TrimSuffix(before, []byte("+TLS")))
		e.Add(event.UserName, user)
		e.Add(event.AuthMethod, method)
	} else {
		method, what := said.FirstWord(rest)
		e.Add(event.AuthMethod, method)
		if user, _, ok := said.Cut(what, " SASL("); ok {
			e.Add(event.UserName, user)
		} else if user, _, ok := said.Cut(what, " ["); ok {
			e.Add(event.UserName, user)
		}
	}
	e.Add(event.SourceIP, address)
	yield(e)
	return true
}

// untrusting reads "imaps TLS negotiation failed: host [ip]" and "STARTTLS negotiation failed: host [ip]": who comes to look.
func untrusting(m *artifact.Message, yield func(*event.Event)) bool {
	what, from, ok := said.Cut(m.Text, " negotiation failed: ")
	_, ip, ok2 := said.CutLast(bytes.TrimRight(from, " "), "[")
	address := said.Address(bytes.TrimSuffix(ip, []byte("]")))
	if !ok || !ok2 || address == nil || !bytes.HasSuffix(what, []byte("TLS")) {
		return false
	}
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, address)
	e.Add(event.AuthReason, m.Text[:len(what)+len(" negotiation failed")])
	yield(e)
	return true
}
