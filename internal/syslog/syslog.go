// Package syslog takes the frame off a log line: when, which host, which program and
// process, and what it said. It knows the forms that syslog daemons write to files:
// RFC 3164 (with its variants), ISO 8601 stamps as rsyslog and syslog-ng write them,
// RFC 5424, the form of busybox, and "repeated N times". What a program said is
// no concern of this package.
package syslog

import (
	"bytes"

	"telltale/evidence"
	"telltale/internal/logclock"
)

// Line is a line without its frame. All slices point into the line.
type Line struct {
	At      evidence.Time
	Host    []byte
	Program []byte // without path and pid: "sshd", "postfix/smtpd"
	PID     []byte
	Text    []byte
	Repeat  int64 // how many messages the line stands for, 1 or more; for "last message repeated" Text is empty
}

// Parse takes the frame off b. ok is false where b has no stamp of a known form.
func Parse(c *logclock.Clock, b []byte) (l Line, ok bool) {
	l.Repeat = 1
	if len(b) > 4 && b[0] == '<' {
		if i := bytes.IndexByte(b[:min(len(b), 5)], '>'); i > 1 && logclock.Digits(b[1:i]) >= 0 {
			b = b[i+1:]
			if len(b) > 2 && b[0] == '1' && b[1] == ' ' {
				return rfc5424(c, b[2:])
			}
		}
	}
	if len(b) < 16 {
		return l, false
	}
	var n int
	if b[0] >= '0' && b[0] <= '9' {
		if b[0] == '1' && b[1] == ' ' {
			return rfc5424(c, b[2:])
		}
		l.At, n = c.ISO(b)
	} else if b[0] == '@' {
		l.At, n = logclock.TAI64N(b)
	} else {
		l.At, n = c.BSD(b)
	}
	if n == 0 {
		l.At, n = odd(c, b)
	}
	if n == 0 || n >= len(b) || b[n] != ' ' && b[n] != ':' {
		return l, false
	}
	l.tag(bytes.TrimLeft(b[n+1:], " "))
	return l, true
}

// tag reads "host program[pid]: text"; the host may be missing, and busybox puts
// "facility.level" behind it.
func (l *Line) tag(b []byte) {
	first, rest := word(b)
	if len(first) > 2 && first[0] == '[' { // metalog: "[program] text"
		if name := bytes.TrimSuffix(first, []byte(":")); name[len(name)-1] == ']' {
			l.Program = name[1 : len(name)-1]
			l.said(rest)
			return
		}
	}
	if n := len(first); n > 0 && first[n-1] == ':' && !bytes.Contains(first[:n-1], []byte(":")) {
		l.program(b) // no host
		return
	}
	l.Host = first
	l.behindHost(rest)
}

// behindHost reads "program[pid]: text", and passes over busybox' "facility.level".
func (l *Line) behindHost(b []byte) {
	i := 0
	for i < len(b) && (b[i] >= 'a' && b[i] <= 'z' || b[i] >= '0' && b[i] <= '9') {
		i++
	}
	if i > 0 && i < len(b) && b[i] == '.' {
		if w, rest := word(b); isFacility(w) {
			b = rest
		}
	}
	l.program(b)
}

// program reads "path/name[pid]: text", "name: text", or text alone.
func (l *Line) program(b []byte) {
	if bytes.HasPrefix(b, []byte("last message repeated ")) {
		if n := leadingNumber(b[len("last message repeated "):]); n > 0 {
			l.Repeat = n
			return
		}
	}
	i := 0
	for ; i < len(b) && i < 128; i++ {
		switch b[i] {
		case '[':
			j := bytes.IndexByte(b[i:min(len(b), i+64)], ']')
			if j < 0 || i == 0 {
				l.Text = b
				return
			}
			l.Program, l.PID = base(b[:i]), b[i+1:i+j]
			if !digits(l.PID) { // "systemd[1]" but also "foo[bar]"
				l.PID = nil
			}
			b = b[i+j+1:]
			if len(b) > 0 && b[0] == ':' {
				b = b[1:]
			}
			l.said(b)
			return
		case ':':
			l.Program = base(b[:i])
			l.said(b[i+1:])
			return
		case ' ':
			if k := i + 1; k < len(b) && b[k] == '[' || isParen(b, k) { // "pure-ftpd: (..", "CRON (x)[1]:"
				continue
			}
			l.Text = b
			return
		}
	}
	l.Text = b
}

