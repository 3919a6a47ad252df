package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/limit"
)

// Mount is one filesystem in a host's tree.
type Mount struct {
	At     string // where it is mounted: "/", "/var"
	FS     filesystem.FS
	Prefix string // what evidence.Ref.Path begins with: "gpt:1!ext4:"
	Base   string // where within FS the tree begins, for a folder in an archive: "" or "/collected/root"

	AsWas    filesystem.FS       // the view as found on disk, where FS is the one with the journal replayed; else nil
	Replayed filesystem.Replayed // what replaying did
	Raw      io.ReaderAt         // the source that the filesystem lies on; nil where it is no block source, or several
}

// View is a host's tree by path, made of one or more filesystems. Links are resolved
// within it, never on the examiner's machine.
type View struct {
	Source string
	Mounts []Mount // Mounts[0] is the root
}

// Entry is a file found in a View.
type Entry struct {
	Path  string // absolute; bytes as in the directory, not checked to be UTF-8
	Meta  filesystem.Meta
	Mount *Mount
}

// Ref gives the evidence reference of a file's content.
func (v *View) Ref(e *Entry) evidence.Ref {
	p := e.Path
	if e.Mount.At != "/" {
		p = strings.TrimPrefix(p, e.Mount.At)
	}
	return evidence.Ref{Source: v.Source, Path: e.Mount.Prefix + e.Mount.Base + p}
}

// MountedBefore tells whether the filesystem of mount i is that of an earlier mount, too: one with subvolumes is mounted in several places.
func (v *View) MountedBefore(i int) bool {
	for k := range i {
		if v.Mounts[k].FS == v.Mounts[i].FS {
			return true
		}
	}
	return false
}

// PathOf gives the host's path of a path within one of its filesystems, by the mount that lies nearest above it. A path that no
// mount reaches, or that does not begin at the filesystem's top, is given as it is.
func (v *View) PathOf(f filesystem.FS, p string) string {
	best, out := -1, p
	for i := range v.Mounts {
		m := &v.Mounts[i]
		if m.FS != f || len(m.Base) <= best || !strings.HasPrefix(p, "/") {
			continue
		}
		if rest, ok := strings.CutPrefix(p, m.Base); ok && (rest == "" || rest[0] == '/') {
			best, out = len(m.Base), strings.TrimRight(m.At, "/")+rest
		}
	}
	return out
}

// Lookup finds a path, links followed, also the last one.
func (v *View) Lookup(p string) (Entry, error) { return v.lookup(p, true) }

// Lstat finds a path without following its last link.
func (v *View) Lstat(p string) (Entry, error) { return v.lookup(p, false) }

func (v *View) lookup(p string, follow bool) (Entry, error) {
	rest := split(p)
	at, err := v.top("/")
	if err != nil {
		return Entry{}, err
	}
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			if at, err = v.lookup(path.Dir(at.Path), true); err != nil {
				return Entry{}, err
			}
			continue
		}
		next, err := v.child(at, name)
		if err != nil {
			return Entry{}, err
		}
		if next.Meta.Type == filesystem.Symlink && (follow || len(rest) > 0) {
			if links++; links > 40 { // as the kernel's MAXSYMLINKS
				return Entry{}, fmt.Errorf("%q: too many links: %w", p, limit.ErrLimit)
			}
			target, err := next.Mount.FS.Readlink(next.Meta.Inode)
			if err != nil {
				return Entry{}, err
			}
			if bytes.HasPrefix(target, []byte("/")) {
				if at, err = v.top("/"); err != nil {
					return Entry{}, err
				}
			}
			rest = append(split(string(target)), rest...)
			if len(rest) > 4096 {
				return Entry{}, fmt.Errorf("%q: links make too long a path: %w", p, limit.ErrLimit)
			}
			continue
		}
		at = next
	}
	return at, nil
}

// top gives the directory at which a filesystem is mounted.
func (v *View) top(at string) (Entry, error) {
	for i := range v.Mounts {
		m := &v.Mounts[i]
		if m.At != at {
			continue
		}
		ino := m.FS.Root()
		e := Entry{Path: at, Mount: m}
		for _, name := range split(m.Base) {
			var err error
			if ino, err = find(m.FS, ino, name); err != nil {
				return Entry{}, err
			}
		}
		var err error
		e.Meta, err = stat(m.FS, ino)
		return e, err
	}
	return Entry{}, fmt.Errorf("%q: %w", at, filesystem.ErrNotExist)
}

func (v *View) child(dir Entry, name string) (Entry, error) {
	p := join(dir.Path, name)
	if e, err := v.top(p); p != "/" && err == nil {
		return e, nil
	}
	ino, err := find(dir.Mount.FS, dir.Meta.Inode, name)
	if err != nil {
		return Entry{}, fmt.Errorf("%q: %w", p, err)
	}
	m, err := stat(dir.Mount.FS, ino)
	return Entry{Path: p, Meta: m, Mount: dir.Mount}, err
}

