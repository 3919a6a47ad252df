package ext4

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
)

// names finds what deleted files were called: in the blocks of directories that the journal holds, and
// in what older kernels left between the entries of directories that live.
type names struct {
	u      *undeleter
	logged map[int64]bool // blocks in the ring that belong to no inode table
	owners map[int64][]owner
	lastly map[uint32]uint64 // by directory: what its map was when it was seen last
	wanted map[uint32][]called
	dirs   map[uint32]place   // directories that live
	buried map[uint32][]*life // directories that are gone
	steps  int64              // runs and blocks of directories that were looked at
	dtimes struct {
		n           int
		first, last uint32
	}
}

// owner is a directory that had a block.
type owner struct{ number, generation, sequence uint32 }

// called is a name under which an inode was seen.
type called struct {
	parent, sequence uint32 // sequence is that of the last transaction that has it
	first            uint32 // transaction that has it
	name             string
	slack            bool // between the entries of today's directory: nobody knows from when
}

// place is where a directory lies.
type place struct {
	parent uint32
	name   string
}

// Bounds of what is kept.
const (
	maxDirectories = 2 << 20
	maxNamesOfOne  = 64
	maxOwners      = 4 << 20
	maxPathParts   = 256
	maxPathBytes   = 4096 // PATH_MAX; what is above is left out, as if it were not known
	maxLivesOfOne  = 64   // directories that had one number
)

func newNames(u *undeleter, t *tables) *names {
	n := &names{u: u, logged: make(map[int64]bool), owners: make(map[int64][]owner), lastly: make(map[uint32]uint64),
		wanted: make(map[uint32][]called), dirs: make(map[uint32]place), buried: make(map[uint32][]*life)}
	for i := range u.ring.blocks {
		if first, _ := t.first(u.ring.blocks[i].block); first == 0 {
			n.logged[u.ring.blocks[i].block] = true
		}
	}
	return n
}

// directory takes in one version of a directory's inode: which blocks were its own.
func (n *names) directory(in *inode, seq uint32) {
	h := fnv.New64a()
	h.Write(in.iblock())
	sum := h.Sum64()
	if n.lastly[in.number] == sum && in.flags&flagInline == 0 || len(n.lastly) > maxDirectories {
		return
	}
	n.lastly[in.number] = sum
	n.own(in, n.u.f.mapRecord(in), seq)
}

func (n *names) own(in *inode, m *blockMap, seq uint32) {
	for _, r := range m.runs {
		if n.steps += 1 + int64(r.count); n.steps > countFactor*n.u.f.blocks {
			return // so many directories cannot all have had so much
		}
		for i := int64(0); r.phys >= 0 && i < int64(r.count); i++ {
			if b := r.phys + i; n.logged[b] && len(n.owners) < maxOwners {
				n.owners[b] = append(n.owners[b], owner{in.number, in.generation, seq})
			}
		}
	}
}

// freed counts an inode that bears the time of its deletion.
func (n *names) freed(dtime uint32) {
	d := &n.dtimes
	if d.n == 0 || dtime < d.first {
		d.first = dtime
	}
	d.n++
	d.last = max(d.last, dtime)
}

func (n *names) notes() []string {
	if n.dtimes.n == 0 {
		return nil
	}
	at := func(t uint32) string { return (evidence.Time{Sec: int64(t), Step: time.Second}).String() }
	return []string{fmt.Sprintf("%d freed inodes still bear the time of their deletion, from %s to %s", n.dtimes.n, at(n.dtimes.first), at(n.dtimes.last))}
}

// want says whose names are looked for.
func (n *names) want(gone []*life) {
	for _, l := range gone {
		n.wanted[l.number] = nil
		if l.dir && len(n.buried[l.number]) < maxLivesOfOne {
			n.buried[l.number] = append(n.buried[l.number], l)
		}
	}
}

// collect looks for the names of all that is gone.
func (n *names) collect(ctx context.Context) error {
	if err := n.living(ctx); err != nil {
		return err
	}
	b := make([]byte, n.u.f.blockSize)
	for i := range n.u.ring.blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		x := &n.u.ring.blocks[i]
		if !n.logged[x.block] || n.u.ring.read(x, b) != nil {
			continue
		}
		if dot, ok := n.u.f.isDirectory(b); ok {
			n.block(b, n.owner(x, b, dot), x.sequence)
		}
	}
	return nil
}

