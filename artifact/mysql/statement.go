package mysql

import (
	"bytes"

	"telltale/event"
	"telltale/evidence"
)

// maxStatement is how much of a statement is kept, and maxMessage how much of it an event tells: one that writes a library
// by DUMPFILE holds the whole of it.
const (
	maxStatement = 1 << 20 // bytes
	maxMessage   = 1000    // bytes
)

// statement is what a client said, over as many lines as it took.
type statement struct {
	active bool
	text   []byte // the lines, joined by '\n'
	skip   int    // how much of text stands before the statement
	at     evidence.Time
	ref    evidence.Ref
	user   []byte
	host   []byte
}

// begin takes the first line t, of which the statement starts at skip. The line is copied: it is gone when the next is read.
func (s *statement) begin(at evidence.Time, ref evidence.Ref, t []byte, skip int) {
	s.active, s.at, s.ref, s.skip = true, at, ref, skip
	s.user, s.host = nil, nil
	s.text = append(s.text[:0], t[:min(len(t), maxStatement)]...)
}

// more takes a line that belongs to it. An empty line between is passed over by who reads the lines, so that the place
// where this one ends comes from its own offset.
func (s *statement) more(ref evidence.Ref, t []byte) {
	s.ref.Len = ref.Off + ref.Len - s.ref.Off
	if room := maxStatement - len(s.text) - 1; room > 0 {
		s.text = append(append(s.text, '\n'), t[:min(len(t), room)]...)
	}
}

// end tells what there is to tell of the statement. Newlines stand in a log as a client sent them: so the next line, however
// much it looks like the log's own, may be a part of a text that the statement left open. end gives the quote of such
// a text ('*' for a comment), 0 if there is none; open is that of the text that the statement itself began in.
func (r *reader) end(open byte) byte {
	s := &r.st
	if !s.active {
		return open
	}
	s.active = false
	f, still := inspect(s.text[s.skip:])
	if f.telling {
		r.m.At, r.m.Ref, r.m.Raw = s.at, s.ref, s.text
		e := r.m.Event(event.DatabaseCommand)
		who(e, s.user, s.host)
		e.Add(event.Message, clip(s.text[s.skip:]))
		e.Add(event.FilePath, f.path)
		e.Add(event.SettingName, f.setting)
		e.Add(event.SettingValue, f.value)
		r.out(e)
	}
	if open != 0 {
		l := lexer{b: s.text, open: open}
		return l.drain()
	}
	return still
}

func clip(t []byte) []byte { return bytes.TrimSpace(t[:min(len(t), maxMessage)]) }
