// Package files takes the files of the machine into the collection, in one walk: of every file its metadata, and the content of those that
// somebody wants. It reads through a filesystem.FS, so it never follows a link and opens nothing but directories and regular files.
package files

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"telltale/acquire"
	"telltale/acquire/pack"
	"telltale/evidence"
	"telltale/filesystem"
)

// Options of New.
type Options struct {
	FS   filesystem.FS
	Want func(path string, m *filesystem.Meta) bool // whose content is taken
	To   interface {
		Tree(*pack.File, io.Reader) error
	}
	Told func(files int64) // may be nil
}

// maxFile bounds the content of one file, bytes; what is longer is taken by its metadata.
const maxFile = 8 << 30

// maxDepth is how deep directories are followed.
const maxDepth = 2048

// New gives the step.
func New(o Options) acquire.Step {
	return acquire.Step{Name: "files", Doc: "every file's metadata, and the content of logs, settings and what may be an intruder's", Long: true, Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
		w := &walk{o: o, ctx: ctx, out: out}
		m, err := o.FS.Stat(o.FS.Root())
		if err != nil {
			return err
		}
		if err := w.file("", &m); err != nil {
			return err
		}
		return w.dir("", o.FS.Root(), 0)
	}}
}

type walk struct {
	o   Options
	ctx context.Context
	out acquire.Out
	n   int64
}

func (w *walk) dir(path string, i filesystem.Inode, depth int) error {
	if depth > maxDepth {
		w.out.Failed(path, fmt.Errorf("deeper than %d directories", maxDepth))
		return nil
	}
	type sub struct {
		name  string
		inode filesystem.Inode
	}
	var subs []sub
	for d, err := range w.o.FS.ReadDir(i) {
		if err != nil {
			w.out.Failed(path, err)
			continue
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		p := path + "/" + string(d.Name)
		m, err := w.o.FS.Stat(d.Inode)
		if err != nil {
			if !gone(err) {
				w.out.Failed(p, err)
			}
			continue
		}
		if err := w.file(p, &m); err != nil {
			return err
		}
		if m.Type == filesystem.Directory {
			subs = append(subs, sub{p, d.Inode})
		}
	}
	for _, s := range subs {
		if err := w.dir(s.name, s.inode, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// gone tells that a file ended between its name and its metadata, as files do on a running machine.
func gone(err error) bool {
	return errors.Is(err, filesystem.ErrNotExist) || strings.Contains(err.Error(), "no such file")
}

var types = map[filesystem.Type]byte{filesystem.Regular: tar.TypeReg, filesystem.Directory: tar.TypeDir, filesystem.Symlink: tar.TypeSymlink, filesystem.CharDevice: tar.TypeChar, filesystem.BlockDevice: tar.TypeBlock, filesystem.FIFO: tar.TypeFifo}

func (w *walk) file(path string, m *filesystem.Meta) error {
	t, ok := types[m.Type]
	if !ok {
		return nil // a socket: tar has no such type
	}
	f := &pack.File{Path: path, Type: t, Mode: int64(m.Mode), UID: int(m.UID), GID: int(m.GID), Modified: at(m.Mtime), Accessed: at(m.Atime), Changed: at(m.Ctime), Born: at(m.Crtime), Immutable: m.Flags&filesystem.Immutable != 0, Device: m.Rdev}
	if w.n++; w.o.Told != nil && w.n%1000 == 0 {
		w.o.Told(w.n)
	}
	switch m.Type {
	case filesystem.Symlink:
		target, err := w.o.FS.Readlink(m.Inode)
		if err != nil {
			w.out.Failed(path, err)
		}
		f.Target = string(target)
	case filesystem.Regular:
		f.Size = m.Size
		if m.Size > 0 && (!w.o.Want(path, m) || m.Size > maxFile) {
			f.Untaken = true
			break
		}
		if x, ok := w.o.FS.(filesystem.Xattrer); ok && m.Mode&0o111 != 0 {
			f.Attributes, _ = x.Xattrs(m.Inode)
		}
		return w.o.To.Tree(f, io.NewSectionReader(content{w.o.FS, m.Inode}, 0, m.Size))
	}
	return w.o.To.Tree(f, strings.NewReader(""))
}

type content struct {
	fs filesystem.FS
	i  filesystem.Inode
}

func (c content) ReadAt(p []byte, off int64) (int, error) { return c.fs.ReadAt(c.i, p, off) }

func at(t evidence.Time) time.Time {
	if !t.Known() {
		return time.Time{}
	}
	return t.Std()
}
