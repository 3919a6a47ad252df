package accesslog

import (
	"bytes"

	"telltale/event"
	"telltale/internal/logclock"
)

// fixed reads common, combined and vhost_combined: [vhost[:port] ]host ident user [time] "request" status bytes[ "referer" "agent"...].
func fixed(t []byte, e *event.Event) bool {
	i := bytes.IndexByte(t, '[')
	if i < 0 || i > 1024 {
		return false
	}
	at, n := logclock.CLF(t[i+1:])
	if n == 0 || i+1+n+2 > len(t) || t[i+1+n] != ']' {
		return false
	}
	e.At = at
	front(t[:i], e)
	rest := bytes.TrimLeft(t[i+1+n+1:], " ")
	req, rest, ok := quoted(rest)
	if !ok {
		return false
	}
	request(req, e)
	status, rest := word(rest)
	if len(status) != 3 && string(status) != "-" {
		return false
	}
	e.Add(event.HTTPStatus, status)
	size, rest := word(rest)
	if string(size) != "-" {
		e.Add(event.HTTPBytes, size)
	}
	if ref, rest, ok := quoted(rest); ok {
		if string(ref) != "-" {
			e.Add(event.HTTPReferrer, ref)
		}
		if agent, _, ok := quoted(rest); ok && string(agent) != "-" {
			e.Add(event.UserAgent, agent)
		}
	}
	return true
}

// front reads what stands before the time: the last three words are host, ident and user; a word before them is the
// virtual host. A user's name may hold blanks, so the host is taken from the front.
func front(t []byte, e *event.Event) {
	first, rest := word(t)
	if second, more := word(rest); len(second) > 0 && looksLikeHost(first) && addressLike(second) {
		if i := bytes.LastIndexByte(first, ':'); i > 0 && bytes.IndexByte(first, ':') == i {
			first = first[:i]
		}
		e.Add(event.URLDomain, first)
		first, rest = second, more
	}
	e.Add(event.SourceIP, first)
	_, user := word(rest)
	user = bytes.TrimRight(user, " ")
	if len(user) > 0 && string(user) != "-" {
		e.Add(event.UserName, user)
	}
}

// looksLikeHost tells a virtual host from a client's address: it has a letter that no hexadecimal number has, or a port.
func looksLikeHost(b []byte) bool {
	for i, c := range b {
		if c >= 'g' && c <= 'z' || c >= 'G' && c <= 'Z' || c == '_' {
			return true
		}
		if c == ':' && bytes.IndexByte(b, '.') >= 0 && i > 0 {
			return true
		}
	}
	return false
}

func addressLike(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '.' || c == ':') {
			return false
		}
	}
	return bytes.IndexByte(b, '.') > 0 || bytes.IndexByte(b, ':') >= 0
}

// request takes "GET /path HTTP/1.1" apart; what is none is kept whole as the URL.
func request(r []byte, e *event.Event) {
	method, rest := word(r)
	if len(method) == 0 || len(method) > 20 || !upper(method) || len(rest) == 0 {
		e.Add(event.URL, r)
		return
	}
	e.Add(event.HTTPMethod, method)
	if i := bytes.LastIndex(rest, []byte(" HTTP/")); i >= 0 {
		e.Add(event.HTTPVersion, rest[i+len(" HTTP/"):])
		rest = rest[:i]
	}
	e.Add(event.URL, rest)
}

func upper(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// quoted reads "text" at the beginning of t; a quote within is escaped by a backslash.
func quoted(t []byte) (in, rest []byte, ok bool) {
	if len(t) == 0 || t[0] != '"' {
		return nil, t, false
	}
	for from := 1; ; {
		i := bytes.IndexByte(t[from:], '"')
		if i < 0 {
			return nil, t, false
		}
		i += from
		n := 0
		for k := i - 1; k > 0 && t[k] == '\\'; k-- {
			n++
		}
		if n%2 == 0 {
			rest = t[i+1:]
			if len(rest) > 0 && rest[0] == ' ' {
				rest = rest[1:]
			}
			return t[1:i], rest, true
		}
		from = i + 1
	}
}

func word(t []byte) (w, rest []byte) {
	i := bytes.IndexByte(t, ' ')
	if i < 0 {
		return t, nil
	}
	rest = t[i+1:]
	for len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	return t[:i], rest
}
