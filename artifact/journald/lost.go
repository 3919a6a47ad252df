package journald

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"telltale/evidence"
	"telltale/internal/bin"
)

// What is left of a journal that no directory names any more: a run of raw space, with or without the file's header. An entry names its
// fields by their offsets in the file that is lost, so each is put together by where that file began: at its header, or where the first
// field that an entry brought with it says that the entry lies.

// Bounds of looking for what belongs to an entry.
const (
	maxBefore  = 64 << 10 // bytes before an entry in which the field is searched that it brought
	maxGuesses = 64       // beginnings that are tried for one entry
	maxWork    = 16 << 30 // bytes that are looked at for one source, what is looked at again counted again
	maxLostAt  = 1 << 53  // offset of an entry in its file that is believed

	dataEntry = 40 // offset in a data object of the offset of the first entry that has it
)

// Head is the beginning of an entry.
type Head struct {
	Stamp  Stamp
	Number uint64
	Real   int64 // microseconds since 1970
	Boot   [16]byte
}

// Stamp tells an entry from all others, in whatever file it stands: the times since 1970 and since the boot, and the boot. The number
// does not, for an entry that is copied to another file gets a new one.
type Stamp [32]byte

// HeadOf reads the first 64 bytes of an entry.
func HeadOf(b []byte) Head {
	c := bin.Little(b).Seek(objectHeader)
	h := Head{Number: c.U64(), Real: int64(c.U64())}
	copy(h.Stamp[:], b[24:56])
	copy(h.Boot[:], b[40:56])
	return h
}

// Machine gives the id of the machine that a file's header names; ok is false where there is none, or it is of a form that is not known.
func Machine(head []byte) (id [16]byte, ok bool) {
	if len(head) < headerMinimum || string(head[:8]) != signature || binary.LittleEndian.Uint32(head[12:])&^incompatibleKnown != 0 {
		return id, false
	}
	return [16]byte(head[40:56]), true
}

// Heads gives the heads of all entries of a journal that lives. whole is false where some may be missing: bytes in it hold no object.
func Heads(ctx context.Context, at io.ReaderAt, size int64, each func(Head)) (machine [16]byte, whole bool, err error) {
	r := &reader{src: newBlocks(at, size), size: size}
	head, err := r.src.read(0, headerMinimum)
	if err != nil {
		return machine, false, err
	}
	machine, ok := Machine(head)
	if !ok {
		return machine, false, errors.New("no journal, or one with features that are not known")
	}
	off := int64(headerMinimum)
	if n := bin.Little(head).Seek(88).U64(); n >= headerMinimum && n <= 4096 {
		off = int64(n+7) &^ 7
	}
	whole = true
	for lost := false; off+objectHeader <= size; {
		kind, n, ok := r.object(off)
		if !ok {
			lost, off = true, off+8
			if off%blockSize == 0 && ctx.Err() != nil {
				return machine, false, ctx.Err()
			}
			continue
		}
		whole = whole && !lost // what is set aside at the end holds none, either
		if kind == objectEntry {
			if b, err := r.src.read(off, entryItems); err == nil {
				each(HeadOf(b))
			}
			if ctx.Err() != nil {
				return machine, false, ctx.Err()
			}
		}
		off += (n + 7) &^ 7
	}
	return machine, whole, nil
}

// Lost reads entries out of a source in which journals lay.
type Lost struct {
	at    io.ReaderAt
	work  int64
	r     *reader // of the file at hand
	run   Run
	base  int64
	known bool           // its header is at hand: hashes prove what is read
	owner [16]byte       // the machine that the header names
	none  map[int64]bool // offsets at which there is no field, bounded
}

// Run is a stretch of the source in which no byte is missing, and where the last header before an entry lies, in it or before it, -1 for none.
type Run struct{ From, To, Header int64 }

// NewLost begins to read a source.
func NewLost(at io.ReaderAt) *Lost { return &Lost{at: at} }

// Full tells that no more is put together: so much of what lies there leads nowhere that it was made to.
func (l *Lost) Full() bool { return l.work > maxWork }

// LostEntry is an entry with what could be found of it.
type LostEntry struct {
	Head
	At      evidence.Time
	Size    int64
	Base    int64    // where the file begins, or would: the same for all entries of one file in one run
	Proved  bool     // the file's header is there, and the hash of each field fits
	Machine [16]byte // of the header, where Proved
	Fields  []string // "MESSAGE=..": those that members use
	Missing int      // fields that lie elsewhere, or whose place was given away
}

// Entry puts together the entry whose head lies at off. ok is false where its message is not to be had.
func (l *Lost) Entry(off int64, run Run) (e LostEntry, ok bool) {
	if l.r != nil && l.run == run {
		if e, ok = l.read(off); ok {
			return e, true
		}
	}
	if run.Header >= run.From && !(l.r != nil && l.run == run && l.base == run.Header) {
		if l.openProved(run.Header, run) {
			if e, ok = l.read(off); ok {
				return e, true
			}
		}
	}
	if e, ok = l.search(off, run); !ok || run.Header < 0 {
		return e, ok
	}
	return l.prove(e, off), true
}

// prove looks whether an entry is of the file whose header lies elsewhere: a file's key is its own, so that with it the hashes of no other's
// fields fit. Hashes without a key prove no such thing.
func (l *Lost) prove(e LostEntry, off int64) LostEntry {
	compact := l.r.header.compact
	if l.openProved(e.Base, l.run) && l.r.header.keyed && l.r.header.compact == compact {
		if p, ok := l.read(off); ok {
			return p
		}
	}
	l.open(e.Base, l.run, compact)
	return e
}

