// Package btrfs reads Btrfs filesystems on one device or several, damaged ones
// included. It gives the tree that the kernel mounts by default with all subvolumes
// in it, every subvolume and snapshot as a tree of its own, the view with the log of
// fsynced files replayed, and what older generations of the trees still tell of
// deleted and changed files.
//
// Inode numbers of the mounted tree are the kernel's; those of subvolumes within it
// bear the subvolume's place in a table in their upper 16 bits. A logical address is
// one of the filesystem's own address space; a physical one counts bytes of the
// devices, laid one after another in the order of their ids where there are several.
//
// It does not read zoned superblocks, the extent tree v2 and raid stripe trees.
//
// Source: btrfs documentation "On-disk format" and "Btree items"; kernel
// include/uapi/linux/btrfs_tree.h and fs/btrfs (6.12).
package btrfs

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

// FS is one view of a filesystem. It is safe for concurrent use where its sources are.
type FS struct {
	*volume
	trees *treeTable
	top   int // index of the tree that is Root's
	log   *replayedLog
}

var (
	_ filesystem.FS         = (*FS)(nil)
	_ filesystem.Xattrer    = (*FS)(nil)
	_ filesystem.Orphaner   = (*FS)(nil)
	_ filesystem.Subvolumer = (*FS)(nil)
	_ filesystem.FreeSpacer = (*FS)(nil)
	_ filesystem.Replayer   = (*FS)(nil)
)

// Format describes the member.
func Format() filesystem.Format {
	return filesystem.Format{
		Name:  "btrfs",
		Doc:   "Btrfs filesystem on one device or several",
		Probe: probe,
		Open: func(r io.ReaderAt, size int64, _ *limit.Budget) (filesystem.FS, error) {
			return opened(Open([]filesystem.Device{{ReaderAt: r, Size: size}}))
		},
		Part: part,
		Join: func(ds []filesystem.Device, _ *limit.Budget) (filesystem.FS, error) { return opened(Open(ds)) },
	}
}

