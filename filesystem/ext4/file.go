package ext4

import (
	"fmt"
	"io"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// maxSymlink is the longest target that is given; PATH_MAX is 4096.
const maxSymlink = 64 << 10 // bytes

// ReadAt reads a file's content, as io.ReaderAt does. Holes and runs never written
// read as zeros. Where content cannot be had it gives what stands before, and an
// *evidence.Damage.
func (f *FS) ReadAt(n filesystem.Inode, p []byte, off int64) (int, error) {
	in, err := f.inode(n)
	if err != nil {
		return 0, err
	}
	if in.flags&flagEncrypt != 0 && in.fileType() != filesystem.Directory {
		return 0, fmt.Errorf("inode %d: content: %w", n, filesystem.ErrEncrypted)
	}
	return f.content(&in, p, off)
}

func (f *FS) content(in *inode, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("inode %d: read at offset %d", in.number, off)
	}
	if off >= in.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > in.size-off {
		p, end = p[:in.size-off], io.EOF
	}
	if data, ok := f.inCore(in); ok {
		n := 0
		if off < int64(len(data)) {
			n = copy(p, data[off:])
		}
		if n < len(p) {
			return n, damage(in.off, len(in.raw), "inode %d: has %d bytes of content in itself, not %d", in.number, len(data), in.size)
		}
		return n, end
	}
	n, err := f.readRuns(in, f.mapOf(in), p, off)
	if err != nil {
		return n, err
	}
	return n, end
}

// readRuns reads with one request for each run.
func (f *FS) readRuns(in *inode, m *blockMap, p []byte, off int64) (int, error) {
	i := m.find(off / f.blockSize)
	for n := 0; n < len(p); {
		at := off + int64(n)
		rest := p[n:]
		if i < len(m.runs) {
			if start := int64(m.runs[i].first) * f.blockSize; at < start { // a hole before it
				rest = rest[:min(int64(len(rest)), start-at)]
			} else {
				r := m.runs[i]
				i++
				rest = rest[:min(int64(len(rest)), r.end()*f.blockSize-at)]
				if r.phys == unreadable {
					return n, m.damage
				}
				if r.phys >= 0 {
					if err := f.readAt(rest, r.phys*f.blockSize+at-start); err != nil {
						return n, fmt.Errorf("inode %d: %w", in.number, err)
					}
					n += len(rest)
					continue
				}
			}
		}
		clear(rest)
		n += len(rest)
	}
	return len(p), nil
}

// inCore gives content that lies in the inode itself: a short symlink's target, or
// inline data.
func (f *FS) inCore(in *inode) ([]byte, bool) {
	if in.flags&flagInline != 0 {
		head, tail := f.inline(in)
		if len(tail) == 0 {
			return head, true
		}
		return append(head[:len(head):len(head)], tail...), true
	}
	if in.fast() {
		return in.iblock()[:in.size], true
	}
	return nil, false
}

// fast tells whether a symlink's target stands in i_block. Some tools have left the
// extents flag on such inodes.
func (in *inode) fast() bool {
	return in.fileType() == filesystem.Symlink && in.size < iBlockSize &&
		(in.flags&flagExtents == 0 || bin.Little(in.iblock()).U16() != extentMagic)
}

// Readlink gives a symlink's target.
func (f *FS) Readlink(n filesystem.Inode) ([]byte, error) {
	in, err := f.inode(n)
	if err != nil {
		return nil, err
	}
	if in.fileType() != filesystem.Symlink {
		return nil, fmt.Errorf("inode %d is no symlink: %w", n, filesystem.ErrNotSupported)
	}
	if in.flags&flagEncrypt != 0 {
		return nil, fmt.Errorf("inode %d: symlink: %w", n, filesystem.ErrEncrypted)
	}
	if in.size > maxSymlink {
		return nil, damage(in.off, len(in.raw), "inode %d: symlink of %d bytes", n, in.size)
	}
	target := make([]byte, in.size)
	got, err := f.content(&in, target, 0)
	if err == io.EOF {
		err = nil
	}
	return target[:got], err
}

// Extents gives where a file's content lies, up to its size, holes included. Where
// the block map is damaged it gives what could be read, with the damage; runs that
// could not be read are left out, so that they are not taken for holes.
func (f *FS) Extents(n filesystem.Inode) ([]filesystem.Extent, error) {
	in, err := f.inode(n)
	if err != nil {
		return nil, err
	}
	if in.flags&flagInline != 0 || in.fast() {
		return f.inCoreExtents(&in), nil
	}
	m := f.mapOf(&in)
	list := m.extents(in.size, f.blockSize)
	if m.damage != nil {
		return list, m.damage
	}
	return list, nil
}

// extents gives the runs up to a size in bytes, holes included.
func (m *blockMap) extents(size, blockSize int64) (list []filesystem.Extent) {
	at := int64(0)
	for _, r := range m.runs {
		start := min(int64(r.first)*blockSize, size)
		end := min(r.end()*blockSize, size)
		if at < start {
			list = append(list, filesystem.Extent{Logical: at, Physical: -1, Length: start - at})
		}
		at = end
		if r.phys == unreadable || start == end {
			continue
		}
		e := filesystem.Extent{Logical: start, Physical: -1, Length: end - start}
		if r.phys >= 0 {
			e.Physical = r.phys * blockSize
		}
		list = append(list, e)
	}
	if at < size {
		list = append(list, filesystem.Extent{Logical: at, Physical: -1, Length: size - at})
	}
	return list
}

func (f *FS) inCoreExtents(in *inode) []filesystem.Extent {
	head := min(in.size, iBlockSize)
	if head == 0 {
		return nil
	}
	list := []filesystem.Extent{{Physical: in.off + iBlockAt, Length: head}}
	if in.flags&flagInline != 0 && in.size > head {
		if off, tail := f.inlineTail(in); len(tail) > 0 {
			list = append(list, filesystem.Extent{Logical: head, Physical: in.off + int64(off), Length: min(int64(len(tail)), in.size-head)})
		}
	}
	return list
}
