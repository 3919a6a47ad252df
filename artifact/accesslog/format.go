package accesslog

import (
	"strings"

	"telltale/event"
	"telltale/internal/logclock"
)

// part is one field of a format, with the literal text before it.
type part struct {
	literal []byte
	what    what
	key     event.Key
	weak    bool // another field for the same attribute goes before
}

// what tells how a field is read.
type what uint8

const (
	skip      what = iota // of no interest
	attribute             // as it stands
	numeric               // digits or "-"
	status                // three digits or "-"
	address               // of the client
	forwarded             // X-Forwarded-For: a list that the client begins and the last proxy ends
	user                  // may hold blanks
	line                  // the request line
	clf                   // "02/Jan/2006:15:04:05 +0100"
	bracketed             // the same in brackets
	iso                   // ISO 8601
	unix                  // seconds since 1970, with or without a fraction
	unixMilli
	unixMicro
	seconds // a duration, with or without a fraction
	millis  // a duration
	literal // nothing: the text behind the last field
)

// maxParts bounds a format.
const maxParts = 64

// compile takes a format apart; nil where it is none, or tells no request.
func compile(f string, c *logclock.Clock) *layout {
	l := &layout{clock: c}
	f = strings.ReplaceAll(f, `\"`, `"`)
	var lit []byte
	useful := false
	for i := 0; i < len(f); {
		p, n := part{}, 0
		switch f[i] {
		case '%':
			p, n = apache(f[i:])
		case '$':
			p, n = nginx(f[i:])
		}
		if n == 0 {
			if strings.HasPrefix(f[i:], "%%") {
				i++
			}
			lit = append(lit, f[i])
			i++
			continue
		}
		i += n
		if k := len(l.parts); k > 0 && len(lit) == 0 {
			if f[i-1] != 'q' { // "%U%q" is one URL; nothing tells where other neighbours part
				l.parts[k-1].what, l.parts[k-1].key = skip, event.NoKey
			}
			continue
		}
		p.literal, lit = lit, nil
		if len(l.parts) == maxParts {
			return nil
		}
		l.parts = append(l.parts, p)
		useful = useful || p.what == line || p.key == event.URL
	}
	if !useful {
		return nil
	}
	l.parts = append(l.parts, part{literal: lit, what: literal})
	l.prefer()
	return l
}

// prefer settles which of several fields for one attribute is read: the final status (%>s) before the
// original, the body's bytes before all bytes; else the first.
func (l *layout) prefer() {
	var taken [256]int
	for i := range l.parts {
		p := &l.parts[i]
		if p.key == event.NoKey {
			continue
		}
		switch j := taken[p.key] - 1; {
		case p.what == forwarded: // read beside the peer: see forwardedFor
		case j < 0:
			taken[p.key] = i + 1
		case l.parts[j].weak && !p.weak:
			l.parts[j].what, l.parts[j].key = skip, event.NoKey
			taken[p.key] = i + 1
		default:
			p.what, p.key = skip, event.NoKey
		}
	}
}

// apache reads one "%...x" of a LogFormat; n is 0 where none begins.
func apache(f string) (p part, n int) {
	n = 1
	final := false
	for n < len(f) && strings.IndexByte("<>!,0123456789", f[n]) >= 0 {
		final = final || f[n] == '>'
		n++
	}
	arg := ""
	if n < len(f) && f[n] == '{' {
		j := strings.IndexByte(f[n:], '}')
		if j < 0 {
			return p, 0
		}
		arg = f[n+1 : n+j]
		n += j + 1
	}
	if n >= len(f) || f[n] == '%' {
		return p, 0
	}
	if f[n] == '^' { // "%^FB", "%{x}^ti"
		return part{}, min(n+3, len(f))
	}
	return directive(f[n], arg, final), n + 1
}

