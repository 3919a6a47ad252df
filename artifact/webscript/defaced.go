package webscript

import (
	"bytes"
	"path"
	"strings"
)

const defaced = "its title says that somebody broke in and put it there"

// boasts are how the title of a page begins that was put in the place of a site's own.
var boasts = []string{"hacked by ", "h4cked by ", "hack3d by ", "h4ck3d by ", "haxored by ", "defaced by ", "pwned by ", "pwn3d by ", "owned by ", "0wned by ", "0wn3d by ", "rooted by ", "touched by ", "stamped by ", "struck by ", "hacked!", "this site is defaced", "this site was defaced", "this site has been defaced", "site defaced", "defaced!"}

// maxDefaced bounds such a page: there is little on it. A site's article about a break-in comes with the whole of the site around it.
const maxDefaced = 64 << 10

// front tells the pages that visitors see first, and those that are put beside them.
func front(p string) bool {
	stem := strings.ToLower(strings.TrimSuffix(path.Base(p), path.Ext(p)))
	return stem == "index" || stem == "default" || stem == "home" || strings.HasPrefix(stem, "hacked") || strings.HasPrefix(stem, "deface") || stem == "pwned" || stem == "owned"
}

// boast tells a line in which a title or the first heading boasts of the break-in, and where.
func boast(b []byte) (at int, ok bool) {
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
		for _, w := range boasts {
			if bytes.HasPrefix(text, []byte(w)) {
				return i, true
			}
		}
	}
	return 0, false
}
