package webscript

import (
	"bytes"
	"path"
	"strings"

	"telltale/evidence"
)

const defaced = "its title says that somebody broke in and put it there"

// boasts are how the title of a page begins that was put in the place of a site's own. Weak ones are as well the titles of a cooperative, a band or a novel:
// they count where the page has a word of the trade besides.
var (
	boasts = []string{"hacked by ", "h4cked by ", "hack3d by ", "h4ck3d by ", "haxored by ", "defaced by ", "pwned by ", "pwn3d by ", "0wned by ", "0wn3d by ", "this site is defaced", "this site was defaced", "this site has been defaced", "site defaced", "defaced!"}
	weak   = []string{"owned by ", "rooted by ", "touched by ", "stamped by ", "struck by ", "hacked!", "hacked by design", "hacked by nature", "hacked by accident", "hacked by mistake", "hacked by default", "hacked by choice", "hacked by hand"}
	trade  = []string{"hacked by ", "h4ck", "h4x", "haxor", "hax0r", "pwned", "pwn3d", "defaced", "0wn", "r00t", "greetz"}
)

// maxDefaced bounds such a page: there is little on it. A site's article about a break-in comes with the whole of the site around it.
const maxDefaced = 64 << 10

// front tells the pages that visitors see first, and those that are put beside them.
func front(p string) bool {
	stem := strings.ToLower(strings.TrimSuffix(path.Base(p), path.Ext(p)))
	return stem == "index" || stem == "default" || stem == "home" || strings.HasPrefix(stem, "hacked") || strings.HasPrefix(stem, "deface") || stem == "pwned" || stem == "owned"
}

// boast tells a line in which a title or the first heading boasts of the break-in, and where. A weak one is given as it stands there.
func boast(b []byte) (at int, doubtful []byte, ok bool) {
	low := bytes.ToLower(b[:min(len(b), maxDefaced)])
	for _, open := range []string{"<title>", "<h1>", "<h1 "} {
		i := bytes.Index(low, []byte(open))
		if i < 0 {
			continue
		}
		text := low[i+len(open):]
		if strings.HasSuffix(open, " ") {
			if _, text, ok = bytes.Cut(text, []byte(">")); !ok {
				continue
			}
		}
		text = bytes.TrimLeft(text, " \t.:|-=~[({<>*_#!")
		if beginsAny(text, weak) {
			doubtful, _, _ = bytes.Cut(text[:min(len(text), maxTitle)], []byte("<"))
			return i, doubtful, true
		}
		if beginsAny(text, boasts) {
			return i, nil, true
		}
	}
	return 0, nil, false
}

// maxTitle bounds a title.
const maxTitle = 200

func beginsAny(b []byte, words []string) bool {
	for _, w := range words {
		if bytes.HasPrefix(b, []byte(w)) {
			return true
		}
	}
	return false
}

// ofTrade tells whether a line has a word of those who break in, besides a title that it repeats.
func ofTrade(line, title []byte) bool {
	low := bytes.ReplaceAll(bytes.ToLower(line[:min(len(line), maxDefaced)]), title, nil)
	for _, w := range trade {
		if bytes.Contains(low, []byte(w)) {
			return true
		}
	}
	return false
}

// boaster looks through a page for a boast, line by line.
type boaster struct {
	title []byte // of a weak one that was met
	ref   evidence.Ref
	raw   []byte
}

// met tells whether the page boasts, now that a line was read, and quotes where.
func (x *boaster) met(text []byte, ref evidence.Ref) (evidence.Ref, []byte, bool) {
	at, title, ok := boast(text)
	if ok && x.raw == nil {
		x.title, x.ref, x.raw = bytes.Clone(title), ref, bytes.Clone(text[at:min(len(text), at+evidence.MaxQuote)])
	}
	if ok && title == nil {
		return ref, bytes.Clone(text[at:min(len(text), at+evidence.MaxQuote)]), true
	}
	return x.ref, x.raw, x.raw != nil && ofTrade(text, x.title)
}
