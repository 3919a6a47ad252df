package accesslog

import (
	"bytes"
	"strconv"
	"time"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// layout is a configured format, taken apart once for a file.
type layout struct {
	parts   []part
	clock   *logclock.Clock
	scratch [24]byte // a number that is not in the line; valid as long as the event is
}

// read reads a line of the format; what it leaves in e where the line does not fit is of no use.
func (l *layout) read(t []byte, e *event.Event) bool { return l.from(0, t, e) }

// from reads t by the fields from the i-th on.
func (l *layout) from(i int, t []byte, e *event.Event) bool {
	for ; i < len(l.parts); i++ {
		p := &l.parts[i]
		if !bytes.HasPrefix(t, p.literal) {
			return false
		}
		t = t[len(p.literal):]
		switch p.what {
		case literal:
			return len(t) == 0
		case clf, bracketed, iso:
			at, n := l.stamp(p.what, t)
			if n == 0 {
				return false
			}
			e.At = at
			t = t[n:]
			continue
		case user:
			return l.user(i, t, e)
		}
		n := l.width(i, t)
		if n < 0 || !l.field(p, t[:n], e) {
			return false
		}
		t = t[n:]
	}
	return false
}

// user reads a user's name, which ends where the rest of the line fits: it may hold what follows it in the format.
func (l *layout) user(i int, t []byte, e *event.Event) bool {
	next := l.parts[i+1].literal
	have := len(e.Attrs)
	for from, tries := 0, 0; tries < maxTries; tries++ {
		n := len(t)
		if len(next) > 0 {
			if n = bytes.Index(t[from:], next); n < 0 {
				return false
			}
			n += from
		}
		add(e, event.UserName, t[:n])
		if l.from(i+1, t[n:], e) {
			return true
		}
		e.Attrs = e.Attrs[:have]
		if from = n + 1; from > len(t) {
			return false
		}
	}
	return false
}

// stamp reads a time at the beginning of t.
func (l *layout) stamp(w what, t []byte) (at evidence.Time, n int) {
	switch w {
	case clf:
		return logclock.CLF(t)
	case bracketed:
		if len(t) == 0 || t[0] != '[' {
			return at, 0
		}
		at, n = logclock.CLF(t[1:])
		if n == 0 || len(t) < n+2 || t[n+1] != ']' {
			return at, 0
		}
		return at, n + 2
	}
	return l.clock.ISO(t)
}

// width gives how many bytes the i-th field has: up to the next literal. Where that begins with a quote, one that is
// escaped does not end it; where the request or a list stands bare, its blanks do not. It is -1 where the literal does
// not follow.
func (l *layout) width(i int, t []byte) int {
	next := l.parts[i+1].literal
	if len(next) == 0 {
		return len(t)
	}
	from := 0
	if l.parts[i].what == line && next[0] == ' ' {
		from = max(bytes.Index(t, []byte(" HTTP/"))+1, 0)
	}
	for {
		n := bytes.Index(t[from:], next)
		if n < 0 {
			return -1
		}
		n += from
		inList := l.parts[i].what == forwarded && next[0] == ' ' && n > 0 && t[n-1] == ','
		if !inList && (next[0] != '"' || !escaped(t, n)) {
			return n
		}
		from = n + 1
	}
}

// field adds what a field says; false where it cannot be such a field.
func (l *layout) field(p *part, v []byte, e *event.Event) bool {
	switch p.what {
	case line:
		request(v, e)
	case attribute:
		add(e, p.key, v)
	case numeric, status:
		if len(v) == 0 || len(v) == 1 && v[0] == '-' {
			return true
		}
		if !number(v) || p.what == status && len(v) != 3 {
			return false
		}
		e.Add(p.key, v)
	case address:
		if bytes.IndexByte(v, ' ') >= 0 {
			return false
		}
		peered(v, e)
	case forwarded:
		forwardedFor(v, e)
	case unix, unixMilli, unixMicro:
		micro, step := microseconds(v, p.what)
		e.At = evidence.Unix(micro/1e6, micro%1e6*1000, step)
		return micro > 0
	case seconds, millis:
		if micro, _ := microseconds(v, p.what); micro >= 0 {
			e.Add(p.key, strconv.AppendInt(l.scratch[:0], micro, 10))
		}
	}
	return true
}

// microseconds reads "12" or "12.345" in the unit of w, and how fine it is; -1 where it is no number.
func microseconds(v []byte, w what) (micro int64, step time.Duration) {
	whole, fraction, _ := bytes.Cut(v, []byte("."))
	if !number(whole) || len(whole) > 18 {
		return -1, 0
	}
	for _, c := range whole {
		micro = micro*10 + int64(c-'0')
	}
	switch w {
	case unixMicro:
		return micro, time.Microsecond
	case unixMilli, millis:
		if len(whole) > 15 {
			return -1, 0
		}
		return micro * 1000, time.Millisecond
	}
	if len(whole) > 12 {
		return -1, 0
	}
	step = time.Second
	for i := range 6 {
		micro *= 10
		if i < len(fraction) && fraction[i] >= '0' && fraction[i] <= '9' {
			micro += int64(fraction[i] - '0')
			step /= 10
		}
	}
	return micro, step
}
