package lvm

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"telltale/internal/limit"
	"telltale/volume/internal/raid"
)

// Bounds of what one read may ask for: volumes nest, and each read of a mirror may try all its images.
const (
	maxDepth    = 24   // volumes in volumes
	maxLegs     = 256  // areas of one segment
	maxCompared = 2000 // areas of mirrors that are compared with each other
	maxTries    = 4096 // areas that one read may come to, all images of all mirrors in it counted
)

// errRefused marks what is named and not read.
var errRefused = errors.New("not supported")

// builder lays the volumes of a group over its members.
type builder struct {
	g        *group
	members  map[string]*physical // by uuid
	nodes    map[string]*node
	pools    map[string]*pool
	budget   *limit.Budget
	compared int // areas of mirrors
}

// node is a volume that was laid out, or why not.
type node struct {
	*raid.Array
	err   error
	busy  bool     // it is being laid out: asking for it again is a cycle
	tries int      // what one read of it may come to
	depth int      // volumes below it
	lacks []string // physical volumes that are missing
	notes []string
}

func (n *node) note(format string, a ...any) {
	if len(n.notes) < 20 {
		n.notes = append(n.notes, fmt.Sprintf(format, a...))
	}
}

// add takes over what a part of a volume lacks and what must be said of it.
func (n *node) add(part *node, times int) error {
	if n.depth = max(n.depth, part.depth+1); n.depth > maxDepth {
		return fmt.Errorf("it lies on %d volumes, one on the other: %w", n.depth, limit.ErrLimit)
	}
	if n.tries = max(n.tries, part.tries*times); n.tries > maxTries {
		return fmt.Errorf("mirrors and parity are nested so that one read comes to more than %d: %w", maxTries, limit.ErrLimit)
	}
	for _, l := range part.lacks {
		if !slices.Contains(n.lacks, l) && len(n.lacks) < maxLegs {
			n.lacks = append(n.lacks, l)
		}
	}
	for _, s := range part.notes {
		if !slices.Contains(n.notes, s) {
			n.note("%s", s)
		}
	}
	return nil
}

// volume lays out a volume and all that it lies on.
func (b *builder) volume(name string, depth int) *node {
	if n := b.nodes[name]; n != nil {
		if n.busy {
			return &node{err: fmt.Errorf("volume %q lies on itself", name)}
		}
		return n
	}
	n := &node{busy: true, tries: 1}
	b.nodes[name] = n
	n.err = b.fill(n, name, depth)
	n.busy = false
	return n
}

func (b *builder) fill(n *node, name string, depth int) error {
	l := b.g.lvs[name]
	if l == nil {
		return fmt.Errorf("there is no volume %q", name)
	}
	if depth > maxDepth {
		return fmt.Errorf("volume %q lies too deep: %w", name, limit.ErrLimit)
	}
	segments := slices.Clone(l.segments)
	slices.SortStableFunc(segments, func(a, b segment) int {
		switch {
		case a.start < b.start:
			return -1
		case a.start > b.start:
			return 1
		}
		return 0
	})
	var legs []raid.Leg
	var end int64 // extents
	for _, s := range segments {
		if s.start != end || s.count > maxBytes-end {
			return fmt.Errorf("volume %q: a segment begins at extent %d, the one before it ends at %d", name, s.start, end)
		}
		end += s.count
		size, err := b.g.bytes(s.count)
		if err != nil {
			return fmt.Errorf("volume %q: %w", name, err)
		}
		r, err := b.segment(n, name, s, size, depth)
		if err != nil {
			return fmt.Errorf("volume %q: %w", name, err)
		}
		legs = append(legs, raid.Leg{ReaderAt: r, Size: size})
	}
	a, err := raid.Linear(b.g.name+"/"+name, legs)
	n.Array = a
	return err
}

// segment lays out size bytes of a volume.
func (b *builder) segment(n *node, name string, s segment, size int64, depth int) (io.ReaderAt, error) {
	full := b.g.name + "/" + name
	switch s.kind {
	case "striped", "linear":
		return b.striped(n, full, s, size, depth)
	case "mirror":
		legs, err := b.areas(n, s.conf.list("mirrors"), s.count, true, depth)
		if err != nil {
			return nil, err
		}
		return b.mirror(n, full, legs, size)
	case "thin":
		return b.thin(n, s, size, depth)
	case "cache":
		return b.cache(n, s, size, depth)
	case "zero":
		return zeros{}, nil
	case "error":
		return nil, nil
	}
	if r, err := b.raid(n, full, s, size, depth); r != nil || err != nil {
		return r, err
	}
	return nil, fmt.Errorf("a segment of type %q: %w", s.kind, errRefused)
}

