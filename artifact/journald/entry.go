package journald

import (
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/bin"
)

// micro gives the time of so many microseconds since 1970.
func micro(us int64) evidence.Time { return evidence.Unix(us/1e6, us%1e6*1000, time.Microsecond) }

// entry reads an entry's fields and hands the message on.
func (r *reader) entry(off, size int64) {
	b, err := r.src.read(off, int(size))
	if err != nil {
		r.tell(r.damage(off, size, "entry: %v", err))
		return
	}
	c := bin.Little(b)
	number := c.Seek(16).U64()
	real := int64(c.U64())
	mono := c.U64()
	boot := [16]byte(b[40:56])
	if real <= 0 || real > 1<<53 {
		r.in.Seen.Unknown([]byte("(journal entry without a time)"))
		return
	}
	m := &r.m
	*m = artifact.Message{At: micro(real), Transport: "journal", Repeat: 1, Ref: r.in.Ref}
	m.Ref.Off, m.Ref.Len = off, size
	r.items(b[entryItems:])
	r.exe = nil
	comm, pid, ok := r.fields(off, size)
	if !ok {
		return
	}
	r.in.Seen.Record(m.At)
	r.finish(comm, pid)
	r.number(number, real, mono, boot)
	r.hand()
}

// hand gives the message to the members that know its program.
func (r *reader) hand() {
	m := &r.m
	r.in.Seen.Program(m.Program, m.At)
	if pretends(m, r.exe) {
		r.in.Seen.Unknown(pretended)
		return
	}
	known, understood := r.in.Messages.Decode(m, r.emit)
	if known && !understood {
		r.in.Seen.Unknown(m.Program)
	}
}

// fields fills the message from an entry's fields; comm and pid are what the kernel knows of the sender. ok is false if nobody wants more.
func (r *reader) fields(off, size int64) (comm, pid []byte, ok bool) {
	m := &r.m
	for _, o := range r.offsets {
		f, err := r.field(o)
		if err != nil {
			if !r.tell(r.damage(off, size, "entry: its field at %d: %v", o, err)) {
				return nil, nil, false
			}
			continue
		}
		switch f.name {
		case message:
			m.Text = f.value
		case identifier:
			m.Program = f.value
		case command:
			comm = f.value
		case syslogPID:
			m.PID = f.value
		case senderPID:
			pid = f.value
		case senderUID:
			m.UID = f.value
		case auditSession:
			m.Session = f.value
		case hostname:
			m.Host = f.value
		case executable:
			r.exe = f.value
		}
	}
	return comm, pid, true
}

// items takes down where an entry's fields lie: b is overwritten by the next read.
func (r *reader) items(b []byte) {
	step := 16
	if r.header.compact {
		step = 4
	}
	r.offsets = r.offsets[:0]
	for i := 0; i < len(b)/step && i < maxItems; i++ {
		c := bin.Little(b[i*step:])
		if r.header.compact {
			r.offsets = append(r.offsets, int64(c.U32()))
		} else {
			r.offsets = append(r.offsets, int64(min(c.U64(), uint64(r.size)))) // what lies behind the end is told when it is read
		}
	}
}

// finish fills in what stands in for fields that are missing, and the message as a line.
func (r *reader) finish(comm, pid []byte) {
	m := &r.m
	if m.Program == nil {
		m.Program = comm
	}
	if m.PID == nil {
		m.PID = pid
	}
	r.raw = m.At.Std().AppendFormat(r.raw[:0], "2006-01-02T15:04:05.000000Z ")
	r.raw = append(append(append(r.raw, m.Host...), ' '), m.Program...)
	if m.PID != nil {
		r.raw = append(append(append(r.raw, '['), m.PID...), ']')
	}
	r.raw = append(append(r.raw, ": "...), m.Text...)
	m.Raw = r.raw
}

func (r *reader) emit(e *event.Event) {
	r.going = r.going && r.yield(*e, nil)
}
