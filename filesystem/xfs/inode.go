package xfs

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	inodeMagic = 0x494e // "IN"

	// Where the fields of struct xfs_dinode lie that are used in more than one place.
	modeAt         = 2
	formatAt       = 5
	timesAt        = 32 // access, modification, change: 8 bytes each
	sizeAt         = 56
	nextentsAt     = 76
	genAt          = 92
	nextUnlinkedAt = 96
	inodeCRC       = 100
	inodeLSN       = 112
	flags2At       = 120
	inoAt          = 152
	coreV2         = 100 // bytes before the literal area
	coreV3         = 176

	flagRealtime  = 0x1
	flagImmutable = 0x8
	flagAppend    = 0x10

	flag2Reflink = 0x2
	flag2Bigtime = 0x8
	flag2Nrext64 = 0x10

	nullAgino   = math.MaxUint32
	bigtimeBase = -(1 << 31) // seconds: bigtime counts nanoseconds from the earliest old time
)

// forkFormat says in which form a fork lies in its inode (enum xfs_dinode_fmt).
type forkFormat uint8

const (
	formatDev forkFormat = iota
	formatLocal
	formatExtents
	formatBtree
)

// inode is one record, decoded as far as each use needs it.
type inode struct {
	number   filesystem.Inode
	raw      []byte // the record; shared, never changed
	off      int64  // of the record
	version  uint8
	mode     uint16
	format   forkFormat
	aformat  forkFormat
	links    uint32
	size     int64
	extents  uint64 // of the data fork
	aextents uint64
	forkoff  int // bytes into the literal area where the attribute fork begins, 0 for none
	flags    uint16
	flags2   uint64
	gen      uint32
	damage   *evidence.Damage
}

// place gives where an inode's record lies.
func (f *FS) place(n filesystem.Inode) (int64, bool) {
	s := f.sb
	inop := s.inopbLog()
	fsb := uint64(n) >> inop
	block, ok := f.fromFSBlock(fsb)
	if headers := uint64(4*s.sector+f.blockSize-1) >> s.blockLog; !ok || fsb&(1<<s.agLog-1) < headers {
		return 0, false
	}
	return block*f.blockSize + int64(uint64(n)&(1<<inop-1))<<s.inodeLog, true
}

// inode reads a record. It gives no error where the record could be had but is
// doubtful: that is in damage.
func (f *FS) inode(n filesystem.Inode) (inode, error) {
	off, ok := f.place(n)
	if !ok {
		return inode{}, fmt.Errorf("inode %d: %w", n, filesystem.ErrNotExist)
	}
	raw, err := f.record(off)
	if err != nil {
		return inode{}, fmt.Errorf("inode %d: %w", n, err)
	}
	in := inode{number: n, raw: raw, off: off}
	if m := binary.BigEndian.Uint16(raw); m != inodeMagic {
		return inode{}, damage(off, len(raw), "inode %d: there is no inode record (magic number %#04x)", n, m)
	}
	f.decode(&in)
	if in.version >= 3 && !checksumOK(raw, inodeCRC) {
		f.bad.Add(inodeStructure, off)
		in.doubt("does not match its checksum")
	}
	if in.version >= 3 {
		if got := binary.BigEndian.Uint64(raw[inoAt:]); got != uint64(n) {
			in.doubt("the record says that it is inode %d's", got)
		}
	}
	return in, nil
}

// doubt keeps the first thing that is wrong with the record.
func (in *inode) doubt(format string, a ...any) {
	if in.damage == nil {
		in.damage = damage(in.off, len(in.raw), "inode %d: "+format, append([]any{in.number}, a...)...)
	}
}

// record gives the bytes of the record at off. They are read in pieces, so that a walk
// does not ask the source for every inode.
func (f *FS) record(off int64) ([]byte, error) {
	size := f.sb.inodeSize()
	key := off &^ (tableChunk - 1)
	within := off - key
	if b, ok := f.tables.Get(key); ok && within+size <= int64(len(b)) {
		return b[within : within+size : within+size], nil
	}
	if length := min(tableChunk, f.size-key); length >= within+size {
		b := make([]byte, length)
		if f.readAt(b, key) == nil {
			f.tables.Put(key, b, len(b))
			return b[within : within+size : within+size], nil
		}
	}
	b := make([]byte, size) // something near it cannot be read: then it alone
	return b, f.readAt(b, off)
}

