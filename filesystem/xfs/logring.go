package xfs

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sort"

	"telltale/evidence"
	"telltale/internal/bin"
)

const (
	basicBlock    = 512        // bytes, BBSIZE: what the log counts in
	logMagic      = 0xfeedbabe // of a record's header; no other basic block begins so, since the cycle stands there
	logHead       = 512        // bytes, a record's header with its padding
	logCRC        = 32
	logHeadSum    = 328 // bytes that the checksum takes of it: struct xlog_rec_header as 64-bit machines lay it out
	logHeadSum32  = 324 // as 32-bit machines do
	logExtSum     = 260 // bytes, struct xlog_rec_ext_header
	logCycleData  = 44  // where the first words of the data's basic blocks are kept
	logCyclesHere = 64  // of them in a header, and in each header that follows it
	logExtCycles  = 4
	logCycleSize  = 32 << 10 // bytes of data that one header keeps the words of
	maxLogRecord  = 1 << 20  // bytes; XLOG_MAX_RECORD_BSIZE is 256 KiB
	maxLogRecords = 2 << 20  // kept of one ring: 80 MiB
	maxLogBytes   = 2 << 30  // XFS_MAX_LOG_BYTES
	logPiece      = 1 << 20  // bytes read at once
	logVersion2   = 2
	logFormatLE   = 1 // XLOG_FMT_LINUX_LE
	logFormatBE   = 2
	logFormatIrix = 3
	headWindow    = 4096 // basic blocks that may be written at once: XLOG_TOTAL_REC_SHIFT
)

// logRing is the internal log: a ring of basic blocks.
type logRing struct {
	f      *FS
	off    int64 // bytes
	blocks int64 // basic blocks
}

// logRecord is a record's header.
type logRecord struct {
	lsn, tail uint64
	pos       int64 // basic block in the ring
	length    int   // bytes of data
	heads     int   // basic blocks before the data
	ops       uint32
	format    uint32
}

func (r *logRecord) blocks() int64 { return int64(r.heads) + int64(r.length+basicBlock-1)/basicBlock }

// cursor reads the record's structures, which are in the byte order of the machine
// that wrote them.
func (r *logRecord) cursor(b []byte) *bin.Cursor {
	if r.format == logFormatBE || r.format == logFormatIrix {
		return bin.Big(b)
	}
	return bin.Little(b)
}

// ring gives the log, nil with the reason where there is none to be read.
func (f *FS) ring() (*logRing, error) {
	if f.sb.logStart == 0 {
		return nil, damage(0, 0, "the log lies on another device: it is not read")
	}
	block, ok := f.fromFSBlock(f.sb.logStart)
	length := int64(f.sb.logBlocks) * f.blockSize
	if !ok || length == 0 || length > maxLogBytes+(1<<20) || int64(f.sb.logBlocks) > f.blocks-block {
		return nil, damage(f.sb.off, superSize, "the log of %d blocks at %#x cannot be", f.sb.logBlocks, f.sb.logStart)
	}
	return &logRing{f: f, off: block * f.blockSize, blocks: length / basicBlock}, nil
}

// read fills p from a basic block on, around the end.
func (l *logRing) read(p []byte, pos int64) error {
	first := min(int64(len(p)), (l.blocks-pos)*basicBlock)
	if err := l.f.readAt(p[:first], l.off+pos*basicBlock); err != nil {
		return err
	}
	return l.f.readAt(p[first:], l.off)
}

// header decodes a record's header that stands at pos. What only fills the ring before
// the head (headers without data, written when the filesystem is mounted) is none.
func (l *logRing) header(b []byte, pos int64) (logRecord, bool) {
	c := bin.Big(b)
	if c.U32() != logMagic {
		return logRecord{}, false
	}
	cycle, version, length := c.U32(), c.U32(), c.U32()
	r := logRecord{lsn: c.U64(), tail: c.U64(), pos: pos, length: int(min(length, maxLogRecord+1)), heads: 1}
	r.ops = c.Seek(40).U32()
	r.format = c.Seek(300).U32()
	size := c.Seek(320).U32()
	if version&logVersion2 != 0 && size > logCycleSize && size <= maxLogRecord {
		r.heads = int((size + logCycleSize - 1) / logCycleSize)
	}
	ok := c.Err() == nil && r.length > 0 && r.length <= maxLogRecord && r.ops > 0 && version > 0 && version <= 3 &&
		r.lsn == uint64(cycle)<<32|uint64(pos) && r.blocks() <= l.blocks && r.heads*logCycleSize >= r.length
	return r, ok
}

// index finds the headers of all records that are left in the ring, in the order of
// their writing.
func (l *logRing) index(ctx context.Context) (list []logRecord, errs []error) {
	buf := make([]byte, logPiece)
	for pos := int64(0); pos < l.blocks; pos += logPiece / basicBlock {
		if err := ctx.Err(); err != nil {
			return list, append(errs, err)
		}
		b := buf[:min(logPiece, (l.blocks-pos)*basicBlock)]
		if err := l.f.readAt(b, l.off+pos*basicBlock); err != nil {
			errs = append(errs, err)
			continue
		}
		for off := 0; off < len(b); off += basicBlock {
			if binary.BigEndian.Uint32(b[off:]) != logMagic {
				continue
			}
			if r, ok := l.header(b[off:off+logHead], pos+int64(off/basicBlock)); ok && len(list) < maxLogRecords {
				list = append(list, r)
			}
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].lsn < list[j].lsn })
	return list, errs
}

