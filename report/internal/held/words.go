package held

import (
	"net/netip"
	"net/url"
	"strings"

	"telltale/story"
)

// maxLinks bounds what is taken out of one text.
const maxLinks = 20

// links adds the addresses of the web that a text names, and the names in them. A program may be fetched from where everybody fetches, so
// none of them is blocked without asking.
func (l *list) links(text, what, at string, st story.Status, claims []string) {
	for _, s := range Links(text) {
		u, err := url.Parse(s)
		if err != nil || u.Hostname() == "" {
			continue
		}
		l.add(Thing{Kind: URL, Value: s, What: what, First: at, Last: at, Status: st, Block: Ask, Claims: claims})
		kind := Domain
		if _, err := netip.ParseAddr(u.Hostname()); err == nil {
			kind = Address
		}
		origin := l.origin(u.Hostname())
		l.add(Thing{Kind: kind, Value: u.Hostname(), What: what + ", in an address of the web", First: at, Last: at, Status: st, Origin: origin, Block: block(u.Hostname(), origin, story.Possible), Claims: claims})
	}
}

// Links finds addresses of the web in a text. What could not stand in one ends it.
func Links(text string) (out []string) {
	for len(out) < maxLinks {
		at := -1
		for _, scheme := range []string{"http://", "https://", "ftp://"} {
			if i := strings.Index(text, scheme); i >= 0 && (at < 0 || i < at) {
				at = i
			}
		}
		if at < 0 {
			return out
		}
		text = text[at:]
		n := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"'<>`|;\\^{}()$", r) })
		if n < 0 {
			n = len(text)
		}
		if s := strings.TrimRight(text[:n], ".,:!?"); len(s) < 2000 && strings.Index(s, "://")+3 < len(s) {
			out = append(out, s)
		}
		text = text[n:]
	}
	return out
}

// Remote gives the far end of a connection that is told in words: "tcp to 203.0.113.6:443 established". It is not valid where the words
// tell of no other machine.
func Remote(socket string) netip.AddrPort {
	_, far, ok := strings.Cut(socket, " to ")
	if !ok {
		return netip.AddrPort{}
	}
	far, _, _ = strings.Cut(far, " ")
	to, err := netip.ParseAddrPort(far)
	if err != nil || to.Addr().IsUnspecified() || to.Addr().IsLoopback() {
		return netip.AddrPort{}
	}
	return to
}

// digests adds each SHA-256 that the sentence of a claim names, if the claim is held against somebody for a file or a process.
func (l *list) digests() {
	held := map[string]bool{}
	for _, t := range l.out {
		if t.Kind == Path || t.Kind == Process {
			for _, id := range t.Claims {
				held[id] = true
			}
		}
	}
	for i := range l.d.Claims {
		c := &l.d.Claims[i]
		if !held[c.ID] {
			continue
		}
		for _, w := range strings.FieldsFunc(c.Text, func(r rune) bool { return !hex(r) && !(r >= 'g' && r <= 'z') }) {
			if len(w) == 64 && !strings.ContainsFunc(w, func(r rune) bool { return !hex(r) }) {
				l.add(Thing{Kind: Digest, Value: w, What: c.Text, First: c.Time, Status: c.Status, Block: Ask, Claims: []string{c.ID}})
			}
		}
	}
}

func hex(r rune) bool { return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' }
