package views

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
)

// FreshProc gives the path of a proc filesystem of our own, attached nowhere: what is mounted over parts of /proc, or
// over /proc itself, is not mounted over this one. No table of mounts changes but that of a thread which ends here.
// The path goes by way of a file descriptor and is good until close is called; it ends in "/." since the descriptor's
// own name is a link, which nothing here follows.
func FreshProc() (path string, close func() error, err error) {
	fd, err := bounded.Within(bounded.Patience, func() (int, error) { return detached("proc") })
	if errors.Is(err, unix.ENOSYS) { // kernels before 5.2
		fd, err = privately("proc", "/proc")
	}
	if err != nil {
		return "", nil, fmt.Errorf("mount a proc filesystem of our own: %w", err)
	}
	return "/proc/self/fd/" + strconv.Itoa(fd) + "/.", func() error { return unix.Close(fd) }, nil
}

// detached makes a mount that is in no namespace, by the calls that Linux has from 5.2 on.
func detached(fstype string) (int, error) {
	fs, err := unix.Fsopen(fstype, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("fsopen: %w", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, fmt.Errorf("fsconfig: %w", err)
	}
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return -1, fmt.Errorf("fsmount: %w", err)
	}
	return fd, nil
}

// privately mounts at a folder in a mount namespace of its own and gives a descriptor of it. The thread
// ends and the namespace with it; the descriptor keeps the filesystem.
func privately(fstype, at string) (int, error) {
	return bounded.Thread(bounded.Patience, func() (int, error) {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return -1, fmt.Errorf("unshare: %w", err)
		}
		// Without this the mount would go to the machine's own namespace, too.
		if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return -1, fmt.Errorf("make mounts private: %w", err)
		}
		if err := unix.Mount(fstype, at, fstype, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
			return -1, fmt.Errorf("mount: %w", err)
		}
		fd, err := unix.Open(at, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return -1, fmt.Errorf("open %q: %w", at, err)
		}
		return fd, nil
	})
}
