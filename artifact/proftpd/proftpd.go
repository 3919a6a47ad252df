// Package proftpd decodes what ProFTPD says of logins. The name is the client's, and stands in the middle: whether it
// was accepted is told by the end of the line, the address by its beginning.
package proftpd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "proftpd", Doc: "ftp logins to ProFTPD: accepted and refused, from where", Spec: "ProFTPD 1.3 modules/mod_auth.c, src/{log.c,main.c,session.c}",
		Programs: []string{"proftpd"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ServiceStarted, event.ServiceStopped},
	}
}

var service, password, yes = []byte("proftpd"), []byte("password"), []byte("true")

// routine are the beginnings of what tells nothing of its own, the address taken off.
var routine = []string{"FTP session ", "SSH2 session ", "FTP login timed out", "FTP no transfer ", "FTP idle ", "FTP data ", "Maximum login attempts ", "Preparing to chroot ", "Client session idle ", "mod_", "error", "notice: ",
	"warning: ", "ProFTPD ", "Refused ", "Connection ", "MaxClients", "received SIG", "SECURITY VIOLATION: ", "Transfer ", "Data transfer ", "unable ", "Passive ", "dispatching ", "disabling ", "using "}

// decode reads "server (name[ip]) - text".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	head, t, ok := said.Cut(m.Text, " - ")
	if !ok {
		head, t = nil, m.Text
	}
	name, anonymous := said.Rest(t, "ANON ")
	user := anonymous
	if !user {
		name, user = said.Rest(t, "USER ")
	}
	switch {
	case user:
		return login(m, head, name, anonymous, yield)
	case bytes.HasPrefix(t, []byte("ProFTPD ")) && bytes.HasSuffix(t, []byte(" STARTUP")):
		serviceEvent(m, event.ServiceStarted, yield)
	case bytes.HasPrefix(t, []byte("ProFTPD ")) && bytes.HasSuffix(t, []byte(" SHUTDOWN")):
		serviceEvent(m, event.ServiceStopped, yield)
	}
	return said.BeginsAny(t, routine)
}

func serviceEvent(m *artifact.Message, k event.Kind, yield func(*event.Event)) {
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	yield(e)
}

// login reads "name: Login successful.", "name (Login failed): why.", "name: no such user found from host [ip] to ip:port".
func login(m *artifact.Message, head, t []byte, anonymous bool, yield func(*event.Event)) bool {
	k, name, why := event.AuthFailed, t, []byte(nil)
	if user, reason, ok := said.CutLast(t, " (Login failed): "); ok {
		name, why = user, bytes.TrimSuffix(reason, []byte("."))
	} else if user, _, ok := said.CutLast(t, ": no such user found from "); ok {
		name, why = user, t[len(user)+len(": "):]
		why, _, _ = said.Cut(why, " from ")
	} else if user, ok := bytes.CutSuffix(t, []byte(": Login successful.")); ok {
		k, name = event.AuthAccepted, user
	} else {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	if i := bytes.LastIndexByte(head, '['); i >= 0 { // "(name[ip])": a name from the DNS stands before it
		ip, _, _ := said.Cut(head[i+1:], "]")
		e.Add(event.SourceIP, said.Address(ip))
	}
	e.Add(event.AuthMethod, password)
	e.Add(event.AuthReason, why)
	if bytes.EqualFold(why, []byte("no such user found")) {
		e.Add(event.UserInvalid, yes)
	}
	if anonymous {
		e.Add(event.AuthAnonymous, yes)
	}
	yield(e)
	return true
}
