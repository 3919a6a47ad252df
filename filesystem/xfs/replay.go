package xfs

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sort"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

var _ filesystem.Replayer = (*FS)(nil)

// bufferKey names a buffer as cancellations do.
type bufferKey struct {
	off  int64
	size int
}

// intentKey names an intent.
type intentKey struct {
	kind uint16
	id   uint64
}

const (
	maxPending = 1 << 20  // intents and cancellations that are remembered
	maxFresh   = 16 << 20 // inodes made anew; the biggest log has room for fewer
)

// replayer lays a log over its filesystem.
type replayer struct {
	f        *FS
	over     *overlay
	cancel   map[bufferKey]int
	cancelAt map[int64]int // the same by offset alone
	fresh    int           // inodes made anew
	pending  map[intentKey]struct{}
	sealed   map[bufferKey]struct{} // buffers that were changed
	out      filesystem.Replayed
	bad      int
}

// Replay gives the view with the log laid over the disk as the kernel would do it when
// it mounts the filesystem; nil where it was unmounted cleanly. What the kernel does
// afterwards, to finish what was promised and to free inodes that were held open, is
// not done. Times of transactions are those of the inodes in them: the log has none.
func (f *FS) Replay(ctx context.Context) (filesystem.FS, filesystem.Replayed, error) {
	v, done, err := f.replay(ctx)
	if err != nil || v == nil {
		return nil, done, err
	}
	return v, done, nil
}

func (f *FS) replay(ctx context.Context) (*FS, filesystem.Replayed, error) {
	l, err := f.ring()
	if err != nil || f.replayed {
		return nil, filesystem.Replayed{}, err
	}
	list, errs := l.index(ctx)
	if err := ctx.Err(); err != nil {
		return nil, filesystem.Replayed{}, err
	}
	r := newReplayer(f)
	for _, err := range errs {
		r.note("part of the log cannot be read: %v", err)
	}
	end, note := l.last(list)
	if note != "" {
		r.note("%s", note)
	}
	if end == 0 {
		if len(list) == 0 && len(errs) > 0 {
			return nil, r.out, fmt.Errorf("replay log: %w", errs[0])
		}
		return nil, r.out, nil
	}
	if list = list[:end]; l.unmounted(&list[end-1]) {
		return nil, r.out, nil
	}
	tail := list[end-1].tail
	from := sort.Search(end, func(i int) bool { return list[i].lsn >= tail })
	if from == end || list[from].lsn != tail {
		return nil, r.out, damage(l.off, 0, "replay log: it should begin at record %s, which is not there", lsnText(tail))
	}
	if err := r.run(ctx, l, list[from:]); err != nil {
		return nil, r.out, fmt.Errorf("replay log: %w", err)
	}
	return r.view()
}

func newReplayer(f *FS) *replayer {
	return &replayer{f: f, over: newOverlay(f.src, f.size, maxOverlay), cancel: make(map[bufferKey]int), cancelAt: make(map[int64]int),
		pending: make(map[intentKey]struct{}), sealed: make(map[bufferKey]struct{})}
}

func (r *replayer) note(format string, a ...any) {
	r.out.Notes = append(r.out.Notes, fmt.Sprintf(format, a...))
}

// run reads the records twice, as the kernel does: for cancelled buffers, which must not
// be written over what has got their place since, and for everything.
func (r *replayer) run(ctx context.Context, l *logRing, list []logRecord) error {
	if _, err := r.pass(ctx, l, list, r.cancelled); err != nil {
		return err
	}
	a, err := r.pass(ctx, l, list, r.apply)
	if err != nil {
		return err
	}
	r.out.Transactions = a.whole
	r.out.Notes = append(r.out.Notes, a.notes()...)
	if r.bad > 0 {
		r.note("%d items of the log make no sense and were not taken", r.bad)
	}
	count := make(map[uint16]int)
	for k := range r.pending {
		count[k.kind]++
	}
	for kind := uint16(itemEFI); kind <= itemLast; kind++ {
		if n := count[kind]; n > 0 {
			r.note("%d promises of the log are not carried out: %s", n, intents[kind])
		}
	}
	return nil
}

func (r *replayer) pass(ctx context.Context, l *logRing, list []logRecord, each func(*transaction) error) (*assembler, error) {
	a := &assembler{open: make(map[uint32]*transaction), each: each}
	for i := range list {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		data, err := l.load(&list[i])
		if err == nil && i > 0 && l.step(list[i-1].pos, list[i-1].blocks()) != list[i].pos {
			err = damage(l.off+list[i].pos*basicBlock, 0, "a log record before it is missing")
		}
		if err != nil { // those behind it build on it
			r.note("replaying stopped %d records before the end: %v", len(list)-i, err)
			return a, nil
		}
		if err := a.record(&list[i], data); err != nil {
			return a, err
		}
	}
	return a, nil
}

