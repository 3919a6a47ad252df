package xfs

import (
	"context"
	"encoding/binary"
	"fmt"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// life is one use of an inode number, from a file's making to its deletion, as far as
// log and records tell of it.
type life struct {
	ino         filesystem.Inode
	gen         uint32
	core        []byte   // the last one that was seen while the file had a name
	m           *forkMap // where its content lay, nil for not known
	local       []byte   // content that lay in the inode
	extents     uint64   // that the core counted when m was taken
	first, last uint64   // LSNs at which it was seen alive; 0 for a record on disk
	dead        bool
	deadAt      uint64        // LSN
	deadTime    evidence.Time // not later than this
	from        string
	sized       bool    // the size is not known but from its extents
	cuts        []*life // what the file held before it was cut
}

const (
	maxLives     = 1 << 20
	maxLifeBytes = 96 << 20
	maxTreeReads = 4 << 20 // extents read out of logged trees, a block counting for sixteen
	wholeOverlay = 48 << 20
)

// chronicle is what the whole log tells, also what was long written back.
type chronicle struct {
	f     *FS
	lives map[filesystem.Inode][]*life
	names *nameBook
	over  *overlay
	count int
	bytes int
	trees int
	full  bool
	out   filesystem.History
	newer evidence.Time
}

// read goes through all records that are left in the ring.
func (h *chronicle) read(ctx context.Context) error {
	h.out.Source = "log"
	l, err := h.f.ring()
	if err != nil {
		h.out.Unread = err.Error()
		return nil
	}
	list, errs := l.index(ctx)
	for _, err := range errs {
		h.out.Unread = err.Error()
	}
	h.out.Bytes = l.blocks * basicBlock
	a := &assembler{open: make(map[uint32]*transaction), each: h.transaction}
	broken, read := 0, 0
	for i := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := l.load(&list[i])
		if err != nil || i > 0 && l.step(list[i-1].pos, list[i-1].blocks()) != list[i].pos {
			a.open, a.bytes = make(map[uint32]*transaction), 0 // what goes on behind a gap is not what was begun before it
		}
		if err != nil {
			broken++
			continue
		}
		read++
		if err := a.record(&list[i], data); err != nil {
			return err
		}
	}
	h.out.Transactions = a.whole
	h.out.To = h.newer
	h.tell(list, read, broken)
	return nil
}

func (h *chronicle) tell(list []logRecord, read, broken int) {
	if n := len(list); n > 0 {
		h.note("the log holds %d records, from %s to %s (cycle:block)", read, lsnText(list[0].lsn), lsnText(list[n-1].lsn))
	} else {
		h.note("the log holds no records")
	}
	if broken > 0 {
		h.note("%d log records are overwritten in part or damaged", broken)
	}
	if !h.f.sb.v5() {
		h.note("free space is not searched for chunks of deleted inodes, which bear no id in this version")
	}
}

func (h *chronicle) note(format string, a ...any) {
	h.out.Notes = append(h.out.Notes, fmt.Sprintf(format, a...))
}

// Types of buffers that are followed (XFS_BLFT_*), in the high bits of the flags.
const (
	blftShift    = 11
	blftUnknown  = 0
	blftBtree    = 4
	blftDirBlock = 10
	blftDirData  = 11
)

// transaction takes what one transaction tells: first its buffers, since its inodes may
// point at them.
func (h *chronicle) transaction(t *transaction) error {
	for _, i := range t.items {
		if i.kind != itemBuffer {
			continue
		}
		b, ok := t.buffer(i, h.f.size)
		if !ok || b.flags&(bufferInodes|bufferCancel|bufferDquots) != 0 {
			continue
		}
		kind := b.flags >> blftShift
		if kind == blftUnknown || kind == blftBtree || kind == blftDirBlock || kind == blftDirData {
			h.buffer(t, b, kind)
		}
	}
	begun := h.newer.Known()
	for _, i := range t.items {
		if i.kind != itemInode {
			continue
		}
		if x, ok := t.inode(i); ok {
			if x.off, ok = h.f.place(x.ino); ok {
				h.inode(t.lsn, x)
			}
		}
	}
	if !begun {
		h.out.From = h.newer
	}
	return nil
}

func (h *chronicle) buffer(t *transaction, b *bufferItem, kind uint16) {
	for _, p := range b.parts {
		if h.over.write(b.off+int64(p.at), p.b) != nil { // full: begin again, what lies on disk is mostly the same
			h.over = newOverlay(h.f.src, h.f.size, wholeOverlay)
			return
		}
	}
	if kind == blftBtree || b.size == 0 {
		return
	}
	block := make([]byte, b.size)
	if n, _ := h.over.ReadAt(block, b.off); n == len(block) {
		h.names.block(block, 0, t.lsn, false)
	}
}

