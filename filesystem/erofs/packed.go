package erofs

import (
	"encoding/binary"
	"fmt"

	"github.com/pierrec/lz4/v4"

	"telltale/filesystem"
	"telltale/internal/guard"
)

// The head of a packed file's map (struct z_erofs_map_header) and its advice.
const (
	mapHead = 8 // bytes

	adviseCompact2B  = 0x01
	adviseBig1       = 0x02
	adviseBig2       = 0x04
	adviseInline     = 0x08
	adviseInterlaced = 0x10
	adviseFragment   = 0x20
	fragmentInode    = 0x80 // of the cluster bits: the whole file lies in another

	lz4Packing = 0

	clusterPlain   = 0 // Z_EROFS_LCLUSTER_TYPE_PLAIN ...
	clusterHead1   = 1
	clusterNonhead = 2
	clusterHead2   = 3

	blockCount = 1 << 11 // of a nonhead's distance: it is the number of packed blocks instead
	maxPacked  = 1 << 20 // bytes of one packed piece (Z_EROFS_PCLUSTER_MAX_SIZE)
	maxUnpack  = 12 << 20
)

var packings = [...]string{"lz4", "lzma", "deflate", "zstd"}

// cluster is what the indexes say of one logical cluster.
type cluster struct {
	kind  uint16
	lo    uint32 // offset within the cluster where a piece begins; of a nonhead: a distance or a count
	block uint32
}

// packed reads the indexes of a packed file. A piece begins where a head says and goes on to the next.
func (f *FS) packed(m *contentMap, in *inode) error {
	var h [mapHead]byte
	at := (in.behind + 7) &^ 7
	if err := f.readAt(h[:], at); err != nil {
		return err
	}
	advise, algorithm, bits := binary.LittleEndian.Uint16(h[4:]), h[6], uint(h[7])
	switch {
	case bits&fragmentInode != 0 || advise&adviseFragment != 0:
		return fmt.Errorf("inode %d lies in fragments: %w", in.meta.Inode, filesystem.ErrNotSupported)
	case advise&adviseInline != 0:
		return fmt.Errorf("inode %d has its end packed with its indexes: %w", in.meta.Inode, filesystem.ErrNotSupported)
	case algorithm != lz4Packing:
		return fmt.Errorf("inode %d is packed by %s: %w", in.meta.Inode, packing(algorithm&15, algorithm>>4), filesystem.ErrNotSupported)
	case f.features&zeroPadding == 0:
		return fmt.Errorf("inode %d is packed by lz4 without padding: %w", in.meta.Inode, filesystem.ErrNotSupported)
	case bits&^7 != 0 || f.bits+bits&7 > 14:
		return damage(at, mapHead, "map of clusters of 2^%d blocks", bits)
	}
	lbits := f.bits + bits&7
	n := m.size >> lbits
	if m.size&(1<<lbits-1) != 0 {
		n++
	}
	if n > maxPieces {
		return damage(in.meta.Ref.Off, in.meta.Ref.Len, "packed file of %d clusters", n)
	}
	cs := &clusters{f: f, at: at + mapHead, n: n, lbits: lbits, big: advise&(adviseBig1|adviseBig2) != 0}
	var list []cluster
	var err error
	if in.layout == compressedFull {
		list, err = cs.full()
	} else {
		list, err = cs.compact(advise&adviseCompact2B != 0)
	}
	if err != nil {
		return err
	}
	return f.join(m, in, list, lbits, advise)
}

func packing(a ...uint8) string {
	s := ""
	for _, x := range a {
		if s += "+"; int(x) < len(packings) {
			s += packings[x]
		} else {
			s += fmt.Sprint(x)
		}
	}
	return s[1:]
}

// join makes pieces of clusters.
func (f *FS) join(m *contentMap, in *inode, list []cluster, lbits uint, advise uint16) error {
	r := in.meta.Ref
	for i := 0; i < len(list); {
		c := list[i]
		if c.kind == clusterNonhead {
			return damage(r.Off, r.Len, "packed cluster %d belongs to none", i)
		}
		p := piece{logical: int64(i)<<lbits + int64(c.lo), at: int64(c.block) << f.bits, stored: f.block}
		j := i + 1
		for ; j < len(list) && list[j].kind == clusterNonhead; j++ {
			if j == i+1 && list[j].lo&blockCount != 0 && advise&(adviseBig1|adviseBig2) != 0 {
				p.stored = int64(list[j].lo&^blockCount) << f.bits
			}
		}
		end := m.size
		if j < len(list) {
			end = int64(j)<<lbits + int64(list[j].lo)
		}
		if p.length = end - p.logical; p.length == 0 && j == len(list) && i > 0 {
			return nil // the last cluster may hold nothing but the end of the piece before
		}
		if n := len(m.pieces); n == 0 && p.logical != 0 || p.length <= 0 || p.length > maxUnpack || p.stored > maxPacked || p.at > f.size-p.stored {
			return damage(r.Off, r.Len, "packed piece of %d bytes at %d, stored as %d at %d", p.length, p.logical, p.stored, p.at)
		}
		if c.kind == clusterPlain {
			if p.length > p.stored || advise&adviseInterlaced != 0 && p.logical%f.block != 0 {
				return damage(r.Off, r.Len, "plain piece of %d bytes at %d", p.length, p.logical)
			}
			p.stored = 0
		}
		m.pieces = append(m.pieces, p)
		i = j
	}
	return nil
}

// unpack gives a packed piece whole, which must not be changed.
func (f *FS) unpack(p *piece) ([]byte, error) {
	if b, ok := f.blocks.Get(p.at); ok && int64(len(b)) == p.length {
		return b, nil
	}
	raw := make([]byte, p.stored)
	if err := f.readAt(raw, p.at); err != nil {
		return nil, err
	}
	for len(raw) > 0 && raw[0] == 0 { // it stands at the end of its blocks, zeros before
		raw = raw[1:]
	}
	out := make([]byte, p.length)
	n := 0
	err := guard.Run("unpack an erofs piece", func() (err error) {
		n, err = lz4.UncompressBlock(raw, out)
		return err
	})
	if err == nil && n != len(out) {
		err = fmt.Errorf("%d bytes of %d", n, len(out))
	}
	if err != nil {
		return nil, damage(p.at, p.stored, "lz4: %v", err)
	}
	f.blocks.Put(p.at, out, len(out))
	return out, nil
}
