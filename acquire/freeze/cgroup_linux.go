package freeze

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/acquire/internal/procread"
	"telltale/internal/procfs"
)

// writeTime is how long the kernel may take over a write to a group; it waits there for locks of others.
const writeTime = 5 * time.Second

// hierarchy is a mounted tree of control groups.
type hierarchy struct {
	version int    // 1: that of the freezer; 2
	mount   string // where it is mounted
	root    string // which group lies there
}

// group is one control group, held open.
type group struct {
	fd      int
	path    string // for people
	version int
}

// hierarchies finds the trees in mountinfo, nil where there is none.
func hierarchies() (v1, v2 *hierarchy, err error) {
	b, err := procread.File("/proc/self/mountinfo", procread.TableFile)
	if err != nil {
		return nil, nil, err
	}
	v1, v2 = parseMounts(string(b))
	return v1, v2, nil
}

// parseMounts reads proc(5)'s mountinfo: id parent device root mountpoint options [fields] - type source options.
func parseMounts(s string) (v1, v2 *hierarchy) {
	for line := range strings.Lines(s) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 6 || len(r) < 3 {
			continue
		}
		h := &hierarchy{mount: procfs.Unescape(l[4]), root: procfs.Unescape(l[3])}
		switch {
		case r[0] == "cgroup2" && v2 == nil:
			h.version, v2 = 2, h
		case r[0] == "cgroup" && v1 == nil && has(strings.TrimSpace(r[2]), "freezer"):
			h.version, v1 = 1, h
		}
	}
	return v1, v2
}

func has(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// membership is in which groups a process is.
type membership struct {
	lines  []string
	v1, v2 string // path within the hierarchy, "" for none
}

func memberOf(pid int) (membership, error) {
	b, err := procread.File("/proc/"+strconv.Itoa(pid)+"/cgroup", procread.SmallFile)
	if err != nil {
		return membership{}, err
	}
	return parseMembership(string(b)), nil
}

// parseMembership reads lines "hierarchy:controllers:path"; version 2 is hierarchy 0 without controllers.
func parseMembership(s string) (m membership) {
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		m.lines = append(m.lines, line)
		f := strings.SplitN(line, ":", 3)
		switch {
		case len(f) != 3:
		case f[0] == "0" && f[1] == "":
			m.v2 = f[2]
		case has(f[1], "freezer"):
			m.v1 = f[2]
		}
	}
	return m
}

// open opens a group by its path in a hierarchy.
func (h *hierarchy) open(at string) (*group, error) {
	rel := at
	if h.root != "/" {
		var ok bool
		if rel, ok = strings.CutPrefix(at, h.root); !ok || rel != "" && rel[0] != '/' {
			return nil, fmt.Errorf("%w: the group %q is not mounted here", ErrCannot, at)
		}
	}
	// A group outside of our cgroup namespace is shown as /../x.
	for p := range strings.SplitSeq(rel, "/") {
		if p == ".." {
			return nil, fmt.Errorf("%w: the group %q lies outside of what is mounted here", ErrCannot, at)
		}
	}
	dir := path.Join(h.mount, rel)
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open the group %q: %w", dir, err)
	}
	return h.checked(fd, dir)
}

// checked makes sure that it is the kernel's, for something else may be mounted over it and writing would go to a disk.
func (h *hierarchy) checked(fd int, dir string) (*group, error) {
	var st unix.Statfs_t
	want := int64(unix.CGROUP2_SUPER_MAGIC)
	if h.version == 1 {
		want = unix.CGROUP_SUPER_MAGIC
	}
	if err := unix.Fstatfs(fd, &st); err != nil || int64(st.Type) != want {
		unix.Close(fd)
		return nil, fmt.Errorf("%w: %q is not of the kernel's cgroup filesystem", ErrCannot, dir)
	}
	return &group{fd, dir, h.version}, nil
}

func (g *group) close() { unix.Close(g.fd) }

// read reads a file of the group.
func (g *group) read(name string) (string, error) {
	fd, err := unix.Openat(g.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("open %q: %w", path.Join(g.path, name), err)
	}
	defer unix.Close(fd)
	b, err := procread.All(fd, path.Join(g.path, name), procread.TableFile)
	return string(b), err
}

// write writes a word into a file of the group.
func (g *group) write(name, word string) error {
	fd, err := unix.Openat(g.fd, name, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %q: %w", path.Join(g.path, name), err)
	}
	_, err = bounded.Within(writeTime, func() (int, error) {
		defer unix.Close(fd)
		return unix.Write(fd, []byte(word))
	})
	if err != nil {
		return fmt.Errorf("write %q to %q: %w", word, path.Join(g.path, name), err)
	}
	return nil
}

// make makes a group beneath g, or opens the one that is there.
func (g *group) make(name string) (*group, error) {
	if err := unix.Mkdirat(g.fd, name, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make a group in %q: %w", g.path, err)
	}
	fd, err := unix.Openat(g.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the group %q: %w", path.Join(g.path, name), err)
	}
	return &group{fd, path.Join(g.path, name), g.version}, nil
}

// members lists the processes of the group.
func (g *group) members() ([]int, error) {
	s, err := g.read("cgroup.procs")
	var out []int
	for _, w := range strings.Fields(s) {
		// A process outside of our PID namespace is shown as 0.
		if pid, e := strconv.Atoi(w); e == nil {
			out = append(out, pid)
		}
	}
	return out, err
}

// set tells the group to stand still or to go on.
func (g *group) set(frozen bool) error {
	switch {
	case g.version == 2 && frozen:
		return g.write("cgroup.freeze", "1")
	case g.version == 2:
		return g.write("cgroup.freeze", "0")
	case frozen:
		return g.write("freezer.state", "FROZEN")
	}
	return g.write("freezer.state", "THAWED")
}

// frozen tells whether the group stands still, in the kernel's own words as well.
func (g *group) frozen() (bool, string, error) {
	if g.version == 1 {
		s, err := g.read("freezer.state")
		s = strings.TrimSpace(s)
		return s == "FROZEN", s, err
	}
	s, err := g.read("cgroup.events")
	for line := range strings.Lines(s) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "frozen "); ok {
			return v == "1", "frozen " + v, err
		}
	}
	return false, "", err
}

// lonely tells whether the process is the only one in the group and there are no groups beneath it.
func (g *group) lonely(pid int) bool {
	list, err := g.members()
	if err != nil || len(list) != 1 || list[0] != pid {
		return false
	}
	s, err := g.read("cgroup.stat")
	return err == nil && strings.Contains("\n"+s, "\nnr_descendants 0\n")
}
