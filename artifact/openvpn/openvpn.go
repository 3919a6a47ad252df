// Package openvpn reads what an OpenVPN server says of its clients: who came in by which certificate or name and from where, and who was refused. It gives
// a network, and no shell.
package openvpn

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const spec = "OpenVPN 2.1 to 2.6: src/openvpn/{multi,ssl,ssl_verify,error}.c; openvpn(8), --log, --suppress-timestamps"

var kinds = []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.ServiceStarted}

// New gives the artefact of its own log.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "openvpn", Doc: "clients of an OpenVPN server: accepted and refused, from where", Spec: spec,
		Files: []string{"/var/log/openvpn.log", "/var/log/openvpn/*.log", "/var/log/openvpn-server.log", "/etc/openvpn/**/*.log", "!**/*status*"}, Log: true,
		Sniff: artifact.MostLines(sniff), Parse: artifact.Stamped("openvpn", stamp, decode), Kinds: kinds}
}

// Syslog gives the artefact of what it sends to syslog.
func Syslog() *artifact.Artifact {
	return &artifact.Artifact{Name: "openvpn-syslog", Doc: New().Doc, Spec: spec, Programs: []string{"openvpn", "ovpn-*"}, Decode: decode, Kinds: kinds}
}

func sniff(line []byte) bool {
	_, t, ok := stamp(&logclock.Clock{Year: 2000}, line)
	if !ok {
		return false
	}
	if _, who, ok := peer(t); ok {
		return who != nil
	}
	return said.BeginsAny(t, []string{"OpenVPN ", "Initialization Sequence Completed", "MULTI: ", "Diffie-Hellman ", "TUN/TAP ", "UDPv4 ", "library versions: "})
}

// stamp takes "Fri Jan 21 05:35:11 2022 " or, since 2.5, "2022-01-21 05:35:11 " off a line.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if at, n := c.Asctime(t); n > 0 && n < len(t) && t[n] == ' ' {
		return at, t[n+1:], true
	}
	return artifact.ISOStamp(c, t)
}

// peer takes "[name/]address:port " off a message.
func peer(t []byte) (name, address []byte, ok bool) {
	w, rest := said.FirstWord(t)
	if len(rest) == 0 {
		return nil, nil, false
	}
	if before, after, slashed := said.CutLast(w, "/"); slashed {
		name, w = before, after
	}
	a, port := said.AddressPort(w)
	return name, a, a != nil && (port != nil || bytes.HasPrefix(rest, []byte("["))) // of a socket for both families without one
}

var service, password, certificate = []byte("openvpn"), []byte("password"), []byte("certificate")

// refusals are words of a client that was not let in.
var refusals = []string{"TLS Auth Error: Auth Username/Password verification failed for peer", "TLS Auth Error: username attempted to change", "TLS Error: Auth Username/Password was not provided by peer", "VERIFY ERROR: ", "AUTH_FAILED", "SENT CONTROL [UNDEF]: 'AUTH_FAILED"}

// strangers are words of a client that never came so far as to be asked who it is.
var strangers = []string{"TLS Error: TLS handshake failed", "TLS Error: TLS key negotiation failed", "WARNING: Bad encapsulated packet length from peer"}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if _, n := (&logclock.Clock{Year: 2000}).Asctime(t); n > 0 { // its own stamp, in what goes to syslog too
		t = bytes.TrimLeft(t[n:], " ")
	}
	name, address, ok := peer(t)
	if !ok {
		return nobody(m, t, yield)
	}
	_, t = said.FirstWord(t)
	t = bytes.TrimLeft(t, " ")
	tell := func(k event.Kind, user, method []byte) {
		e := m.Event(k)
		e.Add(event.ServiceName, service)
		e.Add(event.UserName, user)
		e.Add(event.SourceIP, address)
		e.Add(event.AuthMethod, method)
		yield(e)
	}
	if rest, ok := said.Rest(t, "["); ok {
		if who, _, ok := said.Cut(rest, "] Peer Connection Initiated with "); ok && len(who) > 0 {
			tell(event.AuthAccepted, who, certificate)
		}
		return true
	}
	if said.BeginsAny(t, refusals) {
		tell(event.AuthFailed, nil, password)
	} else if said.BeginsAny(t, strangers) || name == nil && said.BeginsAny(t, []string{"Connection reset, restarting"}) {
		tell(event.ConnectionSeen, name, nil)
	}
	return true
}

// nobody reads messages before which no client stands: of its start, of packets without the right signature (--tls-auth), and of the plugin that asks an LDAP server.
func nobody(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	k, user, address := event.Unknown, []byte(nil), []byte(nil)
	switch {
	case bytes.HasPrefix(t, []byte("Initialization Sequence Completed")):
		k = event.ServiceStarted
	case bytes.HasPrefix(t, []byte("TLS Error: cannot locate HMAC in incoming packet from ")), bytes.HasPrefix(t, []byte("TLS Error: incoming packet authentication failed from ")):
		_, at := said.LastWord(t)
		_, at, _ = said.Cut(at, "]") // "[AF_INET]"
		if i := bytes.LastIndexByte(at, ':'); i > 0 {
			address = said.Address(at[:i])
		}
		if address != nil {
			k = event.ConnectionSeen
		}
	default:
		if rest, ok := said.Rest(t, `Incorrect password supplied for LDAP DN "`); ok {
			k, user = event.AuthFailed, bytes.TrimRight(rest, `".`)
		}
	}
	if k == event.Unknown {
		return true
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, user)
	e.Add(event.SourceIP, address)
	yield(e)
	return true
}
