package sink

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"telltale/internal/untouched"
)

// ErrOwnDisk says that a file would lie on a disk that is evidence.
var ErrOwnDisk = errors.New("it lies on a filesystem of this machine, which is evidence")

// openFile makes a new file, which only its owner can read.
func openFile(ctx context.Context, name string, o Options) (destination, error) {
	note, err := place(name, o)
	if err != nil {
		return nil, fmt.Errorf("open --to: %w", err)
	}
	if note != "" {
		o.Note(note)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open --to: %w", err)
	}
	return newStall(ctx, synced{f}), nil
}

// synced closes a file when its content is on the disk: the stick is pulled out next.
type synced struct{ *os.File }

func (s synced) Close() error {
	err := s.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, s.File.Close())
}

// place judges where a file would lie, by the mounts as the kernel tells them and the filesystems that fstab(5) names.
func place(name string, o Options) (note string, err error) {
	if o.Here {
		return "", nil
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	look := o.seen
	if look == nil {
		look = look1
	}
	m, at, err := look(dir)
	if err != nil {
		return "", fmt.Errorf("%w, or may do: %w", ErrOwnDisk, err)
	}
	switch {
	case at.kind == "tmpfs" || at.kind == "ramfs":
		return fmt.Sprintf("%q lies in memory (%s): the collection takes memory of this machine, and is gone when it ends", dir, at.kind), nil
	case m.own[at.device] != "":
		return "", fmt.Errorf("%q: %w (%s)", dir, ErrOwnDisk, m.own[at.device])
	}
	return "", nil
}

// mount is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	device string // "8:1": of the filesystem; btrfs gives each subvolume another st_dev, and all the same here
	at     string
	kind   string
}

// machine are the filesystems that belong to the machine: by device, at what place.
type machine struct{ own map[string]string }

// ownPlaces are where the machine's own filesystems lie, whether fstab names them or not.
var ownPlaces = []string{"/", "/usr", "/etc", "/var", "/home", "/root", "/boot", "/boot/efi", "/srv", "/opt"}

func look1(dir string) (machine, mount, error) {
	info, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return machine{}, mount{}, err
	}
	defer info.Close()
	tab, err := untouched.Open("/etc/fstab", 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return machine{}, mount{}, err
	}
	var lines io.Reader = strings.NewReader("")
	if err == nil {
		defer tab.Close()
		lines = tab
	}
	return judge(info, lines, dir)
}

// judge reads the mounts and fstab, and finds the mount that dir lies on.
func judge(info, tab io.Reader, dir string) (machine, mount, error) {
	m := machine{own: map[string]string{}}
	places := map[string]bool{}
	for _, p := range ownPlaces {
		places[p] = true
	}
	// fstab(5): device, place, type, options. One with noauto is not mounted by the machine itself: a stick, a disc.
	err := rows(tab, func(f []string) {
		if len(f) >= 2 && !strings.HasPrefix(f[0], "#") && (len(f) < 4 || !strings.Contains(","+f[3]+",", ",noauto,")) {
			places[plain(f[1])] = true
		}
	})
	if err != nil {
		return m, mount{}, fmt.Errorf("read fstab: %w", err)
	}
	var at mount
	err = rows(info, func(f []string) {
		x, ok := mountOf(f)
		if !ok {
			return
		}
		if places[x.at] && x.kind != "tmpfs" && x.kind != "ramfs" && x.kind != "proc" && x.kind != "sysfs" {
			m.own[x.device] = x.at
		}
		// The longest place that dir lies in; of those at one place the last, which covers the others.
		if len(x.at) >= len(at.at) && (dir == x.at || strings.HasPrefix(dir, strings.TrimSuffix(x.at, "/")+"/")) {
			at = x
		}
	})
	if err != nil {
		return m, at, fmt.Errorf("read mountinfo: %w", err)
	}
	if at.at == "" {
		return m, at, fmt.Errorf("no mount is seen that %q lies on", dir)
	}
	return m, at, nil
}

// mountOf reads a line: id, parent, device, root, place, options, optional fields, "-", type, source, options.
func mountOf(f []string) (mount, bool) {
	if len(f) < 9 {
		return mount{}, false
	}
	for i := 6; i < len(f)-1; i++ {
		if f[i] == "-" {
			return mount{device: f[2], at: plain(f[4]), kind: f[i+1]}, true
		}
	}
	return mount{}, false
}

// maxTable bounds fstab and mountinfo, bytes: whoever is root can make either without end.
const maxTable = 16 << 20

// rows gives the fields of each line.
func rows(r io.Reader, each func([]string)) error {
	l := &io.LimitedReader{R: r, N: maxTable}
	b := bufio.NewReader(l)
	for {
		line, err := b.ReadString('\n')
		if f := strings.Fields(line); len(f) > 0 {
			each(f)
		}
		if errors.Is(err, io.EOF) {
			if l.N == 0 {
				return fmt.Errorf("longer than %d bytes", maxTable)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// plain takes the escapes off that stand for white space in both tables.
func plain(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\043`, "#").Replace(s)
}