// living walks the directories that live, for their paths, their blocks and what lies between their entries.
func (n *names) living(ctx context.Context) error {
	n.dirs[rootInode] = place{parent: rootInode}
	for queue := []uint32{rootInode}; len(queue) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := queue[0]
		queue = queue[1:]
		in, err := n.u.f.inode(filesystem.Inode(at))
		if err != nil {
			continue
		}
		m := n.u.f.mapOf(&in)
		n.own(&in, m, ^uint32(0))
		for d, err := range n.u.f.ReadDir(filesystem.Inode(at)) {
			if err != nil || d.Type != filesystem.Directory && d.Type != filesystem.UnknownType {
				continue
			}
			child := uint32(d.Inode)
			if _, seen := n.dirs[child]; seen || len(n.dirs) >= maxDirectories {
				continue
			}
			if d.Type == filesystem.UnknownType {
				if c, err := n.u.f.inode(d.Inode); err != nil || c.fileType() != filesystem.Directory {
					continue
				}
			}
			n.dirs[child] = place{at, string(d.Name)}
			queue = append(queue, child)
		}
		n.slack(at, m)
	}
	return nil
}

// slack reads the names that lie between the entries of a directory.
func (n *names) slack(dir uint32, m *blockMap) {
	if len(n.wanted) == 0 {
		return
	}
	for _, r := range m.runs {
		if n.steps += int64(r.count); n.steps > countFactor*n.u.f.blocks {
			return
		}
		for i := int64(0); r.phys >= 0 && i < int64(r.count); i++ {
			if b, err := n.u.f.block(r.phys + i); err == nil {
				n.between(b, func(ino uint32, name []byte) { n.note(ino, called{parent: dir, name: string(name), slack: true}) })
			}
		}
	}
}

// between gives entries that lie in the room behind other entries.
func (n *names) between(b []byte, f func(ino uint32, name []byte)) {
	for off := 0; off+direntHead <= len(b); {
		length, nameLen := int(binary.LittleEndian.Uint16(b[off+4:])), int(b[off+6])
		if length < direntHead || length%4 != 0 || length > len(b)-off {
			return
		}
		used := (direntHead + nameLen + 3) &^ 3
		for at := off + used; at+direntHead < off+length; at += 4 {
			ino, l, k := binary.LittleEndian.Uint32(b[at:]), int(binary.LittleEndian.Uint16(b[at+4:])), int(b[at+6])
			if _, wanted := n.wanted[ino]; !wanted || k == 0 || l < direntHead+k || l%4 != 0 || at+direntHead+k > off+length || b[at+7] > 7 {
				continue
			}
			if name := b[at+direntHead : at+direntHead+k]; plainName(name) {
				f(ino, name)
			}
		}
		off += length
	}
}

func plainName(name []byte) bool {
	return len(name) > 0 && bytes.IndexByte(name, 0) < 0 && bytes.IndexByte(name, '/') < 0 && string(name) != "." && string(name) != ".."
}

// isDirectory tells whether a block can be nothing but a directory's, and the inode that its "." names.
func (f *FS) isDirectory(b []byte) (dot uint32, ok bool) {
	entries := 0
	d := dirReader{f: f}
	for off := 0; off < len(b); {
		if len(b)-off < direntHead {
			return 0, false
		}
		ino, length, nameLen, kind := binary.LittleEndian.Uint32(b[off:]), d.recordLength(int(binary.LittleEndian.Uint16(b[off+4:]))), int(b[off+6]), b[off+7]
		if length < direntHead || length%4 != 0 || length > len(b)-off {
			return 0, false
		}
		if ino != 0 {
			name := b[off+direntHead : off+direntHead+min(nameLen, length-direntHead)]
			if nameLen == 0 || nameLen > length-direntHead || kind > 7 || uint64(ino) > f.groupCount*uint64(f.sb.inodesPerGroup) ||
				bytes.IndexByte(name, 0) >= 0 || bytes.IndexByte(name, '/') >= 0 {
				return 0, false
			}
			if off == 0 && string(name) == "." {
				dot = ino
			}
			entries++
		}
		off += length
	}
	return dot, entries > 0
}

