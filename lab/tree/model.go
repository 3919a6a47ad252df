package tree

import (
	"fmt"
	"path"
	"sort"
	"strings"
	"time"
)

// The file types of st_mode (inode(7)).
const (
	typeDir  = 0o040000
	typeFile = 0o100000
	typeLink = 0o120000
)

// inode is a file with everything that stat tells.
type inode struct {
	mode                        uint32
	uid, gid                    int
	mtime, atime, ctime, crtime time.Time
	data                        []byte // of a link: its target
	entries                     map[string]*inode
}

func (n *inode) dir() bool { return n != nil && n.entries != nil }

// files is the disk of a written server: it keeps times as a kernel does.
type files struct {
	root *inode
	now  func() time.Time
}

func newFiles(now func() time.Time) *files {
	f := &files{now: now}
	f.root = f.fresh(typeDir|0o755, 0, 0)
	return f
}

func (f *files) fresh(mode uint32, uid, gid int) *inode {
	t := f.now()
	n := &inode{mode: mode, uid: uid, gid: gid, mtime: t, atime: t, ctime: t, crtime: t}
	if mode&typeDir != 0 && mode&typeFile == 0 {
		n.entries = map[string]*inode{}
	}
	return n
}

// find gives the inode of an absolute path, following links of up to eight levels; nil if there is none.
func (f *files) find(p string) *inode { return f.walk(p, 8) }

func (f *files) walk(p string, links int) *inode {
	n := f.root
	parts := strings.Split(strings.Trim(path.Clean("/"+p), "/"), "/")
	for i, name := range parts {
		if name == "" {
			continue
		}
		if !n.dir() {
			return nil
		}
		at := "/" + strings.Join(parts[:i], "/")
		if n = n.entries[name]; n == nil {
			return nil
		}
		if n.mode&0o170000 == typeLink {
			if links == 0 {
				return nil
			}
			to := string(n.data)
			if !strings.HasPrefix(to, "/") {
				to = path.Join(at, to)
			}
			return f.walk(path.Join(append([]string{to}, parts[i+1:]...)...), links-1)
		}
	}
	return n
}

// put sets an entry of a folder, which changes the folder.
func (f *files) put(p string, n *inode) error {
	dir, name := path.Split(path.Clean(p))
	d := f.find(dir)
	if !d.dir() {
		return fmt.Errorf("%s: no such folder", dir)
	}
	if n == nil {
		delete(d.entries, name)
	} else {
		d.entries[name] = n
	}
	d.mtime, d.ctime = f.now(), f.now()
	return nil
}

// mkdir makes a folder and those above it that are missing.
func (f *files) mkdir(p string, mode uint32, uid, gid int) error {
	if p = path.Clean("/" + p); f.find(p).dir() {
		return nil
	}
	if err := f.mkdir(path.Dir(p), 0o755, uid, gid); err != nil {
		return err
	}
	return f.put(p, f.fresh(typeDir|mode, uid, gid))
}

// write sets a file's whole content, keeping the inode of one that is there.
func (f *files) write(p string, data []byte, mode uint32, uid, gid int) (*inode, error) {
	n := f.find(p)
	if n.dir() {
		return nil, fmt.Errorf("%s: is a folder", p)
	}
	if n == nil {
		n = f.fresh(typeFile|mode, uid, gid)
		if err := f.put(p, n); err != nil {
			return nil, err
		}
	}
	f.set(n, append([]byte(nil), data...))
	return n, nil
}

func (f *files) set(n *inode, data []byte) { n.data, n.mtime, n.ctime = data, f.now(), f.now() }

func (f *files) add(n *inode, data []byte) { f.set(n, append(n.data, data...)) }

// replace gives a path a new inode with the old one's owner and mode, as sed -i does.
func (f *files) replace(p string, data []byte) error {
	old := f.find(p)
	if old == nil {
		return fmt.Errorf("%s: no such file", p)
	}
	n := f.fresh(old.mode, old.uid, old.gid)
	n.data = data
	return f.put(p, n)
}

func (f *files) remove(p string) error { return f.put(p, nil) }

func (f *files) link(p, target string) error {
	n := f.fresh(typeLink|0o777, 0, 0)
	n.data = []byte(target)
	return f.put(p, n)
}

// each visits every inode in the order of names, folders before what they hold.
func (f *files) each(visit func(p string, n *inode) error) error { return each("", f.root, visit) }

func each(p string, n *inode, visit func(string, *inode) error) error {
	if err := visit(p, n); err != nil {
		return err
	}
	names := make([]string, 0, len(n.entries))
	for name := range n.entries {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := each(p+"/"+name, n.entries[name], visit); err != nil {
			return err
		}
	}
	return nil
}
