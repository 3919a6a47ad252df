// Package courier decodes Courier's logins by IMAP and POP3, and what its SMTP server refused. Of a login the address stands behind the name, which is the
// client's word: the last one counts.
package courier

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "courier", Doc: "logins to mailboxes of Courier: accepted and refused, from where", Spec: "courier-imap 3 to 5 imap/imaplogin.c, imap/pop3login.c; courier 0.50 to 1.3 courier/module.esmtp/courieresmtpd.c",
		Programs: []string{"imapd", "imapd-ssl", "pop3d", "pop3d-ssl", "imaplogin", "courierpop3login", "courieresmtpd", "courier-imapd", "courier-pop3d"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.MailRejected}}
}

var service, password = []byte("courier"), []byte("password")

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if rest, ok := said.Rest(m.Text, "LOGIN FAILED, "); ok {
		return login(m, event.AuthFailed, rest, yield)
	}
	if rest, ok := said.Rest(m.Text, "LOGIN, "); ok {
		return login(m, event.AuthAccepted, rest, yield)
	}
	if rest, ok := said.Rest(m.Text, "error,relay="); ok {
		return refused(m, rest, yield)
	}
	return said.BeginsAny(m.Text, []string{"Connection, ", "LOGOUT, ", "DISCONNECTED, ", "TIMEOUT, ", "started,", "couriertls: "})
}

// login reads "user=u, ip=[ip], port=[n], protocol=IMAP", and "method=PLAIN, ip=[ip]" where no name was given.
func login(m *artifact.Message, k event.Kind, t []byte, yield func(*event.Event)) bool {
	before, rest, ok := said.CutLast(t, "ip=[")
	ip, rest, ok2 := said.Cut(rest, "]")
	address := said.Address(ip)
	if !ok || !ok2 || address == nil {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	if name, ok := said.Rest(bytes.TrimSuffix(before, []byte(", ")), "user="); ok {
		e.Add(event.UserName, name)
	}
	e.Add(event.SourceIP, address)
	if port, ok := said.Rest(rest, ", port=["); ok {
		e.Add(event.SourcePort, said.Number(port))
	}
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}

// refused reads "ip,port=n,msg="535 Authentication failed.",cmd: ..." and "ip,from=<a>,to=<b>: 550 why".
func refused(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	ip, rest, ok := said.Cut(t, ",")
	address := said.Address(ip)
	if !ok || address == nil {
		return false
	}
	var port []byte
	if after, ok := said.Rest(rest, "port="); ok {
		port, rest, _ = said.Cut(after, ",")
	}
	k := event.MailRejected
	if bytes.HasPrefix(rest, []byte(`msg="535 `)) {
		k = event.AuthFailed
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	if command, ok := said.Rest(rest, `msg="535 Authentication failed.",cmd: AUTH `); ok && k == event.AuthFailed {
		e.Add(event.UserName, tried(command))
	}
	e.Add(event.SourceIP, address)
	e.Add(event.SourcePort, said.Number(port))
	if k == event.MailRejected {
		e.Add(event.MailReason, rest)
	}
	yield(e)
	return true
}

// tried gives the name behind "LOGIN NAME" and "PLAIN BASE64 NAME", which the server adds to the client's command; nil where it adds none.
func tried(command []byte) []byte {
	method, rest := said.FirstWord(command)
	if string(method) == "PLAIN" {
		_, rest = said.FirstWord(rest)
	}
	if len(rest) > maxTried || bytes.HasSuffix(rest, []byte("=")) { // what the client sent, as it is
		return nil
	}
	return rest
}

// maxTried bounds a name, in bytes.
const maxTried = 200
