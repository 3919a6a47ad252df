package lvm

import (
	"fmt"
	"io"
	"slices"

	"telltale/internal/bin"
	"telltale/volume/internal/raid"
)

// raidKind is a segment type of dm-raid, with md's level and layout.
type raidKind struct {
	kind   string
	level  int
	layout uint32
}

var raidKinds = []raidKind{
	{"raid0", 0, 0}, {"raid0_meta", 0, 0}, {"raid1", 1, 0}, {"raid10", 10, 0}, {"raid10_near", 10, 0},
	{"raid4", 5, raid.Parity0}, {"raid5", 5, raid.LeftSymmetric}, {"raid5_n", 5, raid.ParityN},
	{"raid5_ls", 5, raid.LeftSymmetric}, {"raid5_rs", 5, raid.RightSymmetric}, {"raid5_la", 5, raid.LeftAsymmetric}, {"raid5_ra", 5, raid.RightAsymmetric},
	{"raid6", 6, raid.RotatingZeroRestart}, {"raid6_zr", 6, raid.RotatingZeroRestart}, {"raid6_nr", 6, raid.RotatingNRestart}, {"raid6_nc", 6, raid.RotatingNContinue},
	{"raid6_n_6", 6, raid.ParityN}, {"raid6_ls_6", 6, raid.LeftSymmetric6}, {"raid6_rs_6", 6, raid.RightSymmetric6},
	{"raid6_la_6", 6, raid.LeftAsymmetric6}, {"raid6_ra_6", 6, raid.RightAsymmetric6},
}

// raid lays out a segment of dm-raid; nil where it is of another type.
func (b *builder) raid(n *node, full string, s segment, size int64, depth int) (io.ReaderAt, error) {
	i := slices.IndexFunc(raidKinds, func(k raidKind) bool { return k.kind == s.kind })
	if i < 0 {
		return nil, nil
	}
	for _, key := range []string{"reshape_count", "data_offset", "delta_disks"} {
		if s.conf.number(key) != 0 {
			return nil, fmt.Errorf("%s with %s, a reshape: %w", s.kind, key, errRefused)
		}
	}
	legs, err := b.images(n, s.conf, raidKinds[i].level > 0, depth)
	if err != nil {
		return nil, err
	}
	if raidKinds[i].level == 1 {
		return b.mirror(n, full, legs, size)
	}
	chunk, err := chunkOf(s.conf, "stripe_size")
	if err != nil {
		return nil, err
	}
	return raidKinds[i].lay(full, legs, s.conf, chunk, size)
}

// lay puts images together that are striped. Only what the segment needs of them counts: they may be longer.
func (k raidKind) lay(full string, legs []raid.Leg, c *section, chunk, size int64) (io.ReaderAt, error) {
	count := int64(len(legs))
	switch k.level {
	case 0:
		for i := range legs {
			legs[i].Size = size / count
		}
		return exact(full, size)(raid.Stripe(full, legs, chunk, false))
	case 10:
		copies := c.number("data_copies")
		if copies == 0 {
			copies = 2
		}
		if copies < 1 || copies > count {
			return nil, fmt.Errorf("%d copies on %d images", copies, count)
		}
		return exact(full, size)(raid.Ten(full, legs, chunk, 1<<8|uint32(copies), roundUp(size/chunk*copies, count)*chunk))
	}
	data := count - 1
	if k.level == 6 {
		data--
	}
	if data < 1 {
		return nil, fmt.Errorf("%s on %d images", k.kind, count)
	}
	return exact(full, size)(raid.Parity(full, legs, k.level, chunk, k.layout, roundUp(size/chunk, data)*chunk))
}

func roundUp(a, b int64) int64 { return (a + b - 1) / b }

// imageNames gives the volumes of a raid segment: pairs of a metadata volume and a data volume, or data
// volumes alone.
func imageNames(c *section) (metas, names []string) {
	pairs := c.list("raids")
	for i := 0; i+1 < len(pairs); i += 2 {
		metas, names = append(metas, pairs[i].text), append(names, pairs[i+1].text)
	}
	for _, v := range c.list("raid0_lvs") {
		metas, names = append(metas, ""), append(names, v.text)
	}
	return metas, names
}

// images gives the legs of a raid segment.
func (b *builder) images(n *node, c *section, redundant bool, depth int) ([]raid.Leg, error) {
	metas, names := imageNames(c)
	if len(names) == 0 || len(names) > maxLegs {
		return nil, fmt.Errorf("%d images", len(names))
	}
	times := 1
	if redundant {
		times = len(names)
	}
	legs, supers := make([]raid.Leg, len(names)), make([]*raidSuper, len(names))
	refused, last := 0, error(nil)
	for i, name := range names {
		part := b.volume(name, depth+1)
		if part.err == nil {
			if err := n.add(part, times); err != nil {
				return nil, err
			}
			legs[i] = raid.Leg{ReaderAt: part.Array, Size: part.Size}
			supers[i] = b.raidSuper(metas[i], depth)
			continue
		}
		if !redundant {
			return nil, part.err
		}
		n.note("image %d is not read: %v", i, part.err)
		refused, last = refused+1, part.err
	}
	if refused == len(names) {
		return nil, fmt.Errorf("none of its images can be read: %w", last)
	}
	if redundant {
		dropStale(n, legs, supers)
	}
	return legs, nil
}

// raidSuper is what dm-raid keeps at the start of an image's metadata volume (struct dm_raid_superblock).
type raidSuper struct {
	events, failed uint64
	recovered      uint64 // sectors
}

const raidMagic = 0x64526d44 // DM_RAID_MAGIC, "DmRd"

// raidSuper gives nil where there is none: it is not needed to read the image.
func (b *builder) raidSuper(name string, depth int) *raidSuper {
	if name == "" {
		return nil
	}
	meta := b.volume(name, depth+1)
	var raw [sector]byte
	if meta.err != nil {
		return nil
	}
	if n, _ := meta.ReadAt(raw[:], 0); n < len(raw) { // it is not needed to read the image
		return nil
	}
	c := bin.Little(raw[:])
	if c.U32() != raidMagic {
		return nil
	}
	s := &raidSuper{}
	c.Skip(12) // compatible features, number of devices, position in the array
	s.events, s.failed, s.recovered = c.U64(), c.U64(), c.U64()
	return s
}

// dropStale leaves out the images that the others went on without.
func dropStale(n *node, legs []raid.Leg, supers []*raidSuper) {
	var newest *raidSuper
	for _, s := range supers {
		if s != nil && (newest == nil || s.events > newest.events) {
			newest = s
		}
	}
	if newest == nil {
		return
	}
	for i, s := range supers {
		switch {
		case i < 64 && newest.failed&(1<<i) != 0, s != nil && newest.events-s.events > 1:
			n.note("image %d is left out: it failed, and the others went on without it", i)
			legs[i].ReaderAt = nil
		case s != nil && s.recovered < uint64(legs[i].Size)/sector:
			n.note("image %d was being rebuilt: only its first %d sectors are used", i, s.recovered)
			legs[i].Size = int64(s.recovered) * sector
		}
	}
}
