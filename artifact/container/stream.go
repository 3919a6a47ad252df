package container

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/limit"
	"telltale/internal/logclock"
)

const (
	maxHead    = 32 << 10 // bytes of unwrapped lines that are looked at to tell whose they are
	maxHeads   = 16       // how often: scripts that start a server print much before it does
	maxHeadLen = 200      // lines
)

// stream is what a program wrote to one of its two outputs.
type stream struct {
	r     *reader
	ctx   context.Context
	whole []byte // a line whose parts are being joined
	first place  // of that line
	cut   bool   // it is longer than is kept
	open  bool

	head  []byte  // lines that wait until it is known whose they are
	lines []place // of them
	heads int

	inner  *artifact.Artifact
	feed   feeder
	off    int64 // how much was given to the inner member
	places places
	clock  *logclock.Clock
	next   func() (step, bool)
	halt   func()
	m      artifact.Message
}

// take joins the parts of a line.
func (s *stream) take(w *wrapped, ref evidence.Ref) {
	if !s.open {
		s.open, s.cut, s.whole, s.first = true, false, s.whole[:0], place{ref: ref, at: w.at}
	}
	s.first.ref.Len, s.first.at = ref.Off+ref.Len-s.first.ref.Off, w.at
	room := limit.LineLength - len(s.whole)
	s.cut = s.cut || len(w.text) > room
	s.whole = append(s.whole, w.text[:min(len(w.text), room)]...)
	if !w.part {
		s.close()
	}
}

// close hands on a whole line.
func (s *stream) close() {
	s.open = false
	if s.cut {
		s.r.out(&event.Event{}, &evidence.Damage{Ref: s.first.ref, Reason: "a line of a program in a container longer than is kept: its end was passed over"})
	}
	switch {
	case s.inner != nil:
		s.give(s.whole, s.first)
		return
	case len(s.whole) == 0:
		return
	}
	if s.heads >= maxHeads || s.r.in.Inner == nil {
		s.bare(s.whole, s.first)
		return
	}
	x := s.first
	x.from = int64(len(s.head))
	s.head = append(s.head, s.whole...)
	x.to = int64(len(s.head))
	s.head = append(s.head, '\n')
	s.lines = append(s.lines, x)
	if len(s.head) >= maxHead || len(s.lines) >= maxHeadLen {
		s.decide()
	}
}

// decide asks whose the waiting lines are. The first ones may be a script's that started the server.
func (s *stream) decide() {
	s.heads++
	for skip := 0; skip < len(s.lines) && s.inner == nil; skip = skip*2 + 1 {
		s.inner = s.r.in.Inner(s.head[s.lines[skip].from:])
	}
	for last := 3; last < len(s.lines) && s.inner == nil; last *= 2 {
		s.inner = s.r.in.Inner(s.head[s.lines[len(s.lines)-last].from:])
	}
	if s.inner != nil {
		s.start()
	}
	for _, x := range s.lines {
		if !s.r.going {
			return
		}
		t := s.head[x.from:x.to]
		if s.inner != nil {
			s.give(t, x)
		} else {
			s.bare(t, x)
		}
	}
	s.head, s.lines = s.head[:0], s.lines[:0]
}

// end hands on what is left.
func (s *stream) end() {
	if s.open {
		s.close()
	}
	if s.inner == nil && len(s.lines) > 0 {
		s.decide()
	}
	if s.inner != nil && s.r.going {
		s.feed.ended = true
		s.run()
	}
}

func (s *stream) stop() {
	if s.halt != nil {
		s.halt()
	}
}

// step is what an inner member does: it yields an event or damage, or it wants the next line.
type step struct {
	e    event.Event
	err  error
	more bool
}