// opened keeps a nil *FS from becoming an interface that is not nil.
func opened(f *FS, err error) (filesystem.FS, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func probe(head []byte) bool {
	c := bin.Little(head).Seek(int(superOffsets[0]) + superMagicAt)
	return string(c.Bytes(8)) == superMagic
}

// part gives an id that all devices of a filesystem share.
func part(head []byte) (id string, parts int) {
	b := bin.Little(head).Seek(int(superOffsets[0])).Bytes(superSize)
	if b == nil {
		return "", 1
	}
	s, err := parseSuper(b, superOffsets[0])
	if s == nil || err != nil {
		return "", 1
	}
	id = s.fsid.String()
	if s.metadata != s.fsid {
		id += "+" + s.metadata.String()
	}
	return id, int(s.devices)
}

// Open opens the filesystem that lies on the devices, of which some may be missing: what
// their copies and parity do not give is damage then. Unknown incompatible features give an
// error that names them and wraps filesystem.ErrNotSupported. It takes no budget: what it
// keeps is bounded whatever the input says (caches of about 50 MiB).
func Open(sources []filesystem.Device) (*FS, error) {
	devices, notes, err := identify(sources)
	if err != nil {
		return nil, fmt.Errorf("open btrfs: %w", err)
	}
	master := devices[0].super
	for _, d := range devices[1:] {
		if d.super.generation > master.generation && d.super.flags&superFlagSeeding == 0 || master.flags&superFlagSeeding != 0 {
			master = d.super
		}
	}
	for _, d := range devices {
		if d.super.generation != master.generation && d.super.flags&superFlagSeeding == 0 {
			notes = append(notes, fmt.Sprintf("device %d is of generation %d, the newest of %d: it was left out for a while, and what it holds may be old", d.id, d.super.generation, master.generation))
		}
	}
	f, err := open(master, devices, notes, master.root, master.chunk)
	if err == nil {
		return f, nil
	}
	sets := append([]backup(nil), master.backups[:]...)
	sort.SliceStable(sets, func(i, j int) bool { return sets[i].root.generation > sets[j].root.generation })
	for _, b := range sets {
		if b.root.at == 0 || b.root.level >= maxLevel || b.root.at == master.root.at {
			continue
		}
		note := fmt.Sprintf("the newest trees cannot be read (%v): those of generation %d are used", err, b.root.generation)
		for _, c := range []pointer{master.chunk, b.chunk} {
			if g, err := open(master, devices, append(notes, note), b.root, c); err == nil {
				return g, nil
			}
		}
	}
	return nil, fmt.Errorf("open btrfs: %w", err)
}

// identify reads the superblocks and leaves out what belongs to another filesystem or is there twice.
func identify(sources []filesystem.Device) (devices []*device, notes []string, err error) {
	for _, s := range sources {
		sb, note, e := newest(s.ReaderAt, s.Size)
		if e != nil {
			if len(sources) > 1 {
				notes = append(notes, fmt.Sprintf("device %q is left out: %v", s.Name, e))
			}
			err = e
			continue
		}
		if note != "" {
			notes = append(notes, note)
		}
		d := &device{ReaderAt: s.ReaderAt, size: s.Size, id: sb.device.id, uuid: sb.device.uuid, name: s.Name, super: sb}
		for _, o := range devices {
			if o.uuid == d.uuid {
				notes = append(notes, fmt.Sprintf("device %q is left out: %q is the same", s.Name, o.name))
				d = nil
				break
			}
		}
		if d != nil {
			devices = append(devices, d)
		}
	}
	if len(devices) == 0 {
		return nil, nil, errors.Join(err, errNoSuper)
	}
	sort.SliceStable(devices, func(i, j int) bool { return devices[i].id < devices[j].id })
	return devices, notes, nil
}

func open(sb *superblock, devices []*device, notes []string, root, chunks pointer) (*FS, error) {
	v := newVolume(sb, devices)
	v.notes = append(v.notes, notes...)
	if err := v.loadSystem(); err != nil {
		return nil, err
	}
	if err := v.loadChunks(chunks); err != nil {
		return nil, fmt.Errorf("chunk tree: %w", err)
	}
	v.root = root
	if _, err := v.node(root); err != nil {
		return nil, fmt.Errorf("root tree: %w", err)
	}
	if err := v.loadRoots(root); err != nil {
		v.note("some trees cannot be found: %v", err)
	}
	v.noteMissing()
	f := &FS{volume: v}
	f.trees = v.loadTrees()
	top, err := f.defaultTree()
	if err != nil {
		return nil, err
	}
	f.top = top
	return f, nil
}

func (v *volume) noteMissing() {
	for _, d := range v.devices {
		if want := d.super.device.total; want > uint64(d.size) {
			v.note("the source ends %d bytes before device %d does: what lies there cannot be read", want-uint64(d.size), d.id)
		}
	}
	missing := make(map[uint64]bool)
	lost := int64(0)
	for _, k := range v.chunks {
		gone := 0
		for _, s := range k.stripes {
			if v.deviceOf(s) == nil {
				missing[s.device] = true
				gone++
			}
		}
		if gone >= k.mirrors() {
			lost += k.length
		}
	}
	ids := make([]uint64, 0, len(missing))
	for id := range missing {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	if len(ids) > 0 {
		v.note("%d of %d devices are missing (ids %v): chunks of %d bytes cannot be read whole, the others from their copies or parity",
			len(ids), v.sb.devices, ids[:min(len(ids), 20)], lost)
	} else if uint64(len(v.devices)) < v.sb.devices {
		v.note("%d of %d devices are missing; nothing lies on them", v.sb.devices-uint64(len(v.devices)), v.sb.devices)
	}
	if len(v.devices) > 1 {
		for _, d := range v.devices {
			v.note("physical offsets count all devices one after another: device %d %q begins at %d", d.id, d.name, d.base)
		}
	}
}

// Root gives the root directory of the subvolume that the kernel mounts by default,
// or of the subvolume that this view is of.
func (f *FS) Root() filesystem.Inode {
	return f.number(f.top, f.trees.list[f.top].directory())
}
