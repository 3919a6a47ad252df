package auditd

import (
	"bytes"
	"math/bits"

	"telltale/artifact"
	"telltale/evidence"
)

// What the kernel does with serial numbers (kernel/audit.c, audit_log_start and audit_log_end): an event takes one when its first record is begun.
// What is excluded, and what finds the queue full, is refused before and takes none. What the rate limit drops, what overflows the queue of a
// daemon that does not read, and what the daemon cannot write has one and leaves a hole. So a hole shows that an event is not
// in the log, and says nothing of why. auditd numbers its own DAEMON_ records apart. A start of the machine begins at one.

const (
	maxNodes   = 16
	maxSerial  = 4096 // holes kept of one node
	lookBack   = 64   // of them, in which a late record is searched
	startAgain = 60   // seconds later than the highest serial, below which a lower one is from a new start
	longest    = 600  // seconds without a record that are told
	aRhythm    = 200  // steps from one serial to the next that make a rhythm
)

// serials follows the serial numbers of one file, for each node that it has records of.
type serials struct {
	nodes   []*sequence
	limited bool // a limit of records a second was set
}

// sequence is the serial numbers of one node.
type sequence struct {
	node         []byte
	fresh        bool // the next serial follows nothing
	marked       bool // a record says so
	begins       bool // of the file's first serial, too
	low, top     uint64
	from, at     evidence.Time // of low and of top
	holes        []hole
	more         int64     // serials missing in holes that are not kept
	steps        [40]int64 // by the bits of seconds between one serial and the next
	stepsCounted int64
}

// hole is serials without a record: the one before was written at from, the one behind it at to.
type hole struct {
	first, last uint64
	from, to    evidence.Time
	ref         evidence.Ref
	raw         []byte
}

// take follows one record.
func (s *serials) take(r *record, m *artifact.Message) {
	q := s.of(r.node)
	switch {
	case q == nil || !r.at.Known() || r.serial == 0 || r.serial > 1<<32:
		return
	case bytes.HasPrefix(r.kind, []byte("DAEMON_")):
		switch string(r.kind) {
		case "DAEMON_START", "DAEMON_END", "DAEMON_ABORT", "DAEMON_RESUME", "DAEMON_ERR":
			q.fresh, q.marked = true, true
		}
		return
	case string(r.kind) == "SYSTEM_BOOT":
		q.fresh, q.marked = true, true
	case string(r.kind) == "CONFIG_CHANGE":
		// Auditing was switched on or off, or another daemon took over.
		if r.plain("audit_enabled") != nil || r.plain("audit_pid") != nil {
			q.fresh, q.marked = true, true
		}
		if n := r.plain("audit_rate_limit"); n != nil && string(n) != "0" {
			s.limited = true
		}
	}
	q.next(r, m)
}

func (s *serials) of(node []byte) *sequence {
	for _, q := range s.nodes {
		if bytes.Equal(q.node, node) {
			return q
		}
	}
	if len(s.nodes) >= maxNodes {
		return nil
	}
	q := &sequence{node: bytes.Clone(node), fresh: true}
	s.nodes = append(s.nodes, q)
	return q
}

func (q *sequence) next(r *record, m *artifact.Message) {
	n := r.serial
	switch {
	case q.top == 0:
		q.begins, q.low, q.from = q.marked, n, r.at
	case n == q.top:
		q.at, q.fresh = r.at, false
		return
	case q.fresh:
	case n < q.top:
		if !q.fill(n) && r.at.Sec-q.at.Sec > startAgain {
			break // the machine started, and nobody said so
		}
		return
	case n == q.top+1:
		q.steps[bits.Len64(uint64(max(r.at.Sec-q.at.Sec, 0)))%len(q.steps)]++
		q.stepsCounted++
	case len(q.holes) < maxSerial:
		q.holes = append(q.holes, hole{q.top + 1, n - 1, q.at, r.at, m.Ref, nil})
		if r.at.Sec-q.at.Sec >= longest {
			q.holes[len(q.holes)-1].raw = bytes.Clone(m.Raw[:min(len(m.Raw), evidence.MaxQuote)])
		}
	default:
		q.more += int64(n - q.top - 1)
	}
	q.top, q.at, q.fresh = n, r.at, false
}

// fill takes a serial that came late, from another processor or for a call that took long, out of the hole that it left.
func (q *sequence) fill(n uint64) bool {
	for i := len(q.holes) - 1; i >= max(0, len(q.holes)-lookBack); i-- {
		h := &q.holes[i]
		if n < h.first || n > h.last {
			continue
		}
		switch {
		case h.first == h.last:
			q.holes = append(q.holes[:i], q.holes[i+1:]...)
		case n == h.first:
			h.first++
		case n == h.last:
			h.last--
		default:
			rest := *h
			rest.first, h.last = n+1, n-1
			q.holes = append(q.holes, rest)
		}
		return true
	}
	return false
}

// usual gives the time, in seconds, within which nearly every serial (999 of 1000) follows the one before; 0 where there are too few to tell.
func (q *sequence) usual() int64 {
	if q.stepsCounted < aRhythm {
		return 0
	}
	var sum int64
	for i, n := range q.steps {
		if sum += n; sum*1000 >= q.stepsCounted*999 {
			return 1 << i
		}
	}
	return 1 << 40
}
