package xfs

import (
	"context"
	"encoding/binary"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// neighbours looks into chunks of inodes that were given back whole since the log told
// of one of them.
func (u *undeleter) neighbours() {
	looked := make(map[filesystem.Inode]struct{})
	for _, n := range u.inodes() {
		first := n &^ (chunkInodes - 1)
		if _, again := looked[first]; again {
			continue
		}
		looked[first] = struct{}{}
		u.givenBack(first, chunkInodes)
	}
}

// givenBack reads the records of inodes that are in no chunk now: they lie there as they
// were written last, often as they were before the files were deleted.
func (u *undeleter) givenBack(first filesystem.Inode, count int) {
	for i := range filesystem.Inode(count) {
		if _, _, there := u.chunk(first + i); there {
			continue
		}
		in, err := u.f.inode(first + i)
		if err != nil || in.damage != nil || u.known(in.number, in.gen) {
			continue
		}
		if in.mode != 0 && in.links > 0 && in.fileType() != filesystem.UnknownType {
			u.fromRecord(&in, "inode's record in a chunk that was given back")
		} else if in.mode == 0 && len(u.h.lives[in.number]) == 0 {
			u.fromResidue(&in)
		}
	}
}

// maxProbes is how many places of free space are looked at for chunks of inodes: 16 GiB
// where they are aligned to 32 KiB.
const maxProbes = 512 << 10

// lostChunks looks into free space for chunks of inodes of which not even the log tells.
// Version 4 has nothing in its records that tells old ones from chance.
func (u *undeleter) lostChunks(ctx context.Context) error {
	f := u.f
	if !f.sb.v5() {
		return nil
	}
	align := int64(max(f.sb.inodeAlign, 1))
	b, probes := make([]byte, 2), 0
	per := int(max(f.blockSize*align>>f.sb.inodeLog, 1))
	for _, s := range u.free {
		for block := s.off / f.blockSize; block < s.end/f.blockSize; block++ {
			within := block % int64(f.sb.agBlocks)
			if within%align != 0 {
				block += align - within%align - 1
				continue
			}
			if probes++; probes > maxProbes || ctx.Err() != nil {
				return damage(block*f.blockSize, 0, "free space from here on was not searched for chunks of deleted inodes")
			}
			if f.readAt(b, block*f.blockSize) == nil && binary.BigEndian.Uint16(b) == inodeMagic {
				u.givenBack(f.join(uint32(block/int64(f.sb.agBlocks)), uint32(within)<<f.sb.inopbLog()), min(per, chunkInodes))
			}
			block += align - 1
		}
	}
	return nil
}

// maxOldDirBlocks is how many blocks of former directories are read.
const maxOldDirBlocks = 256 << 10

// oldDirs takes the names out of directories that are gone: of entries in the record, and
// of blocks that nobody has written to since.
func (u *undeleter) oldDirs(ctx context.Context) {
	buf := make([]byte, u.f.blockSize<<u.f.sb.dirLog)
	read := 0
	for _, n := range u.inodes() {
		for _, l := range u.h.lives[n] {
			if l.core == nil || types[l.core[modeAt]>>4] != filesystem.Directory {
				continue
			}
			if l.local != nil {
				u.names.short(n, l.local, l.last)
			}
			if l.m == nil {
				continue
			}
			for _, r := range l.m.runs {
				for b := r.first; b < min(r.end(), dirLeafOffset/u.f.blockSize) && r.phys >= 0 && read < maxOldDirBlocks && ctx.Err() == nil; b += 1 << u.f.sb.dirLog {
					read++
					if _, err := u.f.readRuns(l.m, buf, b*u.f.blockSize); err == nil {
						u.names.block(buf, 0, 0, false) // by whose it says it is: it may be another's by now
					}
				}
			}
		}
	}
}

// records looks at the free inodes of all chunks that the log says nothing of, and at files that are empty now.
func (u *undeleter) records(ctx context.Context) {
	for g := uint32(0); g < u.f.sb.agCount && ctx.Err() == nil; g++ {
		u.chunk(u.f.join(g, 0))
		for _, c := range u.chunks[g] {
			for i := range uint32(chunkInodes) {
				if c.holes>>(i/4)&1 != 0 {
					continue
				}
				n := u.f.join(g, c.start+i)
				if c.free>>i&1 == 0 {
					if in, err := u.f.inode(n); err == nil && in.damage == nil {
						u.emptied(&in)
					}
					continue
				}
				if in, err := u.f.inode(n); err == nil && in.damage == nil && in.mode == 0 && len(u.h.lives[n]) == 0 {
					u.fromResidue(&in)
				}
			}
		}
	}
}

// fromResidue adds a life by the extents left in a freed record.
func (u *undeleter) fromResidue(in *inode) {
	m := u.f.residue(in)
	if len(m.runs) == 0 {
		return
	}
	size := m.runs[len(m.runs)-1].end()
	if size > maxGuess/u.f.blockSize {
		return
	}
	if free, _ := u.held(u.f.extents(m, size*u.f.blockSize)); free == 0 {
		return // all of it is somebody else's: nothing tells that this was ever a file
	}
	l := u.h.begin(in.number, in.gen-1, 0)
	if l == nil {
		return
	}
	core := append([]byte(nil), in.raw[:in.literal()]...)
	binary.BigEndian.PutUint16(core[modeAt:], 0x8000) // a plain file, most likely
	binary.BigEndian.PutUint64(core[sizeAt:], uint64(size*u.f.blockSize))
	l.core, l.m, l.sized = core, m, true
	l.from = "extents left in the inode's record, which also give the size; type and permissions are not known"
	l.deadTime = in.time(bin.Big(in.raw), timesAt+16)
}