// start sets the inner member going. It reads by itself, and lines come one by one, of two streams by turns: so it runs as a coroutine, which stands still
// within Read until there is a line.
func (s *stream) start() {
	in := *s.r.in
	s.clock = &logclock.Clock{Zone: time.UTC, Year: s.lines[0].at.Std().UTC().Year(), Basis: "the container's own, UTC unless it was set"}
	in.R, in.At, in.Size, in.Inner, in.Clock = &s.feed, nil, -1, nil, s.clock
	s.next, s.halt = iter.Pull(func(yield func(step) bool) {
		s.feed.want = func() bool { return yield(step{more: true}) }
		for e, err := range s.inner.Parse(s.ctx, &in) {
			if !yield(step{e: e, err: err}) {
				return
			}
		}
	})
}

// give lets the inner member read a line.
func (s *stream) give(t []byte, x place) {
	x.from, x.to = s.off, s.off+int64(len(t))
	s.off += int64(len(t)) + 1
	s.places.add(x)
	s.feed.line = append(append(s.feed.line[:0], t...), '\n')
	s.feed.rest = s.feed.line
	s.run()
}

// run lets the inner member do what it does until it wants another line.
func (s *stream) run() {
	for s.r.going {
		st, ok := s.next()
		if !ok || st.more && len(s.feed.rest) == 0 && !s.feed.ended {
			return
		}
		if !st.more {
			s.forward(&st)
		}
	}
}

// forward yields what the inner member did, pointing to the evidence instead of to the unwrapped text.
func (s *stream) forward(st *step) {
	var d *evidence.Damage
	if errors.As(st.err, &d) {
		x := *d
		if p, ok := s.places.outer(x.Ref); ok {
			x.Ref = p.ref
		}
		s.r.out(&st.e, &x)
		return
	}
	if st.err != nil {
		s.r.out(&st.e, st.err)
		return
	}
	p, ok := s.places.outer(st.e.Ref)
	if !ok {
		return
	}
	st.e.Ref = p.ref
	s.setRight(&st.e, p.at)
	st.e.Add(event.ContainerID, s.r.id) // a login to a container is none to the host
	s.r.out(&st.e, nil)
}

// near is how far apart the program's own stamp and the engine's may be though they mean the same moment; zones differ by quarters of an hour.
const near, quarter = 60, 15 * 60 // seconds

// setRight gives an event without a time of its own the engine's, and takes off what a zone adds that the program's stamps do not name: the engine wrote its
// stamp, in UTC, when it read the line.
func (s *stream) setRight(e *event.Event, at evidence.Time) {
	if !e.At.Known() {
		e.At = at
		return
	}
	if !s.clock.Zoneless {
		return
	}
	d := at.Sec - e.At.Sec
	zone := (d + quarter/2) / quarter * quarter
	if d < 0 {
		zone = (d - quarter/2) / quarter * quarter
	}
	if off := d - zone; zone != 0 && zone >= -14*3600 && zone <= 14*3600 && off < near && off > -near {
		e.At.Sec += zone
	}
}

// spoken are the beginnings of lines that daemons write to a container's output in the words that they send to syslog elsewhere.
var spoken = []string{"Accepted ", "Failed ", "Invalid user ", "Server listening on ", "Connection closed by ", "Connection reset by ", "Connection from ", "Received disconnect from ", "Disconnected from ", "banner exchange: ", "Postponed "}

// bare reads a line that no member's log has.
func (s *stream) bare(t []byte, x place) {
	s.r.in.Seen.Record(x.at)
	t = bytes.TrimRight(t, "\r")
	if said.BeginsAny(t, spoken) {
		s.m = artifact.Message{At: x.at, Program: []byte("sshd"), Text: t, Repeat: 1, Ref: x.ref, Raw: t}
		if known, understood := s.r.in.Messages.Decode(&s.m, func(e *event.Event) {
			e.Add(event.ContainerID, s.r.id)
			s.r.out(e, nil)
		}); known && understood {
			return
		}
	}
	s.r.in.Seen.Unknown(output)
}

// feeder is what the inner member reads from.
type feeder struct {
	line, rest []byte
	ended      bool
	want       func() bool // stands still until there is a line; false once nobody will give one
}

func (f *feeder) Read(b []byte) (int, error) {
	for len(f.rest) == 0 {
		if f.ended || !f.want() {
			return 0, io.EOF
		}
	}
	n := copy(b, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}
