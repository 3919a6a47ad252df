package namespace

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
)

// Enter brings the calling thread, which is to end after (bounded.Thread), into a namespace of a process: kind is
// unix.CLONE_NEWNET and its like, name the file in /proc/PID/ns.
func Enter(proc string, s Space, kind int, name string) error {
	fd, err := unix.Open(filepath.Join(proc, strconv.Itoa(s.PID), "ns", name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, kind); err != nil {
		return fmt.Errorf("enter the %s namespace of process %d: %w", name, s.PID, err)
	}
	return nil
}

// Mount gives the path of a filesystem of the kernel's own ("proc", "tracefs") in a mount of ours, attached nowhere.
// The path goes by way of a file descriptor and is good until close is called; it ends in "/." since the descriptor's
// own name is a link, which nothing here follows.
//
// Where Linux is older than 5.2 it is mounted at the folder at, in a mount namespace of a thread that ends. at must be
// there, as nothing is made. A type that the kernel does not have is never asked for: it would run modprobe.
func Mount(fstype, at string) (path string, close func() error, err error) {
	if !registered(fstype) {
		return "", nil, fmt.Errorf("this kernel has no %s filesystem", fstype)
	}
	fd, err := bounded.Within(bounded.Patience, func() (int, error) { return detached(fstype) })
	if errors.Is(err, unix.ENOSYS) {
		fd, err = privately(fstype, at)
	}
	if err != nil {
		return "", nil, fmt.Errorf("mount a %s filesystem of our own: %w", fstype, err)
	}
	return "/proc/self/fd/" + strconv.Itoa(fd) + "/.", func() error { return unix.Close(fd) }, nil
}

func registered(fstype string) bool {
	b, _ := bounded.Read("/proc/filesystems", 1<<16)
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 0 && f[len(f)-1] == fstype {
			return true
		}
	}
	return false
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
