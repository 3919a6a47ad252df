package auditd

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
)

const (
	maxOpen    = 64       // events whose records are still awaited
	maxAge     = 2        // seconds after which an event gets no more records, as in auparse
	maxCommand = 32 << 10 // bytes of a command line that are kept
	maxKept    = 4 << 10  // bytes of any other record that are kept
)

// pending is an event of the kernel that is not complete. The evidence is the record of the arguments, else that of
// what was done, else the system call: the others stand beside it, with the same serial.
type pending struct {
	serial    uint64
	node      []byte
	at        evidence.Time
	call      []byte // text of its SYSCALL record
	command   []byte // arguments of EXECVE, joined
	lastArg   []byte
	title     []byte // PROCTITLE
	directory []byte
	noteKind  []byte // KERN_MODULE or NETFILTER_CFG
	note      []byte
	rank      int // of the record that ref and raw are of
	ref       evidence.Ref
	raw       []byte
}

func (p *pending) reset() {
	*p = pending{node: p.node[:0], call: p.call[:0], command: p.command[:0], lastArg: p.lastArg[:0], title: p.title[:0], directory: p.directory[:0],
		noteKind: p.noteKind[:0], note: p.note[:0], raw: p.raw[:0]}
}

// window joins records by their serial. They may be mixed with those of other events, from other processors.
type window struct {
	t    *teller
	open []*pending // oldest first
	free []*pending
	call record // what an event that is closed is told with, while the record at hand is put aside
}

// take keeps the record if it is part of an event of several.
func (w *window) take() bool {
	r := &w.t.r
	switch string(r.kind) {
	case "EOE":
		w.end()
		return true
	case "SYSCALL":
		p := w.of(1)
		p.call = kept(p.call, r.text)
	case "EXECVE":
		w.of(3).arguments(r.text)
	case "CWD":
		p := w.of(0)
		p.directory = append(p.directory[:0], r.coded("cwd")...)
	case "KERN_MODULE", "NETFILTER_CFG":
		if p := w.of(2); len(p.note) == 0 {
			p.noteKind, p.note = append(p.noteKind[:0], r.kind...), kept(p.note, r.text)
		}
	case "PROCTITLE":
		if w.find() != nil {
			p := w.of(0)
			p.title = append(p.title[:0], r.coded("proctitle")...)
			w.end()
		}
	case "PATH", "SOCKADDR", "BPRM_FCAPS", "OBJ_PID", "MMAP", "FD_PAIR":
	default:
		return false
	}
	return true
}

func kept(to, b []byte) []byte { return append(to[:0], b[:min(len(b), maxKept)]...) }

func (w *window) find() *pending {
	for _, p := range w.open {
		if p.serial == w.t.r.serial && p.at.Sec == w.t.r.at.Sec && bytes.Equal(p.node, w.t.r.node) {
			return p
		}
	}
	return nil
}

// of gives the event of the record at hand, begun if there is none, with the record as its evidence if that ranks higher.
func (w *window) of(rank int) *pending {
	p := w.find()
	if p == nil {
		if len(w.open) >= maxOpen {
			w.close(0)
		}
		p = &pending{}
		if n := len(w.free); n > 0 {
			p, w.free = w.free[n-1], w.free[:n-1]
		}
		p.serial, p.at, p.node, p.rank = w.t.r.serial, w.t.r.at, append(p.node[:0], w.t.r.node...), -1
		w.open = append(w.open, p)
	}
	if rank > p.rank {
		p.rank, p.ref, p.raw = rank, w.t.m.Ref, kept(p.raw, w.t.m.Raw)
	}
	return p
}

// end closes the event of the record at hand.
func (w *window) end() {
	p := w.find()
	for i := range w.open {
		if w.open[i] == p {
			w.close(i)
			return
		}
	}
}

// age closes what is too old to get more records.
func (w *window) age() {
	for len(w.open) > 0 && w.t.r.at.Sec-w.open[0].at.Sec > maxAge {
		w.close(0)
	}
}

func (w *window) closeAll() {
	for len(w.open) > 0 {
		w.close(0)
	}
}

// close tells an event.
func (w *window) close(i int) {
	p := w.open[i]
	w.open = append(w.open[:i], w.open[i+1:]...)
	m := w.t.m
	at, ref, raw := m.At, m.Ref, m.Raw
	w.t.r, w.call = w.call, w.t.r
	w.t.r.kv, w.t.r.split, w.t.r.buf = w.t.r.kv[:0], false, w.t.r.buf[:0]
	w.t.r.at, w.t.r.text = p.at, p.call
	m.At, m.Ref, m.Raw = p.at, p.ref, p.raw
	w.t.joined(p)
	w.t.r, w.call = w.call, w.t.r
	m.At, m.Ref, m.Raw, m.PID = at, ref, raw, nil
	p.reset()
	w.free = append(w.free, p)
}

// arguments joins "argc=N a0=... a1=...". A long argument is told in pieces, "a1_len=N a1[0]=... a1[1]=...", over
// several records.
func (p *pending) arguments(b []byte) {
	for {
		key, value, rest, ok := next(b)
		if !ok {
			return
		}
		b = rest
		digits, ok := said.Rest(key, "a")
		n := said.Number(digits)
		if !ok || len(n) == 0 || len(n) < len(digits) && digits[len(n)] != '[' {
			continue
		}
		if !bytes.Equal(n, p.lastArg) {
			if len(p.lastArg) > 0 && len(p.command) < maxCommand {
				p.command = append(p.command, ' ')
			}
			p.lastArg = append(p.lastArg[:0], n...)
		}
		p.command = decodeTo(p.command, value, maxCommand-len(p.command))
	}
}

// joined tells a whole event.
func (t *teller) joined(p *pending) {
	call := t.call()
	switch {
	case len(p.command) > 0 || call == "execve":
		if string(t.r.plain("success")) == "no" {
			return
		}
		if len(p.command) == 0 {
			p.command = append(p.command, bytes.TrimRight(p.title, "\x00")...)
			for i, x := range p.command {
				if x == 0 {
					p.command[i] = ' '
				}
			}
		}
		t.started(p.command, p.directory)
	case len(p.note) > 0:
		t.notice(p.noteKind, p.note, p.call)
	default:
		t.syscall()
	}
}

// started tells that a program was executed; the record at hand is its SYSCALL, or empty. Its exit= is what the system
// call gave back, and no exit code of the program.
func (t *teller) started(command, directory []byte) {
	e := t.event(event.ProcessStarted)
	e.Add(event.UserName, t.name("uid", "UID"))
	e.Add(event.UserID, t.r.plain("uid"))
	e.Add(event.ParentPID, t.r.plain("ppid"))
	e.Add(event.ProcessName, t.r.coded("comm"))
	e.Add(event.Executable, t.r.coded("exe"))
	e.Add(event.CommandLine, command)
	e.Add(event.WorkingDirectory, directory)
	e.Add(event.Terminal, t.r.plain("tty"))
	t.yield(e)
}