// said takes the text, and unfolds "message repeated N times: [ text]".
func (l *Line) said(b []byte) {
	for len(b) > 0 && b[0] == ' ' { // one, and one more where a template of a log server set another before it
		b = b[1:]
	}
	if len(b) > 4 && b[0] == '[' && string(b[:4]) == "[ID " { // Solaris: "[ID 800047 auth.info] text"
		if i := bytes.Index(b[:min(len(b), 48)], []byte("] ")); i > 0 {
			b = b[i+2:]
		}
	}
	const again = "message repeated "
	if len(b) > len(again) && b[0] == 'm' && string(b[:len(again)]) == again {
		if n := leadingNumber(b[len(again):]); n > 0 {
			if i := bytes.Index(b[:min(len(b), 60)], []byte(" times: [")); i > 0 {
				l.Repeat = n
				b = bytes.TrimSuffix(bytes.TrimLeft(b[i+len(" times: ["):], " "), []byte("]"))
			}
		}
	}
	l.Text = b
}

// rfc5424 reads "STAMP HOST APP PROCID MSGID SD MSG" (RFC 5424, section 6), "-" standing for nothing.
func rfc5424(c *logclock.Clock, b []byte) (l Line, ok bool) {
	l.Repeat = 1
	var n int
	if l.At, n = c.ISO(b); n == 0 && !bytes.HasPrefix(b, []byte("- ")) {
		return l, false
	}
	_, b = word(b)
	l.Host, b = word(b)
	l.Program, b = word(b)
	l.PID, b = word(b)
	_, b = word(b)
	for _, f := range []*[]byte{&l.Host, &l.Program, &l.PID} {
		if len(*f) == 1 && (*f)[0] == '-' {
			*f = nil
		}
	}
	l.Program = base(l.Program)
	b = structured(b)
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	l.said(b)
	return l, true
}

// structured steps over "-" or the "[id name=\"value\"]..." of RFC 5424, section 6.3.
func structured(b []byte) []byte {
	if len(b) > 0 && b[0] == '-' {
		return bytes.TrimPrefix(b[1:], []byte(" "))
	}
	for len(b) > 0 && b[0] == '[' {
		quoted := false
		i := 1
		for ; i < len(b); i++ {
			if b[i] == '\\' && quoted {
				i++
			} else if b[i] == '"' {
				quoted = !quoted
			} else if b[i] == ']' && !quoted {
				break
			}
		}
		b = b[min(i+1, len(b)):]
	}
	return bytes.TrimPrefix(b, []byte(" "))
}

func word(b []byte) (w, rest []byte) {
	i := bytes.IndexByte(b, ' ')
	if i < 0 {
		return b, nil
	}
	return b[:i], bytes.TrimLeft(b[i+1:], " ")
}

// base takes the directories off a program that is given by its path; "postfix/smtpd" is no path.
func base(b []byte) []byte {
	if len(b) > 0 && b[0] == '/' {
		b = b[bytes.LastIndexByte(b, '/')+1:]
	}
	return b
}

func digits(b []byte) bool {
	for _, x := range b {
		if x < '0' || x > '9' {
			return false
		}
	}
	return len(b) > 0
}

func isParen(b []byte, k int) bool {
	return k < len(b) && b[k] == '(' && bytes.Contains(b[k:min(len(b), k+64)], []byte(")["))
}

func leadingNumber(b []byte) (n int64) {
	for i := 0; i < len(b) && i < 9 && b[i] >= '0' && b[i] <= '9'; i++ {
		n = n*10 + int64(b[i]-'0')
	}
	return n
}

// isFacility tells "authpriv.info" (busybox) from a program's name.
func isFacility(w []byte) bool {
	i := bytes.IndexByte(w, '.')
	switch string(w[:i]) {
	case "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7":
	default:
		return false
	}
	switch string(w[i+1:]) {
	case "emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug":
		return true
	}
	return false
}
