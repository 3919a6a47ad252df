package erofs

import (
	"encoding/binary"
)

// clusters reads the indexes of a packed file.
type clusters struct {
	f     *FS
	at    int64 // of the indexes
	n     int64
	lbits uint
	big   bool // packed pieces of several blocks
}

// full reads indexes of eight bytes (struct z_erofs_lcluster_index); eight more stand before them.
func (c *clusters) full() ([]cluster, error) {
	const size, reserved = 8, 8
	b, err := c.read(c.at+reserved, c.n*size)
	if err != nil {
		return nil, err
	}
	out := make([]cluster, c.n)
	for i := range out {
		e := b[i*size:]
		out[i] = cluster{kind: binary.LittleEndian.Uint16(e) & 3, lo: uint32(binary.LittleEndian.Uint16(e[2:])), block: binary.LittleEndian.Uint32(e[4:])}
		if out[i].kind == clusterNonhead {
			out[i].lo = uint32(binary.LittleEndian.Uint16(e[4:]))
		}
	}
	return out, nil
}

func (c *clusters) read(at, n int64) ([]byte, error) {
	if at > c.f.size || n > c.f.size-at {
		return nil, damage(0, 0, "%d bytes of indexes at %d lie beyond the end of the source at %d", n, at, c.f.size)
	}
	b := make([]byte, n)
	return b, c.f.readAt(b, at)
}

// compact reads indexes in packs: two in eight bytes up to the next 32 bytes, then, where they are used, sixteen in 32,
// then two in eight again. A pack ends with the number of a block, from which those of its heads are counted.
func (c *clusters) compact(small bool) (out []cluster, err error) {
	const pair, pack = 8, 32
	first := min((pack-c.at%pack)%pack/4, c.n)
	middle := int64(0)
	if small && first < c.n {
		middle = (c.n - first) / 16 * 16
	}
	at := c.at
	for _, part := range []struct{ n, each, bytes int64 }{{first, 2, pair}, {middle, 16, pack}, {c.n - first - middle, 2, pair}} {
		packs := (part.n + part.each - 1) / part.each
		b, err := c.read(at, packs*part.bytes)
		if err != nil {
			return nil, err
		}
		at += packs * part.bytes
		for i := range packs {
			out = append(out, c.pack(b[i*part.bytes:(i+1)*part.bytes], int(min(part.each, part.n-i*part.each)), int(part.each))...)
		}
	}
	return out, nil
}

// pack takes one apart.
func (c *clusters) pack(b []byte, n, each int) []cluster {
	width := (len(b) - 4) * 8 / each
	lobits := max(c.lbits, 12)
	out := make([]cluster, n)
	base := binary.LittleEndian.Uint32(b[len(b)-4:])
	blocks := uint32(0) // that the pieces before take
	for i := range out {
		pos := i * width
		var word [4]byte
		copy(word[:], b[pos/8:])
		v := binary.LittleEndian.Uint32(word[:]) >> (pos & 7)
		x := &out[i]
		x.lo, x.kind = v&(1<<lobits-1), uint16(v>>lobits&3)
		switch {
		case x.kind != clusterNonhead:
			if !c.big {
				blocks++
			}
			x.block = base + blocks
			if c.big {
				blocks++
			}
		case c.big && x.lo&blockCount != 0:
			blocks += x.lo &^ blockCount
			if i > 0 {
				blocks-- // its head was counted as one
			}
		}
	}
	return out
}