// stat gives what could be read of an inode; doubts about it are told by the walk.
func stat(f filesystem.FS, i filesystem.Inode) (filesystem.Meta, error) {
	m, err := f.Stat(i)
	if m.Inode != 0 {
		err = nil
	}
	return m, err
}

func find(f filesystem.FS, dir filesystem.Inode, name string) (filesystem.Inode, error) {
	var failed error
	for d, err := range f.ReadDir(dir) {
		if err != nil {
			failed = err
			continue
		}
		if string(d.Name) == name {
			return d.Inode, nil
		}
	}
	if failed != nil {
		return 0, failed
	}
	return 0, filesystem.ErrNotExist
}

// Walk calls f for every file of the tree once, directories before what they hold. What cannot be read
// goes to damaged and the walk goes on. A directory that is met again (a loop made by a crafted
// filesystem) is not entered twice.
func (v *View) Walk(ctx context.Context, damaged func(path string, err error), f func(*Entry) error) error {
	top, err := v.top("/")
	if err != nil {
		return err
	}
	w := walker{v: v, ctx: ctx, damaged: damaged, f: f, seen: map[dirID]bool{}}
	return w.dir(&top, 0)
}

type dirID struct {
	fs    filesystem.FS
	inode filesystem.Inode
}

type walker struct {
	v       *View
	ctx     context.Context
	damaged func(string, error)
	f       func(*Entry) error
	seen    map[dirID]bool
	entries int
}

// maxPathDepth is how deep directories are followed; ext4 allows more than any path can name.
const maxPathDepth = 2048

func (w *walker) dir(dir *Entry, depth int) error {
	if depth > maxPathDepth {
		w.damaged(dir.Path, fmt.Errorf("deeper than %d directories: %w", maxPathDepth, limit.ErrLimit))
		return nil
	}
	id := dirID{dir.Mount.FS, dir.Meta.Inode}
	if w.seen[id] {
		w.damaged(dir.Path, errors.New("directory was met before under another path: a loop in the filesystem"))
		return nil
	}
	w.seen[id] = true
	if err := w.f(dir); err != nil {
		return err
	}
	var subs []Entry
	for d, err := range dir.Mount.FS.ReadDir(dir.Meta.Inode) {
		if err != nil {
			w.damaged(dir.Path, err)
			continue
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if w.entries++; w.entries > limit.Entries {
			return fmt.Errorf("more than %d files: %w", limit.Entries, limit.ErrLimit)
		}
		e := Entry{Path: join(dir.Path, string(d.Name)), Mount: dir.Mount}
		if e.Meta, err = dir.Mount.FS.Stat(d.Inode); err != nil {
			w.damaged(e.Path, err)
			if e.Meta.Inode == 0 { // else it was read, with doubts
				continue
			}
		}
		if e.Meta.Type == filesystem.Directory {
			subs = append(subs, e)
			continue
		}
		if err := w.f(&e); err != nil {
			return err
		}
	}
	for i := range subs {
		if len(w.v.Mounts) > 1 {
			if e, err := w.v.top(subs[i].Path); err == nil {
				subs[i] = e
			}
		}
		if err := w.dir(&subs[i], depth+1); err != nil {
			return err
		}
	}
	return nil
}

// File gives random access to a regular file's content.
func (v *View) File(e *Entry) *io.SectionReader {
	return io.NewSectionReader(fileAt{e.Mount.FS, e.Meta.Inode}, 0, e.Meta.Size)
}

type fileAt struct {
	fs    filesystem.FS
	inode filesystem.Inode
}

func (f fileAt) ReadAt(p []byte, off int64) (int, error) { return f.fs.ReadAt(f.inode, p, off) }

// ReadFile reads a small file whole, links followed; more than limit.SmallFile is refused.
func (v *View) ReadFile(p string) ([]byte, error) {
	e, err := v.Lookup(p)
	if err != nil {
		return nil, err
	}
	if e.Meta.Type != filesystem.Regular {
		return nil, fmt.Errorf("%q is no regular file: %w", p, filesystem.ErrNotSupported)
	}
	if e.Meta.Size > limit.SmallFile {
		return nil, fmt.Errorf("%q has %d bytes: %w", p, e.Meta.Size, limit.ErrLimit)
	}
	b := make([]byte, e.Meta.Size)
	n, err := io.ReadFull(v.File(&e), b)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

func split(p string) []string {
	var out []string
	for _, s := range strings.Split(p, "/") {
		if s != "" && s != "." {
			out = append(out, s)
		}
	}
	return out
}

func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}
