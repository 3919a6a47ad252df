package squashfs

import (
	"fmt"
	"io"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// The length of a block of content, as lists and the table of fragments have it.
const (
	dataUnpacked = 1 << 24
	dataLength   = dataUnpacked - 1

	maxBlocks = 8 << 20 // of one file: 1 TiB at the common block size
)

// contentMap is where a file's content lies: whole blocks one behind the other, then perhaps a piece of a fragment.
type contentMap struct {
	size     int64
	at       []int64  // of each block
	length   []uint32 // as stored; 0: a hole
	tail     int64    // bytes in the fragment
	fragment uint32
	offset   int64 // in the unpacked fragment
}

func (f *FS) mapOf(n filesystem.Inode) (*contentMap, error) {
	if m, ok := f.maps.Get(n); ok {
		return m, nil
	}
	in, err := f.inode(n)
	if in == nil {
		return nil, err
	}
	if in.meta.Type != filesystem.Regular {
		return nil, fmt.Errorf("inode %d is no regular file: %w", n, filesystem.ErrNotSupported)
	}
	m := &contentMap{size: in.meta.Size, fragment: in.fragment, offset: int64(in.offset)}
	bs := int64(f.sb.blockSize)
	blocks := m.size / bs
	if in.fragment != noFragment {
		m.tail = m.size % bs
	} else if m.size%bs != 0 {
		blocks++
	}
	r := in.meta.Ref
	if blocks > maxBlocks {
		return nil, damage(r.Off, r.Len, "file of %d blocks, more than are read", blocks)
	}
	at := in.start
	for range blocks { // appended, not made: the number is the image's word
		l := in.rest.u32()
		if in.rest.err != nil {
			return nil, in.rest.err
		}
		if l&dataLength > f.sb.blockSize || uint64(l&dataLength) > uint64(f.size) || at > uint64(f.size)-uint64(l&dataLength) {
			return nil, damage(r.Off, r.Len, "block of %d bytes at %d of a file lies beyond the end at %d", l&dataLength, at, f.size)
		}
		m.at, m.length = append(m.at, int64(at)), append(m.length, l)
		at += uint64(l & dataLength)
	}
	f.maps.Put(n, m, 64+12*len(m.at))
	return m, nil
}

// ReadAt reads a file's content.
func (f *FS) ReadAt(n filesystem.Inode, p []byte, off int64) (int, error) {
	m, err := f.mapOf(n)
	if err != nil {
		return 0, err
	}
	if off < 0 || off >= m.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > m.size-off {
		p, end = p[:m.size-off], io.EOF
	}
	done := 0
	for done < len(p) {
		k, err := f.piece(m, p[done:], off+int64(done))
		done += k
		if err != nil {
			return done, err
		}
	}
	return done, end
}

// piece reads what one block has of p.
func (f *FS) piece(m *contentMap, p []byte, off int64) (int, error) {
	bs := int64(f.sb.blockSize)
	i, within := off/bs, off%bs
	if i >= int64(len(m.at)) {
		b, err := f.tailOf(m)
		if err != nil {
			return 0, err
		}
		return copy(p, b[within:]), nil
	}
	have := min(bs, m.size-i*bs)
	p = p[:min(int64(len(p)), have-within)]
	l := m.length[i]
	switch {
	case l&dataLength == 0:
		clear(p)
	case l&dataUnpacked != 0:
		if int64(l&dataLength) < have {
			return 0, damage(m.at[i], int64(l&dataLength), "block of %d bytes where there should be %d", l&dataLength, have)
		}
		return len(p), f.readAt(p, m.at[i]+within)
	default:
		b, err := f.block(m.at[i], l)
		if err != nil {
			return 0, err
		}
		if int64(len(b)) < have {
			return 0, damage(m.at[i], int64(l), "block unpacks to %d bytes where there should be %d", len(b), have)
		}
		copy(p, b[within:])
	}
	return len(p), nil
}

// fragmentAt tells where a file's fragment lies, and its length as stored.
func (f *FS) fragmentAt(m *contentMap) (int64, uint32, error) {
	if m.fragment >= f.sb.fragments {
		return 0, 0, damage(0, 0, "fragment %d of %d", m.fragment, f.sb.fragments)
	}
	t, err := f.tableBlock(f.sb.fragTable, int(m.fragment/fragsPerBlock))
	if err != nil {
		return 0, 0, err
	}
	c := bin.Little(t).Seek(int(m.fragment%fragsPerBlock) * fragEntrySize)
	at, l := c.U64(), c.U32()
	if c.Err() != nil || at > uint64(f.size) || l&dataLength > f.sb.blockSize {
		return 0, 0, damage(0, 0, "fragment %d of %d bytes at %d", m.fragment, l&dataLength, at)
	}
	return int64(at), l, nil
}

// tailOf gives a file's piece of a fragment.
func (f *FS) tailOf(m *contentMap) ([]byte, error) {
	at, l, err := f.fragmentAt(m)
	if err != nil {
		return nil, err
	}
	b, err := f.block(at, l)
	if err != nil {
		return nil, err
	}
	if m.offset > int64(len(b)) || m.tail > int64(len(b))-m.offset {
		return nil, damage(at, 0, "%d bytes at %d of a fragment of %d bytes", m.tail, m.offset, len(b))
	}
	return b[m.offset : m.offset+m.tail], nil
}

// block gives a block of content unpacked, which must not be changed.
func (f *FS) block(at int64, l uint32) ([]byte, error) {
	if b, ok := f.blocks.Get(at); ok {
		return b, nil
	}
	raw := make([]byte, l&dataLength)
	if err := f.readAt(raw, at); err != nil {
		return nil, err
	}
	if l&dataUnpacked == 0 {
		out := make([]byte, f.sb.blockSize)
		n, err := f.pack.unpack(out, raw)
		if err != nil {
			return nil, damage(at, int64(len(raw)), "packed block: %v", err)
		}
		raw = out[:n]
	}
	f.blocks.Put(at, raw, cap(raw))
	return raw, nil
}

// Extents tells where a file's content lies. Of packed blocks it is where the packed bytes begin.
func (f *FS) Extents(n filesystem.Inode) (list []filesystem.Extent, err error) {
	in, err := f.inode(n)
	if in == nil {
		return nil, err
	}
	if in.meta.Type != filesystem.Regular {
		return nil, nil
	}
	m, err := f.mapOf(n)
	if err != nil {
		return nil, err
	}
	bs := int64(f.sb.blockSize)
	for i, l := range m.length {
		e := filesystem.Extent{Logical: int64(i) * bs, Physical: m.at[i], Length: min(bs, m.size-int64(i)*bs)}
		if l&dataLength == 0 {
			e.Physical = -1
		}
		if k := len(list) - 1; k >= 0 {
			last := &list[k]
			plain := l&dataUnpacked != 0 && m.length[i-1]&dataUnpacked != 0 && last.Physical+last.Length == e.Physical
			if plain || last.Physical < 0 && e.Physical < 0 {
				last.Length += e.Length
				continue
			}
		}
		list = append(list, e)
	}
	if m.tail > 0 {
		at, l, err := f.fragmentAt(m)
		if err != nil {
			return list, err
		}
		if l&dataUnpacked != 0 {
			at += m.offset
		}
		list = append(list, filesystem.Extent{Logical: m.size - m.tail, Physical: at, Length: m.tail})
	}
	return list, nil
}
