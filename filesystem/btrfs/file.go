package btrfs

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// Records of content (struct btrfs_file_extent_item).
const (
	extentHead     = 21 // bytes; inline content follows
	extentFull     = 53 // bytes
	extentTypeAt   = 20
	extentInline   = 0
	extentRegular  = 1
	extentPrealloc = 2
	maxSegments    = 1 << 20  // of one file
	maxExtent      = 1 << 40  // bytes of one extent
	maxPacked      = 4 << 20  // bytes of a compressed extent: the kernel makes them of 128 KiB
	maxInline      = 64 << 10 // bytes
)

// segment is a run of a file's bytes.
type segment struct {
	off, length int64 // in the file
	kind        uint8
	packing     uint8 // compression
	disk        int64 // logical address of the extent, 0 for a hole
	diskLength  int64
	skip        int64 // where in the (unpacked) extent the run begins
	ram         int64 // bytes of the unpacked extent
	made        uint64
	inline      []byte
	it          item
}

// contentMap tells where a file's bytes are. What it leaves out is a hole, or lost if it is torn.
type contentMap struct {
	segments []segment
	damage   error // the first
	torn     bool  // parts of the map could not be read
	bytes    int64 // that an inode counts: all but holes
}

type mapKey struct {
	f      *FS
	number filesystem.Inode
}

// readSegment takes an extent item apart.
func readSegment(it item) (s segment, err error) {
	c := bin.Little(it.data)
	s = segment{off: int64(it.offset), it: it, made: c.U64(), ram: int64(c.U64()), packing: c.U8()}
	encryption, encoding := c.U8(), c.U16()
	s.kind = c.U8()
	switch {
	case c.Err() != nil:
		return s, c.Err()
	case encryption != 0:
		return s, fmt.Errorf("encryption %d: %w", encryption, filesystem.ErrEncrypted)
	case encoding != 0:
		return s, fmt.Errorf("encoding %d: %w", encoding, filesystem.ErrNotSupported)
	case s.packing > packedZstd:
		return s, fmt.Errorf("compression %d: %w", s.packing, filesystem.ErrNotSupported)
	case s.off < 0 || s.ram < 0:
		return s, fmt.Errorf("has %d bytes at %d", uint64(s.ram), uint64(s.off))
	}
	if s.kind == extentInline {
		s.inline = c.Bytes(c.Left())
		if s.length = s.ram; s.packing == 0 {
			s.length = min(s.ram, int64(len(s.inline)))
		}
		if s.ram > maxInline {
			return s, fmt.Errorf("inline content of %d bytes", s.ram)
		}
		return s, nil
	}
	s.disk, s.diskLength, s.skip, s.length = int64(c.U64()), int64(c.U64()), int64(c.U64()), int64(c.U64())
	return s, s.check(c.Err())
}

func (s *segment) check(err error) error {
	switch {
	case err != nil:
		return err
	case s.kind > extentPrealloc:
		return fmt.Errorf("type %d", s.kind)
	case s.disk < 0 || s.diskLength < 0 || s.skip < 0 || s.length <= 0 || s.length > 1<<62-s.off:
		return fmt.Errorf("has %d bytes at %d, from %d of %d at %d", s.length, s.off, s.skip, s.diskLength, s.disk)
	case s.disk == 0 || s.kind == extentPrealloc:
		return nil
	case s.diskLength > maxExtent || s.disk > 1<<62:
		return fmt.Errorf("has %d bytes at logical address %d", s.diskLength, s.disk)
	case s.packing == 0 && (s.skip > s.diskLength || s.length > s.diskLength-s.skip):
		return fmt.Errorf("run of %d bytes at %d goes beyond its extent of %d", s.length, s.skip, s.diskLength)
	case s.packing != 0 && (s.skip > s.ram || s.length > s.ram-s.skip || s.ram > maxPacked || s.diskLength > maxPacked):
		return fmt.Errorf("run of %d bytes at %d goes beyond its unpacked extent of %d", s.length, s.skip, s.ram)
	}
	return nil
}

