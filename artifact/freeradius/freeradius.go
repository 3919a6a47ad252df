// Package freeradius reads what FreeRADIUS says of logins to a network, of which it is asked by access points, VPN servers and the like. The client in its words is the one that asks; who logs in is
// named by its telephone number, its card or its address.
package freeradius

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const spec = "FreeRADIUS 1.1 to 3.2 src/main/{auth,log}.c; radiusd.conf(5), log { auth = yes }"

var kinds = []event.Kind{event.AuthAccepted, event.AuthFailed}

// New gives the artefact of its own log.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "freeradius", Doc: "logins of which FreeRADIUS was asked: accepted and refused", Spec: spec, Files: []string{"/var/log/{freeradius,radius}/radius.log*"}, Log: true,
		Sniff: artifact.MostLines(sniff), Parse: artifact.Stamped("freeradius", stamp, decode), Kinds: kinds}
}

// Syslog gives the artefact of what it sends to syslog.
func Syslog() *artifact.Artifact {
	return &artifact.Artifact{Name: "freeradius-syslog", Doc: New().Doc, Spec: spec, Programs: []string{"radiusd", "freeradius"}, Decode: decode, Kinds: kinds}
}

func sniff(line []byte) bool {
	_, t, ok := stamp(&logclock.Clock{Year: 2000}, line)
	return ok && said.BeginsAny(t, []string{"Auth: ", "Info: ", "Error: ", "Warning: ", "Proxy: "})
}

// stamp takes "Wed May  1 10:11:12 2024 : " off a line.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	at, n := c.Asctime(t)
	text, ok = said.Rest(t[n:], " : ")
	return at, text, ok && n > 0
}

var service, password = []byte("radius"), []byte("password")

// decode reads "[Auth: ][(12) ]Login incorrect (why): [NAME/PASSWORD] (from client nas port 10 cli 192.0.2.1)", of which the name, the password and the reason may hold anything, and the same with "Login OK". The
// password is passed over.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t, _ := said.Rest(m.Text, "Auth: ")
	if len(t) > 2 && t[0] == '(' && len(said.Number(t[1:])) > 0 {
		_, t, _ = said.Cut(t, ")")
		t = bytes.TrimLeft(t, " ")
	}
	kind := event.AuthFailed
	rest, ok := said.Rest(t, "Login incorrect")
	if !ok {
		if rest, ok = said.Rest(t, "Login OK"); !ok {
			return true
		}
		kind = event.AuthAccepted
	}
	who, from, ok := said.CutLast(rest, "] (from client ")
	_, name, ok2 := said.Cut(who, ": [")
	if !ok || !ok2 {
		return true
	}
	name, _, _ = said.Cut(name, "/")
	_, station, _ := said.CutLast(from, " cli ")
	station, _ = said.FirstWord(station)
	station = bytes.TrimSuffix(station, []byte(")"))
	station, _ = said.Rest(station, "ip:source-ip=")
	e := m.Event(kind)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	if ip := said.Address(station); ip != nil {
		e.Add(event.SourceIP, ip)
	} else {
		e.Add(event.SourceHost, station)
	}
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}
