package mongodb

import (
	"bytes"

	"telltale/artifact/internal/jsonline"
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
	rest, whole := jsonline.Members(t, func(key, value []byte) {
		switch string(key) {
		case "t":
			jsonline.Members(value, func(key, value []byte) {
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
	jsonline.Members(attr, func(key, value []byte) { r.attribute(&l, key, value) })
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

// text gives what a string means, nil where value is none.
func (r *reader) text(value []byte) []byte {
	var t []byte
	t, r.room, _ = jsonline.Text(r.room, value)
	return t
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
