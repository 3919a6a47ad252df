// Package journald reads the journal of systemd and hands each message to the members that know its
// program. Objects are found by walking the file from its beginning, not by following the chains of its
// indexes: so entries cut out of an index are found, and damage costs only what it covers. The index is
// followed too, and what one route finds and the other does not is told.
//
// It also tells what the journal says of its own completeness: the numbers of its entries (journald gives one row of numbers to
// all files of a machine, so only who knows all of them can say that one is missing) and contents that their hashes contradict.
package journald

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"strings"

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
		Log:   true, Random: true, Parse: parse, Kinds: []event.Kind{event.RecordsMissing, event.Boot, event.ClockChanged},
		Sniff: func(head []byte) bool { return len(head) > 8 && string(head[:8]) == signature },
	}
}

// Constants of journal-def.h.
const (
	signature = "LPKSHHRH"

	incompatibleKnown   = 1 | 2 | 4 | 8 | 16 // XZ, LZ4, keyed hash, ZSTD, compact
	incompatibleKeyed   = 4
	incompatibleCompact = 16

	objectData  = 1
	objectEntry = 3
	objectArray = 6
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

// header is what the file says of itself.
type header struct {
	state         byte
	compact       bool
	keyed         bool
	key           [2]uint64 // file_id, with which contents are hashed
	seqnumID      string
	size          int64
	entries, tail uint64 // how many, and the number of the last one
	array         int64  // the first array of entries
	tailTime      int64  // microseconds since 1970
}

// state gives the header's state in words. journald sets a file online before it writes to it and leaves it so when it is killed.
func (h *header) words(path string) string {
	switch {
	case strings.HasSuffix(path, "~"):
		return "found unclean and put aside"
	case h.state == 0:
		return "offline"
	case h.state == 2:
		return "archived"
	}
	return "online"
}

type reader struct {
	ctx     context.Context
	in      *artifact.Input
	yield   func(event.Event, error) bool
	going   bool
	src     *blocks
	size    int64
	header  header
	data    map[int64]field // decoded data objects by offset, bounded
	m       artifact.Message
	raw     []byte
	offsets []int64
	exe     []byte // of the entry at hand: the file that its sender runs
	lost    int64  // bytes that held no object
	lostAt  int64
	ev      event.Event
	index   index
	numbers numbers
	changed changed
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
	r.readHeader(flags, head)
	if h := &r.header; h.size < headerMinimum || h.size > 4096 {
		if !r.tell(r.damage(88, 8, "the header says that it has %d bytes", h.size)) {
			return nil
		}
		h.size = headerMinimum
	}
	r.follow()
	found := r.walk((r.header.size + 7) &^ 7)
	found += r.leftover()
	r.complete(uint64(found))
	return nil
}

func (r *reader) readHeader(flags uint32, b []byte) {
	h := &r.header
	h.compact, h.keyed, h.state = flags&incompatibleCompact != 0, flags&incompatibleKeyed != 0, b[16]
	h.key = [2]uint64{bin.Little(b[24:]).U64(), bin.Little(b[32:]).U64()}
	h.seqnumID = hex.EncodeToString(b[72:88])
	c := bin.Little(b)
	h.size = int64(c.Seek(88).U64())
	h.entries = c.Seek(152).U64()
	h.tail = c.U64()
	c.Skip(8)
	h.array = int64(c.U64())
	c.Skip(8)
	h.tailTime = int64(c.U64())
}

// complete holds what was found against what the header says, and tells what the journal says of its own completeness.
func (r *reader) complete(found uint64) {
	h := &r.header
	switch last := r.numbers.latest; {
	case !r.going || r.ctx.Err() != nil:
		return
	case h.entries > found && h.entries < 1<<40 && h.tail > r.numbers.top && h.tailTime > last && h.tailTime < 1<<53:
		r.tell(r.damage(152, 48, "the header counts %d entries, the last one of %s with the number %d; %d were found, the last one of %s with the number %d: the file's end is missing",
			h.entries, micro(h.tailTime), h.tail, found, micro(last), r.numbers.top))
	case h.entries > found && h.entries < 1<<40:
		r.tell(r.damage(152, 8, "the header counts %d entries, %d were found", h.entries, found))
	}
	r.tellIndex()
	r.tellChanged()
	r.tellNumbers(int64(min(h.entries-min(found, h.entries), 1<<40)))
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
			r.m.At = evidence.Time{}
			r.entry(off, size)
			r.met(off, r.m.At)
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
