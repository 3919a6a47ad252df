package views

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// shownBeneath is how many names of a hidden folder are told.
const shownBeneath = 40

// hiddenFile is what lies beneath a mount.
type hiddenFile struct {
	same   bool // it is the file that the mount shows: nothing is hidden
	empty  bool
	folder bool
	detail string
}

// beneath looks at what a mount hides, without a change to any table of mounts but a copy that is thrown away.
func beneath(m, parent *state.Mount) (hiddenFile, error) {
	return bounded.Within(bounded.Patience, func() (hiddenFile, error) {
		var above unix.Stat_t
		if err := unix.Lstat(m.At, &above); err != nil {
			return hiddenFile{}, fmt.Errorf("look at %q: %w", m.At, err)
		}
		fd, err := cloned(m, parent)
		if errors.Is(err, unix.ENOSYS) || errors.Is(err, errStacked) {
			fd, err = uncovered(m.At)
		}
		if err != nil {
			return hiddenFile{}, err
		}
		defer unix.Close(fd)
		return describe(fd, &above)
	})
}

var errStacked = errors.New("it lies on another mount's root")

// cloned opens the place of a mount in a copy of its parent alone, which has no mounts upon it (Linux 5.2).
func cloned(m, parent *state.Mount) (int, error) {
	if m.At == parent.At {
		return -1, errStacked // by its path one would reach the upper one
	}
	tree, err := unix.OpenTree(unix.AT_FDCWD, parent.At, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("copy the mount at %q: %w", parent.At, err)
	}
	defer unix.Close(tree)
	rel := strings.TrimPrefix(strings.TrimPrefix(m.At, parent.At), "/")
	fd, err := unix.Openat(tree, rel, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %q beneath its mount: %w", m.At, err)
	}
	return fd, nil
}

// uncovered takes the mount away in a copy of our mount namespace and opens what it lay on. The thread keeps the copy
// and ends. Nothing is unmounted unless the kernel shows that the namespace is another and private.
func uncovered(at string) (int, error) {
	return bounded.Thread(bounded.Patience, func() (int, error) {
		self := fmt.Sprintf("/proc/self/task/%d/ns/mnt", unix.Gettid())
		was, err := os.Readlink(self)
		if err != nil {
			return -1, err
		}
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return -1, fmt.Errorf("unshare: %w", err)
		}
		is, err := os.Readlink(self)
		if err != nil || is == was {
			return -1, fmt.Errorf("the mount namespace is still %s: %v", was, err)
		}
		if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return -1, fmt.Errorf("make mounts private: %w", err)
		}
		if err := unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return -1, fmt.Errorf("unmount %q in a copy of the namespace: %w", at, err)
		}
		return unix.Open(at, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
}

func describe(fd int, above *unix.Stat_t) (hiddenFile, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return hiddenFile{}, err
	}
	h := hiddenFile{same: st.Dev == above.Dev && st.Ino == above.Ino, folder: st.Mode&unix.S_IFMT == unix.S_IFDIR}
	if !h.folder {
		h.empty = st.Size == 0
		h.detail = fmt.Sprintf("a file of %d bytes, inode %d, owner %d", st.Size, st.Ino, st.Uid)
		return h, nil
	}
	names, err := bounded.List(fmt.Sprintf("/proc/self/fd/%d/.", fd), shownBeneath)
	if err != nil && !errors.Is(err, bounded.ErrLong) {
		return h, err
	}
	h.empty = len(names) == 0
	var list []string
	for _, n := range names {
		var s unix.Stat_t
		if err := unix.Fstatat(fd, n, &s, unix.AT_SYMLINK_NOFOLLOW); err == nil {
			list = append(list, fmt.Sprintf("%q (%d bytes)", n, s.Size))
		}
	}
	h.detail = "a folder with " + strings.Join(list, ", ")
	if err != nil {
		h.detail += " and more"
	}
	return h, nil
}

// isFile tells whether a mount point is a file, not a folder.
func isFile(at string) bool {
	st, err := bounded.Within(bounded.Patience, func() (os.FileInfo, error) { return os.Lstat(filepath.Clean(at)) })
	return err == nil && st.Mode().IsRegular()
}
