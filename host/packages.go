package host

import (
	"errors"
	"fmt"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host/pkgdb"
)

// Owners tells which package owns a path, and what the package says of it.
type Owners = pkgdb.Database

// Owners reads the databases of the package managers. Without one, no path is owned and Read is false: "unowned" then
// means nothing.
func (h *Host) Owners() *Owners { return pkgdb.Read(dbTree{h}) }

// dbTree gives the readers of package databases the host's tree.
type dbTree struct{ h *Host }

// Open finds a regular file.
func (t dbTree) Open(p string) (*pkgdb.File, error) {
	e, err := t.h.Lookup(p)
	if err != nil {
		return nil, err
	}
	if e.Meta.Type != filesystem.Regular {
		return nil, fmt.Errorf("%q is no regular file: %w", p, filesystem.ErrNotExist)
	}
	return t.file(&e, p), nil
}

// Files gives the regular files of a directory.
func (t dbTree) Files(dir string) iter.Seq2[*pkgdb.File, error] {
	return func(yield func(*pkgdb.File, error) bool) {
		top, err := t.h.Lookup(dir)
		if errors.Is(err, filesystem.ErrNotExist) || err == nil && top.Meta.Type != filesystem.Directory {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for d, err := range top.Mount.FS.ReadDir(top.Meta.Inode) {
			e := Entry{Path: join(top.Path, string(d.Name)), Mount: top.Mount}
			if err == nil {
				e.Meta, err = stat(top.Mount.FS, d.Inode)
			}
			if err == nil && e.Meta.Type != filesystem.Regular {
				continue
			}
			if !yield(t.file(&e, join(dir, string(d.Name))), err) {
				return
			}
		}
	}
}

func (t dbTree) file(e *Entry, p string) *pkgdb.File {
	f := &pkgdb.File{ReaderAt: t.h.File(e), Path: p, Size: e.Meta.Size, Mtime: e.Meta.Mtime, Ctime: e.Meta.Ctime, Ref: t.h.Ref(e)}
	if t.h.CopyTimes {
		f.Ctime = evidence.Time{}
	}
	return f
}
