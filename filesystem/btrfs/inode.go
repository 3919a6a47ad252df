package btrfs

import (
	"errors"
	"fmt"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

const inodeSize = 160 // bytes, struct btrfs_inode_item

// Inode flags (BTRFS_INODE_*, and the read-only ones in the upper half).
const (
	inodeNoDataSum = 1 << 0
	inodeImmutable = 1 << 6
	inodeAppend    = 1 << 7
)

// inode is an inode item taken apart.
type inode struct {
	object, generation, transaction, size, bytes uint64
	links, uid, gid, mode                        uint32
	device, flags                                uint64
	atime, ctime, mtime, otime                   evidence.Time
	it                                           item
}

func readInode(it item) (in inode, err error) {
	c := bin.Little(it.data)
	in = inode{object: it.object, it: it}
	in.generation, in.transaction, in.size, in.bytes = c.U64(), c.U64(), c.U64(), c.U64()
	in.links, in.uid, in.gid, in.mode = c.Skip(8).U32(), c.U32(), c.U32(), c.U32()
	in.device, in.flags = c.U64(), c.U64()
	c.Skip(40)
	in.atime, in.ctime, in.mtime, in.otime = inodeTime(c), inodeTime(c), inodeTime(c), inodeTime(c)
	return in, c.Err()
}

// inodeTime differs from readTime: the beginning of 1970 is a time that a file can have.
func inodeTime(c *bin.Cursor) evidence.Time {
	t := evidence.Time{Sec: int64(c.U64()), Nsec: int32(c.U32()), Step: 1}
	if t.Nsec < 0 || t.Nsec >= 1e9 {
		t.Nsec = 0
	}
	return t
}

var types = [16]filesystem.Type{1: filesystem.FIFO, 2: filesystem.CharDevice, 4: filesystem.Directory,
	6: filesystem.BlockDevice, 8: filesystem.Regular, 10: filesystem.Symlink, 12: filesystem.Socket}

func (in *inode) fileType() filesystem.Type { return types[in.mode>>12&15] }

// length is the size, as far as it can be one.
func (in *inode) length() int64 { return int64(min(in.size, 1<<63-1)) }

// source gives the items of one tree, as they are live, replayed or as they once were.
// Both keys are of the same object.
type source func(from, to key) iter.Seq2[item, error]

// live gives the items of tree i in this view.
func (f *FS) live(i int) source {
	t := f.trees.list[i]
	merged := f.log.of(t.id)
	return func(from, to key) iter.Seq2[item, error] {
		if list, ok := merged[from.object]; ok {
			return between(list, from, to)
		}
		return f.items(t.pointer, from, to)
	}
}

func one(s source, k key) (item, error) {
	for it, err := range s(k, k) {
		return it, err
	}
	return item{}, fmt.Errorf("item %v: %w", k, filesystem.ErrNotExist)
}

// all gives the items of one kind.
func all(s source, object uint64, kind uint8) iter.Seq2[item, error] {
	return s(key{object, kind, 0}, key{object, kind, ^uint64(0)})
}

// inode reads an inode of this view.
func (f *FS) inode(n filesystem.Inode) (inode, source, error) {
	i, object, err := f.locate(n)
	if err != nil {
		return inode{}, nil, err
	}
	s := f.live(i)
	in, err := inodeOf(s, object)
	if err != nil {
		err = fmt.Errorf("inode %d: %w", n, err)
	}
	return in, s, err
}

func inodeOf(s source, object uint64) (inode, error) {
	it, err := one(s, key{object, kindInode, 0})
	if err != nil {
		return inode{}, err
	}
	in, err := readInode(it)
	if err != nil {
		return in, itemDamage(it, "inode item: %v", err)
	}
	return in, nil
}

func itemDamage(it item, format string, a ...any) *evidence.Damage {
	d := &evidence.Damage{Reason: fmt.Sprintf(format, a...)}
	if it.at >= 0 {
		d.Ref = evidence.Ref{Off: it.at, Len: int64(len(it.data))}
	}
	return d
}

// asDamage gives what is wrong in the family's form; what does not exist stays as it is.
func asDamage(err error) error {
	var d *evidence.Damage
	if err == nil || errors.As(err, &d) || errors.Is(err, filesystem.ErrNotExist) || errors.Is(err, filesystem.ErrEncrypted) || errors.Is(err, filesystem.ErrNotSupported) {
		return err
	}
	return &evidence.Damage{Reason: err.Error()}
}

// Stat gives what an inode item says. Where it is doubtful the Meta comes with damage.
func (f *FS) Stat(n filesystem.Inode) (filesystem.Meta, error) {
	if dir, ok := f.parentOfEmpty(n); ok {
		return f.statEmpty(n, dir)
	}
	in, s, err := f.inode(n)
	if err != nil {
		return filesystem.Meta{}, err
	}
	m := in.meta(n)
	if m.Type == filesystem.Regular && m.Size > 0 && m.Size <= f.sb.node {
		m.Flags |= inlineFlag(s, in.object)
	}
	if in.links == 0 && in.object != emptyDir {
		m.State = filesystem.Deleted
		if i, _, err := f.locate(n); err == nil && f.isOrphan(i, in.object) {
			m.State = filesystem.Orphan
		}
	}
	if m.Type == filesystem.UnknownType {
		return m, itemDamage(in.it, "inode %d: mode is %o", n, in.mode)
	}
	return m, nil
}

func (in *inode) meta(n filesystem.Inode) filesystem.Meta {
	m := filesystem.Meta{
		Inode: n, Type: in.fileType(), Mode: uint16(in.mode & 0o7777), UID: in.uid, GID: in.gid, Size: in.length(), Links: in.links,
		Mtime: in.mtime, Ctime: in.ctime, Atime: in.atime, Crtime: in.otime,
	}
	if in.it.at >= 0 {
		m.Ref = evidence.Ref{Off: in.it.at, Len: int64(len(in.it.data))}
	}
	if in.otime.Sec == 0 && in.otime.Nsec == 0 {
		m.Crtime = evidence.Time{} // of a kernel that did not keep it
	}
	if in.flags&inodeImmutable != 0 {
		m.Flags |= filesystem.Immutable
	}
	if in.flags&inodeAppend != 0 {
		m.Flags |= filesystem.AppendOnly
	}
	if m.Type == filesystem.CharDevice || m.Type == filesystem.BlockDevice {
		m.Rdev = device64(in.device)
	}
	return m
}

// device64 packs a device number as makedev(3) does; on disk it is the kernel's own
// dev_t, with 20 bits of minor number.
func device64(d uint64) uint64 {
	major, minor := d>>20, d&(1<<20-1)
	return major&0xfff<<8 | major>>12<<44 | minor&0xff | minor>>8<<20
}

// inlineFlag tells whether a file's content lies in the tree.
func inlineFlag(s source, object uint64) uint32 {
	it, err := one(s, key{object, kindExtentData, 0})
	if err == nil && len(it.data) > extentTypeAt && it.data[extentTypeAt] == extentInline {
		return filesystem.InlineData
	}
	return 0
}

// statEmpty makes what the kernel shows where a subvolume is not there (new_simple_dir).
func (f *FS) statEmpty(n, dir filesystem.Inode) (filesystem.Meta, error) {
	m, err := f.Stat(dir)
	if err != nil {
		return filesystem.Meta{}, err
	}
	return filesystem.Meta{Inode: n, Type: filesystem.Directory, Mode: 0o755, UID: m.UID, GID: m.GID, Links: 1,
		Mtime: m.Mtime, Ctime: m.Ctime, Atime: m.Atime, Ref: m.Ref}, nil
}
