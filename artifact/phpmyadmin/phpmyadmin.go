// Package phpmyadmin decodes logins to phpMyAdmin, a database's door to the web. The name is the client's word; the address stands at the end.
package phpmyadmin

import (
	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "phpmyadmin", Doc: "logins to phpMyAdmin: accepted and refused, from where", Spec: "phpMyAdmin 4.8 to 5.2 libraries/classes/Logging.php ($cfg['AuthLog'])", Programs: []string{"phpMyAdmin"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

var service, password = []byte("phpmyadmin"), []byte("password")

// decode reads "user denied: NAME (mysql-denied) from IP" and "user authenticated: NAME from IP".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	k := event.AuthFailed
	rest, ok := said.Rest(m.Text, "user denied: ")
	if !ok {
		if rest, ok = said.Rest(m.Text, "user authenticated: "); !ok {
			return false
		}
		k = event.AuthAccepted
	}
	name, address, ok := said.CutLast(rest, " from ")
	ip := said.Address(address)
	if !ok || ip == nil {
		return false
	}
	var reason []byte
	if k == event.AuthFailed {
		if before, why, ok := said.CutLast(name, " ("); ok {
			name, reason = before, why[:max(0, len(why)-1)]
		}
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	e.Add(event.AuthReason, reason)
	yield(e)
	return true
}
