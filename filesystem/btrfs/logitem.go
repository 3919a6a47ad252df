package btrfs

import (
	"encoding/binary"
	"sort"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// Where fields lie in an inode item and a file extent item.
const (
	inodeSizeAt    = 16
	inodeLinksAt   = 40
	extentOffsetAt = 37
	extentNumAt    = 45
)

func cursorOf(it item) *bin.Cursor { return bin.Little(it.data) }

// patched gives a copy of an item with one field changed.
func patched(it item, at int, v uint64) item {
	b := append([]byte{}, it.data...)
	if at <= len(b)-8 {
		binary.LittleEndian.PutUint64(b[at:], v)
	}
	it.data = b
	return it
}

// cutAround gives what of an extent item is not covered by newer ones.
func cutAround(it item, newer []item, sector int64) []item {
	old, err := readSegment(it)
	if err != nil {
		return []item{it} // told when it is read
	}
	left := []run{{old.off, old.off + old.length}}
	for _, n := range newer {
		s, err := readSegment(n)
		if err != nil {
			continue
		}
		end := s.off + s.length
		if s.kind == extentInline || old.kind == extentInline {
			end = max(end, s.off+sector) // inline content has the whole block
		}
		var rest []run
		for _, r := range left {
			if r.from < min(r.end, s.off) {
				rest = append(rest, run{r.from, min(r.end, s.off)})
			}
			if max(r.from, end) < r.end {
				rest = append(rest, run{max(r.from, end), r.end})
			}
		}
		left = rest
	}
	var list []item
	for _, r := range left {
		if old.kind == extentInline {
			if r.from == old.off && r.end == old.off+old.length {
				list = append(list, it)
			}
			continue
		}
		cut := patched(it, extentOffsetAt, uint64(old.skip+r.from-old.off))
		cut = patched(cut, extentNumAt, uint64(r.end-r.from))
		cut.offset = uint64(r.from)
		list = append(list, cut)
	}
	return list
}

// items gives an object's items after the merge, none if it lost its last name.
func (o *object) items(n uint64) []item {
	if o.known && o.named && len(o.names) == 0 && n != firstFree {
		return nil
	}
	list := append([]item(nil), o.other...)
	if o.known {
		list = append(list, o.finished())
	}
	for i, x := range o.names {
		b := binary.LittleEndian.AppendUint64(nil, x.parent)
		b = binary.LittleEndian.AppendUint64(b, x.index)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(x.name)))
		list = append(list, item{key: key{n, kindExtRef, uint64(i)}, data: append(b, x.name...), at: -1})
	}
	for s, l := range o.entries {
		b := binary.LittleEndian.AppendUint64(nil, l.to.object)
		b = append(b, l.to.kind)
		b = binary.LittleEndian.AppendUint64(b, l.to.offset)
		b = binary.LittleEndian.AppendUint64(b, 0)
		b = binary.LittleEndian.AppendUint16(b, 0)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, l.kind)
		list = append(list, item{key: key{n, kindDirIndex, l.index}, data: append(b, s...), at: -1})
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].key.less(list[j].key) })
	return list
}

// finished gives the inode item with what follows from the names: how many there are,
// and a directory's size, which counts every name twice.
func (o *object) finished() item {
	it := o.inode
	if o.in.fileType() == filesystem.Directory {
		size := uint64(0)
		for s := range o.entries {
			size += 2 * uint64(len(s))
		}
		return patched(it, inodeSizeAt, size)
	}
	if !o.named {
		return it
	}
	high := uint64(o.in.uid)<<32 | uint64(uint32(len(o.names)))
	return patched(it, inodeLinksAt, high)
}
