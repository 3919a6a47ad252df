// Package ispconfig reads the logins to the hosting panel ISPConfig. The name is the client's word; the address and the time stand behind it.
package ispconfig

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "ispconfig", Doc: "logins to the hosting panel ISPConfig: accepted and refused, from where", Spec: "ISPConfig 3.0 to 3.2 interface/web/login/index.php (authlog)",
		Files: []string{"/var/log/ispconfig/auth*.log"}, Log: true, Sniff: artifact.MostLines(ours), Parse: artifact.Stamped("ispconfig", stamp, decode), Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

var service, password = []byte("ispconfig"), []byte("password")

// decode reads "Failed login for user 'NAME' from [']1.2.3.4[']" and "Successful login for user ...".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	k := event.AuthFailed
	rest, ok := said.Rest(m.Text, "Failed login for user '")
	if !ok {
		if rest, ok = said.Rest(m.Text, "Successful login for user '"); !ok {
			return false
		}
		k = event.AuthAccepted
	}
	name, address, ok := said.CutLast(rest, "' from ")
	ip := said.Address(bytes.Trim(address, "'"))
	if !ok || ip == nil {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}

// stamp takes " at yyyy-mm-dd hh:mm:ss[ with session ID x]" off a line's end.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	text, date, ok := said.CutLast(t, " at ")
	at, n := c.ISO(date)
	if !ok || n != 19 || len(date) > n && !bytes.HasPrefix(date[n:], []byte(" with session ID ")) {
		return evidence.Time{}, t, false
	}
	return at, text, true
}

// ours tells a line of this log.
func ours(line []byte) bool {
	return said.BeginsAny(line, []string{"Failed login for user '", "Successful login for user '"})
}
