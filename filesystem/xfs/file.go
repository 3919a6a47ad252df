package xfs

import (
	"fmt"
	"io"

	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	maxSymlink   = 1024       // bytes, XFS_SYMLINK_MAXLEN
	symlinkMagic = 0x58534c4d // "XSLM"
	symlinkHead  = 56         // bytes, struct xfs_dsymlink_hdr
	symlinkCRC   = 12
)

// ReadAt reads a file's content, as io.ReaderAt does. Holes and runs never written
// read as zeros. Where content cannot be had it gives what stands before, and an
// *evidence.Damage.
func (f *FS) ReadAt(n filesystem.Inode, p []byte, off int64) (int, error) {
	in, err := f.inode(n)
	if err != nil {
		return 0, err
	}
	if err := in.readable(); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, fmt.Errorf("inode %d: read at offset %d", n, off)
	}
	if off >= in.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > in.size-off {
		p, end = p[:in.size-off], io.EOF
	}
	if in.format == formatLocal {
		data := in.dataFork()
		got := 0
		if off < int64(len(data)) {
			got = copy(p, data[off:])
		}
		if got < len(p) {
			return got, damage(in.off, len(in.raw), "inode %d: has %d bytes of content in itself, not %d", n, len(data), in.size)
		}
		return got, end
	}
	got, err := f.readRuns(f.dataMap(&in), p, off)
	if err != nil {
		return got, fmt.Errorf("inode %d: %w", n, err)
	}
	return got, end
}

// readable refuses content that lies on another device.
func (in *inode) readable() error {
	if in.flags&flagRealtime != 0 && in.fileType() == filesystem.Regular {
		return fmt.Errorf("inode %d: content lies on the realtime device: %w", in.number, filesystem.ErrNotSupported)
	}
	return nil
}

// readRuns reads with one request for each run.
func (f *FS) readRuns(m *forkMap, p []byte, off int64) (int, error) {
	i := m.find(off / f.blockSize)
	for n := 0; n < len(p); {
		at := off + int64(n)
		rest := p[n:]
		if i < len(m.runs) {
			r := m.runs[i]
			if at/f.blockSize < r.first { // a hole before it
				if gap := r.first - at/f.blockSize; gap <= int64(len(rest))/f.blockSize+1 {
					rest = rest[:min(int64(len(rest)), gap*f.blockSize-at%f.blockSize)]
				}
			} else {
				i++
				within := at - r.first*f.blockSize
				rest = rest[:min(int64(len(rest)), r.count*f.blockSize-within)]
				if r.phys >= 0 {
					if err := f.readAt(rest, r.phys*f.blockSize+within); err != nil {
						return n, err
					}
				} else {
					clear(rest)
				}
				n += len(rest)
				continue
			}
		}
		if m.holey {
			return n, m.damage
		}
		clear(rest)
		n += len(rest)
	}
	return len(p), nil
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
	if in.size > maxSymlink {
		return nil, damage(in.off, len(in.raw), "inode %d: symlink of %d bytes", n, in.size)
	}
	if in.format == formatLocal {
		b := in.dataFork()
		if in.size > int64(len(b)) {
			return b, damage(in.off, len(in.raw), "inode %d: symlink of %d bytes in %d", n, in.size, len(b))
		}
		return append([]byte(nil), b[:in.size]...), nil
	}
	return f.remoteLink(&in)
}

// remoteLink reads a target that lies in blocks. In version 5 each extent begins with
// a header that says how much of the target follows.
func (f *FS) remoteLink(in *inode) ([]byte, error) {
	m := f.dataMap(in)
	var target []byte
	var doubt error
	for _, r := range m.runs {
		if r.phys < 0 || r.count*f.blockSize > 1<<17 {
			break
		}
		b := make([]byte, r.count*f.blockSize)
		at := r.phys * f.blockSize
		if err := f.readAt(b, at); err != nil {
			return target, fmt.Errorf("inode %d: symlink: %w", in.number, err)
		}
		if f.sb.v5() {
			c := bin.Big(b)
			magic, length := c.U32(), c.Skip(4).U32()
			if magic != symlinkMagic || int64(length) > int64(len(b)-symlinkHead) {
				return target, damage(at, len(b), "inode %d: no symlink block", in.number)
			}
			if !checksumOK(b, symlinkCRC) {
				f.bad.Add(symlinkStructure, at)
				doubt = damage(at, len(b), "inode %d: symlink block does not match its checksum; it is read all the same", in.number)
			}
			b = b[symlinkHead : symlinkHead+int(length)]
		}
		target = append(target, b[:min(int64(len(b)), in.size-int64(len(target)))]...)
	}
	if int64(len(target)) < in.size {
		return target, damage(in.off, len(in.raw), "inode %d: symlink of %d bytes, %d are there", in.number, in.size, len(target))
	}
	return target, doubt
}

// Extents gives where a file's content lies, up to its size, holes included. Where
// the block map is damaged it gives what could be read, with the damage; what may not
// be a hole is left out.
func (f *FS) Extents(n filesystem.Inode) ([]filesystem.Extent, error) {
	in, err := f.inode(n)
	if err != nil {
		return nil, err
	}
	if err := in.readable(); err != nil {
		return nil, err
	}
	switch in.format {
	case formatLocal:
		if length := min(in.size, int64(len(in.dataFork()))); length > 0 {
			return []filesystem.Extent{{Physical: in.off + int64(in.literal()), Length: length}}, nil
		}
		return nil, nil
	case formatDev:
		return nil, nil
	}
	m := f.dataMap(&in)
	list := f.extents(m, in.size)
	if in.fileType() == filesystem.Symlink && f.sb.v5() {
		list = behindHead(list)
	}
	if m.damage != nil {
		return list, m.damage
	}
	return list, nil
}

// behindHead moves the extents of a symlink behind the headers of version 5.
func behindHead(list []filesystem.Extent) []filesystem.Extent {
	for i := range list {
		if list[i].Physical >= 0 {
			list[i].Physical += symlinkHead
		}
	}
	return list
}

// extents cuts a map at size bytes.
func (f *FS) extents(m *forkMap, size int64) (list []filesystem.Extent) {
	hole := func(from, to int64) {
		if from < to && !m.holey {
			list = append(list, filesystem.Extent{Logical: from, Physical: -1, Length: to - from})
		}
	}
	at := int64(0)
	for _, r := range m.runs {
		if r.first > (size-1)/f.blockSize || size == 0 {
			break
		}
		start := r.first * f.blockSize
		hole(at, start)
		length := size - start
		if r.count <= length/f.blockSize {
			length = r.count * f.blockSize
		}
		e := filesystem.Extent{Logical: start, Physical: -1, Length: length}
		if r.phys >= 0 {
			e.Physical = r.phys * f.blockSize
		}
		list = append(list, e)
		at = start + length
	}
	hole(at, size)
	return list
}
