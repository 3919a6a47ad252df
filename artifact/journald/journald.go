// Package journald reads the journal of systemd and hands each message to the members that know its
// program. Objects are found by walking the file from its beginning, not by following the chains of its
// indexes: so entries cut out of an index are found, and damage costs only what it covers.
package journald

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/bin"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "journald", Doc: "the systemd journal: what every program said, with the sender's pid and uid as the kernel knows them",
		Spec:  "systemd JOURNAL_FILE_FORMAT; systemd 257 src/libsystemd/sd-journal/journal-def.h",
		Files: []string{"/var/log/journal/*/*.journal", "/var/log/journal/*/*.journal~", "/run/log/journal/*/*.journal", "/var/log/journal/*.journal"},
		Log:   true, Random: true, Parse: parse, Kinds: []event.Kind{},
		Sniff: func(head []byte) bool { return len(head) > 8 && string(head[:8]) == signature },
	}
}

// Constants of journal-def.h.
const (
	signature = "LPKSHHRH"

	incompatibleKnown   = 1 | 2 | 4 | 8 | 16 // XZ, LZ4, keyed hash, ZSTD, compact
	incompatibleCompact = 16

	objectData  = 1
	objectEntry = 3
	objectTypes = 8 // one more than the last

	objectHeader  = 16 // bytes
	dataPayload   = 64
	dataCompact   = 72
	entryItems    = 64
	maxEntry      = 1 << 20  // bytes of one entry object
	maxObject     = 64 << 20 // bytes of one data object that is believed
	maxItems      = 4096     // fields of one entry
	headerMinimum = 208
)

type reader struct {
	ctx     context.Context
	in      *artifact.Input
	yield   func(event.Event, error) bool
	going   bool
	src     *blocks
	size    int64
	compact bool
	data    map[int64]field // decoded data objects by offset, bounded
	m       artifact.Message
	raw     []byte
	lost    int64 // bytes that held no object
	lostAt  int64
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		r := &reader{ctx: ctx, in: in, yield: yield, going: true, src: newBlocks(in.At, in.Size), size: in.Size, data: map[int64]field{}}
		r.m.Transport = "journal"
		if err := r.run(); err != nil && r.going && ctx.Err() == nil {
			yield(event.Event{}, err)
		}
	}
}

func (r *reader) damage(off, n int64, format string, a ...any) *evidence.Damage {
	ref := r.in.Ref
	ref.Off, ref.Len = off, n
	return &evidence.Damage{Ref: ref, Reason: fmt.Sprintf(format, a...)}
}

// tell yields damage; it says whether to go on.
func (r *reader) tell(d *evidence.Damage) bool {
	r.going = r.going && r.yield(event.Event{}, d)
	return r.going
}

func (r *reader) run() error {
	head, err := r.src.read(0, headerMinimum)
	if err != nil {
		return r.damage(0, r.size, "journal header: %v", err)
	}
	c := bin.Little(head)
	if string(c.Bytes(8)) != signature {
		return r.damage(0, 8, "no journal: its signature is missing")
	}
	c.Skip(4)
	flags := c.U32()
	if flags&^incompatibleKnown != 0 {
		return r.damage(0, headerMinimum, "journal with features that are not known (flags %#x)", flags)
	}
	r.compact = flags&incompatibleCompact != 0
	size := int64(c.Seek(88).U64())
	told := c.Seek(152).U64()
	if size < headerMinimum || size > 4096 {
		if !r.tell(r.damage(88, 8, "the header says that it has %d bytes", size)) {
			return nil
		}
		size = headerMinimum
	}
	found := r.walk((size + 7) &^ 7)
	if r.going && told > uint64(found) && told < 1<<40 {
		r.tell(r.damage(152, 8, "the header counts %d entries, %d were found", told, found))
	}
	return nil
}

// walk goes from object to object. Where none is plausible it searches on in steps of eight bytes, the alignment.
func (r *reader) walk(off int64) (entries int64) {
	for off+objectHeader <= r.size && r.going {
		if r.ctx.Err() != nil {
			return entries
		}
		kind, size, ok := r.object(off)
		if !ok {
			if r.lost == 0 {
				r.lostAt = off
			}
			r.lost += 8
			off += 8
			continue
		}
		r.flush()
		if kind == objectEntry {
			entries++
			r.entry(off, size)
		}
		off += (size + 7) &^ 7
	}
	r.flush()
	return entries
}

// flush tells of a stretch without objects. Zeros at the end are space that was set aside.
func (r *reader) flush() {
	if r.lost > 0 && r.going {
		if !r.zeros(r.lostAt, r.lost) {
			r.tell(r.damage(r.lostAt, r.lost, "%d bytes hold no object of a journal", r.lost))
		}
	}
	r.lost = 0
}

