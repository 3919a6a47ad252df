package accesslog

import (
	"bytes"
	"net/netip"

	"telltale/artifact/internal/said"
	"telltale/event"
)

// maxProxies bounds how many entries of a list are looked at.
const maxProxies = 8

// forwardedFor takes the client from X-Forwarded-For. The list is begun by whoever asks and continued by each proxy, so that only its last
// entry is the word of the machine next to the server; and where that machine's own address is logged, the list counts only if it can be
// the site's own proxy: from an address of a local network. So can entries of the list be; the last that is none is the client.
func forwardedFor(list []byte, e *event.Event) {
	var client []byte
	for range maxProxies {
		i := bytes.LastIndexByte(list, ',')
		a := said.Address(bytes.Trim(list[i+1:], " "))
		if a == nil {
			break
		}
		if client = a; i < 0 || !local(a) {
			break
		}
		list = list[:i]
	}
	if client == nil {
		return
	}
	for i := range e.Attrs {
		if e.Attrs[i].Key == event.SourceIP {
			if local(e.Attrs[i].Value) {
				e.Attrs[i].Value = client
			}
			return
		}
	}
	e.Add(event.SourceIP, client)
}

// peered adds the server's peer where a list may stand before it.
func peered(b []byte, e *event.Event) {
	if e.Get(event.SourceIP) == nil {
		peer(b, e)
		return
	}
	if a := said.Address(b); a != nil && !local(a) {
		for i := range e.Attrs {
			if e.Attrs[i].Key == event.SourceIP {
				e.Attrs[i].Value = a
			}
		}
	}
}

// local tells an address of a local network, of which the site's own proxies are.
func local(address []byte) bool {
	a, err := netip.ParseAddr(string(address))
	return err == nil && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast())
}

// listed tells whether a list stands at the beginning of t.
func listed(t []byte) bool {
	_, _, ok := list(t)
	return ok
}

// list reads a list of addresses that stands where one client is expected, quoted or not: `192.0.2.1, 198.51.100.7 - - [`.
func list(t []byte) (in, rest []byte, ok bool) {
	if len(t) > 0 && t[0] == '"' {
		in, rest, ok = quoted(t)
		return in, rest, ok && said.Address(bytes.TrimLeft(in[bytes.LastIndexByte(in, ',')+1:], " ")) != nil
	}
	n := 0
	for range maxTries {
		w, rest := word(t[n:])
		if a := bytes.TrimSuffix(w, []byte(",")); said.Address(a) == nil {
			return nil, t, false
		} else if len(a) == len(w) {
			return t[:n+len(w)], rest, n > 0
		}
		n = len(t) - len(rest)
	}
	return nil, t, false
}
