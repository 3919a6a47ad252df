package live

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/dirents"
	"telltale/internal/limit"
)

// FS is the machine's tree. A directory is listed once and stays as it was then. Inode numbers are our own.
type FS struct {
	mu     sync.Mutex
	nodes  []node
	names  []byte // of all nodes, one behind the other
	listed map[filesystem.Inode]listing
	dirs   cache // open directories
	files  cache // open files
	mounts map[string]mount
	hidden []Hidden
	passed []Passed
	buf    []byte
}

// node is one name. There may be millions: it is kept small.
type node struct {
	parent uint32
	name   uint32 // offset in names
	length uint8
	kind   uint8 // filesystem.Type
	flags  uint8
}

const (
	unlisted = 1 << iota // was taken out of the list
	apart                // another filesystem that is not entered
)

// listing is a directory's content: its names lie together.
type listing struct {
	first uint32
	count uint32
	err   error
}

const root filesystem.Inode = 1

// maxNames bounds the bytes of all names; an offset must fit a node.
const maxNames = 1 << 30

// Open opens the tree that begins at a directory; proc is where the machine's mounts are told, "" for not at all.
func Open(dir, proc string) (*FS, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, err)
	}
	f := &FS{nodes: make([]node, 2, 1024), listed: map[filesystem.Inode]listing{}, buf: make([]byte, 64<<10)}
	f.nodes[root].kind = uint8(filesystem.Directory)
	f.dirs, f.files = newCache(maxDirs), newCache(maxFiles)
	f.dirs.pin(root, fd)
	if proc != "" {
		f.mounts = mountsOf(proc)
	}
	return f, nil
}

// Close closes what is open.
func (f *FS) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirs.close()
	f.files.close()
	return nil
}

// Root gives the top.
func (f *FS) Root() filesystem.Inode { return root }

// Info describes the tree.
func (f *FS) Info() filesystem.Info { return filesystem.Info{Kind: "live"} }

// Hidden gives the names that lists left out, of the directories read so far.
func (f *FS) Hidden() []Hidden {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Hidden(nil), f.hidden...)
}

// Passed gives the mounts that were not entered so far.
func (f *FS) Passed() []Passed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Passed(nil), f.passed...)
}