// mirror lays out images that hold the same. Those of crafted metadata may be too many to compare them all.
func (b *builder) mirror(n *node, full string, legs []raid.Leg, size int64) (io.ReaderAt, error) {
	if b.compared += n.tries; b.compared > maxCompared {
		return raid.Mirror(full, legs, size)
	}
	if places, at := raid.Differ(legs, size); places > 0 {
		n.note("its images differ in %d of up to %d places looked at, first at byte %d: the first that can be read is used", places, raid.Places, at)
	}
	return raid.Mirror(full, legs, size)
}

// zeros is what was never written.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

func (b *builder) striped(n *node, full string, s segment, size int64, depth int) (io.ReaderAt, error) {
	list := s.conf.list("stripes")
	count := int64(len(list) / 2)
	if count == 0 || s.count%count != 0 {
		return nil, fmt.Errorf("%d extents on %d stripes", s.count, count)
	}
	legs, err := b.areas(n, list, s.count/count, false, depth)
	if err != nil {
		return nil, err
	}
	if len(legs) == 1 {
		return raid.Linear(full, legs)
	}
	chunk, err := chunkOf(s.conf, "stripe_size")
	if err != nil {
		return nil, err
	}
	return exact(full, size)(raid.Stripe(full, legs, chunk, false))
}

// chunkOf gives a size that stands in sectors.
func chunkOf(c *section, key string) (int64, error) {
	n := c.number(key)
	if n <= 0 || n > maxExtent/sector {
		return 0, fmt.Errorf("%s is %d sectors", key, n)
	}
	return n * sector, nil
}

// exact refuses an array that is shorter than its segment: what was left of it would read as missing.
func exact(full string, size int64) func(*raid.Array, error) (io.ReaderAt, error) {
	return func(a *raid.Array, err error) (io.ReaderAt, error) {
		if err == nil && a.Size < size {
			err = fmt.Errorf("%s: its areas hold %d bytes, its segment %d", full, a.Size, size)
		}
		if err != nil {
			return nil, err
		}
		return a, nil
	}
}

// areas gives the legs that a list names: pairs of a physical or logical volume and its first extent.
func (b *builder) areas(n *node, list []value, count int64, redundant bool, depth int) (legs []raid.Leg, err error) {
	if len(list)%2 != 0 || len(list) == 0 || len(list) > 2*maxLegs {
		return nil, fmt.Errorf("a list of %d areas", len(list)/2)
	}
	times, failed := 1, 0
	if redundant {
		times = len(list) / 2
	}
	size, err := b.g.bytes(count)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(list); i += 2 {
		off, err := b.g.bytes(list[i+1].number)
		if err != nil {
			return nil, err
		}
		r, err := b.area(n, list[i].text, off, size, times, depth)
		if err != nil {
			if failed++; failed == len(list)/2 || !redundant || errors.Is(err, limit.ErrLimit) {
				return nil, err
			}
			n.note("an image is not read: %v", err)
		}
		legs = append(legs, raid.Leg{ReaderAt: r, Size: size})
	}
	return legs, nil
}

// area gives size bytes of a physical or logical volume; nil for a physical volume that is missing.
func (b *builder) area(n *node, name string, off, size int64, times, depth int) (io.ReaderAt, error) {
	d := b.g.devices[name]
	if d == nil {
		part := b.volume(name, depth+1)
		if part.err != nil {
			return nil, part.err
		}
		if err := n.add(part, times); err != nil {
			return nil, err
		}
		return io.NewSectionReader(part, off, size), nil
	}
	part := &node{tries: 1}
	m := b.members[d.id]
	if m == nil {
		part.lacks = []string{d.name}
	}
	if err := n.add(part, times); err != nil || m == nil {
		return nil, err
	}
	if d.start > maxBytes-off {
		return nil, fmt.Errorf("%s at %d: %w", name, off, errTooBig)
	}
	return io.NewSectionReader(m, d.start+off, size), nil
}

// cache reads the origin of a volume with a cache, where all writes went through to it.
func (b *builder) cache(n *node, s segment, size int64, depth int) (io.ReaderAt, error) {
	mode := s.conf.text("cache_mode")
	if p := b.g.lvs[s.conf.text("cache_pool")]; mode == "" && p != nil && len(p.segments) == 1 {
		mode = p.segments[0].conf.text("cache_mode")
	}
	if mode != "writethrough" {
		return nil, fmt.Errorf("a cache in mode %q, which may be newer than the volume: %w", mode, errRefused)
	}
	n.note("it has a cache in mode writethrough: the volume below it is read")
	return b.area(n, s.conf.text("origin"), 0, size, 1, depth)
}
