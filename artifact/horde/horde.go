// Package horde decodes the logins to the webmail and groupware Horde that it sends to syslog: accepted and refused, from where. A name is the client's: the address is read from where no
// name stands, or from behind it.
package horde

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "horde", Doc: "logins to Horde and its webmail", Spec: "Horde 3 to 5 lib/Horde/Auth.php, imp/lib/Auth.php (Horde::logMessage)",
		Programs: []string{"HORDE", "horde"}, Decode: decode, Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

var service, password = []byte("horde"), []byte("password")

// decode reads
//
//	[notice] [imp] Login success for NAME [ADDRESS] to {host:143 [imap]} [pid 9 on line 92 of "..."]
//	[error] [imp] FAILED LOGIN for NAME [ADDRESS](forwarded for [OTHER]) to Horde [pid 9 on line 92 of "..."]
//	[error] [imp] FAILED LOGIN ADDRESS to host:143[imap] as NAME [on line 258 of "..."]
//
// the level missing in Horde 4 and later. Who forwards a request says for whom, which anybody may.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	for range 2 {
		if head, rest, ok := said.Cut(t, "] "); ok && len(head) > 1 && head[0] == '[' && bytes.IndexByte(head, ' ') < 0 {
			t = rest
		}
	}
	if i := bytes.LastIndex(t, []byte(" [")); i > 0 && bytes.Contains(t[i:], []byte("on line ")) {
		t = t[:i]
	}
	k := event.AuthFailed
	rest, ok := said.Rest(t, "FAILED LOGIN ")
	if !ok {
		if rest, ok = said.Rest(t, "Login success "); !ok {
			return true // other errors
		}
		k = event.AuthAccepted
	}
	var name, ip []byte
	if who, named := said.Rest(rest, "for "); named {
		who, _, ok = said.CutLast(who, " to ")
		who, _, _ = said.Cut(who, "](forwarded for [")
		name, ip, _ = said.CutLast(who, " [")
		ip = bytes.TrimSuffix(ip, []byte("]"))
	} else {
		ip, rest = said.FirstWord(rest)
		_, name, ok = said.Cut(rest, " as ")
	}
	address := said.Address(ip)
	if !ok || address == nil {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, address)
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}