func (f *FS) known(i filesystem.Inode) error {
	if i == 0 || uint64(i) >= uint64(len(f.nodes)) {
		return fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	return nil
}

func (f *FS) name(i filesystem.Inode) string {
	n := &f.nodes[i]
	return string(f.names[n.name : n.name+uint32(n.length)])
}

// path gives a node's path, for words to people and mounts; files are never opened by it.
func (f *FS) path(i filesystem.Inode) string {
	var parts []string
	for ; i != root; i = filesystem.Inode(f.nodes[i].parent) {
		parts = append(parts, f.name(i))
	}
	var s strings.Builder
	for k := len(parts) - 1; k >= 0; k-- {
		s.WriteByte('/')
		s.WriteString(parts[k])
	}
	if s.Len() == 0 {
		return "/"
	}
	return s.String()
}

// dir gives an open directory: each component is opened from the one above, and none may be a link.
func (f *FS) dir(i filesystem.Inode) (int, error) {
	if fd, ok := f.dirs.get(i); ok {
		return fd, nil
	}
	up, err := f.dir(filesystem.Inode(f.nodes[i].parent))
	if err != nil {
		return -1, err
	}
	fd, err := openAt(up, f.name(i), unix.O_DIRECTORY)
	if err != nil {
		return -1, err
	}
	f.dirs.put(i, fd)
	return fd, nil
}

// openAt opens for reading without following a link, without waiting for a FIFO's other end, and without touching the access time where we may.
func openAt(dir int, name string, flags int) (int, error) {
	flags |= unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC | unix.O_NOCTTY
	fd, err := again(func() (int, error) { return unix.Openat(dir, name, flags|unix.O_NOATIME, 0) })
	if errors.Is(err, unix.EPERM) {
		fd, err = again(func() (int, error) { return unix.Openat(dir, name, flags, 0) })
	}
	return fd, err
}

func again(f func() (int, error)) (int, error) {
	for {
		if n, err := f(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func (f *FS) damage(i filesystem.Inode, what string, err error) error {
	if errors.Is(err, unix.ENOENT) { // it ended between its name and now, as files do where a machine runs
		return fmt.Errorf("%s %q: %w", what, f.path(i), filesystem.ErrNotExist)
	}
	return &evidence.Damage{Ref: evidence.Ref{Path: f.path(i)}, Reason: what + ": " + err.Error()}
}

// ReadDir yields the names in a directory, those that its list was made to leave out among them.
func (f *FS) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		f.mu.Lock()
		l, err := f.list(i)
		f.mu.Unlock()
		if err != nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		name := make([]byte, 0, 256)
		for k := l.first; k < l.first+l.count; k++ {
			f.mu.Lock()
			n := f.nodes[k]
			name = append(name[:0], f.names[n.name:n.name+uint32(n.length)]...)
			f.mu.Unlock()
			if !yield(filesystem.Dirent{Name: name, Inode: filesystem.Inode(k), Type: filesystem.Type(n.kind)}, nil) {
				return
			}
		}
		if l.err != nil {
			yield(filesystem.Dirent{}, l.err)
		}
	}
}

// list reads a directory, once.
func (f *FS) list(i filesystem.Inode) (listing, error) {
	if err := f.known(i); err != nil {
		return listing{}, err
	}
	if l, ok := f.listed[i]; ok {
		return l, nil
	}
	if f.nodes[i].flags&apart != 0 {
		return listing{}, nil
	}
	fd, err := f.dir(i)
	if err != nil {
		return listing{}, f.damage(i, "open directory", err)
	}
	if why := f.stranger(i, fd); why != "" {
		f.nodes[i].flags |= apart
		f.passed = append(f.passed, Passed{f.path(i), why})
		return listing{}, nil
	}
	l := listing{first: uint32(len(f.nodes))}
	if _, err := unix.Seek(fd, 0, io.SeekStart); err != nil {
		return listing{}, f.damage(i, "read directory", err)
	}
	hidden := len(f.hidden)
	for l.err == nil {
		n, err := again(func() (int, error) { return unix.Getdents(fd, f.buf) })
		if n == 0 || err != nil {
			if err != nil {
				l.err = f.damage(i, "read directory", err)
			}
			break
		}
		l.err = f.take(i, f.buf[:n])
	}
	l.count = uint32(len(f.nodes)) - l.first
	f.unhide(i, hidden, l)
	f.listed[i] = l
	return l, nil
}

// take adds what one call gave.
func (f *FS) take(dir filesystem.Inode, b []byte) (failed error) {
	_, whole := dirents.Parse(b, func(e dirents.Entry) bool {
		if string(e.Name) == "." || string(e.Name) == ".." {
			return true
		}
		if len(f.nodes) > limit.Entries || len(f.names)+len(e.Name) > maxNames || len(e.Name) > 255 {
			failed = fmt.Errorf("more than %d files: %w", limit.Entries, limit.ErrLimit)
			return false
		}
		n := node{parent: uint32(dir), name: uint32(len(f.names)), length: uint8(len(e.Name)), kind: uint8(typeOf(e.Type))}
		if e.Hidden {
			n.flags |= unlisted
			f.hidden = append(f.hidden, Hidden{Path: strings.TrimSuffix(f.path(dir), "/") + "/" + string(e.Name), Inode: e.Inode})
		}
		f.names = append(f.names, e.Name...)
		f.nodes = append(f.nodes, n)
		return true
	})
	if !whole && failed == nil {
		failed = f.damage(dir, "read directory", errors.New("the kernel gave a record that cannot be"))
	}
	return failed
}

// unhide asks for the files whose names were left out: a name that leads to a file was hidden; one that does not may be what
// is left of a file that was removed.
func (f *FS) unhide(dir filesystem.Inode, from int, l listing) {
	if from == len(f.hidden) {
		return
	}
	fd, err := f.dir(dir)
	if err != nil {
		return
	}
	k := from
	for i := l.first; i < l.first+l.count && k < len(f.hidden); i++ {
		if f.nodes[i].flags&unlisted == 0 {
			continue
		}
		var st unix.Stat_t
		f.hidden[k].Seen = unix.Fstatat(fd, f.name(filesystem.Inode(i)), &st, unix.AT_SYMLINK_NOFOLLOW) == nil
		k++
	}
}

// typeOf takes a DT_ number, which is the type's part of st_mode.
func typeOf(t uint8) filesystem.Type {
	switch t {
	case unix.DT_REG:
		return filesystem.Regular
	case unix.DT_DIR:
		return filesystem.Directory
	case unix.DT_LNK:
		return filesystem.Symlink
	case unix.DT_CHR:
		return filesystem.CharDevice
	case unix.DT_BLK:
		return filesystem.BlockDevice
	case unix.DT_FIFO:
		return filesystem.FIFO
	case unix.DT_SOCK:
		return filesystem.Socket
	}
	return filesystem.UnknownType
}

// Stat gives a file's metadata.
func (f *FS) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.known(i); err != nil {
		return filesystem.Meta{}, err
	}
	fd, name, flags := -1, "", unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT
	var err error
	if i == root {
		fd, err = f.dir(root)
		flags |= unix.AT_EMPTY_PATH
	} else {
		fd, err = f.dir(filesystem.Inode(f.nodes[i].parent))
		name = f.name(i)
	}
	if err != nil {
		return filesystem.Meta{}, f.damage(i, "stat", err)
	}
	m, err := statOf(fd, name, flags)
	if err != nil {
		return filesystem.Meta{}, f.damage(i, "stat", err)
	}
	m.Inode = i
	return m, nil
}

func statOf(fd int, name string, flags int) (m filesystem.Meta, err error) {
	var x unix.Statx_t
	err = unix.Statx(fd, name, flags, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &x)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) { // before 4.11, or kept from us by a filter
		var st unix.Stat_t
		if err = unix.Fstatat(fd, name, &st, flags); err != nil {
			return m, err
		}
		return fromStat(&st), nil
	}
	if err != nil {
		return m, err
	}
	m = filesystem.Meta{Type: typeOf(uint8(x.Mode >> 12)), Mode: x.Mode & 0o7777, UID: x.Uid, GID: x.Gid, Size: int64(x.Size), Links: x.Nlink, Rdev: unix.Mkdev(x.Rdev_major, x.Rdev_minor),
		Mtime: timeOf(x.Mtime), Ctime: timeOf(x.Ctime), Atime: timeOf(x.Atime)}
	if x.Mask&unix.STATX_BTIME != 0 {
		m.Crtime = timeOf(x.Btime)
	}
	if x.Attributes&unix.STATX_ATTR_IMMUTABLE != 0 {
		m.Flags |= filesystem.Immutable
	}
	if x.Attributes&unix.STATX_ATTR_APPEND != 0 {
		m.Flags |= filesystem.AppendOnly
	}
	return m, nil
}

