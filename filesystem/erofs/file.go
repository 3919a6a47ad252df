package erofs

import (
	"encoding/binary"
	"fmt"
	"io"

	"telltale/filesystem"
)

// How chunks are mapped (struct erofs_inode_chunk_info).
const (
	chunkBits    = 0x1f // of a block's, to be added
	chunkIndexes = 0x20 // entries of eight bytes, with a device, instead of block numbers
	chunkHole    = 1<<32 - 1
	maxPieces    = 4 << 20 // of one file
)

// piece is a run of content: as it lies, a hole (at -1), or packed.
type piece struct {
	logical, length int64
	at              int64
	stored          int64 // bytes that a packed run takes; 0: not packed
}

// contentMap is where a file's content lies.
type contentMap struct {
	size   int64
	pieces []piece
}

func (m *contentMap) add(p piece) {
	if p.length <= 0 {
		return
	}
	if n := len(m.pieces); n > 0 && p.stored == 0 {
		l := &m.pieces[n-1]
		if l.stored == 0 && (l.at < 0 && p.at < 0 || l.at >= 0 && l.at+l.length == p.at) {
			l.length += p.length
			return
		}
	}
	m.pieces = append(m.pieces, p)
}

func (f *FS) mapOf(in *inode) (*contentMap, error) {
	if m, ok := f.maps.Get(in.meta.Inode); ok {
		return m, nil
	}
	m := &contentMap{size: in.meta.Size}
	var err error
	switch in.layout {
	case flatPlain:
		m.add(piece{length: m.size, at: int64(in.u) << f.bits})
	case flatInline:
		err = f.inline(m, in)
	case chunkBased:
		err = f.chunks(m, in)
	default:
		err = f.packed(m, in)
	}
	if err == nil && in.layout != compressedFull && in.layout != compressedCompact {
		for _, p := range m.pieces {
			if p.at >= 0 && (p.at > f.size || p.length > f.size-p.at) {
				err = damage(in.meta.Ref.Off, in.meta.Ref.Len, "%d bytes at %d lie beyond the end of the source at %d", p.length, p.at, f.size)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	f.maps.Put(in.meta.Inode, m, 64+32*len(m.pieces))
	return m, nil
}

// inline: whole blocks, and the rest right behind the inode, in one block with it.
func (f *FS) inline(m *contentMap, in *inode) error {
	if m.size == 0 {
		return nil
	}
	whole := (m.size - 1) >> f.bits << f.bits
	m.add(piece{length: whole, at: int64(in.u) << f.bits})
	rest := m.size - whole
	if in.behind%f.block+rest > f.block {
		return damage(in.meta.Ref.Off, in.meta.Ref.Len, "%d bytes behind an inode reach into the next block", rest)
	}
	m.pieces = append(m.pieces, piece{logical: whole, length: rest, at: in.behind})
	return nil
}

// chunks: pieces of one size, each with a block's number.
func (f *FS) chunks(m *contentMap, in *inode) error {
	r := in.meta.Ref
	if in.u&^uint32(chunkBits|chunkIndexes) != 0 {
		return fmt.Errorf("inode %d: chunks of format %#x: %w", in.meta.Inode, in.u, filesystem.ErrNotSupported)
	}
	bits := f.bits + uint(in.u&chunkBits)
	unit := int64(4)
	if in.u&chunkIndexes != 0 {
		unit = 8
	}
	at := (in.behind + unit - 1) / unit * unit
	if bits > 47 {
		return damage(r.Off, r.Len, "chunks of 2^%d bytes", bits)
	}
	n := m.size >> bits
	if m.size&(1<<bits-1) != 0 {
		n++
	}
	if at > f.size || n > (f.size-at)/unit || n > maxPieces {
		return damage(r.Off, r.Len, "%d chunks of 2^%d bytes", n, bits)
	}
	b := make([]byte, n*unit)
	if err := f.readAt(b, at); err != nil {
		return err
	}
	for i := range n {
		block := binary.LittleEndian.Uint32(b[i*unit:])
		if unit == 8 {
			block = binary.LittleEndian.Uint32(b[i*unit+4:])
			if d := binary.LittleEndian.Uint16(b[i*unit+2:]); d != 0 && block != chunkHole {
				return fmt.Errorf("inode %d lies on extra device %d: %w", in.meta.Inode, d, filesystem.ErrNotSupported)
			}
		}
		p := piece{logical: i << bits, at: int64(block) << f.bits, length: min(1<<bits, m.size-i<<bits)}
		if block == chunkHole {
			p.at = -1
		}
		m.add(p)
	}
	return nil
}

// ReadAt reads a file's content.
func (f *FS) ReadAt(n filesystem.Inode, p []byte, off int64) (int, error) {
	in, err := f.inode(n)
	if err != nil {
		return 0, err
	}
	if in.meta.Type != filesystem.Regular {
		return 0, fmt.Errorf("inode %d is no regular file: %w", n, filesystem.ErrNotSupported)
	}
	m, err := f.mapOf(in)
	if err != nil {
		return 0, err
	}
	return f.read(m, p, off)
}

func (f *FS) read(m *contentMap, p []byte, off int64) (int, error) {
	if off < 0 || off >= m.size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > m.size-off {
		p, end = p[:m.size-off], io.EOF
	}
	done := 0
	for i := m.find(off); i < len(m.pieces) && done < len(p); i++ {
		x := &m.pieces[i]
		within := off + int64(done) - x.logical
		b := p[done:]
		b = b[:min(int64(len(b)), x.length-within)]
		switch {
		case x.at < 0:
			clear(b)
		case x.stored == 0:
			if err := f.readAt(b, x.at+within); err != nil {
				return done, err
			}
		default:
			u, err := f.unpack(x)
			if err != nil {
				return done, err
			}
			copy(b, u[within:])
		}
		done += len(b)
	}
	if done < len(p) {
		return done, damage(0, 0, "content from byte %d on is nowhere", off+int64(done))
	}
	return done, end
}

// find gives the piece that holds an offset, by halves.
func (m *contentMap) find(off int64) int {
	lo, hi := 0, len(m.pieces)
	for lo < hi {
		mid := (lo + hi) / 2
		if x := &m.pieces[mid]; x.logical+x.length <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Extents tells where a file's content lies. Of packed pieces it is where the packed bytes begin.
func (f *FS) Extents(n filesystem.Inode) (list []filesystem.Extent, err error) {
	in, err := f.inode(n)
	if err != nil || in.meta.Type != filesystem.Regular {
		return nil, err
	}
	m, err := f.mapOf(in)
	if err != nil {
		return nil, err
	}
	for _, p := range m.pieces {
		list = append(list, filesystem.Extent{Logical: p.logical, Physical: p.at, Length: p.length})
	}
	return list, nil
}