// mapContent reads the whole map of an inode.
func mapContent(s source, in *inode) *contentMap {
	m := &contentMap{}
	end := int64(0)
	for it, err := range all(s, in.object, kindExtentData) {
		if err != nil {
			m.tear(err)
			continue
		}
		g, err := readSegment(it)
		if err != nil {
			m.tear(extentError(it, in.object, err))
			continue
		}
		if len(m.segments) >= maxSegments {
			m.tear(itemDamage(it, "inode %d has more than %d extents", in.object, maxSegments))
			break
		}
		if over := end - g.off; over > 0 {
			m.tear(itemDamage(it, "inode %d: extents overlap at %d", in.object, g.off))
			g.off, g.skip, g.length = end, g.skip+over, g.length-over
		}
		if g.kind != extentInline && g.disk != 0 {
			m.bytes += g.length
		}
		g.length = min(g.length, in.length()-g.off)
		if g.length > 0 {
			m.segments = append(m.segments, g)
			end = g.off + g.length
		}
	}
	return m
}

func extentError(it item, object uint64, err error) error {
	if errors.Is(err, filesystem.ErrEncrypted) || errors.Is(err, filesystem.ErrNotSupported) {
		return fmt.Errorf("content of inode %d at %d: %w", object, it.offset, err)
	}
	return itemDamage(it, "content of inode %d at %d: %v", object, it.offset, err)
}

func (m *contentMap) tear(err error) {
	m.torn = true
	if m.damage == nil {
		m.damage = err
	}
}

// mapOf gives the map of an inode of this view.
func (f *FS) mapOf(n filesystem.Inode) (*contentMap, inode, error) {
	in, s, err := f.inode(n)
	if err != nil {
		return nil, in, err
	}
	k := mapKey{f, n}
	if m, ok := f.maps.Get(k); ok {
		return m, in, nil
	}
	m := mapContent(s, &in)
	cost := 500
	for i := range m.segments {
		cost += 160 + len(m.segments[i].inline)
	}
	f.maps.Put(k, m, cost)
	return m, in, nil
}

// ReadAt reads content, as io.ReaderAt.
func (f *FS) ReadAt(n filesystem.Inode, p []byte, off int64) (int, error) {
	m, in, err := f.mapOf(n)
	if err != nil {
		return 0, err
	}
	if t := in.fileType(); t != filesystem.Regular && t != filesystem.Symlink {
		return 0, fmt.Errorf("inode %d is of type %s and has no content: %w", n, t, filesystem.ErrNotExist)
	}
	r := reader{v: f.volume, m: m, size: in.length(), sums: f.sumsOf(&in), what: n}
	return r.ReadAt(p, off)
}

// reader gives the bytes that a map leads to.
type reader struct {
	v    *volume
	m    *contentMap
	size int64
	sums sumSource
	what filesystem.Inode
}

// ReadAt implements io.ReaderAt. What lies behind damage is read from there.
func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read at %d", off)
	}
	if off >= r.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > r.size-off
	if short {
		p = p[:r.size-off]
	}
	g := r.m.segments
	i := sort.Search(len(g), func(i int) bool { return g[i].off+g[i].length > off })
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if i == len(g) || at < g[i].off {
			end := r.size
			if i < len(g) {
				end = g[i].off
			}
			if r.m.torn {
				return done, r.lost(at, end)
			}
			n := int(min(int64(len(p)-done), end-at))
			clear(p[done : done+n])
			done += n
			continue
		}
		s := &g[i]
		n := int(min(int64(len(p)-done), s.off+s.length-at))
		got, err := r.segment(p[done:done+n], s, at-s.off)
		if done += got; err != nil {
			return done, err
		}
		i++
	}
	if short {
		return done, io.EOF
	}
	return done, nil
}

