package ext4

import (
	"fmt"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// Inode flags (i_flags).
const (
	flagImmutable = 0x10
	flagAppend    = 0x20
	flagEncrypt   = 0x800
	flagIndex     = 0x1000
	flagExtents   = 0x80000
	flagEAInode   = 0x200000
	flagInline    = 0x10000000
)

const (
	iBlockAt   = 0x28
	iBlockSize = 60 // bytes, EXT4_N_BLOCKS * 4
	extraAt    = 0x80
	checksumLo = 0x7c
	checksumHi = 0x82
	maxLogical = 1 << 32 // blocks that a file can have
)

// inode is one record of an inode table, decoded as far as each use needs it.
type inode struct {
	number     uint32
	raw        []byte // the record; shared, never changed
	off        int64  // of the record
	mode       uint16
	links      uint16
	flags      uint32
	size       int64
	dtime      uint32
	generation uint32
	acl        uint64 // block of extended attributes
	extra      int    // i_extra_isize: bytes in use behind the first 128
	damage     *evidence.Damage
}

// inode reads a record. It gives no error where the record could be had but is
// doubtful: that is in damage.
func (f *FS) inode(n filesystem.Inode) (inode, error) {
	if n == 0 || uint64(n) > f.groupCount*uint64(f.sb.inodesPerGroup) || n > 1<<32-1 {
		return inode{}, fmt.Errorf("inode %d: %w", n, filesystem.ErrNotExist)
	}
	in := inode{number: uint32(n)}
	var err error
	if in.raw, in.off, err = f.record(uint32(n)); err != nil {
		return inode{}, fmt.Errorf("inode %d: %w", n, err)
	}
	var patched bool
	in.raw, patched = f.fast.record(in.number, in.raw)
	f.decode(&in)
	if !patched && !f.inodeChecksumOK(&in) {
		f.bad.Add(inodeStructure, in.off)
		in.doubt("does not match its checksum")
	}
	return in, nil
}

// doubt keeps the first thing that is wrong with the record.
func (in *inode) doubt(format string, a ...any) {
	if in.damage == nil {
		in.damage = damage(in.off, len(in.raw), "inode %d: "+format, append([]any{in.number}, a...)...)
	}
}

// record gives an inode's bytes. Tables are read in pieces, so that a walk does not
// ask the source for every inode.
func (f *FS) record(n uint32) ([]byte, int64, error) {
	g, index := uint64(n-1)/uint64(f.sb.inodesPerGroup), int64(n-1)%int64(f.sb.inodesPerGroup)
	table, err := f.tableOf(g)
	if err != nil {
		return nil, 0, err
	}
	size := int64(f.sb.inodeSize)
	piece := index * size / tableChunk * tableChunk
	key, within := table+piece, index*size-piece
	if b, ok := f.tables.Get(key); ok && within+size <= int64(len(b)) {
		return b[within : within+size : within+size], key + within, nil
	}
	length := min(tableChunk, int64(f.sb.inodesPerGroup)*size-piece, f.size-key)
	if length >= within+size {
		b := make([]byte, length)
		if f.readAt(b, key) == nil {
			f.tables.Put(key, b, len(b))
			return b[within : within+size : within+size], key + within, nil
		}
	}
	b := make([]byte, size) // something near it cannot be read: then it alone
	return b, key + within, f.readAt(b, key+within)
}

func (f *FS) decode(in *inode) {
	c := bin.Little(in.raw)
	in.mode = c.U16()
	size := uint64(c.Skip(2).U32())
	in.dtime = c.Skip(12).U32()
	in.links = c.Skip(2).U16()
	in.flags = c.Skip(4).U32()
	in.generation = c.Seek(0x64).U32()
	in.acl = uint64(c.U32())
	high := c.U32()
	if f.sb.incompat&incompat64Bit != 0 {
		in.acl |= uint64(c.Seek(0x76).U16()) << 32
	}
	if t := in.fileType(); t == filesystem.Regular || t == filesystem.Directory && f.sb.incompat&largeDir != 0 {
		size |= uint64(high) << 32
	}
	if most := uint64(maxLogical) * uint64(f.blockSize); size > most {
		in.doubt("size %d is beyond what a file can have", size)
		size = most
	}
	in.size = int64(size)
	if len(in.raw) > oldInodeSize {
		in.extra = int(c.Seek(extraAt).U16())
		if in.extra%4 != 0 || in.extra > len(in.raw)-oldInodeSize {
			in.doubt("i_extra_isize is %d", in.extra)
			in.extra = 0
		}
	}
}

func (in *inode) seed(f *FS) uint32 {
	return crc32c32(crc32c32(f.sb.seed, in.number), in.generation)
}

func (f *FS) inodeChecksumOK(in *inode) bool {
	if f.sb.ro&roMetadataCsum == 0 || in.mode == 0 && in.links == 0 {
		return true // one never used has no checksum
	}
	zero := []byte{0, 0}
	b := in.raw
	sum := crc32c(in.seed(f), b[:checksumLo])
	sum = crc32c(sum, zero)
	sum = crc32c(sum, b[checksumLo+2:oldInodeSize])
	c := bin.Little(b)
	want := uint32(c.Seek(checksumLo).U16())
	if in.extra < 4 {
		return uint16(crc32c(sum, b[oldInodeSize:])) == uint16(want)
	}
	sum = crc32c(sum, b[oldInodeSize:checksumHi])
	sum = crc32c(sum, zero)
	return crc32c(sum, b[checksumHi+2:]) == want|uint32(c.Seek(checksumHi).U16())<<16
}

var types = [16]filesystem.Type{1: filesystem.FIFO, 2: filesystem.CharDevice, 4: filesystem.Directory,
	6: filesystem.BlockDevice, 8: filesystem.Regular, 10: filesystem.Symlink, 12: filesystem.Socket}

func (in *inode) fileType() filesystem.Type { return types[in.mode>>12] }

// iblock gives i_block: the map, the extent tree's root, a short symlink's target,
// inline content or a device number.
func (in *inode) iblock() []byte { return in.raw[iBlockAt : iBlockAt+iBlockSize] }

// Stat gives what an inode says. Where the record is doubtful (its checksum does not
// match, a field cannot be) the Meta is filled all the same and comes with the
// *evidence.Damage; where it cannot be read, Meta.Inode is 0.
func (f *FS) Stat(n filesystem.Inode) (filesystem.Meta, error) {
	in, err := f.inode(n)
	if err != nil {
		return filesystem.Meta{}, err
	}
	m := f.metaOf(&in)
	f.state(&in, &m)
	if in.damage != nil {
		return m, in.damage
	}
	return m, nil
}

// metaOf gives what a record says, but for whether the file is deleted.
func (f *FS) metaOf(in *inode) filesystem.Meta {
	c := bin.Little(in.raw)
	m := filesystem.Meta{
		Inode: filesystem.Inode(in.number), Type: in.fileType(), Mode: in.mode & 0o7777, Size: in.size, Links: uint32(in.links),
		UID: uint32(c.Seek(2).U16()) | uint32(c.Seek(0x78).U16())<<16,
		GID: uint32(c.Seek(0x18).U16()) | uint32(c.Seek(0x7a).U16())<<16,
		Ref: evidence.Ref{Off: in.off, Len: int64(len(in.raw))},
	}
	m.Flags = metaFlags(in.flags)
	m.Atime = in.time(c, 0x08, 0x8c)
	m.Ctime = in.time(c, 0x0c, 0x84)
	m.Mtime = in.time(c, 0x10, 0x88)
	if in.has(0x98) && c.Seek(0x90).U32() != 0 {
		m.Crtime = in.time(c, 0x90, 0x94)
	}
	if m.Type == filesystem.CharDevice || m.Type == filesystem.BlockDevice {
		m.Rdev = device(c.Seek(iBlockAt).U32(), c.U32())
	}
	return m
}

// state tells the deleted from the orphans, in whose i_dtime the list is chained.
func (f *FS) state(in *inode, m *filesystem.Meta) {
	if in.links != 0 {
		return
	}
	m.State = filesystem.Deleted
	if f.isOrphan(in.number) {
		m.State = filesystem.Orphan
	} else if in.dtime != 0 {
		m.Dtime = evidence.Time{Sec: int64(in.dtime), Step: time.Second}
	}
}

func metaFlags(flags uint32) (m uint32) {
	for _, x := range [...]struct{ on, gives uint32 }{{flagImmutable, filesystem.Immutable}, {flagAppend, filesystem.AppendOnly},
		{flagEncrypt, filesystem.Encrypted}, {flagInline, filesystem.InlineData}} {
		if flags&x.on != 0 {
			m |= x.gives
		}
	}
	return m
}

// has tells whether the record's fields up to end are in use.
func (in *inode) has(end int) bool { return end <= oldInodeSize+in.extra }

// time decodes a time: signed seconds, and where the record is long enough two more
// bits of seconds and 30 of nanoseconds (ext4_decode_extra_time).
func (in *inode) time(c *bin.Cursor, at, extra int) evidence.Time {
	t := evidence.Time{Sec: int64(int32(c.Seek(at).U32())), Step: time.Second}
	if !in.has(extra + 4) {
		return t
	}
	x := c.Seek(extra).U32()
	t.Sec += int64(x&3) << 32
	if ns := x >> 2; ns < 1e9 {
		t.Nsec, t.Step = int32(ns), 1
	} else {
		in.doubt("has %d nanoseconds", ns)
	}
	return t
}

// device gives a device number as makedev(3) packs it, from the old 16-bit or the new
// 32-bit form on disk (old_decode_dev, new_decode_dev in include/linux/kdev_t.h).
func device(old, now uint32) uint64 {
	major, minor := uint64(old>>8&0xff), uint64(old&0xff)
	if old == 0 {
		major, minor = uint64(now>>8&0xfff), uint64(now&0xff|now>>12&0xfff00)
	}
	return major&0xfff<<8 | major>>12<<44 | minor&0xff | minor>>8<<20
}
