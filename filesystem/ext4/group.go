package ext4

import "telltale/internal/bin"

// group is what a group's descriptor tells. Places are in bytes, 0 where they lie outside the filesystem.
type group struct {
	table, blockBitmap, inodeBitmap int64
	flags                           uint16
	unused                          uint32 // inodes at the end of the table that were never used
}

const (
	groupInodeUninit = 1 // bg_flags: no inode of it was ever used
	groupBlockUninit = 2 // its block bitmap was never written: all is free but metadata
)

// tableOf gives the offset of group g's inode table.
func (f *FS) tableOf(g uint64) (int64, error) {
	d, err := f.groupOf(g)
	return d.table, err
}

// groupOf reads the descriptor of group g. Where it does not match its checksum or its inode table lies
// outside, the copies are asked.
func (f *FS) groupOf(g uint64) (group, error) {
	if d, ok := f.groups.Get(g); ok {
		return d, nil
	}
	size := f.descSize()
	var best group
	for i, at := range f.descriptorPlaces(g, size) {
		raw := make([]byte, size)
		if f.readAt(raw, at) != nil {
			continue
		}
		d := f.decodeGroup(raw)
		if !f.descriptorOK(g, raw) {
			if i == 0 {
				f.bad.Add(groupStructure, at)
			}
			if d.table > 0 && best.table == 0 {
				best = d // the best there is, unless a copy is whole
			}
			continue
		}
		if d.table > 0 {
			best = d
			break
		}
	}
	if best.table == 0 {
		return best, damage(0, 0, "descriptor of group %d and its copies do not lead to an inode table", g)
	}
	f.groups.Put(g, best, 1)
	return best, nil
}

func (f *FS) descSize() int64 { return int64(f.sb.descSize) }

func (f *FS) decodeGroup(raw []byte) (d group) {
	c := bin.Little(raw)
	at := func(low, high int) int64 {
		block := uint64(c.Seek(low).U32())
		if len(raw) >= minDesc64 {
			block |= uint64(c.Seek(high).U32()) << 32
		}
		if block <= uint64(f.sb.firstDataBlock) || block >= uint64(f.blocks) {
			return 0
		}
		return int64(block) * f.blockSize
	}
	d.blockBitmap, d.inodeBitmap, d.table = at(0, 0x20), at(4, 0x24), at(8, 0x28)
	if f.sb.ro&(roMetadataCsum|roGdtCsum) != 0 { // else these fields mean nothing
		d.flags = c.Seek(0x12).U16()
		d.unused = uint32(c.Seek(0x1c).U16())
		if len(raw) >= minDesc64 {
			d.unused |= uint32(c.Seek(0x32).U16()) << 16
		}
	}
	return d
}

func (f *FS) descriptorOK(g uint64, raw []byte) bool {
	const at = 0x1e // bg_checksum
	want := bin.Little(raw).Seek(at).U16()
	switch {
	case f.sb.ro&roMetadataCsum != 0:
		sum := crc32c32(f.sb.seed, uint32(g))
		sum = crc32c(sum, raw[:at])
		sum = crc32c(sum, []byte{0, 0})
		return uint16(crc32c(sum, raw[at+2:])) == want
	case f.sb.ro&roGdtCsum != 0:
		sum := crc16(^uint16(0), f.sb.uuid[:])
		sum = crc16(sum, []byte{byte(g), byte(g >> 8), byte(g >> 16), byte(g >> 24)})
		sum = crc16(sum, raw[:at])
		return crc16(sum, raw[at+2:]) == want
	}
	return true
}

// descriptorPlaces gives the offsets of group g's descriptor and its copies, the one
// that the kernel reads first (descriptor_loc in fs/ext4/super.c). There is always one.
func (f *FS) descriptorPlaces(g uint64, size int64) []int64 {
	const copies = 3
	perBlock := uint64(f.blockSize / size)
	nr := g / perBlock
	within := int64(g%perBlock) * size
	var places []int64
	if f.sb.incompat&incompatMetaBG == 0 || nr < uint64(f.sb.firstMetaGroup) {
		places = append(places, (f.sb.block+1+int64(nr))*f.blockSize+within)
		for _, h := range [...]uint64{0, 1, 3, 5, 7, 9} {
			if h < f.groupCount && h != uint64(f.sb.group) && f.sb.hasSuper(h) && len(places) <= copies {
				places = append(places, f.superBlockOf(h)+(1+int64(nr))*f.blockSize+within)
			}
		}
		return places
	}
	// meta_bg: in the first, second and last group of those that the block describes.
	for _, h := range [...]uint64{nr * perBlock, nr*perBlock + 1, (nr+1)*perBlock - 1} {
		block := int64(f.sb.firstDataBlock) + int64(h)*int64(f.sb.blocksPerGroup)
		if f.sb.hasSuper(h) {
			block++
		}
		if f.blockSize == 1024 && h == 0 && f.sb.firstDataBlock == 0 {
			block++ // the boot block's KiB
		}
		places = append(places, block*f.blockSize+within)
	}
	return places
}

// superBlockOf gives the offset of the block that holds group g's superblock.
func (f *FS) superBlockOf(g uint64) int64 {
	if g == 0 {
		return superOffset / f.blockSize * f.blockSize
	}
	return (int64(f.sb.firstDataBlock) + int64(g)*int64(f.sb.blocksPerGroup)) * f.blockSize
}
