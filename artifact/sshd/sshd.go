// Package sshd decodes what OpenSSH's server says: credentials accepted and refused, keys
// by their fingerprints, connections that came to nothing. Names that a client chooses
// stand in the middle of its lines and may hold anything, other lines' words too; what the
// server itself adds stands at the end, and is read from there.
package sshd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "sshd",
		Doc:      "logins by ssh: accepted and refused, from where, by which method, with which key",
		Spec:     "OpenSSH 3.9 to 10.0: auth.c (auth_log, allowed_user), auth2-pubkey.c, packet.c (sshpkt_fmt_connection_id), kex.c, sshd.c, srclimit.c",
		Programs: []string{"sshd", "sshd-session", "sshd-auth"},
		Decode:   decode,
		Kinds: []event.Kind{
			event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.ServiceStarted, event.ServiceStopped,
		},
	}
}

var (
	service = []byte("sshd")
	yes     = []byte("true")
	root    = []byte("root")
)

// message is one message on its way through the decoder.
type message struct {
	m     *artifact.Message
	text  []byte // without "error: ", "fatal: ", "[preauth]"
	pre   bool   // said before authentication ended ("[preauth]", since OpenSSH 6.0)
	yield func(*event.Event)
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	x := message{m: m, text: m.Text, yield: yield}
	if t := bytes.TrimSuffix(x.text, []byte(" [preauth]")); len(t) < len(x.text) {
		x.text, x.pre = t, true
	} else {
		x.text = bytes.TrimSuffix(x.text, []byte(" [postauth]"))
	}
	if len(x.text) > 0 && (x.text[0] == 'e' || x.text[0] == 'f') {
		x.text, _ = said.Rest(x.text, "error: ")
		x.text, _ = said.Rest(x.text, "fatal: ")
	}
	if len(x.text) == 0 {
		return false
	}
	switch x.text[0] {
	case 'A', 'F', 'P':
		if x.credential() || x.misplaced() {
			return true
		}
	case 'I':
		if x.invalid() {
			return true
		}
	case 'U', 'R':
		if x.refused() {
			return true
		}
	case 'L':
		if why, ok := said.Rest(x.text, "Local: "); ok && x.guarded(why) { // before 3.0
			return true
		}
	case 'S':
		if _, ok := said.Rest(x.text, "Server listening on "); ok {
			x.service(event.ServiceStarted)
			return true
		}
	}
	return x.connection() || x.signal() || x.account() || x.routine()
}

// event begins an event of this service.
func (x *message) event(k event.Kind) *event.Event {
	e := x.m.Event(k)
	e.Add(event.ServiceName, service)
	return e
}

func (x *message) service(k event.Kind) {
	e := x.event(k)
	e.Add(event.Change, x.text)
	x.yield(e)
}

// signal reads "Received signal 15; terminating." and, from before 3.9, "Exiting on signal".
func (x *message) signal() bool {
	if _, ok := said.Rest(x.text, "Received signal "); !ok {
		if _, ok = said.Rest(x.text, "Exiting on signal"); !ok {
			return false
		}
	}
	x.service(event.ServiceStopped)
	return true
}

// peer is a client's address as the server prints it.
type peer struct{ host, port []byte }

func (p peer) add(e *event.Event) {
	if a := said.Address(p.host); a != nil {
		e.Add(event.SourceIP, a)
	} else {
		e.Add(event.SourceHost, p.host)
	}
	e.Add(event.SourcePort, p.port)
}

// known tells whether p holds an address.
func (p peer) known() bool { return said.Address(p.host) != nil }

// atEnd cuts "... ADDRESS port N" before the address; ok is false where b does not end so.
func atEnd(b []byte) (before []byte, p peer, ok bool) {
	i := len(b)
	for i > 0 && b[i-1] >= '0' && b[i-1] <= '9' {
		i--
	}
	rest, ported := bytes.CutSuffix(b[:i], []byte(" port "))
	if !ported || i == len(b) {
		return b, p, false
	}
	before, p.host = said.LastWord(rest)
	p.port = b[i:]
	return before, p, len(p.host) > 0
}

// atStart reads "ADDRESS[ port N]" or "ADDRESS:" that b begins with.
func atStart(b []byte) (p peer, rest []byte) {
	p.host, rest = said.FirstWord(b)
	p.host = bytes.TrimRight(p.host, ":,")
	if after, ok := said.Rest(rest, "port "); ok {
		p.port = said.Number(after)
		rest = after[len(p.port):]
	}
	return p, rest
}

// user takes "invalid user " (before 3.9 "illegal user ") off a name.
func user(b []byte) (name []byte, invalid bool) {
	if len(b) == 0 || b[0] != 'i' {
		return b, false
	}
	if rest, ok := said.Rest(b, "invalid user "); ok {
		return rest, true
	}
	return said.Rest(b, "illegal user ")
}
