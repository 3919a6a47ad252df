package artifact

import (
	"bytes"
	"context"
	"iter"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
	"telltale/internal/logclock"
)

// EachLine gives the lines of a text one by one, each with where it stands; empty ones are left out. What is wrong with
// the bytes goes to yield as damage: a line that is longer than is kept, a run of NUL bytes (what stands behind it is a line
// of its own), a reading that failed. A line is valid until the next.
func EachLine(ctx context.Context, in *Input, yield func(event.Event, error) bool) iter.Seq2[evidence.Ref, []byte] {
	return func(give func(evidence.Ref, []byte) bool) {
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok; l, ok = lr.Next() {
			if l.Num%4096 == 0 && ctx.Err() != nil {
				return
			}
			ref, t := in.Ref, l.Text
			ref.Off, ref.Len, ref.Line = l.Off, l.Len, l.Num
			if l.Open && in.Seen != nil {
				in.Seen.Open = ref
			}
			hole := holed(t)
			if hole || l.Cut {
				why := "a line longer than is kept: its end was passed over"
				if hole {
					why = "NUL bytes in a log: a write was lost there, or somebody wrote over it"
				}
				if !yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: why}) {
					return
				}
				t = bytes.TrimRight(t, "\x00")
				if i := bytes.LastIndexByte(t, 0); i >= 0 {
					t = t[i+1:]
					ref.Off, ref.Len = ref.Off+int64(i+1), ref.Len-int64(i+1)
				}
			}
			if len(t) > 0 && !give(ref, t) {
				return
			}
		}
		if err := lr.Err(); err != nil && ctx.Err() == nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
	}
}

// holed tells a hole in a line from the few NUL bytes that a client sent and a server wrote as they were, as nginx does: those stand within the line.
func holed(t []byte) bool {
	i := bytes.IndexByte(t, 0)
	return i >= 0 && (i == 0 || t[len(t)-1] == 0 || bytes.Contains(t[i:], make([]byte, holeRun)))
}

// holeRun is how many NUL bytes in a row are a hole: what a write lost is a file's block or the rest of one.
const holeRun = 8

// Lines makes the Parse of a member that reads a small text file line by line: f gets each line's text and an
// event with its evidence set, fills the event and yields it by yield, as often as it likes. It counts the lines.
func Lines(f func(in *Input, text []byte, e *event.Event, yield func(*event.Event))) func(context.Context, *Input) iter.Seq2[event.Event, error] {
	return func(ctx context.Context, in *Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			going := true
			out := func(e *event.Event) { going = going && yield(*e, nil) }
			var e event.Event
			for ref, t := range EachLine(ctx, in, yield) {
				e.Reset(event.Unknown)
				e.Ref, e.Raw = ref, t
				in.Seen.Record(evidence.Time{})
				if f(in, t, &e, out); !going {
					return
				}
			}
		}
	}
}

// ISOStamp takes "yyyy-mm-dd hh:mm:ss,mmm " off a line, as logging libraries of Java and Python write it.
func ISOStamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	at, n := c.ISO(t)
	if n == 0 || n == len(t) || t[n] != ' ' {
		return at, t, false
	}
	return at, t[n+1:], true
}

// Stamped makes the Parse of a member whose program writes a log of its own, in the words that it sends to syslog, too: stamp takes the time off a line, decode
// reads the rest. Lines without a stamp, and those that are not understood, are counted under the program's name.
func Stamped(program string, stamp func(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool), decode func(m *Message, yield func(*event.Event)) bool) func(context.Context, *Input) iter.Seq2[event.Event, error] {
	return StampedAbove(program, stamp, decode, func(*Input, []byte) bool { return false })
}

// StampedAbove is Stamped for programs whose records go on in lines without a stamp: below tells those that belong to the stamped line above them.
func StampedAbove(program string, stamp func(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool), decode func(m *Message, yield func(*event.Event)) bool, below func(in *Input, line []byte) bool) func(context.Context, *Input) iter.Seq2[event.Event, error] {
	name, noStamp := []byte(program), []byte(program+" line")
	return func(ctx context.Context, in *Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			m := Message{Repeat: 1, Program: name}
			going := true
			said, stamped := false, false
			out := func(e *event.Event) { said, going = true, going && yield(*e, nil) }
			for ref, t := range EachLine(ctx, in, yield) {
				at, text, ok := stamp(in.Clock, t)
				if !ok {
					if !stamped || !below(in, t) {
						in.Seen.Unknown(noStamp)
					}
					continue
				}
				stamped = true
				in.Seen.Record(at)
				m.At, m.Text, m.PID, m.Ref, m.Raw, said = at, text, nil, ref, t, false
				if !decode(&m, out) {
					in.Seen.Unknown(name)
				}
				if !said && in.Messages.asked(name) {
					m.Text = text // decoders may have cut it
					out(m.Line())
				}
				if !going {
					return
				}
			}
		}
	}
}

// MostLines makes a Sniff of a test of one line: more than half of the first twenty have to pass.
func MostLines(test func(line []byte) bool) func(head []byte) bool {
	return func(head []byte) bool {
		n, good := 0, 0
		for line := range bytes.Lines(head) {
			if n++; n > 20 {
				break
			}
			if test(bytes.TrimRight(line, "\r\n")) {
				good++
			}
		}
		return good*2 > n
	}
}