func (r *reader) lost(from, end int64) error {
	d := &evidence.Damage{Reason: fmt.Sprintf("bytes %d to %d of inode %d: their place is not known", from, end, r.what)}
	var why *evidence.Damage
	if errors.As(r.m.damage, &why) {
		d.Ref = why.Ref
		d.Reason += ": " + why.Reason
		return d
	}
	return fmt.Errorf("bytes %d to %d of inode %d: %w", from, end, r.what, r.m.damage)
}

// segment fills p from byte in of a segment.
func (r *reader) segment(p []byte, s *segment, in int64) (int, error) {
	switch {
	case s.kind == extentInline:
		b := s.inline
		if s.packing != 0 {
			var err error
			if b, err = r.v.unpack(s.packing, s.inline, s.ram); err != nil {
				return 0, itemDamage(s.it, "inline content: %v", err)
			}
		}
		return copy(p, b[min(s.skip+in, int64(len(b))):]), nil
	case s.kind == extentPrealloc || s.disk == 0:
		clear(p)
		return len(p), nil
	case s.packing == 0:
		return r.v.content(p, s.disk+s.skip+in, r.sums)
	}
	b, err := r.v.unpacked(s, r.sums)
	if err != nil {
		return 0, err
	}
	return copy(p, b[s.skip+in:]), nil
}

// Readlink gives a symlink's target.
func (f *FS) Readlink(n filesystem.Inode) ([]byte, error) {
	in, _, err := f.inode(n)
	if err != nil {
		return nil, err
	}
	if in.fileType() != filesystem.Symlink {
		return nil, fmt.Errorf("inode %d is no symlink: %w", n, filesystem.ErrNotExist)
	}
	if in.size > maxInline {
		return nil, itemDamage(in.it, "symlink %d has a target of %d bytes", n, in.size)
	}
	b := make([]byte, in.size)
	got, err := f.ReadAt(n, b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:got], err
}

// Extents gives where a file's content lies: the first copy that is there. A compressed run's
// place is that of its compressed extent, which is shorter. Runs whose device is missing or whose
// content lies in the tree are left to their damage and to the flag InlineData: -1.
func (f *FS) Extents(n filesystem.Inode) ([]filesystem.Extent, error) {
	if _, ok := f.parentOfEmpty(n); ok {
		return nil, nil
	}
	m, in, err := f.mapOf(n)
	if err != nil {
		return nil, err
	}
	if t := in.fileType(); t != filesystem.Regular && t != filesystem.Symlink {
		return nil, nil
	}
	return f.extents(m, in.length()), m.damage
}

func (v *volume) extents(m *contentMap, size int64) (list []filesystem.Extent) {
	add := func(e filesystem.Extent) {
		if e.Length <= 0 {
			return
		}
		if n := len(list); n > 0 {
			l := &list[n-1]
			if l.Logical+l.Length == e.Logical && (l.Physical < 0 && e.Physical < 0 || l.Physical >= 0 && l.Physical+l.Length == e.Physical) {
				l.Length += e.Length
				return
			}
		}
		list = append(list, e)
	}
	end := int64(0)
	for i := range m.segments {
		s := &m.segments[i]
		if !m.torn {
			add(filesystem.Extent{Logical: end, Physical: -1, Length: s.off - end})
		}
		end = s.off + s.length
		switch {
		case s.kind != extentRegular || s.disk == 0:
			add(filesystem.Extent{Logical: s.off, Physical: -1, Length: s.length})
		case s.packing != 0:
			at, _ := v.physical(s.disk)
			list = append(list, filesystem.Extent{Logical: s.off, Physical: at, Length: s.length})
		default:
			for done := int64(0); done < s.length; {
				at, run := v.physical(s.disk + s.skip + done)
				if run <= 0 {
					at, run = -1, s.length-done
				}
				run = min(run, s.length-done)
				add(filesystem.Extent{Logical: s.off + done, Physical: at, Length: run})
				if done += run; len(list) >= maxSegments {
					return list
				}
			}
		}
	}
	if !m.torn {
		add(filesystem.Extent{Logical: end, Physical: -1, Length: size - end})
	}
	return list
}
