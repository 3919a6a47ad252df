package vfat

import (
	"fmt"
	"iter"
	"unicode/utf16"

	"telltale/filesystem"
)

// Bounds of one directory.
const (
	maxDirFAT   = 2 << 20   // bytes: 65,536 entries
	maxDirExFAT = 256 << 20 // bytes (7.6.7)
)

// list gives where a directory's entries lie.
func (f *FS) list(e *entry) *chain {
	c := &chain{f: f}
	switch {
	case e.meta.Inode == rootInode && f.g.root == 0:
		c.runs, c.size = []run{{0, f.g.rootAt, f.g.rootLen}}, f.g.rootLen
		return c
	case e.contiguous:
		c.size = min(e.meta.Size, maxDirExFAT)
		f.straight(c, e.first)
		return c
	}
	most := int64(maxDirFAT)
	if f.g.kind == exFAT {
		if most = maxDirExFAT; e.meta.Size > 0 {
			most = min(most, e.meta.Size)
		}
	}
	f.walk(c, e.first, most)
	for _, r := range c.runs {
		c.size += r.length
	}
	if c.size > 0 && f.ended(c) {
		c.damaged = nil // a directory of FAT has no size: the chain's end is its own
	}
	return c
}

// ended tells whether a chain ends as it should, though it is shorter than a directory may be.
func (f *FS) ended(c *chain) bool {
	r := c.runs[len(c.runs)-1]
	v, err := f.next(uint32((r.at+r.length-f.g.data)/f.g.cluster) + 1)
	return err == nil && f.last(v)
}

// each gives a directory's entries one by one, with their places, until f says no.
func (f *FS) each(e *entry, visit func(b []byte, at int64) bool) error {
	c := f.list(e)
	buf := make([]byte, min(f.g.cluster, 64<<10))
	for _, r := range c.runs {
		for off := int64(0); off < r.length; off += int64(len(buf)) {
			b := buf[:min(int64(len(buf)), r.length-off)]
			if err := f.readAt(b, r.at+off); err != nil {
				return err
			}
			for i := 0; i+entrySize <= len(b); i += entrySize {
				if !visit(b[i:i+entrySize], r.at+off+int64(i)) {
					return nil
				}
			}
		}
	}
	return c.damaged
}

// directory gives the entry of a directory.
func (f *FS) directory(n filesystem.Inode) (*entry, error) {
	e, err := f.entry(n)
	if err == nil && e.meta.Type != filesystem.Directory {
		err = fmt.Errorf("inode %d is no directory: %w", n, filesystem.ErrNotExist)
	}
	return e, err
}

// ReadDir yields the names in a directory.
func (f *FS) ReadDir(n filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		dir, err := f.directory(n)
		if err != nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		on := true
		err = f.files(dir, func(e *entry) bool {
			if e.meta.State == filesystem.Live {
				on = yield(filesystem.Dirent{Name: []byte(e.name), Inode: e.meta.Inode, Type: e.meta.Type}, nil)
			}
			return on
		}, false)
		if err != nil && on {
			yield(filesystem.Dirent{}, err)
		}
	}
}

// files gives a directory's files, deleted ones too. Behind the mark of the end lies what a directory held when it was
// longer: past goes on there, where everything is deleted.
func (f *FS) files(dir *entry, visit func(*entry) bool, past bool) error {
	if f.g.kind == exFAT {
		s := &sets{f: f}
		return f.each(dir, func(b []byte, at int64) bool {
			if b[0] == 0 {
				return past
			}
			e := s.part(b, at)
			return e == nil || visit(e)
		})
	}
	var l long
	ended := false
	return f.each(dir, func(b []byte, at int64) bool {
		switch {
		case b[0] == 0:
			ended, l = true, long{}
			return past
		case b[11]&attrMask == attrLong:
			l.piece(b)
			return true
		case b[11]&attrVolume != 0 || b[0] == '.':
			l = long{}
			return true
		}
		e := f.short(b, at)
		if s := l.text(b); s != "" {
			e.name, e.lost = s, false
		}
		if ended {
			e.meta.State = filesystem.Deleted
		}
		return visit(e)
	})
}

// special reads what the root holds beside files: the label, and exFAT's map of taken clusters.
func (f *FS) special() {
	root, _ := f.entry(rootInode)
	f.each(root, func(b []byte, at int64) bool {
		switch {
		case b[0] == 0:
			return false
		case f.g.kind != exFAT:
			if b[0] != deletedMark && b[11]&attrMask != attrLong && b[11]&(attrVolume|attrDirectory) == attrVolume {
				f.label = shortLabel(b)
				return false
			}
		case b[0] == labelEntry:
			var u []uint16
			for i := range min(int(b[1]), 11) {
				u = append(u, uint16(le16(b, 2+2*i)))
			}
			f.label = string(utf16.Decode(u))
		case b[0] == bitmapEntry && f.bitmap == nil:
			c := &chain{f: f, size: int64(f.g.clusters+7) / 8}
			c.valid = c.size
			f.walk(c, uint32(le32(b, 20)), c.size)
			f.bitmap = c
		}
		return true
	})
}

func shortLabel(b []byte) string {
	n := 11
	for n > 0 && b[n-1] == ' ' {
		n--
	}
	return string(b[:n])
}
