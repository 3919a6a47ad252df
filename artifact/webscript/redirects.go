package webscript

import "strings"

// What a site's settings do with visitors who come from search engines. Owners send some of them elsewhere, too: to their own other name, from one engine's pictures
// to the page that shows them, to fast pages for phones.
const (
	redirects      = "it sends visitors who come from search engines to another site"
	redirectsOne   = "it sends visitors who come from one search engine to another site"
	redirectsPages = "it sends visitors who come from search engines from some pages to another site"
)

var engines = []string{"google", "yahoo", "bing", "yandex", "baidu", "ask", "aol", "duckduckgo", "msn", "altavista"}

// rules follows Apache's rules of one file: a rule holds if the conditions above it do.
type rules struct {
	from map[string]bool // the engines that the conditions above name
	own  []string        // what the file itself tells of the site's names
}

// maxOwn bounds what is kept of them.
const maxOwn = 64

// line judges a line in lower case of the file p. That pictures are kept from other sites begins with a "!".
func (r *rules) line(s, p string) (what string, rank int) {
	w := strings.Fields(s)
	if len(w) < 3 {
		return "", 0
	}
	switch w[0] {
	case "rewritecond":
		r.condition(w[1], w[2])
	case "rewriterule":
		what, rank = r.rule(w[1], w[2], p)
		r.from = nil
	}
	return what, rank
}

func (r *rules) condition(of, is string) {
	no := strings.HasPrefix(is, "!")
	switch {
	case of == "%{http_host}", of == "%{server_name}", of == "%{http_referer}" && no:
		if len(r.own) < maxOwn {
			r.own = append(r.own, strings.ReplaceAll(is, `\`, ""))
		}
	case of == "%{http_referer}":
		for _, e := range engines {
			if word(is, e) {
				if r.from == nil {
					r.from = map[string]bool{}
				}
				r.from[e] = true
			}
		}
	}
}

func (r *rules) rule(pattern, to, p string) (what string, rank int) {
	_, host, ok := strings.Cut(to, "://")
	if len(r.from) == 0 || !ok || !strings.HasPrefix(to, "http") || strings.HasPrefix(host, "%{") || r.isOwn(host, p) {
		return "", 0
	}
	switch {
	case strings.Trim(pattern, "^$()./*+?") != "":
		return redirectsPages, 3
	case len(r.from) == 1:
		return redirectsOne, 4
	}
	return redirects, 5
}

// isOwn tells whether a host has one name with the site, as the file or the path that it lies at tells it.
func (r *rules) isOwn(host, p string) bool {
	if i := strings.IndexAny(host, "/:?"); i >= 0 {
		host = host[:i]
	}
	labels := strings.Split(host, ".")
	n := 2
	if len(labels) > 2 && len(labels[len(labels)-2]) <= 3 { // example.co.uk
		n = 3
	}
	if len(labels) < n {
		return false
	}
	name := strings.Join(labels[len(labels)-n:], ".")
	for _, o := range append(r.own, strings.ToLower(p)) {
		if word(o, name) {
			return true
		}
	}
	return false
}

// word tells whether x stands in s and is no part of a longer word.
func word(s, x string) bool {
	for from := 0; ; {
		i := strings.Index(s[from:], x)
		if i < 0 {
			return false
		}
		i += from
		from = i + len(x)
		if (i == 0 || !partOfHost(s[i-1])) && (from == len(s) || !partOfHost(s[from])) {
			return true
		}
	}
}

func partOfHost(c byte) bool {
	return c == '-' || c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}