// cancelled counts the cancellations.
func (r *replayer) cancelled(t *transaction) error {
	for _, i := range t.items {
		if i.kind != itemBuffer {
			continue
		}
		if b, ok := t.buffer(i, r.f.size); ok && b.flags&bufferCancel != 0 && len(r.cancel) < maxPending {
			r.cancel[bufferKey{b.off, b.size}]++
			r.cancelAt[b.off]++
		}
	}
	return nil
}

// apply takes a transaction's items in the kernel's order: buffers, the rest, inode
// buffers, cancellations (xlog_recover_reorder_trans).
func (r *replayer) apply(t *transaction) error {
	var later [3][]*logItem
	for _, i := range t.items {
		rank := 0
		if i.kind == itemBuffer {
			b, ok := t.buffer(i, r.f.size)
			switch {
			case !ok:
				r.bad++
				continue
			case b.flags&bufferCancel != 0:
				rank = 2
			case b.flags&bufferInodes != 0:
				rank = 1
			default:
				if err := r.buffer(t, b); err != nil {
					return err
				}
				continue
			}
		} else if i.kind == itemIcreate {
			if err := r.icreate(t, i); err != nil {
				return err
			}
			continue
		}
		later[rank] = append(later[rank], i)
	}
	for _, list := range later {
		for _, i := range list {
			if err := r.item(t, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *replayer) item(t *transaction, i *logItem) error {
	switch {
	case i.kind == itemBuffer:
		b, _ := t.buffer(i, r.f.size)
		if b.flags&bufferCancel == 0 {
			return r.buffer(t, b)
		}
		key := bufferKey{b.off, b.size}
		if r.cancel[key] > 0 {
			r.cancel[key]--
			r.cancelAt[b.off]--
		}
	case i.kind == itemInode:
		return r.inode(t, i)
	case i.kind == itemDquot || i.kind == itemQuota:
	default:
		kind, id, done, ok := t.intent(i)
		if !ok {
			r.bad++
			return nil
		}
		if done {
			delete(r.pending, intentKey{kind, id})
		} else if len(r.pending) < maxPending {
			r.pending[intentKey{kind, id}] = struct{}{}
		}
	}
	return nil
}

// buffer writes a buffer's logged pieces.
func (r *replayer) buffer(t *transaction, b *bufferItem) error {
	if b.flags&bufferDquots != 0 || r.cancel[bufferKey{b.off, b.size}] > 0 || b.size == 0 {
		return nil
	}
	if b.flags&bufferInodes != 0 {
		return r.unlinked(b)
	}
	disk := make([]byte, min(b.size, basicBlock))
	if err := r.f.readAt(disk, b.off); len(b.parts) == 0 || err == nil && r.f.newerThan(disk, t.lsn) {
		return nil
	}
	r.sealed[bufferKey{b.off, b.size}] = struct{}{}
	for _, p := range b.parts {
		if err := r.over.write(b.off+int64(p.at), p.b); err != nil {
			return err
		}
	}
	return nil
}

// unlinked writes the pointers of the unlinked lists, the only thing that counts of a
// logged inode buffer.
func (r *replayer) unlinked(b *bufferItem) error {
	size := int(r.f.sb.inodeSize())
	for at := nextUnlinkedAt; at+4 <= b.size; at += size {
		for _, p := range b.parts {
			if at >= p.at && at+4 <= p.at+len(p.b) {
				r.sealed[bufferKey{b.off + int64(at-nextUnlinkedAt), size}] = struct{}{}
				if err := r.over.write(b.off+int64(at), p.b[at-p.at:at-p.at+4]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// inode writes a logged inode into its record.
func (r *replayer) inode(t *transaction, i *logItem) error {
	f := r.f
	x, ok := t.inode(i)
	if ok {
		x.off, ok = f.place(x.ino)
	}
	if !ok {
		r.bad++
		return nil
	}
	if r.cancel[x.buffer] > 0 {
		return nil
	}
	disk := make([]byte, f.sb.inodeSize())
	if err := f.readAt(disk, x.off); err != nil {
		clear(disk)
	}
	if f.inodeNewer(disk, x, t.lsn) {
		return nil
	}
	rec := make([]byte, f.sb.inodeSize())
	if n, err := r.over.ReadAt(rec, x.off); n < len(rec) {
		r.note("inode %d: its record cannot be read: %v", x.ino, err)
		return nil
	}
	f.lay(rec, x, t.lsn)
	sealInode(rec)
	r.seen(rec)
	return r.over.write(x.off, rec)
}

// inodeNewer tells whether the record on disk is newer than what was logged: by its LSN,
// or in version 4 by its counter of flushes, which wraps.
func (f *FS) inodeNewer(disk []byte, x *inodeItem, lsn uint64) bool {
	if binary.BigEndian.Uint16(disk) != inodeMagic {
		return false
	}
	if f.sb.v5() {
		on := binary.BigEndian.Uint64(disk[inodeLSN:])
		return disk[4] >= 3 && [16]byte(disk[160:176]) == f.sb.metaUUID && on != 0 && on != math.MaxUint64 && on > lsn
	}
	const flushAt = 30
	on, logged := binary.BigEndian.Uint16(disk[flushAt:]), binary.BigEndian.Uint16(x.core[flushAt:])
	return logged < on && !(on == math.MaxUint16 && logged < math.MaxUint16/2)
}

// lay writes what was logged of an inode into its record.
func (f *FS) lay(rec []byte, x *inodeItem, lsn uint64) {
	core := x.core[:min(len(x.core), len(rec))]
	next, sum := [4]byte(rec[nextUnlinkedAt:]), [4]byte{}
	copy(rec, core)
	copy(rec[nextUnlinkedAt:], next[:])
	in := inode{number: x.ino, raw: rec, off: x.off}
	if f.sb.v5() {
		copy(rec[inodeCRC:], sum[:])
		binary.BigEndian.PutUint64(rec[inodeLSN:], lsn)
	}
	f.decode(&in)
	fork := func(to, b []byte, root bool) {
		if root {
			b, _ = diskRoot(b, len(to), f.sb.v5())
		}
		copy(to, b)
	}
	if x.data != nil {
		fork(in.dataFork(), x.data, x.fields&logDataRoot != 0)
	}
	if x.attr != nil && in.forkoff > 0 {
		fork(in.attrFork(), x.attr, x.fields&logAttrRoot != 0)
	}
	if x.fields&logDev != 0 {
		binary.BigEndian.PutUint32(rec[in.literal():], x.rdev)
	}
}

// seen keeps the time of the newest inode in the first and the last transaction.
func (r *replayer) seen(rec []byte) {
	in := inode{raw: rec}
	r.f.decode(&in)
	t := in.time(bin.Big(rec), timesAt+16)
	if !r.out.First.Known() {
		r.out.First = t
	}
	r.out.Last = evidence.Max(r.out.Last, t)
}

// icreate makes inode records anew, but for those that are newer on disk.
func (r *replayer) icreate(t *transaction, i *logItem) error {
	x, ok := r.f.icreate(i)
	if !ok {
		r.bad++
		return nil
	}
	if r.cancelledWithin(x.off, x.blocks*r.f.blockSize) {
		return nil
	}
	if r.fresh += x.count; r.fresh > maxFresh {
		return fmt.Errorf("the log makes more than %d inodes: %w", maxFresh, limit.ErrLimit)
	}
	size := r.f.sb.inodeSize()
	for n := range int64(x.count) {
		at := x.off + n*size
		disk := make([]byte, size)
		if r.f.readAt(disk, at) == nil && r.f.sb.v5() && binary.BigEndian.Uint16(disk) == inodeMagic &&
			[16]byte(disk[160:176]) == r.f.sb.metaUUID && binary.BigEndian.Uint64(disk[inodeLSN:]) >= t.lsn {
			continue
		}
		rec := r.f.freshInode(x.first+filesystem.Inode(n), x.gen)
		if err := r.over.write(at, rec); err != nil {
			return err
		}
	}
	return nil
}

// cancelledWithin tells whether a buffer within a chunk of inodes is cancelled later: the
// chunk was given back, and its place may hold a file's content by now.
func (r *replayer) cancelledWithin(off, length int64) bool {
	for at := off; at < off+length; at += r.f.blockSize {
		if r.cancelAt[at] > 0 {
			return true
		}
	}
	return false
}

// freshInode is a record as xfs_ialloc_inode_init makes it.
func (f *FS) freshInode(n filesystem.Inode, gen uint32) []byte {
	rec := make([]byte, f.sb.inodeSize())
	be := binary.BigEndian
	be.PutUint16(rec, inodeMagic)
	rec[4] = 2
	be.PutUint32(rec[genAt:], gen)
	be.PutUint32(rec[nextUnlinkedAt:], nullAgino)
	if f.sb.v5() {
		rec[4] = 3
		be.PutUint64(rec[inoAt:], uint64(n))
		copy(rec[160:], f.sb.metaUUID[:])
		sealInode(rec)
	}
	return rec
}

// view seals what was changed and opens the result.
func (r *replayer) view() (*FS, filesystem.Replayed, error) {
	for k := range r.sealed {
		b := make([]byte, min(int64(k.size), r.f.size-k.off))
		if n, _ := r.over.ReadAt(b, k.off); n < len(b) {
			continue
		}
		r.f.seal(b)
		if err := r.over.write(k.off, b); err != nil {
			return nil, r.out, err
		}
	}
	blocks := make(map[int64]struct{})
	for page := range r.over.pages {
		blocks[page*pageSize/r.f.blockSize] = struct{}{}
	}
	r.out.Blocks = len(blocks)
	v := newFS(r.over, r.f.size, r.f.sb)
	v.replayed = true
	v.note("the log was replayed in memory: %d transactions", r.out.Transactions)
	if !v.hasRoot() {
		r.note("the root directory cannot be read in the replayed view")
	}
	return v, r.out, nil
}