func timeOf(t unix.StatxTimestamp) evidence.Time {
	return evidence.Unix(t.Sec, int64(t.Nsec), time.Nanosecond)
}

func fromStat(st *unix.Stat_t) filesystem.Meta {
	at := func(t unix.Timespec) evidence.Time {
		return evidence.Unix(int64(t.Sec), int64(t.Nsec), time.Nanosecond)
	}
	return filesystem.Meta{Type: typeOf(uint8(st.Mode >> 12)), Mode: uint16(st.Mode & 0o7777), UID: st.Uid, GID: st.Gid, Size: st.Size, Links: uint32(st.Nlink), Rdev: st.Rdev, Mtime: at(st.Mtim), Ctime: at(st.Ctim), Atime: at(st.Atim)}
}

// ReadAt reads a regular file.
func (f *FS) ReadAt(i filesystem.Inode, p []byte, off int64) (int, error) {
	f.mu.Lock()
	h, err := f.file(i)
	if err == nil {
		h.users++
	}
	f.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n := 0
	for n < len(p) && err == nil {
		var k int
		k, err = again(func() (int, error) { return unix.Pread(h.fd, p[n:], off+int64(n)) })
		if n += max(k, 0); k == 0 && err == nil {
			err = io.EOF
		}
	}
	f.mu.Lock()
	f.files.release(h)
	f.mu.Unlock()
	return n, err
}

// file gives an open regular file. Others are not opened: opening a device may act, opening a FIFO may wait.
func (f *FS) file(i filesystem.Inode) (*handle, error) {
	if err := f.known(i); err != nil {
		return nil, err
	}
	if i == root { // nothing lies above it
		return nil, fmt.Errorf("\"/\" is no regular file: %w", filesystem.ErrNotSupported)
	}
	if h := f.files.handle(i); h != nil {
		return h, nil
	}
	dir, err := f.dir(filesystem.Inode(f.nodes[i].parent))
	if err != nil {
		return nil, f.damage(i, "open", err)
	}
	var st unix.Stat_t
	if err := unix.Fstatat(dir, f.name(i), &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, f.damage(i, "open", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("%q is no regular file: %w", f.path(i), filesystem.ErrNotSupported)
	}
	fd, err := openAt(dir, f.name(i), 0)
	if err != nil {
		return nil, f.damage(i, "open", err)
	}
	var now unix.Stat_t
	if err := unix.Fstat(fd, &now); err != nil || now.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		return nil, f.damage(i, "open", errors.New("it became another file while it was opened"))
	}
	return f.files.put(i, fd), nil
}

// Readlink gives a link's target.
func (f *FS) Readlink(i filesystem.Inode) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.known(i); err != nil || i == root {
		return nil, fmt.Errorf("inode %d is no link: %w", i, filesystem.ErrNotExist)
	}
	dir, err := f.dir(filesystem.Inode(f.nodes[i].parent))
	if err != nil {
		return nil, f.damage(i, "read link", err)
	}
	b := make([]byte, maxPath)
	n, err := again(func() (int, error) { return unix.Readlinkat(dir, f.name(i), b) })
	if err != nil {
		return nil, f.damage(i, "read link", err)
	}
	return b[:n], nil
}

// Xattrs gives the attributes of a regular file that matter: a program's capabilities, and who else may read it.
func (f *FS) Xattrs(i filesystem.Inode) (map[string][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.file(i)
	if err != nil {
		return nil, err
	}
	var out map[string][]byte
	for _, name := range [...]string{capability, aclAccess} {
		b := make([]byte, maxXattr)
		n, err := unix.Fgetxattr(h.fd, name, b)
		if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
			continue
		}
		if err != nil {
			return nil, f.damage(i, "read attribute", err)
		}
		if out == nil {
			out = map[string][]byte{}
		}
		out[name] = b[:n]
	}
	return out, nil
}

// maxPath is PATH_MAX, bytes.
const maxPath = 4096

// The attributes that are read, and how long one may be, bytes: an access list of a hundred entries.
const (
	capability = "security.capability"
	aclAccess  = "system.posix_acl_access"
	maxXattr   = 1024
)

// Extents: the running kernel is asked for bytes, not for where they lie.
func (f *FS) Extents(filesystem.Inode) ([]filesystem.Extent, error) {
	return nil, filesystem.ErrNotSupported
}