// owner tells whose a logged block was, 0 where it cannot be told.
func (n *names) owner(x *ringBlock, b []byte, dot uint32) uint32 {
	if dot != 0 {
		return dot
	}
	best := owner{}
	for _, o := range n.owners[x.block] {
		if n.u.f.sb.ro&roMetadataCsum != 0 {
			if leafOf(n.u.f, o, b) {
				return o.number
			}
			continue
		}
		if best.number == 0 || !before(x.sequence, o.sequence) {
			best = o
		}
	}
	return best.number
}

// leafOf tells whether a directory's block bears the checksum that it has in this directory.
func leafOf(f *FS, o owner, b []byte) bool {
	tail := len(b) - direntTail
	seed := crc32c32(crc32c32(f.sb.seed, o.number), o.generation)
	return crc32c(seed, b[:tail]) == binary.LittleEndian.Uint32(b[tail+direntHead:])
}

// block takes in the names of one logged block.
func (n *names) block(b []byte, parent, seq uint32) {
	d := dirReader{f: n.u.f}
	for off := 0; off < len(b); {
		ino, length, nameLen := binary.LittleEndian.Uint32(b[off:]), d.recordLength(int(binary.LittleEndian.Uint16(b[off+4:]))), int(b[off+6])
		if ino != 0 {
			n.note(ino, called{parent: parent, sequence: seq, name: string(b[off+direntHead : off+direntHead+nameLen])})
		}
		off += length
	}
	n.between(b, func(ino uint32, name []byte) {
		n.note(ino, called{parent: parent, sequence: seq, name: string(name), slack: true})
	})
}

func (n *names) note(ino uint32, c called) {
	list, wanted := n.wanted[ino]
	if !wanted || !plainName([]byte(c.name)) {
		return
	}
	for i := range list {
		if x := &list[i]; x.name == c.name && x.parent == c.parent && x.slack == c.slack {
			if before(x.sequence, c.sequence) {
				x.sequence = c.sequence
			}
			if before(c.sequence, x.first) {
				x.first = c.sequence
			}
			return
		}
	}
	c.first = c.sequence
	if len(list) < maxNamesOfOne {
		n.wanted[ino] = append(list, c)
	}
}

// of gives the name that a file had last.
func (n *names) of(l *life) (best called, ok bool) {
	score := func(c called) int {
		switch {
		case c.slack:
			return 0
		case l.hasDead && (before(l.dead.sequence, c.first) || l.dead.sequence == c.first && !l.cut):
			return 1 // seen only when the file was gone: another's, unless nothing better is known
		case l.firstSeen != 0 && before(c.sequence, l.firstSeen):
			return 2
		}
		return 3
	}
	for _, c := range n.wanted[l.number] {
		if !ok || score(c) > score(best) || score(c) == score(best) && before(best.sequence, c.sequence) {
			best, ok = c, true
		}
	}
	if ok && score(best) == 1 && len(n.buried[l.number]) == 0 && l.hasAlive {
		return best, false
	}
	return best, ok
}

// path gives a file's last path, and what tells it. Where a directory's own place is not known the path
// begins with its inode's number, as "#1234/name".
func (n *names) path(l *life) (path, from string) {
	c, ok := n.of(l)
	if !ok {
		return "", ""
	}
	from = fmt.Sprintf("journal transaction %d", c.sequence)
	if c.slack {
		from = "remains in the directory"
	}
	parts := []string{c.name}
	at, seq := c.parent, c.sequence
	length := 0
	for range maxPathParts {
		if length += len(parts[len(parts)-1]) + 1; length > maxPathBytes {
			break
		}
		if at == rootInode {
			return join(parts, ""), from
		}
		if d := n.grave(at, seq, c.slack); d != nil {
			up, ok := n.of(d)
			if !ok {
				break
			}
			parts = append(parts, up.name)
			at, seq = up.parent, up.sequence
			continue
		}
		p, lives := n.dirs[at]
		if !lives {
			break
		}
		parts = append(parts, p.name)
		at = p.parent
	}
	return join(parts, fmt.Sprintf("#%d", at)), from
}

// grave gives the directory that had the number when the name was seen, nil where it lives.
func (n *names) grave(number, seq uint32, slack bool) *life {
	var best *life
	for _, l := range n.buried[number] {
		if slack || l.hasDead && before(l.dead.sequence, seq) {
			continue
		}
		if best == nil || l.hasDead && before(l.dead.sequence, best.dead.sequence) {
			best = l
		}
	}
	return best
}

func join(parts []string, top string) string {
	var b strings.Builder
	b.WriteString(top)
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(parts[i])
	}
	return b.String()
}
