package auditd

import (
	"fmt"
	"strconv"

	"telltale/artifact"
	"telltale/event"
)

const (
	fewest  = 10 // serials missing in a silence that is told
	maxTold = 20 // silences told
)

// tell tells what the serials show at the file's end: each long silence in which serials are missing, all that are missing together, and from
// where to where the file's serials reach, so that its rotations can be held against each other.
func (s *serials) tell(in *artifact.Input, yield func(*event.Event)) {
	for _, q := range s.nodes {
		if q.top == 0 {
			continue
		}
		usual, all, told := q.usual(), q.more, 0
		for i := range q.holes {
			h := &q.holes[i]
			n := int64(h.last - h.first + 1)
			all += n
			silent := h.to.Sec - h.from.Sec
			if usual == 0 || silent < longest || silent < 2*usual || n < fewest || told >= maxTold || h.raw == nil {
				continue
			}
			told++
			e := s.event("audit", n, in)
			e.At, e.Ref, e.Raw = h.to, h.ref, h.raw
			e.AddText(event.EventStart, h.from.String())
			e.AddText(event.Message, fmt.Sprintf("the serials %d to %d are missing, and nothing is told for %d seconds; otherwise 999 of 1000 serials follow within %d seconds", h.first, h.last, silent, usual))
			yield(e)
		}
		if all > 0 {
			e := s.event("audit-holes", all, in)
			e.At = q.at
			e.AddText(event.EventStart, q.from.String())
			e.AddText(event.Message, fmt.Sprintf("%d serials are missing in %d places between %d and %d", all, len(q.holes), q.low, q.top))
			yield(e)
		}
		if len(s.nodes) == 1 {
			yield(s.reach(q, in))
		}
	}
}

// reach tells the file's first and last serial as "FIRST-LAST FROM-TO", times in seconds. change says which end follows nothing or is
// followed by nothing that could be counted on: a daemon or the machine started or stopped there. It has no time: whoever joins needs all files.
func (s *serials) reach(q *sequence, in *artifact.Input) *event.Event {
	e := s.event("audit-serials", 0, in)
	b := strconv.AppendUint(nil, q.low, 10)
	b = strconv.AppendUint(append(b, '-'), q.top, 10)
	b = strconv.AppendInt(append(b, ' '), q.from.Sec, 10)
	b = strconv.AppendInt(append(b, '-'), q.at.Sec, 10)
	e.Add(event.SettingValue, b)
	switch {
	case q.begins && q.fresh:
		e.AddText(event.Change, "begins anew, ends")
	case q.begins:
		e.AddText(event.Change, "begins anew")
	case q.fresh:
		e.AddText(event.Change, "ends")
	}
	e.AddText(event.Message, fmt.Sprintf("the serials reach from %d, %s, to %d, %s", q.low, q.from, q.top, q.at))
	return e
}

// event begins an event on the file's serials.
func (s *serials) event(kind string, n int64, in *artifact.Input) *event.Event {
	e := &event.Event{Kind: event.RecordsMissing, Ref: in.Ref}
	e.Ref.Off, e.Ref.Len, e.Ref.Line = 0, 0, 1
	e.Raw = []byte("serials of " + in.Path)
	e.Add(event.ServiceName, program)
	e.AddText(event.RecordType, kind)
	e.AddText(event.FilePath, in.Path)
	e.AddText(event.Transport, "audit")
	e.AddInt(event.EventCount, n)
	if s.limited {
		e.AddText(event.SettingName, "audit_rate_limit")
	}
	return e
}
