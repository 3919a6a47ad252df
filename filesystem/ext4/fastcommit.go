package ext4

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// A fast commit tells, behind the ring of the journal, what changed since the last whole transaction as
// records of a few bytes: inodes, ranges of blocks, names. They are little-endian. Source: fs/ext4/fast_commit.h
// and ext4_fc_replay in fs/ext4/fast_commit.c (6.12).
const (
	fastAddRange = 1
	fastDelRange = 2
	fastCreate   = 3
	fastLink     = 4
	fastUnlink   = 5
	fastInode    = 6
	fastPad      = 7
	fastTail     = 8
	fastHead     = 9

	maxFastRecords = 1 << 20
)

// fastChanges lie over a filesystem whose journal is replayed.
type fastChanges struct {
	inodes  map[uint32][]byte // newest record, as the commit has it
	ranges  map[uint32][]run  // by inode, in their order; a hole where a range was given up
	names   map[uint32][]fastName
	created map[uint32]bool // directories that had no block before
	links   map[uint32]int  // names that each inode lost or won
	records int
}

type fastName struct {
	name  string
	inode uint32
	gone  bool
}

// fastRecord is a record as it stands in the journal's block.
type fastRecord struct {
	kind uint16
	body []byte
}

// fastCommits reads the fast commits that follow the transaction before next.
func (j *journal) fastCommits(ctx context.Context, v *FS, next uint32, did *filesystem.Replayed) (*fastChanges, error) {
	fc := &fastChanges{inodes: map[uint32][]byte{}, ranges: map[uint32][]run{}, names: map[uint32][]fastName{}, created: map[uint32]bool{}, links: map[uint32]int{}}
	var pending []fastRecord // since the last tail that was right
	sum, commits := uint32(0), 0
	for n := j.end + 1; n < j.blocks; n++ { // j_fc_first: one block lies unused between
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := make([]byte, j.f.blockSize) // records point into it
		if _, err := j.read(n, b); err != nil {
			break
		}
		more := fastBlock(b, next, &sum, &pending, func(whole []fastRecord) {
			commits++
			for _, r := range whole {
				fc.add(v, r)
			}
		})
		if !more || len(pending) > maxFastRecords || fc.records > maxFastRecords {
			break
		}
	}
	if commits == 0 {
		return nil, nil
	}
	did.Notes = append(did.Notes, fmt.Sprintf("%d fast commits with %d records are laid over it", commits, fc.records))
	return fc, nil
}

// fastBlock reads one block of records; whole is called at each tail whose checksum is right. It tells
// whether records may go on in the next block.
func fastBlock(b []byte, tid uint32, sum *uint32, pending *[]fastRecord, whole func([]fastRecord)) bool {
	const head = 4 // bytes of tag and length
	for off := 0; off+head <= len(b); {
		c := bin.Little(b).Seek(off)
		kind, n := c.U16(), int(c.U16())
		body := c.Bytes(n)
		if c.Err() != nil || kind == 0 || kind > fastHead {
			return false
		}
		switch kind {
		case fastHead:
			h := bin.Little(body)
			if features, t := h.U32(), h.U32(); h.Err() != nil || features != 0 || t != tid {
				return false
			}
			*sum = crc32c(*sum, b[off:off+head+n])
		case fastTail:
			t := bin.Little(body)
			at, want := t.U32(), t.U32()
			if t.Err() != nil || at != tid || crc32c(*sum, b[off:off+head+4]) != want {
				return false
			}
			whole(*pending)
			*sum, *pending = 0, nil
		default:
			*sum = crc32c(*sum, b[off:off+head+n])
			*pending = append(*pending, fastRecord{kind, body})
		}
		off += head + n
	}
	return true
}

