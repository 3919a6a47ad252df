package iso9660

import (
	"fmt"
	"io"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
)

// Bounds of one directory and one file.
const (
	maxListed  = 5_000_000
	maxExtents = 4096 // records of one file: 16 TiB
	maxRecord  = 255  // bytes
)

// run is a piece of a file that lies in one place.
type run struct{ logical, at, length int64 }

// file is what is known of one.
type file struct {
	meta   filesystem.Meta
	runs   []run
	target []byte
	packed string // a form of content that is not read
	err    error  // what is doubtful
}

// recordAt reads the directory record at an offset.
func (f *FS) recordAt(at int64) (record, error) {
	if at < firstSector*sectorSize || at >= f.size {
		return record{}, fmt.Errorf("directory record at %d: %w", at, filesystem.ErrNotExist)
	}
	b := make([]byte, min(maxRecord, f.size-at))
	if err := f.readAt(b, at); err != nil {
		return record{}, err
	}
	r, ok := parseRecord(b, at)
	if !ok {
		return r, damage(at, int64(len(b)), "no directory record")
	}
	return r, nil
}

// file looks an inode up: its record, what Rock Ridge says, and the records that the content goes on in.
func (f *FS) file(n filesystem.Inode) (*file, error) {
	if x, ok := f.seen.Get(n); ok {
		return x, nil
	}
	if n >= 1<<62 {
		return nil, fmt.Errorf("inode %d: %w", n, filesystem.ErrNotExist)
	}
	r, err := f.recordAt(int64(n))
	if err != nil {
		return nil, err
	}
	x := &file{}
	m := &x.meta
	*m = filesystem.Meta{Inode: n, Type: filesystem.Regular, Mode: 0o444, Links: 1, Size: r.size, Mtime: r.time, Ref: evidence.Ref{Off: r.at, Len: r.length}}
	if r.flags&flagDirectory != 0 {
		m.Type, m.Mode = filesystem.Directory, 0o555
	}
	if f.rock {
		f.ridge(x, &r)
	}
	switch m.Type {
	case filesystem.Regular, filesystem.Directory:
		x.extents(f, r)
	default:
		m.Size = int64(len(x.target))
	}
	f.seen.Put(n, x, 400+24*len(x.runs)+len(x.target))
	return x, nil
}

// ridge lays what Rock Ridge says over what the record does. The root's and moved directories' attributes stand in
// their own first record.
func (f *FS) ridge(x *file, r *record) {
	k := f.rockOf(r)
	m := &x.meta
	if k.child != 0 || r.at == f.d.root {
		at := r.extent
		if k.child != 0 {
			at = k.child
		}
		self, err := f.recordAt(at * f.d.block)
		if err != nil || self.flags&flagDirectory == 0 {
			x.err = damage(r.at, r.length, "a directory that was moved is not at block %d", at)
			return
		}
		name := r.name
		*r = self
		r.name = name
		m.Size, m.Mtime, m.Type = r.size, r.time, filesystem.Directory
		k = f.rockOf(&self)
	}
	x.err, x.packed = k.damaged, k.packed
	if k.px {
		m.Mode, m.Links, m.UID, m.GID = uint16(k.mode&0o7777), k.links, k.uid, k.gid
		t := modeTypes[k.mode>>12&15]
		if (t == filesystem.Directory) != (m.Type == filesystem.Directory) {
			x.err = damage(r.at, r.length, "Rock Ridge mode %o of a %s", k.mode, m.Type)
		} else {
			m.Type = t
		}
	}
	if k.link && m.Type == filesystem.Symlink {
		x.target = k.target
	}
	m.Rdev = k.rdev
	if k.modify.Known() {
		m.Mtime = k.modify
	}
	m.Atime, m.Ctime, m.Crtime = k.access, k.change, k.made
}

// extents collects where the content lies, over all records of the file.
func (x *file) extents(f *FS, r record) {
	total := int64(0)
	for n := 0; ; n++ {
		at := r.extent * f.d.block
		if r.interleaved {
			x.packed = "interleaved file"
		}
		length := r.size
		if r.size > 0 && (at >= f.size || length > f.size-at) {
			x.err = damage(r.at, r.length, "%d bytes at block %d reach beyond the end of the source at %d", r.size, r.extent, f.size)
			length = max(0, f.size-at)
		}
		if length > 0 {
			x.runs = append(x.runs, run{total, at, length})
		}
		total += r.size
		if r.flags&flagMore == 0 || x.meta.Type != filesystem.Regular {
			break
		}
		next, err := f.following(&r)
		if err != nil || n >= maxExtents {
			x.err = damage(r.at, r.length, "the file goes on in a record that there is not")
			break
		}
		r = next
	}
	x.meta.Size = total
}

