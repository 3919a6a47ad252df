package syslog

import (
	"bytes"

	"telltale/evidence"
	"telltale/internal/logclock"
)

// Frames takes the frames off the lines of one file, one behind the other. Most lines are of the second and the host of the one before: what
// stands there is not read twice.
type Frames struct {
	Clock *logclock.Clock

	begins     []byte // the line before, up to its program; empty where nothing of it is known
	at         evidence.Time
	from, upTo int // where the host stands in it
}

// longestFrame bounds what is kept of the line before.
const longestFrame = 256

// Parse is Parse for the next line.
func (f *Frames) Parse(b []byte) (l Line, ok bool) {
	if n := len(f.begins); n > 0 && len(b) > n && bytes.Equal(b[:n], f.begins) {
		f.Clock.Again()
		l.At, l.Host, l.Repeat = f.at, b[f.from:f.upTo], 1
		l.behindHost(bytes.TrimLeft(b[n:], " "))
		return l, true
	}
	l, ok = Parse(f.Clock, b)
	f.begins = f.begins[:0]
	if !ok || len(l.Host) == 0 || b[0] == '<' || b[1] == ' ' || needsTag(b) { // before the last: RFC 5424
		return l, ok
	}
	f.from = cap(b) - cap(l.Host) // it was cut out of b
	f.upTo = f.from + len(l.Host)
	if f.upTo < min(len(b), longestFrame) && b[f.upTo] == ' ' {
		f.begins, f.at = append(f.begins, b[:f.upTo+1]...), l.At
	}
	return l, ok
}