func (f *FS) decode(in *inode) {
	c := bin.Big(in.raw).Seek(modeAt)
	in.mode, in.version, in.format = c.U16(), c.U8(), forkFormat(c.U8())
	old := uint32(c.U16())
	in.links = c.Skip(8).U32()
	if in.version == 1 {
		in.links = old
	}
	big := c.Seek(24).U64()
	size := c.Seek(sizeAt).U64()
	in.extents = uint64(c.Seek(nextentsAt).U32())
	in.aextents = uint64(c.U16())
	in.forkoff = int(c.U8()) * 8
	in.aformat = forkFormat(c.U8())
	in.flags = c.Skip(6).U16()
	in.gen = c.U32()
	if in.version >= 3 {
		in.flags2 = c.Seek(flags2At).U64()
	}
	if in.flags2&flag2Nrext64 != 0 {
		in.aextents, in.extents = in.extents, big
	}
	if size > math.MaxInt64 {
		in.doubt("size %d is beyond what a file can have", size)
		size = 0
	}
	in.size = int64(size)
	if want := f.sb.v5(); want != (in.version >= 3) || in.version == 0 || in.version > 3 || in.version >= 3 && len(in.raw) < coreV3 {
		in.doubt("version %d does not belong into this filesystem", in.version)
		in.version = 2
	}
	if in.forkoff >= len(in.raw)-in.literal() {
		in.doubt("attribute fork at %d", in.forkoff)
		in.forkoff = 0
	}
}

// literal gives where the forks begin in the record.
func (in *inode) literal() int {
	if in.version >= 3 {
		return coreV3
	}
	return coreV2
}

// dataFork and attrFork give the bytes of the forks.
func (in *inode) dataFork() []byte {
	end := len(in.raw)
	if in.forkoff > 0 {
		end = in.literal() + in.forkoff
	}
	return in.raw[in.literal():end]
}

func (in *inode) attrFork() []byte {
	if in.forkoff == 0 {
		return nil
	}
	return in.raw[in.literal()+in.forkoff:]
}

var types = [16]filesystem.Type{1: filesystem.FIFO, 2: filesystem.CharDevice, 4: filesystem.Directory,
	6: filesystem.BlockDevice, 8: filesystem.Regular, 10: filesystem.Symlink, 12: filesystem.Socket}

func (in *inode) fileType() filesystem.Type { return types[in.mode>>12] }

// Stat gives what an inode says. Where the record is doubtful (its checksum does not
// match, a field cannot be) the Meta is filled all the same and comes with the
// *evidence.Damage; where it cannot be read, Meta.Inode is 0.
func (f *FS) Stat(n filesystem.Inode) (filesystem.Meta, error) {
	in, err := f.inode(n)
	if err != nil {
		return filesystem.Meta{}, err
	}
	m := in.meta()
	if m.Links == 0 {
		m.State = filesystem.Deleted
		if in.mode != 0 && f.isOrphan(n) {
			m.State = filesystem.Orphan
		}
	}
	if in.damage != nil {
		return m, in.damage
	}
	return m, nil
}

// meta gives what the record itself says: the state is left to the caller.
func (in *inode) meta() filesystem.Meta {
	c := bin.Big(in.raw)
	m := filesystem.Meta{
		Inode: in.number, Type: in.fileType(), Mode: in.mode & 0o7777, Size: in.size, Links: in.links,
		UID: c.Seek(8).U32(), GID: c.U32(),
		Ref: evidence.Ref{Off: in.off, Len: int64(len(in.raw))},
	}
	m.Atime = in.time(c, timesAt)
	m.Mtime = in.time(c, timesAt+8)
	m.Ctime = in.time(c, timesAt+16)
	if in.version >= 3 {
		m.Crtime = in.time(c, 144)
	}
	if in.flags&flagImmutable != 0 {
		m.Flags |= filesystem.Immutable
	}
	if in.flags&flagAppend != 0 {
		m.Flags |= filesystem.AppendOnly
	}
	if in.format == formatLocal {
		m.Flags |= filesystem.InlineData
	}
	if (m.Type == filesystem.CharDevice || m.Type == filesystem.BlockDevice) && in.format == formatDev {
		m.Rdev = device(c.Seek(in.literal()).U32())
	}
	return m
}

// time decodes a time: nanoseconds from 1901 in inodes with bigtime, else signed
// seconds and nanoseconds.
func (in *inode) time(c *bin.Cursor, at int) evidence.Time {
	v := c.Seek(at).U64()
	if in.flags2&flag2Bigtime != 0 {
		return evidence.Time{Sec: int64(v/1e9) + bigtimeBase, Nsec: int32(v % 1e9), Step: 1}
	}
	t := evidence.Time{Sec: int64(int32(v >> 32)), Nsec: int32(uint32(v)), Step: 1}
	if uint32(v) >= 1e9 {
		in.doubt("has %d nanoseconds", uint32(v))
		t.Nsec, t.Step = 0, time.Second
	}
	return t
}

// device gives a device number as makedev(3) packs it, from the form on disk: 14 bits
// of major and 18 of minor (sysv_encode_dev).
func device(v uint32) uint64 {
	major, minor := uint64(v>>18), uint64(v&0x3ffff)
	return major&0xfff<<8 | major>>12<<44 | minor&0xff | minor>>8<<20
}