// following gives the record behind one: records do not reach from one sector to the next.
func (f *FS) following(r *record) (record, error) {
	at := r.at + r.length
	var b [1]byte
	if at%sectorSize == 0 {
		return f.recordAt(at)
	}
	if err := f.readAt(b[:], at); err != nil {
		return record{}, err
	}
	if b[0] == 0 {
		at = (at/sectorSize + 1) * sectorSize
	}
	return f.recordAt(at)
}

// ReadDir yields the names in a directory.
func (f *FS) ReadDir(n filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		x, err := f.file(n)
		if err == nil && x.meta.Type != filesystem.Directory {
			err = fmt.Errorf("inode %d is no directory: %w", n, filesystem.ErrNotExist)
		}
		if err != nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		l := &listing{f: f, yield: yield}
		buf := make([]byte, sectorSize)
		for _, run := range x.runs {
			for off := int64(0); off < run.length; off += sectorSize {
				b := buf[:min(sectorSize, run.length-off)]
				if err := f.readAt(b, run.at+off); err != nil {
					yield(filesystem.Dirent{}, err)
					return
				}
				if !l.sector(b, run.at+off) {
					return
				}
			}
		}
	}
}

// listing yields the records of a directory's sectors.
type listing struct {
	f     *FS
	yield func(filesystem.Dirent, error) bool
	more  bool // the last record goes on in the next
	names int
}

func (l *listing) sector(b []byte, at int64) bool {
	for off := 0; off < len(b) && b[off] != 0; {
		r, ok := parseRecord(b[off:], at+int64(off))
		if !ok {
			return l.yield(filesystem.Dirent{}, damage(at+int64(off), int64(len(b)-off), "directory record of %d bytes with %d left in its sector", b[off], len(b)-off))
		}
		off += int(r.length)
		again := l.more
		l.more = r.flags&flagMore != 0
		if r.dots() || again {
			continue
		}
		if l.names++; l.names > maxListed {
			l.yield(filesystem.Dirent{}, damage(at, sectorSize, "directory of more than %d names", maxListed))
			return false
		}
		d := filesystem.Dirent{Name: []byte(r.plainName(l.f.joliet)), Inode: filesystem.Inode(r.at)}
		if l.f.rock {
			k := l.f.rockOf(&r)
			if k.moved {
				continue // it shows where it was moved from
			}
			if len(k.name) > 0 {
				d.Name = k.name
			}
		}
		if !l.yield(d, nil) {
			return false
		}
	}
	return true
}

// Stat gives a file's metadata.
func (f *FS) Stat(n filesystem.Inode) (filesystem.Meta, error) {
	x, err := f.file(n)
	if err != nil {
		return filesystem.Meta{}, err
	}
	return x.meta, x.err
}

// Readlink gives a symlink's target.
func (f *FS) Readlink(n filesystem.Inode) ([]byte, error) {
	x, err := f.file(n)
	if err != nil {
		return nil, err
	}
	if x.meta.Type != filesystem.Symlink {
		return nil, fmt.Errorf("inode %d is no symlink: %w", n, filesystem.ErrNotSupported)
	}
	return x.target, nil
}

func (f *FS) content(n filesystem.Inode) (*file, error) {
	x, err := f.file(n)
	switch {
	case err != nil:
		return nil, err
	case x.meta.Type != filesystem.Regular:
		return nil, fmt.Errorf("inode %d is no regular file: %w", n, filesystem.ErrNotSupported)
	case x.packed != "":
		return nil, fmt.Errorf("content of inode %d: %s: %w", n, x.packed, filesystem.ErrNotSupported)
	}
	return x, nil
}

// ReadAt reads a file's content.
func (f *FS) ReadAt(n filesystem.Inode, p []byte, off int64) (int, error) {
	x, err := f.content(n)
	if err != nil {
		return 0, err
	}
	if off < 0 || off >= x.meta.Size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > x.meta.Size-off {
		p, end = p[:x.meta.Size-off], io.EOF
	}
	done := 0
	for _, r := range x.runs {
		at := off + int64(done)
		if done == len(p) {
			break
		}
		if at < r.logical || at >= r.logical+r.length {
			continue
		}
		k := int(min(int64(len(p)-done), r.logical+r.length-at))
		if err := f.readAt(p[done:done+k], r.at+at-r.logical); err != nil {
			return done, err
		}
		done += k
	}
	if done < len(p) {
		return done, damage(x.meta.Ref.Off, x.meta.Ref.Len, "content from byte %d on is lost: the source ends before", off+int64(done))
	}
	return done, end
}

// Extents tells where a file's content lies.
func (f *FS) Extents(n filesystem.Inode) (list []filesystem.Extent, err error) {
	x, err := f.file(n)
	if err != nil || x.meta.Type != filesystem.Regular {
		return nil, err
	}
	for _, r := range x.runs {
		list = append(list, filesystem.Extent{Logical: r.logical, Physical: r.at, Length: r.length})
	}
	return list, nil
}
