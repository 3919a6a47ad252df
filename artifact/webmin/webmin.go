// Package webmin decodes logins to Webmin, Usermin and Virtualmin, which give root's rights to whoever is let in. The name is the client's word; the address
// stands at the end.
package webmin

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "webmin", Doc: "logins to Webmin and Usermin: accepted and refused, from where", Spec: "Webmin 1.3 to 2.1 miniserv.pl (syslog)", Programs: []string{"webmin", "usermin", "miniserv"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ServiceStarted, event.ServiceStopped}}
}

var password, yes = []byte("password"), []byte("true")

// verdicts are the words before "as NAME from ADDRESS".
var verdicts = []struct {
	words   string
	kind    event.Kind
	unknown bool
}{
	{"Successful login as ", event.AuthAccepted, false}, {"Invalid login as ", event.AuthFailed, false}, {"Non-existent login as ", event.AuthFailed, true}, {"Expired login as ", event.AuthFailed, false},
	{"Security alert: Host-based login as ", event.AuthAccepted, false},
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	for _, v := range verdicts {
		rest, ok := said.Rest(m.Text, v.words)
		if !ok {
			continue
		}
		name, address, ok := said.CutLast(bytes.TrimRight(rest, " "), " from ")
		ip := said.Address(address)
		if !ok || ip == nil {
			return false
		}
		e := m.Event(v.kind)
		e.Add(event.ServiceName, m.Program)
		e.Add(event.UserName, name)
		if v.unknown {
			e.Add(event.UserInvalid, yes)
		}
		e.Add(event.SourceIP, ip)
		e.Add(event.AuthMethod, password)
		yield(e)
		return true
	}
	k := event.Unknown
	if bytes.HasPrefix(m.Text, []byte("Webmin starting")) || bytes.HasPrefix(m.Text, []byte("Usermin starting")) {
		k = event.ServiceStarted
	}
	if k != event.Unknown {
		e := m.Event(k)
		e.Add(event.ServiceName, m.Program)
		yield(e)
		return true
	}
	return said.BeginsAny(m.Text, []string{"Logout ", "Session ", "Timeout ", "Security alert: ", "Twofactor ", "Deleted "})
}
