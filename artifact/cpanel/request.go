package cpanel

import (
	"bytes"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// maxTries bounds what is tried on one line where its delimiters may be a client's.
const maxTries = 16

// request is a line of the access log, its parts pointing into the line.
type request struct {
	at                               evidence.Time
	ip, user, text, status, size     []byte
	referrer, agent, auth, forwarded []byte
	program, why                     []byte // of a refused login, which old releases wrote here
	whole                            bool   // the line ends as a served request's does, and tells of no refused login
}

// requested reads `IP - user [mm/dd/yyyy:hh:mm:ss -0000] "GET /x HTTP/1.1" 200 0 "referrer" "agent" "s" "-" 2083`. The month stands first in the date.
func requested(t []byte) (r request, ok bool) {
	first, rest := said.FirstWord(t)
	if r.ip = said.Address(first); r.ip == nil {
		return r, false
	}
	_, rest = said.FirstWord(rest) // "-" or "proxy"
	from := 0
	for range maxTries {
		i := bytes.Index(rest[from:], []byte(`] "`))
		if i < 0 {
			return r, false
		}
		i += from
		from = i + 3
		if i <= stampLen {
			continue
		}
		if r.at, ok = monthFirst(rest[i-stampLen : i]); ok && rest[i-stampLen-1] == '[' {
			r.user = bytes.TrimRight(rest[:i-stampLen-1], " ")
			return r, r.behind(rest[from:])
		}
	}
	return r, false
}

// stampLen is the length of "01/02/2006:15:04:05 -0000"; a bracket stands before it.
const stampLen = 25 // bytes

func monthFirst(b []byte) (at evidence.Time, ok bool) {
	if len(b) != stampLen || b[2] != '/' || b[5] != '/' || b[10] != ':' || b[13] != ':' || b[16] != ':' || b[19] != ' ' || b[20] != '-' && b[20] != '+' {
		return at, false
	}
	h, m := logclock.Digits(b[21:23]), logclock.Digits(b[23:25])
	if h < 0 || m < 0 {
		return at, false
	}
	offset := h*3600 + m*60
	if b[20] == '-' {
		offset = -offset
	}
	return logclock.Offset(logclock.Digits(b[6:10]), time.Month(logclock.Digits(b[:2])), logclock.Digits(b[3:5]), logclock.Digits(b[11:13]), logclock.Digits(b[14:16]), logclock.Digits(b[17:19]), 0, offset, time.Second)
}

// behind reads what follows the request's opening quote: the request ends at the first quote that a status or a verdict follows.
func (r *request) behind(t []byte) bool {
	from := 0
	for range maxTries {
		i := bytes.Index(t[from:], []byte(`" `))
		if i < 0 {
			return false
		}
		i += from
		from = i + 2
		var ok bool
		if r.program, r.why, ok = verdictOf(t[i:]); ok && said.BeginsAny(t[from:], []string{"FAILED LOGIN ", "DEFERRED LOGIN "}) {
			r.text = t[:i]
			return true
		}
		r.program, r.why = nil, nil
		status, rest := said.FirstWord(t[from:])
		if len(status) != 3 || len(said.Number(status)) != 3 {
			continue
		}
		r.text, r.status = t[:i], status
		r.size, rest = said.FirstWord(rest)
		for _, f := range []*[]byte{&r.referrer, &r.agent, &r.auth, &r.forwarded} {
			*f, rest = quoted(rest)
		}
		r.whole = len(said.Number(rest)) == len(rest) && !bytes.Contains(t, []byte(" LOGIN "))
		return true
	}
	return false
}

// quoted reads `"text" `.
func quoted(t []byte) (in, rest []byte) {
	if len(t) < 2 || t[0] != '"' {
		return nil, t
	}
	in, rest, _ = said.Cut(t[1:], `"`)
	return in, bytes.TrimLeft(rest, " ")
}

// tell yields the request, and what it did where its path says so and the server did it. The name in a refused login's line is the client's, and its request may
// imitate a status: a deed is told of a line without doubts only.
func (r *request) tell(m *artifact.Message, yield func(*event.Event)) {
	if r.why != nil {
		refused(m, r.ip, r.user, r.program, r.why, yield)
		return
	}
	e := m.Event(event.HTTPRequest)
	method, url, version := parts(r.text)
	e.Add(event.SourceIP, r.ip)
	add(e, event.UserName, r.user)
	e.Add(event.HTTPMethod, method)
	e.Add(event.URL, url)
	e.Add(event.HTTPVersion, version)
	e.Add(event.HTTPStatus, r.status)
	if len(said.Number(r.size)) == len(r.size) {
		e.Add(event.HTTPBytes, r.size)
	}
	add(e, event.HTTPReferrer, r.referrer)
	add(e, event.UserAgent, r.agent)
	yield(e)
	if r.whole && len(r.user) > 0 && string(r.user) != "-" && r.status[0] == '2' {
		r.deed(m, method, url, yield)
	}
}

// add leaves out "-", which stands for nothing.
func add(e *event.Event, k event.Key, v []byte) {
	if len(v) != 1 || v[0] != '-' {
		e.Add(k, v)
	}
}

// parts takes "GET /path HTTP/1.1" apart; what is none is kept whole as the URL.
func parts(t []byte) (method, url, version []byte) {
	method, rest, ok := said.Cut(t, " ")
	for _, c := range method {
		ok = ok && (c >= 'A' && c <= 'Z' || c == '_' || c == '-')
	}
	if !ok || len(method) == 0 {
		return nil, t, nil
	}
	if before, v, ok := said.CutLast(rest, " HTTP/"); ok {
		return method, before, v
	}
	return method, rest, nil
}