// directive tells what "%{arg}c" is read as; final is for ">".
func directive(c byte, arg string, final bool) part {
	switch c {
	case 'h', 'a':
		return part{what: address, key: event.SourceIP}
	case 'u':
		return part{what: user, key: event.UserName}
	case 't':
		return part{what: stamp(arg)}
	case 'r':
		return part{what: line}
	case 'm':
		return part{what: attribute, key: event.HTTPMethod}
	case 'U':
		return part{what: attribute, key: event.URL}
	case 's':
		return part{what: status, key: event.HTTPStatus, weak: !final}
	case 'b', 'B':
		return part{what: numeric, key: event.HTTPBytes}
	case 'O':
		return part{what: numeric, key: event.HTTPBytes, weak: true}
	case 'v', 'V':
		return part{what: attribute, key: event.URLDomain}
	case 'D':
		return part{what: numeric, key: event.HTTPDuration}
	case 'T':
		switch arg {
		case "ms":
			return part{what: millis, key: event.HTTPDuration}
		case "us":
			return part{what: numeric, key: event.HTTPDuration}
		}
		return part{what: seconds, key: event.HTTPDuration}
	case 'i':
		return header(strings.ToLower(arg))
	}
	return part{}
}

// header tells what a request's header is read as.
func header(name string) part {
	switch name {
	case "referer":
		return part{what: attribute, key: event.HTTPReferrer}
	case "user-agent":
		return part{what: attribute, key: event.UserAgent}
	case "host":
		return part{what: attribute, key: event.URLDomain}
	case "x-forwarded-for":
		return part{what: forwarded, key: event.SourceIP, weak: true}
	}
	return part{}
}

// stamp tells how "%{arg}t" is read.
func stamp(arg string) what {
	arg = strings.TrimPrefix(strings.TrimPrefix(arg, "begin:"), "end:")
	switch {
	case arg == "":
		return bracketed
	case arg == "sec":
		return unix
	case arg == "msec":
		return unixMilli
	case arg == "usec":
		return unixMicro
	case strings.HasPrefix(arg, "%d/%b/%Y:%H:%M:%S %z"), strings.HasPrefix(arg, "%d/%b/%Y:%T %z"):
		return clf
	case arg == "[%d/%b/%Y:%H:%M:%S %z]", arg == "[%d/%b/%Y:%T %z]":
		return bracketed
	case strings.HasPrefix(arg, "%Y-%m-%d"), strings.HasPrefix(arg, "%F"):
		return iso
	}
	return skip
}

// nginx reads one "$name" or "${name}"; n is 0 where none begins.
func nginx(f string) (p part, n int) {
	n = 1
	if n < len(f) && f[n] == '{' {
		j := strings.IndexByte(f, '}')
		if j < 0 {
			return p, 0
		}
		return variable(f[2:j]), j + 1
	}
	for n < len(f) && (f[n] == '_' || f[n] >= 'a' && f[n] <= 'z' || f[n] >= 'A' && f[n] <= 'Z' || f[n] >= '0' && f[n] <= '9') {
		n++
	}
	if n == 1 {
		return p, 0
	}
	return variable(f[1:n]), n
}

// variable tells what a variable of nginx is read as.
func variable(name string) part {
	switch name {
	case "time_local":
		return part{what: clf}
	case "time_iso8601":
		return part{what: iso}
	case "msec":
		return part{what: unix}
	case "request":
		return part{what: line}
	case "request_uri":
		return part{what: attribute, key: event.URL}
	case "request_method":
		return part{what: attribute, key: event.HTTPMethod}
	case "remote_addr":
		return part{what: address, key: event.SourceIP}
	case "remote_user":
		return part{what: user, key: event.UserName}
	case "status":
		return part{what: status, key: event.HTTPStatus}
	case "body_bytes_sent":
		return part{what: numeric, key: event.HTTPBytes}
	case "bytes_sent":
		return part{what: numeric, key: event.HTTPBytes, weak: true}
	case "request_time":
		return part{what: seconds, key: event.HTTPDuration}
	case "host", "server_name":
		return part{what: attribute, key: event.URLDomain}
	case "http_x_forwarded_for", "proxy_add_x_forwarded_for":
		return part{what: forwarded, key: event.SourceIP, weak: true}
	}
	if h, ok := strings.CutPrefix(name, "http_"); ok {
		return header(strings.ReplaceAll(h, "_", "-"))
	}
	return part{}
}
