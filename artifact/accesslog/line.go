package accesslog

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

// maxTries bounds what is tried on one line where its delimiters may be a client's.
const maxTries = 16

// fixed reads common, combined and vhost_combined, with what servers like to add behind them:
//
//	[vhost[:port] ]host ident user [time] "request" status bytes[ number...][ "referer" "agent"[ "X-Forwarded-For"]...]
//
// and the form of mod_ssl's ssl_request_log, which has no status:
//
//	[time] host protocol cipher "request" bytes
//
// A client may choose user, request, referer and agent, stamps and status codes within them.
// Servers escape the quotes in all of these. So the first bare quote begins the request,
// and the last stamp before it is the server's own.
func fixed(t []byte, e *event.Event) bool {
	q := 0
	for range maxTries { // old servers let bare quotes in a user's name pass
		i := bareQuote(t[q:])
		if i < 0 {
			return false
		}
		q += i
		if at := lastStamp(t[:q], e); at >= 0 {
			if at > 0 {
				front(unframed(t[:at]), e)
				return behind(t[q+1:], e, true)
			}
			if proxyManager(t, q, e) {
				return true
			}
			_, rest, _ := said.Cut(t[:q], "]") // of the stamp
			client, _ := said.FirstWord(bytes.TrimLeft(rest, " "))
			peer(client, e)
			return behind(t[q+1:], e, false)
		}
		q++
	}
	return false
}

// lastStamp finds where the last "[time]" in t begins, -1 where there is none, and takes it for the event's.
func lastStamp(t []byte, e *event.Event) int {
	end := len(t)
	for range maxTries {
		i := bytes.LastIndexByte(t[:end], '[')
		if i < 0 {
			return -1
		}
		if at, n := logclock.CLF(t[i+1:]); n > 0 && i+1+n < len(t) && t[i+1+n] == ']' {
			e.At = at
			return i
		}
		end = i
	}
	return -1
}

// behind reads what follows the request's opening quote. Old servers (Apache before 1.3.29 and
// 2.0.49) did not escape quotes: a request then ends at the first quote that a status follows.
func behind(t []byte, e *event.Event, status bool) bool {
	from := 0
	for range maxTries {
		i := bareQuote(t[from:])
		if i < 0 {
			return false
		}
		i += from
		from = i + 1
		code, rest := word(bytes.TrimLeft(t[from:], " "))
		if status && !(len(code) == 3 && number(code) || string(code) == "-") {
			continue
		}
		request(t[:i], e)
		if status {
			if code[0] != '-' {
				e.Add(event.HTTPStatus, code)
			}
			code, rest = word(rest)
		}
		if number(code) {
			e.Add(event.HTTPBytes, code)
		}
		visitor(rest, e)
		return true
	}
	return false
}

// visitor reads `"referer" "agent"`. A quoted field that stands alone is neither: some add
// X-Forwarded-For to the common form.
func visitor(t []byte, e *event.Event) {
	for range maxTries {
		if len(t) == 0 || t[0] == '"' {
			break
		}
		_, t = word(t)
	}
	referrer, rest, ok := quoted(t)
	if !ok || len(rest) == 0 || rest[0] != '"' {
		return
	}
	add(e, event.HTTPReferrer, referrer)
	agent, rest, ok := quoted(rest)
	if !ok {
		return
	}
	add(e, event.UserAgent, agent)
	if proxies, _, ok := quoted(rest); ok && len(proxies) > 1 { // the form that nginx comes with ends so
		forwardedFor(proxies, e)
	}
}

// front reads what stands before the time: host, ident and user; a word before them is the
// virtual host, a name in ident's place too (lighttpd). A user's name may hold blanks, so all
// is counted from the front.
func front(t []byte, e *event.Event) {
	first, rest := word(t)
	if second, more := word(rest); (said.Address(second) != nil || listed(rest)) && isSite(first) && first[0] != '"' && first[len(first)-1] != ',' {
		if i := bytes.LastIndexByte(first, ':'); i > 0 {
			first = first[:i]
		}
		e.Add(event.URLDomain, first)
		t, first, rest = rest, second, more
	}
	if proxies, more, ok := list(t); ok {
		rest = more
		if second, more := word(rest); said.Address(second) != nil {
			peer(second, e)
			rest = more
		}
		forwardedFor(proxies, e)
	} else {
		peer(first, e)
	}
	ident, user := word(rest)
	if bytes.IndexByte(ident, '.') > 0 {
		add(e, event.URLDomain, ident)
	}
	user = bytes.TrimRight(user, " ")
	if n := len(user); n > 2 && user[0] == '"' && user[n-1] == '"' { // some put the name between quotes
		user = user[1 : n-1]
	}
	add(e, event.UserName, user)
}

// isSite tells a virtual host from a client's address.
func isSite(b []byte) bool {
	if i := bytes.LastIndexByte(b, ':'); i > 0 && number(b[i+1:]) && said.Address(b) == nil {
		return true
	}
	return len(b) > 1 && said.Address(b) == nil
}

// peer adds a client by its address, behind which some proxies write its port, or, where the server looks names up, by its name.
func peer(b []byte, e *event.Event) {
	if a, _ := said.AddressPort(b); a != nil {
		e.Add(event.SourceIP, a)
	} else {
		add(e, event.SourceHost, b)
	}
}

// request takes "GET /path HTTP/1.1" apart; what is none is kept whole as the URL.
func request(r []byte, e *event.Event) {
	method, rest := word(r)
	if len(method) == 0 || len(method) > 20 || !upper(method) || len(rest) == 0 {
		e.Add(event.URL, r)
		return
	}
	e.Add(event.HTTPMethod, method)
	if i := bytes.LastIndexByte(rest, ' '); i >= 0 {
		if v, ok := said.Rest(rest[i+1:], "HTTP/"); ok {
			rest = rest[:i]
			e.Add(event.URL, rest)
			e.Add(event.HTTPVersion, v)
			return
		}
	}
	e.Add(event.URL, rest)
}

// add leaves out "-", which stands for nothing.
func add(e *event.Event, k event.Key, v []byte) {
	if len(v) != 1 || v[0] != '-' {
		e.Add(k, v)
	}
}

func upper(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// bareQuote finds the first quote that no backslash escapes, -1 where there is none.
func bareQuote(t []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(t[from:], '"')
		if i < 0 {
			return -1
		}
		i += from
		if !escaped(t, i) {
			return i
		}
		from = i + 1
	}
}

// escaped tells whether an odd number of backslashes stands before t[i].
func escaped(t []byte, i int) bool {
	n := 0
	for i--; i >= 0 && t[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// quoted reads "text" at the beginning of t.
func quoted(t []byte) (in, rest []byte, ok bool) {
	if len(t) == 0 || t[0] != '"' {
		return nil, t, false
	}
	i := bareQuote(t[1:])
	if i < 0 {
		return nil, t, false
	}
	rest = t[i+2:]
	if len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	return t[1 : i+1], rest, true
}

// number tells whether b is all digits, and not nothing.
func number(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
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
