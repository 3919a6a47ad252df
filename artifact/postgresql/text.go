package postgresql

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// stamp reads "2024-03-14 02:11:09.123 CET". Abbreviations stand for several zones each: but for UTC and numbers the host's
// zone is taken, which log_timezone has by default. n is how many bytes it takes.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, n int) {
	at, n = c.ISO(t)
	if n == 0 || n >= len(t) || t[n] != ' ' {
		return at, n
	}
	end := n + 1
	for end < len(t) && end < n+7 && (t[end] >= 'A' && t[end] <= 'Z' || t[end] >= '0' && t[end] <= '9' || t[end] == '+' || t[end] == '-') {
		end++
	}
	zone := t[n+1 : end]
	if len(zone) < 3 {
		return at, n
	}
	if n > 32 {
		return at, end
	}
	var room [48]byte
	zoned := append(room[:0], t[:n]...)
	switch {
	case string(zone) == "UTC", string(zone) == "GMT":
		zoned = append(zoned, 'Z')
	case (zone[0] == '+' || zone[0] == '-') && len(zone) == 3:
		zoned = append(append(zoned, zone...), '0', '0')
	case (zone[0] == '+' || zone[0] == '-') && len(zone) == 5:
		zoned = append(zoned, zone...)
	default:
		return at, end
	}
	if sure, k := c.ISO(zoned); k == len(zoned) {
		at = sure
	}
	return at, end
}

