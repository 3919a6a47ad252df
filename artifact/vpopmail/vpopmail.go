// Package vpopmail decodes the logins to mailboxes of vpopmail, which checks passwords for qmail, Courier and Dovecot: accepted and refused, from where. A name is the client's, and the
// address stands behind it, at the end; vpopmail knows no IPv6.
package vpopmail

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "vpopmail", Doc: "logins to mailboxes that vpopmail checked: accepted and refused, from where", Spec: "vpopmail 5.4 vchkpw.c (vlog)",
		Programs: []string{"vpopmail", "vchkpw"}, Decode: decode, Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

var service, password, yes = []byte("vpopmail"), []byte("password"), []byte("true")

// answers are what vchkpw says before "NAME@DOMAIN:ADDRESS".
var answers = []struct {
	begins  string
	kind    event.Kind
	invalid bool
}{
	{"password fail", event.AuthFailed, false}, {"vpopmail user not found ", event.AuthFailed, true}, {"user not found ", event.AuthFailed, true}, {"null password given ", event.AuthFailed, false},
	{"null user name given ", event.AuthFailed, true}, {"invalid user/domain characters ", event.AuthFailed, true}, {"account disabled ", event.AuthFailed, false}, {"login success ", event.AuthAccepted, false},
}

// decode reads "vchkpw-pop3: password fail[ (pass: 'x')] NAME@DOMAIN:ADDRESS" and "vchkpw-smtp: (PLAIN) login success NAME@DOMAIN:ADDRESS".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t, ok := said.Rest(m.Text, "vchkpw")
	if !ok {
		return false
	}
	_, t = said.FirstWord(t)
	method := password
	if inner, ok := said.Rest(t, "("); ok {
		if how, rest, ok := said.Cut(inner, ") "); ok && bytes.IndexByte(how, ' ') < 0 {
			method, t = how, rest
		}
	}
	for _, a := range answers {
		rest, ok := said.Rest(t, a.begins)
		if !ok {
			continue
		}
		if wrong, ok := said.Rest(rest, " (pass: '"); ok { // whatever was typed, when vpopmail was built to log it
			_, rest, _ = said.CutLast(wrong, "') ")
		}
		name, ip, ok := said.CutLast(bytes.TrimLeft(rest, " "), ":")
		address := said.Address(ip)
		if !ok || address == nil {
			return false
		}
		e := m.Event(a.kind)
		e.Add(event.ServiceName, service)
		e.Add(event.UserName, name)
		e.Add(event.SourceIP, address)
		e.Add(event.AuthMethod, method)
		if a.invalid {
			e.Add(event.UserInvalid, yes)
		}
		yield(e)
		return true
	}
	return false
}