// inode takes one logged state of an inode.
func (h *chronicle) inode(lsn uint64, x *inodeItem) {
	rec := make([]byte, h.f.sb.inodeSize())
	h.f.lay(rec, x, lsn)
	in := inode{number: x.ino, raw: rec, off: x.off}
	h.f.decode(&in)
	ctime := in.time(bin.Big(rec), timesAt+16)
	h.newer = evidence.Max(h.newer, ctime)
	lives := h.lives[x.ino]
	var last *life
	if n := len(lives); n > 0 {
		last = lives[n-1]
	}
	if in.mode == 0 {
		if last != nil && !last.dead {
			last.end(lsn, ctime)
		}
		return
	}
	if last == nil || last.dead || last.gen != in.gen {
		if last != nil && !last.dead {
			born := evidence.Time{}
			if in.version >= 3 {
				born = in.time(bin.Big(rec), 144)
			}
			last.end(lsn, born)
		}
		if last = h.begin(x.ino, in.gen, lsn); last == nil {
			return
		}
	}
	h.state(last, &in, x, lsn, ctime)
}

func (l *life) end(lsn uint64, t evidence.Time) {
	l.dead, l.deadAt = true, lsn
	if !l.deadTime.Known() {
		l.deadTime = t
	}
}

// begin makes a new life, nil where there are too many.
func (h *chronicle) begin(ino filesystem.Inode, gen uint32, lsn uint64) *life {
	if h.count++; h.count > maxLives || h.bytes > maxLifeBytes {
		h.full = true
		return nil
	}
	h.bytes += 512
	l := &life{ino: ino, gen: gen, first: lsn}
	h.lives[ino] = append(h.lives[ino], l)
	return l
}

// state keeps what is newer of an inode. Once the last name is gone the file is cut to
// nothing before it is freed: what is logged then is taken only where nothing else is known.
func (h *chronicle) state(l *life, in *inode, x *inodeItem, lsn uint64, ctime evidence.Time) {
	if in.links == 0 {
		if !l.deadTime.Known() {
			l.deadTime = ctime
		}
		if l.core != nil || in.size == 0 && in.extents == 0 {
			if l.core == nil {
				l.core, l.last, l.from = in.raw[:in.literal()], lsn, "log record "+lsnText(lsn)
			}
			return
		}
	}
	h.cutOff(l, in, x, lsn, ctime)
	l.core, l.last, l.from = in.raw[:in.literal()], lsn, "log record "+lsnText(lsn)
	if x.data == nil {
		return
	}
	switch in.format {
	case formatLocal:
		l.local = in.dataFork()[:min(int64(len(in.dataFork())), in.size)]
		if in.fileType() == filesystem.Directory {
			h.names.short(x.ino, l.local, lsn)
		}
	case formatExtents, formatBtree:
		if in.format == formatBtree && h.trees > maxTreeReads {
			h.full = true
			return
		}
		m := h.view().mapFork(in, in.format, in.dataFork(), in.extents, false)
		if in.format == formatBtree {
			h.trees += len(m.runs) + 16*m.nodes
		}
		if l.m != nil {
			h.bytes -= len(l.m.runs) * runBytes
		}
		l.m, l.extents = m, in.extents
		h.bytes += len(m.runs) * runBytes
	}
}

// view reads the blocks of trees as the log has them at this moment.
func (h *chronicle) view() *FS {
	v := newFS(h.over, h.f.size, h.f.sb)
	v.unsealed = true
	return v
}

// residue gives what is left of a map in a freed record: its extents are counted as none
// but were not wiped. It ends where the bytes stop making sense.
func (f *FS) residue(in *inode) *forkMap {
	w := mapper{f: f, in: in}
	for b := in.raw[in.literal():]; len(b) >= extentSize; b = b[extentSize:] {
		r, start := unpackExtent(b)
		if n := len(w.m.runs); r.count == 0 || r.end() > maxFileOff || n == 0 && r.first != 0 || n > 0 && r.first < w.m.runs[n-1].end() || !w.physical(&r, start) {
			break
		}
		w.add(r)
	}
	return &w.m
}

// onDisk fills a life's gaps from the record on disk, if that is still its own: as it
// was, or just freed.
func (h *chronicle) onDisk(l *life) {
	raw, err := h.f.record(placeOf(h.f, l.ino))
	if err != nil || binary.BigEndian.Uint16(raw) != inodeMagic {
		return
	}
	in := inode{number: l.ino, raw: raw, off: placeOf(h.f, l.ino)}
	h.f.decode(&in)
	if in.version >= 3 && binary.BigEndian.Uint64(raw[inoAt:]) != uint64(l.ino) {
		return
	}
	if in.mode == 0 && in.gen == l.gen+1 && !l.deadTime.Known() {
		l.deadTime = in.time(bin.Big(raw), timesAt+16)
	}
	if l.m != nil || l.local != nil {
		return
	}
	switch {
	case in.mode != 0 && in.gen == l.gen && (in.format == formatExtents || in.format == formatBtree):
		if in.extents > 0 {
			l.m = h.f.mapFork(&in, in.format, in.dataFork(), in.extents, false)
			l.from += ", extents in the inode's record"
		}
	case in.mode != 0 && in.gen == l.gen && in.format == formatLocal:
		l.local = in.dataFork()[:min(int64(len(in.dataFork())), in.size)]
	case in.mode == 0 && in.gen == l.gen+1:
		if m := h.f.residue(&in); len(m.runs) > 0 {
			l.m = m
			l.from += ", extents left in the inode's record"
		}
	}
}

func placeOf(f *FS, n filesystem.Inode) int64 {
	off, _ := f.place(n)
	return off
}
