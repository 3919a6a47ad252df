package mongodb

import (
	"bytes"
	"unicode/utf8"

	"telltale/evidence"
	"telltale/internal/logclock"
)

// line is one line of the structured log. Slices point into it, or into the reader's room where a string has escapes.
type line struct {
	at                            evidence.Time
	component, ctx, msg           []byte
	remote, user, mechanism, fail []byte
	db, namespace, connection     []byte
	address, command, options     []byte // command and options as they stand, an object each
	port                          []byte
}

// structured reads {"t":{"$date":"..."},"s":"I","c":"ACCESS","id":20249,"ctx":"conn12","msg":"...","attr":{...}}. Whatever a client says stands in strings of
// attr, so that no name can look like a field of the line.
func (r *reader) structured(t []byte) (l line, ok bool) {
	r.room = r.room[:0]
	var date, attr []byte
	rest, whole := members(t, func(key, value []byte) {
		switch string(key) {
		case "t":
			members(value, func(key, value []byte) {
				if string(key) == "$date" {
					date = r.text(value)
				}
			})
		case "c":
			l.component = r.text(value)
		case "ctx":
			l.ctx = r.text(value)
		case "msg":
			l.msg = r.text(value)
		case "attr":
			attr = value
		}
	})
	at, n := (&logclock.Clock{}).ISO(date)
	if !whole || len(bytes.TrimRight(rest, " \t")) > 0 || n == 0 || len(l.component) == 0 {
		return l, false
	}
	l.at = at
	members(attr, func(key, value []byte) { r.attribute(&l, key, value) })
	return l, true
}

func (r *reader) attribute(l *line, key, value []byte) {
	switch string(key) {
	case "remote":
		l.remote = r.text(value)
	case "client": // an address but in "client metadata", where it is the thread's name
		if l.remote == nil {
			l.remote = r.text(value)
		}
	case "user", "principalName":
		l.user = r.text(value)
	case "mechanism":
		l.mechanism = r.text(value)
	case "error", "result":
		if len(value) > 0 && value[0] == '"' {
			l.fail = r.text(value)
		}
	case "db":
		l.db = r.text(value)
	case "namespace", "ns":
		l.namespace = r.text(value)
	case "connectionId":
		l.connection = value
	case "address":
		l.address = r.text(value)
	case "port":
		l.port = value
	case "command":
		l.command = value
	case "options":
		l.options = value
	}
}

// members gives the members of the object that b begins with, each with its key as it stands between the quotes and its value as it stands; rest is behind
// the object. Nothing is nested: what is inside a value is passed over by counting its brackets.
func members(b []byte, give func(key, value []byte)) (rest []byte, whole bool) {
	if b = blanks(b); len(b) == 0 || b[0] != '{' {
		return b, false
	}
	b = blanks(b[1:])
	if len(b) > 0 && b[0] == '}' {
		return b[1:], true
	}
	for len(b) > 0 {
		n := value(b)
		if n < 2 || b[0] != '"' {
			return b, false
		}
		key := b[1 : n-1]
		if b = blanks(b[n:]); len(b) == 0 || b[0] != ':' {
			return b, false
		}
		b = blanks(b[1:])
		if n = value(b); n == 0 {
			return b, false
		}
		give(key, b[:n])
		if b = blanks(b[n:]); len(b) == 0 {
			return b, false
		}
		switch b[0] {
		case '}':
			return b[1:], true
		case ',':
			b = blanks(b[1:])
		default:
			return b, false
		}
	}
	return b, false
}

func blanks(b []byte) []byte { return bytes.TrimLeft(b, " \t") }

// value gives the length of the value that b begins with, 0 if there is no whole one.
func value(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if i >= len(b) {
				return 0
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t':
			if depth == 0 {
				return i
			}
		}
	}
	return 0
}

// text gives what a string means; nil where value is none. What has no escapes is not copied.
func (r *reader) text(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	b := value[1 : len(value)-1]
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	from := len(r.room)
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			r.room = append(r.room, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'n':
			r.room = append(r.room, '\n')
		case 't':
			r.room = append(r.room, '\t')
		case 'r':
			r.room = append(r.room, '\r')
		case 'b':
			r.room = append(r.room, '\b')
		case 'f':
			r.room = append(r.room, '\f')
		case 'u': // the server writes only control characters so
			if v, ok := hex4(b[i+1:]); ok {
				r.room = utf8.AppendRune(r.room, v)
				i += 4
			}
		default:
			r.room = append(r.room, b[i])
		}
	}
	return r.room[from:len(r.room):len(r.room)]
}

func hex4(b []byte) (v rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// sniff tells a log of MongoDB by its first line.
func sniff(head []byte) bool {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	first = bytes.TrimRight(first, "\r")
	r := reader{}
	if l, ok := r.structured(first); ok {
		return len(l.msg) > 0 && len(l.ctx) > 0
	}
	_, n := (&logclock.Clock{}).ISO(first)
	if n == 0 || n >= len(first) || first[n] != ' ' || first[10] != 'T' {
		return false
	}
	component, _, _, ok := headed(first[n+1:])
	return ok && len(component) > 0
}
