package dovecot

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// File gives the artefact of the log files that Dovecot writes itself.
func File() *artifact.Artifact {
	a := New()
	return &artifact.Artifact{Name: "dovecot-log", Doc: a.Doc, Spec: "Dovecot 1.2 to 2.4 src/lib/failures.c, src/log; log_path, log_timestamp",
		Files: []string{"/var/log/dovecot*.log", "/var/log/dovecot/*.log"}, Log: true, Sniff: sniff, Parse: parse, Kinds: a.Kinds}
}

var program, noStamp, unread = []byte("dovecot"), []byte("dovecot line"), []byte("dovecot")

// parse reads a log file of Dovecot's own (log_path): "Mon dd hh:mm:ss process: Level: text", or what log_timestamp makes of the stamp.
func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		m := artifact.Message{Repeat: 1, Program: program}
		going := true
		out := func(e *event.Event) { going = going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			at, text, ok := stamp(in.Clock, t)
			if !ok {
				in.Seen.Unknown(noStamp)
				continue
			}
			in.Seen.Record(at)
			m.At, m.Text, m.Ref, m.Raw = at, text, ref, t
			if !decode(&m, out) {
				in.Seen.Unknown(unread)
			}
			if !going {
				return
			}
		}
	}
}

// stamp reads a line's time, and tells whether a process and a level follow.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	at, n := c.BSD(t)
	if n == 0 {
		if at, n = c.ISO(t); n == 0 {
			at, n = logclock.TAI64N(t)
		}
	}
	if n == 0 || n >= len(t) || t[n] != ' ' {
		return at, t, false
	}
	text = bytes.TrimLeft(t[n:], " ")
	_, rest, ok := said.Cut(text, ": ")
	return at, text, ok && said.BeginsAny(rest, []string{"Info: ", "Warning: ", "Error: ", "Fatal: ", "Debug: ", "Panic: "})
}

// sniffed is how many lines decide.
const sniffed = 20

func sniff(head []byte) bool {
	n, good := 0, 0
	c := &logclock.Clock{Year: 2000}
	for line := range bytes.Lines(head) {
		if n++; n > sniffed {
			break
		}
		if _, _, ok := stamp(c, line); ok {
			good++
		}
	}
	return good*2 > n
}
