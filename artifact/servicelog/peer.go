package servicelog

import (
	"bytes"

	"telltale/artifact/internal/said"
)

// peer gives the address that a line names: the only one, or the only one of those before which it says "from", "client" or the like. An address behind '@' or
// "//" is a place, and so is one that a client program of this server says it was refused at.
func peer(t []byte) []byte {
	from, _ := peers(t)
	return from
}

// peers is peer, and tells whether the line says of the address that somebody came from it.
func peers(t []byte) (from []byte, plainly bool) {
	var all, named [2][]byte
	var unnamed []byte
	place, last := false, -1
	for at, n := 0, 0; at < len(t) && n < maxAddresses; {
		begin, end := next(t, at)
		if begin < 0 {
			break
		}
		at = end
		a := address(bytes.TrimRight(t[begin:end], ".:"))
		if a == nil {
			continue
		}
		n++
		before := t[max(0, begin-maxBefore):begin]
		if bytes.HasSuffix(before, []byte("[oip=")) || bytes.HasSuffix(before, []byte(";oip=")) { // Zimbra's word for who came by way of a proxy
			return a, true
		}
		if bytes.HasSuffix(before, []byte("@")) || bytes.HasSuffix(before, []byte("//")) || bytes.HasSuffix(before, []byte("I=[")) {
			continue
		}
		if string(a) == "0.0.0.0" || string(a) == "::" { // this server, for any of its addresses, beside another; alone it stands for somebody
			if !elsewhere(before) {
				unnamed = a
			}
			continue
		}
		between := ""
		if last >= 0 && begin-last <= len(" -> ") {
			between = string(t[last:begin])
		}
		if last = end; between == "," || between == ", " || between == "->" || between == " -> " { // proxies stand behind who came by them, this server behind an arrow
			continue
		}
		keep(&all, a)
		place = place || elsewhere(before) || bytes.HasPrefix(bytes.TrimLeft(t[end:], " "), []byte("->"))
		if introduced(before) {
			keep(&named, a)
		}
	}
	switch {
	case named[0] != nil && named[1] == nil:
		return named[0], all[1] == nil
	case all[0] != nil && all[1] == nil && !place:
		return all[0], false
	}
	if all[0] == nil && !place {
		return unnamed, false
	}
	if named[0] == nil {
		return ofConnection(t), false
	}
	return nil, false
}

// maxBefore bounds what is looked at before an address: a name of the DNS may stand there.
const maxBefore = 280

// address reads an address with or without a port, which dante puts behind a point.
func address(b []byte) []byte {
	if len(b) > 1 && (b[0] == ':' || b[0] == '.') && b[1] != ':' { // "main:192.0.2.1:51234"
		b = b[1:]
	}
	if bytes.Count(b, []byte(".")) == 4 && bytes.IndexByte(b, ':') < 0 {
		before, port, _ := said.CutLast(b, ".")
		if len(port) > 5 || len(said.Number(port)) != len(port) {
			return nil
		}
		return said.Address(before)
	}
	a, _ := said.AddressPort(b)
	return a
}

// introductions are words behind which a service names who came to it.
var introductions = []string{"from", "from ip", "from private ip", "client", "client ip", "client address", "rhost", "ip", "ip address", "addr", "address", "remote_addr", "remote_ip", "remoteip", "remoteaddress", "remoteaddr", "remote", "viewer address", "connecting host", "host", "src", "source", "failed for", "pskey for",
	"tcp/accept ]", "authentication: auth", "amqp connection"}

// introduced tells whether one of them stands before an address, or before its kind: `RemoteAddress="IPV4/UDP/192.0.2.1/5060"`, or before the name of the host whose
// address it is: "from host.example.com (192.0.2.1)", "from host (host.example.com) 192.0.2.1".
func introduced(before []byte) bool {
	b := bytes.ToLower(bytes.TrimRight(before, " '\"`[(=:/<{|"))
	for _, kind := range []string{"ipv4/udp", "ipv4/tcp", "ipv4/tls", "ipv4/ws", "ipv4/wss", "ipv6/udp", "ipv6/tcp", "ipv6/tls", "ipv6/ws", "ipv6/wss"} {
		if rest, ok := bytes.CutSuffix(b, []byte(kind)); ok {
			b = bytes.TrimRight(rest, " '\"[(=:")
			break
		}
	}
	if endsIn(b, introductions) {
		return true
	}
	if _, name, ok := said.CutLast(b, " client : "); ok && bytes.HasSuffix(before, []byte(" / ")) { // Artifactory's "for client : bob / 192.0.2.1"
		return bytes.IndexByte(name, ' ') < 0
	}
	b = hostless(before, b)
	return endsIn(b, introductions) || endsIn(b, []string{"connection"})
}

// hostless takes the name of a host off what stands before its address; nil where none does.
func hostless(before, b []byte) []byte {
	before = bytes.TrimRight(before, " ")
	switch {
	case len(before) == 0:
	case before[len(before)-1] == '(' || before[len(before)-1] == '[': // "name (", "<0.123.0> ("
		rest, name, _ := said.CutLast(b, " ")
		if bytes.IndexByte(name, '.') > 0 || bytes.IndexByte(name, '-') > 0 {
			return bytes.TrimRight(rest, " ")
		}
	case before[len(before)-1] == ')':
		if rest, _, ok := said.CutLast(b, " ("); ok {
			return rest
		}
	}
	return nil
}
