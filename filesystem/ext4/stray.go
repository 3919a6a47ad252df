package ext4

import (
	"context"
	"fmt"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/holes"
)

// A file in more pieces than its inode has room for keeps its map in blocks of its own. When it is deleted the kernel empties the map in
// memory and gives the blocks away without writing them: what lies there is the map as it was, for as long as nobody takes the block. So files
// come back that were deleted long before the journal's span. Which inode it was is told by the block's checksum, which is made with the
// inode's number and generation; both stay in the freed inode.

// Bounds of the search.
const (
	maxStray      = 100_000 // blocks that are taken
	maxFreedTried = 200_000 // freed inodes that are kept to be tried
	maxTries      = 2 << 20 // checksums that are computed for them
	strayWindow   = 1 << 20 // bytes read at once
)

// freed is an inode that was given back.
type freed struct {
	number, generation, dtime uint32
	mode                      uint16
	uid, gid                  uint32
}

// stray gives the files whose extent blocks lie in free space, unless a file that was found otherwise has their content.
func (u *undeleter) stray(ctx context.Context, yield func(filesystem.Recovered, error) bool) bool {
	f := u.f
	if f.sb.incompat&incompatExtents == 0 {
		return true
	}
	size := int(f.blockSize)
	buf := make([]byte, max(strayWindow, size))
	found, tries := 0, 0
	for e, err := range f.FreeSpace(ctx) {
		if err != nil {
			if !yield(filesystem.Recovered{}, err) {
				return false
			}
			continue
		}
		for off := int64(0); off < e.Length; off += int64(len(buf)) {
			if ctx.Err() != nil {
				return yield(filesystem.Recovered{}, ctx.Err())
			}
			if next := holes.Next(f.src, e.Physical+off) - e.Physical; next > off { // nothing was ever written there
				if off = next / f.blockSize * f.blockSize; off >= e.Length {
					break
				}
			}
			b := buf[:min(int64(len(buf)), e.Length-off)]
			if f.readAt(b, e.Physical+off) != nil {
				continue
			}
			for k := 0; k+size <= len(b); k += size {
				if b[k] != 0x0a || b[k+1] != 0xf3 {
					continue
				}
				block := (e.Physical + off + int64(k)) / f.blockSize
				m, ok := f.strayLeaf(b[k:k+size], block)
				if !ok || u.claimed(m) {
					continue
				}
				if found++; found > maxStray {
					return true
				}
				if !yield(u.strayFile(m, b[k:k+size], block, &tries), nil) {
					return false
				}
			}
		}
	}
	return true
}

// strayLeaf reads a block as a leaf of an extent tree; every field must fit.
func (f *FS) strayLeaf(b []byte, block int64) (*blockMap, bool) {
	c := bin.Little(b)
	magic, count, most, depth := c.U16(), int(c.U16()), int(c.U16()), c.U16()
	if magic != extentMagic || depth != 0 || count == 0 || count > most || most != (len(b)-extentSize)/extentSize {
		return nil, false
	}
	m := &blockMap{}
	at := int64(-1)
	for i := range count {
		c.Seek((i + 1) * extentSize)
		r := run{first: c.U32()}
		n := int64(c.U16())
		high, low := int64(c.U16()), int64(c.U32())
		r.phys = high<<32 | low
		if n > maxExtentCount {
			n, r.phys = n-maxExtentCount, unwritten
		}
		r.count = uint32(n)
		if n == 0 || int64(r.first) < at || r.phys == 0 || r.phys > f.blocks-n || r.phys >= 0 && block >= r.phys && block < r.phys+n {
			return nil, false
		}
		at = r.end()
		m.runs = append(m.runs, r)
	}
	return m, at > 0
}

// claimed tells whether a file that was found otherwise has the map's first block.
func (u *undeleter) claimed(m *blockMap) bool {
	for _, r := range m.runs {
		if r.phys < 0 {
			continue
		}
		const per = 32 << 10
		g, bit := uint64(r.phys/per), r.phys%per
		return u.claims[g] != nil && u.claims[g][bit/8]&(1<<(bit%8)) != 0
	}
	return true // nothing was ever written
}

func (u *undeleter) strayFile(m *blockMap, b []byte, block int64, tries *int) filesystem.Recovered {
	last := m.runs[len(m.runs)-1].end()
	in := &inode{raw: make([]byte, u.f.sb.inodeSize), size: last * u.f.blockSize, mode: 8 << 12}
	r := filesystem.Recovered{From: fmt.Sprintf("extent block %d in free space; the size is that of its blocks", block), Content: &oldFile{f: u.f, in: in, m: m},
		Meta: filesystem.Meta{Type: filesystem.Regular, Size: in.size, State: filesystem.Deleted, Ref: evidence.Ref{Off: block * u.f.blockSize, Len: u.f.blockSize}}}
	l := &life{}
	if x, ok := u.whose(b, tries); ok {
		in.number = x.number
		r.Meta.Inode, r.Meta.Mode, r.Meta.UID, r.Meta.GID = filesystem.Inode(x.number), x.mode&0o7777, x.uid, x.gid
		r.Meta.Dtime = evidence.Time{Sec: int64(x.dtime), Step: time.Second}
		r.After, r.Before = r.Meta.Dtime, r.Meta.Dtime.Add(time.Second)
		l.number = x.number
	}
	r.Extents = m.extents(in.size, u.f.blockSize)
	u.count(l, m, &r)
	return r
}

// whose finds the freed inode that a block's checksum was made with.
func (u *undeleter) whose(b []byte, tries *int) (freed, bool) {
	if u.f.sb.ro&roMetadataCsum == 0 {
		return freed{}, false
	}
	tail := ((len(b)-extentSize)/extentSize + 1) * extentSize
	c := bin.Little(b).Seek(tail)
	want := c.U32()
	if c.Err() != nil {
		return freed{}, false
	}
	for i := len(u.freed) - 1; i >= 0 && *tries < maxTries; i-- {
		x := u.freed[i]
		*tries++
		if crc32c(crc32c32(crc32c32(u.f.sb.seed, x.number), x.generation), b[:tail]) == want {
			return x, true
		}
	}
	return freed{}, false
}