// load reads a record's data, checks it and puts the words back that the cycle numbers
// stand for.
func (l *logRing) load(r *logRecord) ([]byte, error) {
	all := make([]byte, r.blocks()*basicBlock)
	if err := l.read(all, r.pos); err != nil {
		return nil, err
	}
	head, data := all[:r.heads*basicBlock], all[r.heads*basicBlock:]
	fault := func(what string) error {
		return &evidence.Damage{Ref: evidence.Ref{Off: l.off + r.pos*basicBlock, Len: int64(len(all))}, Reason: "log record " + what}
	}
	for i := 0; i*basicBlock < len(data); i++ {
		cycle := uint32(r.lsn >> 32)
		if r.pos+int64(r.heads+i) >= l.blocks { // it goes on at the beginning of the ring, in the next cycle
			if cycle++; cycle == logMagic {
				cycle++
			}
		}
		if binary.BigEndian.Uint32(data[i*basicBlock:]) != cycle {
			return nil, fault("is overwritten in part")
		}
	}
	if l.f.sb.v5() && !r.checksumOK(head, data) {
		return nil, fault("does not match its checksum")
	}
	for i := 0; i*basicBlock < len(data); i++ {
		from := logCycleData + i*4
		if i >= logCyclesHere {
			from = i/logCyclesHere*basicBlock + logExtCycles + i%logCyclesHere*4
		}
		copy(data[i*basicBlock:i*basicBlock+4], head[from:from+4])
	}
	return data[:r.length], nil
}

// checksumOK checks header and data as they lie on disk. mkfs.xfs writes its only
// record without a checksum.
func (r *logRecord) checksumOK(head, data []byte) bool {
	want := binary.LittleEndian.Uint32(head[logCRC:])
	if want == 0 && r.ops == 1 {
		return true
	}
	for _, n := range []int{logHeadSum, logHeadSum32} {
		sum := checksum(head[:n], logCRC)
		for i := 1; i < r.heads; i++ {
			sum = crc32.Update(sum, castagnoli, head[i*basicBlock:i*basicBlock+logExtSum])
		}
		if crc32.Update(sum, castagnoli, data[:r.length]) == want {
			return true
		}
	}
	return false
}

// last cuts off the records behind the head: from the first that is missing or does
// not match, among those that may have been written at the same time.
func (l *logRing) last(list []logRecord) (end int, note string) {
	end = len(list)
	if end == 0 {
		return 0, ""
	}
	from, window := end-1, min(headWindow, l.blocks/4)
	for from > 0 && l.distance(list[from-1].pos, list[end-1].pos) < window && list[end-1].lsn>>32-list[from-1].lsn>>32 <= 1 {
		from--
	}
	for i := from; i < len(list); i++ {
		if i > from && l.step(list[i-1].pos, list[i-1].blocks()) != list[i].pos {
			return i, fmt.Sprintf("%d log records behind a gap were not taken: the machine stopped while they were written", len(list)-i)
		}
		if _, err := l.load(&list[i]); err != nil && i >= from+1 {
			return i, fmt.Sprintf("the last %d log records were not taken: %v", len(list)-i, err)
		}
	}
	return end, ""
}

func (l *logRing) step(pos, n int64) int64 { return (pos + n) % l.blocks }

func (l *logRing) distance(from, to int64) int64 { return (to - from + l.blocks) % l.blocks }

// unmounted tells whether a record says that the filesystem was unmounted.
func (l *logRing) unmounted(r *logRecord) bool {
	if r.ops != 1 {
		return false
	}
	data, err := l.load(r)
	return err == nil && len(data) >= opHead && data[opFlagsAt]&opUnmount != 0
}

// isDirty tells whether the log ends with anything but an unmount, by a search for its
// head as the kernel does it, so that nothing needs to be read whole.
func (f *FS) isDirty() (bool, string) {
	f.dirty.once.Do(func() {
		if f.replayed {
			return
		}
		l, err := f.ring()
		if err != nil {
			f.dirty.note = fmt.Sprintf("whether it was unmounted cleanly is not known: %v", err)
			return
		}
		r, err := l.newest()
		switch {
		case err != nil:
			f.dirty.is = true
			f.dirty.note = fmt.Sprintf("the head of its log cannot be found: %v", err)
		case r != nil && !l.unmounted(r):
			f.dirty.is = true
			f.dirty.note = "it was not unmounted cleanly and its log holds newer changes: the log was not replayed"
		}
	})
	return f.dirty.is, f.dirty.note
}

// newest gives the record before the head of the ring, nil in an empty one.
func (l *logRing) newest() (*logRecord, error) {
	first, err := l.cycle(0)
	if err != nil {
		return nil, err
	}
	end, err := l.cycle(l.blocks - 1)
	if err != nil {
		return nil, err
	}
	head := l.blocks
	if first != end { // the first block that was not written in the newest cycle
		low, high := int64(0), l.blocks-1
		for low+1 < high {
			mid := (low + high) / 2
			c, err := l.cycle(mid)
			if err != nil {
				return nil, err
			}
			if c == first {
				low = mid
			} else {
				high = mid
			}
		}
		head = high
	}
	b := make([]byte, logHead)
	for i := int64(1); i <= min(l.blocks, 2*headWindow); i++ {
		pos := (head - i + l.blocks) % l.blocks
		if err := l.read(b, pos); err != nil {
			return nil, err
		}
		if r, ok := l.header(b, pos); ok {
			return &r, nil
		}
	}
	if first == 0 && end == 0 {
		return nil, nil
	}
	return nil, damage(l.off, 0, "no record before basic block %d", head)
}

// cycle gives the number of the ring's turn in which a basic block was written.
func (l *logRing) cycle(pos int64) (uint32, error) {
	var b [8]byte
	if err := l.read(b[:], pos); err != nil {
		return 0, err
	}
	if v := binary.BigEndian.Uint32(b[:]); v != logMagic {
		return v, nil
	}
	return binary.BigEndian.Uint32(b[4:]), nil
}