// severities are what stands before a message, with a colon and two blanks behind.
var severities = [...]string{"LOG", "FATAL", "ERROR", "STATEMENT", "DETAIL", "HINT", "WARNING", "NOTICE", "PANIC", "INFO", "CONTEXT", "QUERY", "LOCATION", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5"}

// maxPrefix is how far the severity may stand from the beginning: a prefix holds two names of 63 bytes, and an application's.
const maxPrefix = 400 // bytes

// mark finds the first severity in t. before is what stands before it.
func mark(t []byte) (before []byte, severity string, text []byte) {
	for from := 0; from < len(t) && from < maxPrefix; {
		i := bytes.Index(t[from:], []byte(":  "))
		if i < 0 || from+i > maxPrefix {
			break
		}
		end := from + i
		start := end
		for start > 0 && (t[start-1] >= 'A' && t[start-1] <= 'Z' || t[start-1] >= '0' && t[start-1] <= '9') {
			start--
		}
		for _, s := range severities {
			if string(t[start:end]) == s {
				return t[:start], s, t[end+3:]
			}
		}
		from = end + 3
	}
	return t, "", nil
}

// line is one line of text with its prefix taken apart.
type line struct {
	at                     evidence.Time
	pid, user, host, names []byte
	severity               string // "" where the line ends before it
	text                   []byte
}

// headed reads "STAMP [pid] PREFIX SEVERITY:  text". ok is false where there is no stamp. What log_line_prefix puts between
// differs; user and database in it are any text of a stranger's, newlines too, and the server writes them as they are.
func headed(c *logclock.Clock, t []byte) (l line, ok bool) {
	inner, bracketed := said.Rest(t, "[") // "[%m] "
	at, n := stamp(c, inner)
	if n == 0 {
		return l, false
	}
	l.at = at
	if t = inner; bracketed && n < len(t) && t[n] == ']' {
		n++
	}
	rest := bytes.TrimLeft(t[n:], " ")
	if inner, ok := said.Rest(rest, "["); ok {
		pid := said.Number(inner)
		if _, after, ok := said.Cut(inner[len(pid):], "]"); ok && len(pid) > 0 {
			l.pid, rest = pid, bytes.TrimLeft(after, ": ")
		}
	}
	l.named(rest)
	return l, true
}

// named reads what stands behind stamp and process: the names of the prefix, the severity and the text.
func (l *line) named(rest []byte) {
	l.names, l.severity, l.text = mark(rest)
	if _, client, ok := said.CutLast(l.names, "client="); ok { // the server's: it stands behind the names
		client, _ = said.FirstWord(client)
		l.host = said.Address(bytes.TrimRight(client, ","))
	}
	names := l.names
	if first, after := said.FirstWord(names); l.host == nil && l.severity != "FATAL" { // "%r %u@%d", "%h %u@%d"; who is refused may bear an address for a name
		if a := client(bytes.TrimRight(first, ":,")); a != nil {
			l.host, names = a, after
		}
	}
	if user, _, ok := said.Cut(names, ",db="); ok {
		if _, user, ok = said.Cut(user, "user="); ok {
			l.user = user
		}
	} else if user, db, ok := said.Cut(bytes.TrimRight(names, " "), "@"); ok && bytes.IndexByte(db, '@') < 0 {
		l.user = user
		if i := bytes.LastIndexByte(db, ' '); i > 0 && l.host == nil && l.severity != "FATAL" { // "%u@%d %r"; of who is refused, the database's name is any text
			l.host = client(db[i+1:])
		}
	}
	if a := said.Address(bytes.TrimRight(l.names, ": ")); a != nil { // "%h: "
		l.host = a
	}
	if string(l.user) == "[unknown]" {
		l.user = nil
	}
}

// client reads "1.2.3.4" (%h) or "1.2.3.4(5432)" (%r).
func client(b []byte) []byte {
	if host, _, ok := bytes.Cut(b, []byte("(")); ok && bytes.HasSuffix(b, []byte(")")) {
		return said.Address(host)
	}
	return said.Address(b)
}

// maxNames is how far from a line's beginning the names in its prefix may reach: 63 bytes each, and the stamp before.
const maxNames = 180 // bytes

func (r *reader) textLine(ref evidence.Ref, t []byte) {
	if t[0] == '\t' { // so the server begins all lines of a message but the first
		if r.active {
			r.more(ref, t[1:])
		}
		return
	}
	l, ok := headed(r.in.Clock, t)
	if r.broken >= 0 && ref.Off-r.broken < maxNames {
		r.named(ref, t)
		return
	}
	r.broken = -1
	if r.active && ref.Off-r.rec.ref.Off < maxNames && (!ok || l.pid == nil && r.rec.pid != nil) && r.torn(ref, t) {
		return
	}
	if !ok { // what programs wrote to the server's stderr
		r.in.Seen.Unknown(unread)
		return
	}
	r.finish()
	r.in.Seen.Record(l.at)
	names, fatal := bytes.TrimRight(l.names, " "), bytes.Contains(l.text, []byte("FATAL:  "))
	nameless := r.names && len(names) == 0 && ofClient(l.severity, l.text)
	if l.severity == "" || nameless && !fatal {
		r.broken, r.brokenAt = ref.Off, record{at: l.at, pid: bytes.Clone(l.pid)}
		if nameless { // or log_line_prefix was changed
			r.in.Seen.Unknown(unread)
		}
		return
	}
	raw := append(r.rec.raw[:0], t...)
	r.rec = record{at: l.at, ref: ref, raw: raw, severity: l.severity, pid: bytes.Clone(l.pid), user: bytes.Clone(l.user), host: bytes.Clone(l.host), names: bytes.Clone(l.names), text: raw[len(t)-len(l.text):]}
	r.rec.unsure = fatal
	r.names = r.names || bytes.IndexByte(names, '@') > 0 || bytes.Contains(names, []byte("user="))
	r.active = true
}

// ofClient tells messages that only a client's process writes. Where the prefix has names, such a one without any was made
// up by a name that looks like a severity and a message.
func ofClient(severity string, text []byte) bool {
	return severity == "STATEMENT" || said.BeginsAny(text, []string{"connection authorized: ", "connection received: ", "statement: ", "execute ", "duration: "})
}

// torn tells whether a line without a stamp is the rest of the one before, whose names hold a newline: then a severity of the
// server's own stands in it. What programs write to the server's stderr has none. A stranger's name is too short for
// a message and a whole stamp.
func (r *reader) torn(ref evidence.Ref, t []byte) bool {
	if _, severity, _ := mark(t); severity == "" {
		return false
	}
	if s := r.known[string(r.rec.pid)]; s != nil && s.in {
		return false
	}
	r.active = false
	r.broken, r.brokenAt = r.rec.ref.Off, record{at: r.rec.at, pid: r.rec.pid}
	r.named(ref, t)
	return true
}

// more adds a line to the record.
func (r *reader) more(ref evidence.Ref, t []byte) {
	rec := &r.rec
	rec.ref.Len = ref.Off + ref.Len - rec.ref.Off
	if room := maxRecord - len(rec.raw) - 1; room > 0 {
		skip := len(rec.raw) - len(rec.text)
		rec.raw = append(append(rec.raw, '\n'), t[:min(len(t), room)]...)
		rec.text = rec.raw[skip:]
	}
}

// named reads a line within a stranger's names that hold newlines. Where the server's own words end it, it tells that he was
// refused; nothing else in it is to be believed, its time and process neither.
func (r *reader) named(ref evidence.Ref, t []byte) {
	if !bytes.Contains(t, []byte(refusedPassword)) {
		return
	}
	rec := r.brokenAt
	rec.ref, rec.raw = ref, t
	if s := r.known[string(rec.pid)]; s != nil {
		rec.host, rec.port = s.host, s.port
	}
	refused(r.message(&rec), &rec, r.out)
	r.broken = -1
}

// decode reads a message that came by syslog: "[3-1] " before it counts messages and their lines.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if rest, ok := said.Rest(t, "["); ok {
		if n := said.Number(rest); len(n) > 0 {
			part, ok := said.Rest(rest[len(n):], "-")
			if count := said.Number(part); ok && len(count) > 0 {
				if string(count) != "1" {
					return true // more of the message before
				}
				_, t, _ = said.Cut(part, "] ")
			}
		}
	}
	l, ok := headed(&logclock.Clock{}, t)
	if !ok {
		l.named(t)
	}
	if l.severity == "" {
		return false
	}
	rec := record{at: m.At, raw: m.Text, user: l.user, host: l.host, names: l.names, severity: l.severity, text: l.text, unsure: bytes.Contains(l.text, []byte("FATAL:  "))}
	m.Text = l.text
	tell(m, &rec, yield)
	return true
}
