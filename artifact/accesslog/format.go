package accesslog

import (
	"strings"

	"bytes"

	"telltale/event"
	"telltale/internal/logclock"
)

// layout is a configured format: literal text and fields in turn.
type layout struct{ parts []part }

type part struct {
	literal string
	key     event.Key
	special byte // 't' time, 'r' request, 'q' query, 'm' microseconds, 's' seconds as time spent, 0 none
}

// maxParts bounds a format.
const maxParts = 64

// compile takes a format apart; nil where it is none.
func compile(f string) *layout {
	if f == "" {
		return nil
	}
	l := &layout{}
	f = strings.ReplaceAll(f, `\"`, `"`)
	lit := ""
	for i := 0; i < len(f) && len(l.parts) < maxParts; {
		var p part
		n := 0
		switch f[i] {
		case '%':
			p, n = apache(f[i:])
		case '$':
			p, n = nginx(f[i:])
		}
		if n == 0 {
			lit += f[i : i+1]
			i++
			continue
		}
		p.literal = lit
		lit = ""
		l.parts = append(l.parts, p)
		i += n
	}
	if len(l.parts) < 2 {
		return nil
	}
	l.parts = append(l.parts, part{literal: lit})
	return l
}

// apache reads one "%...x" of a LogFormat.
func apache(f string) (p part, n int) {
	n = 1
	for n < len(f) && strings.IndexByte("<>!,0123456789", f[n]) >= 0 {
		n++
	}
	arg := ""
	if n < len(f) && f[n] == '{' {
		j := strings.IndexByte(f[n:], '}')
		if j < 0 {
			return p, 0
		}
		arg = strings.ToLower(f[n+1 : n+j])
		n += j + 1
	}
	if n >= len(f) {
		return p, 0
	}
	if f[n] == '%' {
		return part{}, 0
	}
	switch f[n] {
	case 'h', 'a':
		p.key = event.SourceIP
	case 'u':
		p.key = event.UserName
	case 't':
		p.special = 't'
		if arg != "" {
			p.special = 0
		}
	case 'r':
		p.special = 'r'
	case 'm':
		p.key = event.HTTPMethod
	case 'U':
		p.key = event.URL
	case 's':
		p.key = event.HTTPStatus
	case 'b', 'B', 'O':
		p.key = event.HTTPBytes
	case 'v', 'V':
		p.key = event.URLDomain
	case 'D':
		p.key = event.HTTPDuration
	case '^':
		n += 2 // %^FB
	case 'i':
		switch arg {
		case "referer":
			p.key = event.HTTPReferrer
		case "user-agent":
			p.key = event.UserAgent
		}
	}
	return p, n + 1
}

var nginxKeys = map[string]event.Key{"remote_addr": event.SourceIP, "remote_user": event.UserName, "status": event.HTTPStatus, "body_bytes_sent": event.HTTPBytes, "bytes_sent": event.HTTPBytes,
	"http_referer": event.HTTPReferrer, "http_user_agent": event.UserAgent, "host": event.URLDomain, "server_name": event.URLDomain, "request_uri": event.URL, "request_method": event.HTTPMethod}

// nginx reads one "$name" or "${name}".
func nginx(f string) (p part, n int) {
	n = 1
	if n < len(f) && f[n] == '{' {
		j := strings.IndexByte(f, '}')
		if j < 0 {
			return p, 0
		}
		p, _ = nginx("$" + f[2:j])
		return p, j + 1
	}
	for n < len(f) && (f[n] == '_' || f[n] >= 'a' && f[n] <= 'z' || f[n] >= '0' && f[n] <= '9') {
		n++
	}
	switch name := f[1:n]; name {
	case "":
		return p, 0
	case "time_local":
		p.special = 't'
	case "request":
		p.special = 'r'
	default:
		p.key = nginxKeys[name]
	}
	return p, n
}

// read reads a line of the format. The first %b or %O wins, the first address too.
func (l *layout) read(t []byte, e *event.Event) bool {
	for i := range l.parts {
		p := &l.parts[i]
		if !bytes.HasPrefix(t, []byte(p.literal)) {
			return false
		}
		t = t[len(p.literal):]
		if i == len(l.parts)-1 {
			break
		}
		if p.special == 't' {
			bracket := len(t) > 0 && t[0] == '['
			if bracket {
				t = t[1:]
			}
			at, n := logclock.CLF(t)
			if n == 0 {
				return false
			}
			e.At = at
			t = t[n:]
			if bracket && len(t) > 0 && t[0] == ']' {
				t = t[1:]
			}
			continue
		}
		v, rest, ok := until(t, l.parts[i+1].literal)
		if !ok {
			return false
		}
		t = rest
		if p.special == 'r' {
			request(v, e)
		} else if p.key != event.NoKey && string(v) != "-" && e.Get(p.key) == nil {
			e.Add(p.key, v)
		}
	}
	return e.At.Known() && e.Get(event.SourceIP) != nil
}

// until gives what stands before the next literal; where that begins with a quote, one that a backslash escapes does
// not end it.
func until(t []byte, lit string) (v, rest []byte, ok bool) {
	if lit == "" {
		return t, nil, true
	}
	for from := 0; ; {
		i := bytes.Index(t[from:], []byte(lit))
		if i < 0 {
			return nil, t, false
		}
		i += from
		if lit[0] == '"' && i > 0 && t[i-1] == '\\' && !(i > 1 && t[i-2] == '\\') {
			from = i + 1
			continue
		}
		return t[:i], t[i:], true
	}
}
