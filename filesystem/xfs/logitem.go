package xfs

import (
	"encoding/binary"
	"fmt"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// Item types (XFS_LI_*). An intent and the item that says it is done lie side by side.
const (
	itemEFI     = 0x1236
	itemInode   = 0x123b
	itemBuffer  = 0x123c
	itemDquot   = 0x123d
	itemQuota   = 0x123e
	itemIcreate = 0x123f
	itemRUI     = 0x1240
	itemXMD     = 0x1249
	itemLast    = 0x124f // XFS_LI_CUD_RT
	intentIDAt  = 8
)

// intents names what is promised by each kind of intent.
var intents = map[uint16]string{itemEFI: "extents to be freed", itemRUI: "reverse mappings", 0x1242: "reference counts", 0x1244: "mappings",
	0x1246: "attributes", 0x1248: "exchanges of mappings", 0x124a: "realtime extents to be freed", 0x124c: "realtime reverse mappings", 0x124e: "realtime reference counts"}

// intent tells whether the item is an intent or the end of one, of which kind, and its id.
func (t *transaction) intent(i *logItem) (kind uint16, id uint64, done, ok bool) {
	kind = i.kind
	if kind == itemEFI+1 || kind > itemRUI && kind <= itemLast && kind%2 == 1 {
		kind, done = kind-1, true
	}
	if _, ok = intents[kind]; !ok {
		return 0, 0, false, false
	}
	c := t.order(i.regions[0]).Seek(intentIDAt)
	id = c.U64()
	return kind, id, done, c.Err() == nil
}

// bufferItem is struct xfs_buf_log_format with the pieces that it describes.
type bufferItem struct {
	flags uint16
	off   int64 // bytes
	size  int
	parts []part
}

// part is a piece of a buffer that was logged.
type part struct {
	at int // bytes in the buffer
	b  []byte
}

const (
	bufferInodes  = 0x1 // XFS_BLF_INODE_BUF: only the unlinked pointers count
	bufferCancel  = 0x2
	bufferDquots  = 0x4 | 0x8 | 0x10
	bufferChunk   = 128                          // bytes, XFS_BLF_CHUNK
	maxBuffer     = 64 << 10                     // bytes
	maxBitmap     = maxBuffer/bufferChunk/32 + 1 // words
	maxInodeForks = 2048                         // bytes of one fork in an inode
)

// buffer decodes a buffer item.
func (t *transaction) buffer(i *logItem, limit int64) (*bufferItem, bool) {
	c := t.order(i.regions[0]).Skip(4)
	x := &bufferItem{flags: c.U16()}
	x.size = int(c.U16()) * basicBlock
	block := c.U64()
	wide := c.U32()
	if c.Err() != nil || block > uint64(limit/basicBlock) || x.size > maxBuffer || wide > maxBitmap {
		return nil, false
	}
	words := int(wide)
	x.off = int64(block) * basicBlock
	if x.flags&bufferCancel != 0 {
		return x, true
	}
	if int64(x.size) > limit-x.off {
		return nil, false
	}
	bits := make([]bool, words*32)
	for w := range words {
		v := c.U32()
		for b := range 32 {
			bits[w*32+b] = v>>b&1 != 0
		}
	}
	if c.Err() != nil {
		return nil, false
	}
	x.place(bits, i.regions[1:])
	return x, true
}

// place lays the regions where the bitmap says: each begins at a set bit and covers as
// many as it has bytes for, of those that stand in a row.
func (x *bufferItem) place(bits []bool, regions [][]byte) {
	bit := 0
	for _, r := range regions {
		for bit < len(bits) && !bits[bit] {
			bit++
		}
		n := 0
		for bit+n < len(bits) && bits[bit+n] && n < len(r)/bufferChunk {
			n++
		}
		length := min(n*bufferChunk, x.size-bit*bufferChunk)
		if length <= 0 {
			return
		}
		x.parts = append(x.parts, part{bit * bufferChunk, r[:length]})
		bit += n
	}
}

// inodeItem is struct xfs_inode_log_format with what it describes, in the byte order
// of the disk.
type inodeItem struct {
	fields     uint32
	ino        filesystem.Inode
	off        int64     // of the record, in bytes
	buffer     bufferKey // that the record lies in
	core       []byte    // as struct xfs_dinode
	data, attr []byte    // the forks as they were logged, nil if they were not
	rdev       uint32
}

// Fields of an inode that were logged (XFS_ILOG_*).
const (
	logDataLocal   = 0x002
	logDataExtents = 0x004
	logDataRoot    = 0x008
	logDev         = 0x010
	logAttrLocal   = 0x040
	logAttrExtents = 0x080
	logAttrRoot    = 0x100
	logData        = logDataLocal | logDataExtents | logDataRoot
	logAttr        = logAttrLocal | logAttrExtents | logAttrRoot
	inodeFormat    = 56 // bytes; 52 where a 32-bit machine wrote it, without padding
)

func (t *transaction) inode(i *logItem) (*inodeItem, bool) {
	if len(i.regions) < 2 {
		return nil, false
	}
	c := t.order(i.regions[0]).Skip(4)
	x := &inodeItem{fields: c.U32()}
	c.Skip(4)
	if len(i.regions[0]) >= inodeFormat {
		c.Skip(4)
	}
	x.ino = filesystem.Inode(c.U64())
	union := c.Bytes(16)
	block := c.U64()
	length := c.U32()
	within := c.U32()
	if c.Err() != nil || block > 1<<53 || within > 1<<20 || length > maxBuffer/basicBlock {
		return nil, false
	}
	x.buffer = bufferKey{int64(block) * basicBlock, int(length) * basicBlock}
	x.off = x.buffer.off + int64(within)
	x.rdev = t.order(union).U32()
	if x.core = t.core(i.regions[1]); x.core == nil {
		return nil, false
	}
	rest := i.regions[2:]
	if x.fields&logData != 0 && len(rest) > 0 {
		x.data, rest = rest[0], rest[1:]
	}
	if x.fields&logAttr != 0 && len(rest) > 0 {
		x.attr = rest[0]
	}
	return x, len(x.data) <= 2*maxInodeForks && len(x.attr) <= 2*maxInodeForks
}

// coreFields are the widths of struct xfs_log_dinode's fields, which lie where struct
// xfs_dinode has them; wide counters and times are told by flags2.
var coreFields = [...]uint8{2, 2, 1, 1, 1, 1, 4, 4, 4, 2, 2, 8, 8, 8, 8, 8, 8, 4, 4, 2, 1, 1, 4, 2, 2, 4,
	4, 4, 8, 8, 8, 4, 4, 4, 4, 8, 8}

// core turns a logged inode core into the disk's form, nil where it is none.
func (t *transaction) core(b []byte) []byte {
	c := t.order(b)
	out := make([]byte, 0, coreV3)
	var flags2 uint64
	if len(b) >= coreV3 {
		flags2 = t.order(b).Seek(flags2At).U64()
	}
	for _, w := range coreFields {
		at := len(out)
		if at >= len(b) || at == nextUnlinkedAt && len(b) < coreV3 {
			break
		}
		switch {
		case at == 24 && flags2&flag2Nrext64 == 0:
			out = append(out, c.Bytes(6)...) // padding and a counter of flushes
			out = binary.BigEndian.AppendUint16(out, c.U16())
		case w == 8 && flags2&flag2Bigtime == 0 && (at >= timesAt && at < sizeAt || at == 144):
			out = binary.BigEndian.AppendUint32(out, c.U32())
			out = binary.BigEndian.AppendUint32(out, c.U32())
		case w == 1:
			out = append(out, c.U8())
		case w == 2:
			out = binary.BigEndian.AppendUint16(out, c.U16())
		case w == 4:
			out = binary.BigEndian.AppendUint32(out, c.U32())
		default:
			out = binary.BigEndian.AppendUint64(out, c.U64())
		}
	}
	if len(out) == coreV3-16 {
		out = append(out, c.Bytes(16)...) // the filesystem's id
	}
	if c.Err() != nil || len(out) < nextUnlinkedAt || binary.BigEndian.Uint16(out) != inodeMagic {
		return nil
	}
	return out
}

// diskRoot turns the root of an extent tree from the form in memory, which is that of a
// tree block, into the form in the record.
func diskRoot(b []byte, room int, v5 bool) ([]byte, error) {
	head := longHead
	if v5 {
		head = longHead5
	}
	most, fit := (len(b)-head)/16, (room-4)/16
	if len(b) < head || room < 4 {
		return nil, fmt.Errorf("root of %d bytes", len(b))
	}
	count := int(binary.BigEndian.Uint16(b[6:]))
	if count > most || count > fit {
		return nil, fmt.Errorf("root of %d entries", count)
	}
	out := make([]byte, room)
	copy(out, b[4:8]) // level and count
	copy(out[4:], b[head:head+count*8])
	copy(out[4+fit*8:], b[head+most*8:head+most*8+count*8])
	return out, nil
}

// icreateItem is struct xfs_icreate_log: inode records made anew.
type icreateItem struct {
	off    int64 // bytes
	first  filesystem.Inode
	count  int
	gen    uint32
	blocks int64
}

const maxIcreate = 256 // inodes: those of one chunk, or of the biggest block

func (f *FS) icreate(i *logItem) (*icreateItem, bool) {
	c := bin.Big(i.regions[0]).Skip(4)
	group, within, count, size, length := c.U32(), c.U32(), c.U32(), c.U32(), c.U32()
	x := &icreateItem{count: int(min(count, maxIcreate)), gen: c.U32(), blocks: int64(length)}
	block, ok := f.agBlock(group, within)
	if c.Err() != nil || !ok || group >= f.sb.agCount || int64(size) != f.sb.inodeSize() || count > maxIcreate ||
		int64(length) > f.groupLength(group)-int64(within) || int64(count)<<f.sb.inodeLog != int64(length)*f.blockSize {
		return nil, false
	}
	x.off = block * f.blockSize
	x.first = f.join(group, within<<f.sb.inopbLog())
	return x, true
}
