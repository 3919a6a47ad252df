// Package slapd decodes what OpenLDAP's server says of its clients: who came from where, by which name, and whether the password was right. One line tells the address, one the name and one
// the answer, which a connection's number joins; so what is said of connections is kept while a file is read.
package slapd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "slapd", Doc: "binds at the directory server OpenLDAP: refused, by whom and from where", Spec: "OpenLDAP 2.3 to 2.6 servers/slapd/{daemon,bind,result,connection}.c (loglevel stats)",
		Programs: []string{"slapd"}, Decode: newReader().decode, Fresh: func() func(*artifact.Message, func(*event.Event)) bool { return newReader().decode }, Kinds: []event.Kind{event.AuthFailed}}
}

// maxConnections bounds what is kept; beyond it refusals are told without their address.
const maxConnections = 20000

// maxName bounds what is kept of a name, in bytes.
const maxName = 300

// client is what is known of one connection.
type client struct{ ip, port, name string }

type reader struct{ of map[string]*client }

func newReader() *reader { return &reader{of: map[string]*client{}} }

var service, password = []byte("slapd"), []byte("simple")

// decode reads
//
//	conn=1008 fd=14 ACCEPT from IP=192.0.2.1:54321 (IP=0.0.0.0:389)
//	conn=1008 op=0 BIND dn="uid=alice,dc=example,dc=org" method=128
//	conn=1008 op=0 RESULT tag=97 err=49 [qtime=0.000012 etime=0.000345 ]text=
//	conn=1008 fd=14 closed
//
// tag=97 answers a bind, and error 49 says that name or password was wrong. The name is the client's; none of it stands in the lines that are believed for anything else.
func (r *reader) decode(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "conn=")
	digits := len(said.Number(rest))
	if !ok || digits == 0 || digits > 20 {
		return true
	}
	number := append(append(make([]byte, 0, 64), m.Host...), rest[:digits]...) // several servers may write to one log
	kind, t := said.FirstWord(bytes.TrimLeft(rest[digits:], " "))
	verb, t := said.FirstWord(t)
	switch {
	case !bytes.HasPrefix(kind, []byte("op=")) && !bytes.HasPrefix(kind, []byte("fd=")):
	case string(verb) == "ACCEPT":
		r.accept(number, t)
	case string(verb) == "closed":
		delete(r.of, string(number))
	case string(verb) == "BIND":
		if name, ok := said.Rest(t, `dn="`); ok {
			if before, _, ok := said.CutLast(name, `" m`); ok { // "method=", or "mech=" of what SASL accepted
				r.named(number, before)
			}
		}
	case string(verb) == "RESULT":
		if said.BeginsAny(t, []string{"tag=97 err=49 "}) {
			r.refused(m, number, yield)
		}
	}
	return true
}

func (r *reader) accept(number, t []byte) {
	at, ok := said.Rest(t, "from IP=")
	at, _ = said.FirstWord(at)
	ip, port := said.AddressPort(at)
	if !ok || ip == nil {
		delete(r.of, string(number)) // of a socket of this machine
		return
	}
	if c := r.client(number); c != nil {
		*c = client{ip: string(ip), port: string(port)}
	}
}

func (r *reader) named(number, name []byte) {
	if c := r.client(number); c != nil {
		c.name = string(name[:min(len(name), maxName)])
	}
}

// client gives what is known of a connection; nil where no more may be kept.
func (r *reader) client(number []byte) *client {
	c := r.of[string(number)]
	if c == nil && len(r.of) < maxConnections {
		c = &client{}
		r.of[string(number)] = c
	}
	return c
}

func (r *reader) refused(m *artifact.Message, number []byte, yield func(*event.Event)) {
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	if c := r.of[string(number)]; c != nil {
		e.AddText(event.UserName, c.name)
		e.AddText(event.SourceIP, c.ip)
		e.AddText(event.SourcePort, c.port)
	}
	e.Add(event.AuthMethod, password)
	e.Add(event.AuthReason, []byte("invalid credentials"))
	yield(e)
}
