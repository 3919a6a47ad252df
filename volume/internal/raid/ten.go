package raid

import "fmt"

// Bits of the layout of level 10 (setup_geo of raid10.c): copies near each other, far from each other,
// and how far: a chunk (offset) or a part of the member.
const (
	tenFarShift  = 8
	tenOffset    = 1 << 16
	tenSetsShift = 17
	tenKnown     = 1<<19 - 1
)

type ten struct {
	near, far int64 // copies
	set       int64 // legs among which far copies are dealt
	stride    int64 // bytes between far copies
	offset    bool
	chunk     int64
	legs      []Leg
}

// Ten is md's level 10, of which legSize bytes of each leg are used.
func Ten(name string, legs []Leg, chunk int64, layout uint32, legSize int64) (*Array, error) {
	if err := check(legs, chunk, legSize); err != nil {
		return nil, err
	}
	n := int64(len(legs))
	g := ten{near: int64(layout & 0xff), far: int64(layout >> tenFarShift & 0xff), offset: layout&tenOffset != 0, chunk: chunk, legs: legs}
	if layout&^uint32(tenKnown) != 0 || g.near < 1 || g.far < 1 || g.near > n || g.far > n || g.near*g.far > n {
		return nil, fmt.Errorf("layout %#x of level 10 on %d members: %w", layout, n, ErrGeometry)
	}
	switch layout >> tenSetsShift {
	case 0:
		g.set = n
	case 1:
		g.set = n / g.far
	case 2:
		g.set = g.far * g.near
	default:
		return nil, fmt.Errorf("layout %#x of level 10: %w", layout, ErrGeometry)
	}
	chunks := legSize / chunk / g.far * n / g.near
	used := (chunks*g.near*g.far + n - 1) / n
	g.stride = used / g.far * chunk
	if g.offset {
		g.stride = chunk
	}
	return &Array{Size: chunks * chunk, name: name, piece: g.piece}, nil
}

func (g *ten) piece(p []byte, off int64) (int, error) {
	n := int64(len(g.legs))
	first := off / g.chunk * g.near
	dev, row := first%n, first/n
	if g.offset {
		row *= g.far
	}
	at := row*g.chunk + off%g.chunk
	var legs []Leg
	var offs []int64
	for range g.near {
		d, s := dev, at
		legs, offs = append(legs, g.legs[d]), append(offs, s)
		for range g.far - 1 {
			d, s = g.next(d), s+g.stride
			legs, offs = append(legs, g.legs[d]), append(offs, s)
		}
		if dev++; dev == n {
			dev, at = 0, at+g.chunk
		}
	}
	return anyOf(p[:min(int64(len(p)), g.chunk-off%g.chunk)], legs, offs, 0)
}

// next gives the leg of the next far copy; the legs that are left over when sets are dealt belong to the
// last set.
func (g *ten) next(d int64) int64 {
	n := int64(len(g.legs))
	start, size := d/g.set*g.set, g.set
	if last := (n/g.set - 1) * g.set; n%g.set != 0 && d+g.near > last {
		return (d+g.near-last)%(g.set+n%g.set) + last
	}
	return (d+g.near-start)%size + start
}