func (r *reader) zeros(off, n int64) bool {
	for n > 0 {
		k := min(n, blockSize)
		b, err := r.src.read(off, int(k))
		if err != nil {
			return false
		}
		for _, x := range b {
			if x != 0 {
				return false
			}
		}
		off, n = off+k, n-k
	}
	return true
}

// object reads an object's header: type, flags, six reserved bytes of zero, size.
func (r *reader) object(off int64) (kind byte, size int64, ok bool) {
	b, err := r.src.read(off, objectHeader)
	if err != nil || b[0] == 0 || b[0] >= objectTypes || b[1]&^7 != 0 {
		return 0, 0, false
	}
	for _, x := range b[2:8] {
		if x != 0 {
			return 0, 0, false
		}
	}
	n := bin.Little(b[8:]).U64()
	if n < objectHeader || n > uint64(r.size-off) {
		return 0, 0, false
	}
	if b[0] == objectEntry && (n < entryItems || n > maxEntry) || b[0] == objectData && (n <= dataPayload || n > maxObject) {
		return 0, 0, false
	}
	return b[0], int64(n), true
}

// entry reads an entry's fields and hands the message on.
func (r *reader) entry(off, size int64) {
	b, err := r.src.read(off, int(size))
	if err != nil {
		r.tell(r.damage(off, size, "entry: %v", err))
		return
	}
	c := bin.Little(b)
	real := int64(c.Seek(24).U64())
	items := b[entryItems:]
	step := 16
	if r.compact {
		step = 4
	}
	if real <= 0 || real > 1<<53 {
		r.in.Seen.Unknown([]byte("(journal entry without a time)"))
		return
	}
	m := &r.m
	*m = artifact.Message{At: evidence.Unix(real/1e6, real%1e6*1000, time.Microsecond), Transport: "journal", Repeat: 1, Ref: r.in.Ref}
	m.Ref.Off, m.Ref.Len = off, size
	var comm, pid []byte
	n := len(items) / step
	offsets := make([]int64, 0, 64)
	for i := 0; i < n && i < maxItems; i++ { // items lie in b, which the next read may overwrite
		c := bin.Little(items[i*step:])
		if r.compact {
			offsets = append(offsets, int64(c.U32()))
		} else {
			offsets = append(offsets, int64(min(c.U64(), uint64(r.size)))) // what lies behind the end is told below
		}
	}
	for _, o := range offsets {
		f, err := r.field(o)
		if err != nil {
			if !r.tell(r.damage(off, size, "entry: its field at %d: %v", o, err)) {
				return
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
		}
	}
	r.in.Seen.Record(m.At)
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
	known, understood := r.in.Messages.Decode(m, r.emit)
	if known && !understood {
		r.in.Seen.Unknown(m.Program)
	}
}

func (r *reader) emit(e *event.Event) {
	r.going = r.going && r.yield(*e, nil)
}

// errEnd says that something lies beyond the file.
var errEnd = errors.New("lies beyond the end of the file")

const blockSize = 256 << 10 // bytes

// blocks keeps the blocks of a file that were read last: entries lie near the data they name.
type blocks struct {
	r    io.ReaderAt
	size int64
	have map[int64][]byte
	fifo []int64
	join []byte
}

const maxBlocks = 128

func newBlocks(r io.ReaderAt, size int64) *blocks {
	return &blocks{r: r, size: size, have: map[int64][]byte{}}
}

// read gives n bytes at off, valid until the next call.
func (b *blocks) read(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || off > b.size || int64(n) > b.size-off {
		return nil, errEnd
	}
	first, at := off/blockSize, int(off%blockSize)
	p, err := b.block(first)
	if err != nil {
		return nil, err
	}
	if at+n <= len(p) {
		return p[at : at+n], nil
	}
	if cap(b.join) < n {
		b.join = make([]byte, n)
	}
	out := b.join[:0]
	for len(out) < n {
		if p, err = b.block(first); err != nil {
			return nil, err
		}
		if at >= len(p) {
			return nil, errEnd
		}
		out = append(out, p[at:min(len(p), at+n-len(out))]...)
		first, at = first+1, 0
	}
	return out, nil
}

func (b *blocks) block(i int64) ([]byte, error) {
	if p, ok := b.have[i]; ok {
		return p, nil
	}
	p := make([]byte, min(blockSize, b.size-i*blockSize))
	n, err := b.r.ReadAt(p, i*blockSize)
	if n < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if len(b.fifo) >= maxBlocks {
		delete(b.have, b.fifo[0])
		b.fifo = b.fifo[1:]
	}
	b.have[i] = p
	b.fifo = append(b.fifo, i)
	return p, nil
}