// add lays one record over what is there.
func (fc *fastChanges) add(v *FS, r fastRecord) {
	fc.records++
	c := bin.Little(r.body)
	first := c.U32() // an inode; of a name the directory
	switch r.kind {
	case fastInode:
		if rest := c.Bytes(c.Left()); len(rest) >= oldInodeSize {
			fc.inodes[first] = rest
		}
	case fastAddRange:
		from, n, high, low := c.U32(), uint32(c.U16()), int64(c.U16()), int64(c.U32())
		add := run{from, n, high<<32 | low}
		if n > maxExtentCount {
			add.count, add.phys = n-maxExtentCount, unwritten
		}
		if c.Err() == nil && add.phys < v.blocks-int64(add.count) && add.phys != 0 {
			fc.ranges[first] = append(fc.ranges[first], add)
		}
	case fastDelRange:
		from, n := c.U32(), c.U32()
		if c.Err() == nil {
			fc.ranges[first] = append(fc.ranges[first], run{from, n, hole})
		}
	case fastCreate, fastLink, fastUnlink:
		ino := c.U32()
		name := fastName{name: string(c.Bytes(c.Left())), inode: ino, gone: r.kind == fastUnlink}
		if c.Err() == nil && name.name != "" {
			fc.names[first] = append(fc.names[first], name)
		}
		switch r.kind {
		case fastCreate:
			fc.created[ino] = true
		case fastLink:
			fc.links[ino]++
		case fastUnlink:
			fc.links[ino]--
		}
	}
}

// hole marks a range that a fast commit gave up.
const hole = -3

// record lays a commit's inode over the one that is there (ext4_fc_replay_inode): all but the map, which
// ranges tell of.
func (fc *fastChanges) record(n uint32, raw []byte) ([]byte, bool) {
	if fc == nil || fc.inodes[n] == nil && fc.links[n] >= 0 {
		return raw, false
	}
	patch := fc.inodes[n]
	out := slices.Clone(raw)
	if patch == nil { // it only lost names, which its record does not know yet
		const at = 0x1a // i_links_count
		links := int(binary.LittleEndian.Uint16(out[at:])) + fc.links[n]
		binary.LittleEndian.PutUint16(out[at:], uint16(max(links, 0)))
		return out, true
	}
	end := min(len(patch), len(out))
	copy(out[:iBlockAt], patch)
	copy(out[iBlockAt+iBlockSize:end], patch[iBlockAt+iBlockSize:end])
	flags := bin.Little(out).Seek(0x20).U32()
	if flags&flagExtents == 0 {
		copy(out[iBlockAt:iBlockAt+iBlockSize], patch[iBlockAt:])
	} else if bin.Little(out).Seek(iBlockAt).U16() != extentMagic {
		clear(out[iBlockAt : iBlockAt+iBlockSize])
		copy(out[iBlockAt:], []byte{0x0a, 0xf3, 0, 0, 4, 0}) // an empty root
	}
	return out, true
}

// mapOf lays the ranges of fast commits over a file's map.
func (fc *fastChanges) mapOf(in *inode, m *blockMap) *blockMap {
	if fc == nil || len(fc.ranges[in.number]) == 0 {
		return m
	}
	out := &blockMap{runs: slices.Clone(m.runs), damage: m.damage}
	for _, r := range fc.ranges[in.number] {
		out.lay(r)
	}
	return out
}

// lay puts a run over those that are there.
func (m *blockMap) lay(x run) {
	var runs []run
	for _, r := range m.runs {
		if left := int64(x.first) - int64(r.first); left > 0 {
			runs = append(runs, run{r.first, uint32(min(left, int64(r.count))), r.phys})
		}
		if cut := x.end() - int64(r.first); cut < int64(r.count) {
			cut = max(cut, 0)
			rest := run{r.first + uint32(cut), r.count - uint32(cut), r.phys}
			if r.phys >= 0 {
				rest.phys += cut
			}
			if cut > 0 || int64(r.first) >= x.end() {
				runs = append(runs, rest)
			}
		}
	}
	if x.phys != hole {
		runs = append(runs, x)
	}
	slices.SortFunc(runs, func(a, b run) int { return int(int64(a.first) - int64(b.first)) })
	m.runs = runs
}

// dir tells what a directory's listing becomes: names to leave out, and names to add.
func (fc *fastChanges) dir(n uint32) (gone map[string]bool, added []fastName) {
	if fc == nil {
		return nil, nil
	}
	now := map[string]uint32{}
	gone = map[string]bool{}
	for _, x := range fc.names[n] {
		gone[x.name] = true // as it was; put back below if it was made anew
		if delete(now, x.name); !x.gone {
			now[x.name] = x.inode
		}
	}
	for name, ino := range now {
		added = append(added, fastName{name: name, inode: ino})
	}
	slices.SortFunc(added, func(a, b fastName) int { return slices.Compare([]byte(a.name), []byte(b.name)) })
	return gone, added
}
