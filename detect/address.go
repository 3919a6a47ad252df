package detect

import (
	"net/netip"
	"strings"

	"telltale/event"
)

// Network gives the network that addresses of one place share: /24, or /64 of IPv6; "" for what is no address.
func Network(ip string) string {
	dots, colons := 0, 0
	for i := range len(ip) {
		switch ip[i] {
		case '.':
			if dots++; dots == 3 {
				return ip[:i]
			}
		case ':':
			if colons++; colons == 4 {
				return ip[:i]
			}
		}
	}
	return ""
}

// Outside tells an address that lies in nobody's own network: neither private, nor of the host itself. What is no address is not outside.
func Outside(ip string) bool {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	a = a.Unmap()
	return !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified() && !a.IsMulticast()
}

// Hash is a fast hash of a name (FNV-1a), for counting names without keeping them.
func Hash(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// AddressIn gives the first IP address that stands in a line as a word of its own, "" for none.
func AddressIn(line string) string {
	in := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '.' || c == ':'
	}
	for i := 0; i < len(line); {
		if !in(line[i]) {
			i++
			continue
		}
		j := i
		for j < len(line) && in(line[j]) {
			j++
		}
		w := strings.TrimRight(line[i:j], ".:")
		alone := (i == 0 || !letter(line[i-1])) && (j == len(line) || !letter(line[j]))
		if alone && (strings.Count(w, ".") == 3 || strings.Count(w, ":") >= 2) && len(w) <= 45 {
			if a, err := netip.ParseAddr(w); err == nil && !a.IsUnspecified() {
				return a.Unmap().String()
			}
		}
		i = j
	}
	return ""
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-' }

// From gives where an event came from: its address, or, where a log has only that, the name of the host. It is valid only as long as the event.
func From(e *event.Event) []byte {
	if ip := e.Get(event.SourceIP); len(ip) > 0 {
		return ip
	}
	return e.Get(event.SourceHost)
}