// openProved takes a beginning for that of the file whose header is known.
func (l *Lost) openProved(base int64, run Run) bool {
	l.work += blockSize
	b := make([]byte, headerMinimum)
	if n, _ := l.at.ReadAt(b, run.Header); n < len(b) {
		return false
	}
	owner, ok := Machine(b)
	if !ok {
		return false
	}
	l.open(base, run, false)
	l.r.readHeader(binary.LittleEndian.Uint32(b[12:]), b)
	l.known, l.owner = true, owner
	return true
}

// open takes a beginning for that of a file whose header is not there.
func (l *Lost) open(base int64, run Run, compact bool) {
	size := run.To - base
	l.base, l.run, l.known, l.none = base, run, false, map[int64]bool{}
	l.r = &reader{src: newBlocks(&shifted{l.at, base, run}, size), size: size, data: map[int64]field{}}
	l.r.header.compact = compact
}

// shifted is a lost file as far as it is there; what is not reads as zeros, which is no object.
type shifted struct {
	at   io.ReaderAt
	base int64
	run  Run
}

func (s *shifted) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	from, to := max(s.base+off, s.run.From), min(s.base+off+int64(len(p)), s.run.To)
	if from >= to {
		return len(p), nil
	}
	s.at.ReadAt(p[from-s.base-off:to-s.base-off], from) // what cannot be read stays zeros
	return len(p), nil
}

// read reads an entry of the file at hand.
func (l *Lost) read(off int64) (e LostEntry, ok bool) {
	r, in := l.r, off-l.base
	if l.Full() {
		return e, false
	}
	kind, size, ok := r.object(in)
	if !ok || kind != objectEntry {
		return e, false
	}
	b, err := r.src.read(in, int(size))
	if err != nil {
		return e, false
	}
	e = LostEntry{Head: HeadOf(b), Size: size, Base: l.base, Proved: l.known}
	e.At = micro(e.Real)
	r.items(b[entryItems:])
	l.work += size + int64(len(r.offsets))*entryItems
	said := false
	for _, o := range r.offsets {
		f, ok := l.field(o)
		if !ok && len(l.none) < maxKept {
			l.none[o] = true
		}
		switch {
		case !ok && !l.known && l.base+o >= l.run.From && l.base+o < l.run.To:
			return e, false // the beginning is another's
		case !ok:
			e.Missing++
		case f.name != unused:
			e.Fields = append(e.Fields, names[f.name-1].prefix+string(f.value))
			said = said || f.name == message
		}
	}
	if l.known {
		e.Machine = l.owner
	}
	return e, said
}

// field gives a field that is proved to be one: by its hash where the file's header is there, else by its form.
func (l *Lost) field(off int64) (field, bool) {
	r := l.r
	if f, ok := r.data[off]; ok {
		return f, true
	}
	if off&7 != 0 || off <= 0 || off > r.size-objectHeader || l.base+off < l.run.From || l.none[off] {
		return field{}, false
	}
	kind, size, ok := r.object(off)
	if !ok || kind != objectData {
		return field{}, false
	}
	head, err := r.src.read(off, objectHeader+8)
	if err != nil {
		return field{}, false
	}
	l.work += min(size, 16*maxValue)
	b, sum, err := r.content(off, size, head[1], bin.Little(head[objectHeader:]).U64())
	if err != nil || l.known && sum.ok && r.header.hash(b) != sum.hash {
		return field{}, false
	}
	if i := bytes.IndexByte(b[:min(len(b), 65)], '='); i < 1 || !fieldName(b[:i]) {
		return field{}, false
	}
	f := use(b)
	if len(r.data) >= maxKept {
		clear(r.data)
	}
	r.data[off] = f
	return f, true
}

// search looks before an entry for a field that says where in the file the entry lies: journald writes the fields that are new first, and
// each names the first entry that has it.
func (l *Lost) search(off int64, run Run) (e LostEntry, ok bool) {
	from := max(run.From, off-maxBefore)
	l.work += maxBefore
	b := make([]byte, off-from)
	if n, _ := l.at.ReadAt(b, from); n < len(b) || l.Full() {
		return e, false
	}
	leads := make([]bool, len(b)/8+1) // whether objects stand one behind the other from here to the entry
	leads[len(b)/8] = true
	guesses, last := 0, int64(0)
	for i := len(b)&^7 - objectHeader; i >= 0 && guesses < maxGuesses; i -= 8 {
		n := binary.LittleEndian.Uint64(b[i+8:])
		if b[i] == 0 || b[i] >= objectTypes || binary.LittleEndian.Uint64(b[i:])>>16 != 0 || n < objectHeader || n > uint64(len(b)-i) || !leads[(i+int(n)+7)/8] {
			continue
		}
		leads[i/8] = true
		if b[i] != objectData || n <= dataPayload {
			continue
		}
		in := int64(min(binary.LittleEndian.Uint64(b[i+dataEntry:]), maxLostAt))
		if in <= int64(len(b)-i) || in&7 != 0 || (off-in)&511 != 0 || in == last || off-in == run.Header { // whose hashes did not fit
			continue
		}
		last = in
		guesses++
		for _, compact := range []bool{true, false} {
			l.work += blockSize
			l.open(off-in, run, compact)
			if e, ok = l.read(off); ok {
				return e, true
			}
		}
	}
	l.r = nil
	return e, false
}
