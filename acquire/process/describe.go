//go:build linux

package process

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/internal/dirents"
	"telltale/internal/procfs"
	"telltale/internal/state"
)

// dir is one process: the open directory of its files.
type dir struct {
	fd   int
	pid  int
	keep bool
	raw  []rawFile
}

type rawFile struct {
	name string
	b    []byte
}

func open(proc string, pid int, keep bool) (*dir, error) {
	fd, err := unix.Open(fmt.Sprintf("%s/%d", proc, pid), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &dir{fd: fd, pid: pid, keep: keep}, nil
}

func (d *dir) close() { unix.Close(d.fd) }

// read reads a file of the process, no more than max bytes.
func (d *dir) read(name string, max int) ([]byte, error) {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	b := make([]byte, 0, 4096)
	for len(b) < max {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := unix.Read(fd, b[len(b):cap(b)])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n <= 0 {
			if err != nil && len(b) == 0 {
				return nil, err
			}
			break
		}
		b = b[:len(b)+n]
	}
	if d.keep && len(b) > 0 {
		d.raw = append(d.raw, rawFile{name, b})
	}
	return b, nil
}

func (d *dir) link(name string) (string, error) {
	b := make([]byte, 4096)
	n, err := unix.Readlinkat(d.fd, name, b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

func (d *dir) describe(boot time.Time) (*state.Process, error) {
	p := &state.Process{LoginUID: -1, Session: -1}
	b, err := d.read("stat", maxFile)
	if err != nil {
		return nil, err
	}
	if !procfs.Stat(b, p) {
		p.Odd = append(p.Odd, "stat cannot be understood")
	} else if p.PID != d.pid {
		p.Odd = append(p.Odd, fmt.Sprintf("stat says number %d", p.PID))
	}
	p.PID = d.pid
	p.Started = boot.Add(time.Duration(p.Ticks) * (time.Second / procfs.TicksASec)).UTC().Format(time.RFC3339Nano)
	try := func(name string, max int, f func([]byte)) {
		b, err := d.read(name, max)
		if err != nil {
			if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ESRCH) {
				p.Unread = append(p.Unread, name+": "+err.Error())
			}
			return
		}
		f(b)
	}
	try("status", maxFile, func(b []byte) {
		if pid := procfs.Status(b, p); pid != d.pid {
			p.Odd = append(p.Odd, fmt.Sprintf("status says number %d", pid))
		}
	})
	try("loginuid", 64, func(b []byte) { p.LoginUID = procfs.Identity(b) })
	try("sessionid", 64, func(b []byte) { p.Session = procfs.Identity(b) })
	try("cgroup", maxFile, func(b []byte) { p.Cgroup = procfs.Cgroup(b) })
	p.Unit, p.Container = procfs.UnitOf(p.Cgroup), procfs.ContainerOf(p.Cgroup)
	d.namespaces(p)
	if p.Kernel {
		return p, nil
	}
	try("cmdline", maxFile, func(b []byte) { p.Args = procfs.Args(b) })
	try("environ", maxFile, func(b []byte) { p.Env, p.EnvSize = procfs.Env(b) })
	try("maps", maxMaps, func(b []byte) {
		procfs.Maps(b, p)
		v, err := d.vdso(b)
		if p.VDSO = v; err != nil && !errors.Is(err, unix.ESRCH) {
			p.Unread = append(p.Unread, "vdso: "+err.Error())
		}
	})
	try("wchan", 256, func(b []byte) { p.Waits = waits(b) })
	if d.keep {
		for _, name := range []string{"comm", "limits", "mountinfo", "io", "syscall", "stack", "autogroup"} {
			try(name, maxFile, func([]byte) {})
		}
	}
	d.links(p)
	d.tasks(p)
	d.files(p)
	procfs.Interpreted(p)
	return p, nil
}

// waits gives the function of the kernel that a process sleeps in; "0" stands for none, and for what may not be seen.
func waits(b []byte) string {
	if s := state.Text(b, 128); s != "0" {
		return s
	}
	return ""
}

// links reads which program, folder and root the process has.
func (d *dir) links(p *state.Process) {
	exe, err := d.link("exe")
	if err != nil {
		p.Unread = append(p.Unread, "exe: "+err.Error())
	}
	exe, p.Deleted = procfs.Link(exe)
	p.Exe = state.Text([]byte(exe), procfs.MaxText)
	p.Memory = strings.HasPrefix(exe, "/memfd:")
	if cwd, err := d.link("cwd"); err == nil {
		cwd, p.DirGone = procfs.Link(cwd)
		p.Dir = state.Text([]byte(cwd), procfs.MaxText)
	}
	if root, err := d.link("root"); err == nil {
		p.Root = state.Text([]byte(root), procfs.MaxText)
	}
}

var namespaceNames = []string{"mnt", "net", "pid", "user", "uts", "ipc", "cgroup"}

func (d *dir) namespaces(p *state.Process) {
	for _, n := range namespaceNames {
		if id := d.namespace("ns/" + n); id != 0 {
			if p.NS == nil {
				p.NS = map[string]uint64{}
			}
			p.NS[n] = id
		}
	}
}

// namespace reads a number out of "net:[4026531840]", 0 for none.
func (d *dir) namespace(name string) uint64 {
	target, err := d.link(name)
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(target, ":[")
	id, _ := strconv.ParseUint(strings.TrimSuffix(rest, "]"), 10, 64)
	return id
}

// numbers lists a directory of numbers.
func (d *dir) numbers(name string, max int) (out []int, more bool, err error) {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false, err
	}
	defer unix.Close(fd)
	buf := make([]byte, 16<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n <= 0 || err != nil {
			return out, more, err
		}
		dirents.Parse(buf[:n], func(e dirents.Entry) bool {
			v, err := strconv.Atoi(string(e.Name))
			if err != nil {
				return true
			}
			if more = len(out) >= max; !more {
				out = append(out, v)
			}
			return !more
		})
		if more {
			return out, more, nil
		}
	}
}

// tasks notes the threads that are otherwise than their process.
func (d *dir) tasks(p *state.Process) {
	if p.Threads <= 1 {
		return
	}
	tids, more, err := d.numbers("task", maxTasks)
	if err != nil || more {
		p.Unread = append(p.Unread, "not all threads")
	}
	keep := d.keep
	d.keep = false
	defer func() { d.keep = keep }()
	for _, tid := range tids {
		if tid == d.pid {
			continue
		}
		b, err := d.read(fmt.Sprintf("task/%d/status", tid), maxFile)
		if err != nil {
			continue
		}
		var x state.Process
		procfs.Status(b, &x)
		t := state.Task{TID: tid, Name: x.Name, EUID: x.EUID}
		if net := d.namespace(fmt.Sprintf("task/%d/ns/net", tid)); net != p.NS["net"] {
			t.Net = net
		}
		if (t.EUID != p.EUID || t.Net != 0) && len(p.OddTasks) < 64 {
			p.OddTasks = append(p.OddTasks, t)
		}
	}
}

// files reads what the process has open.
func (d *dir) files(p *state.Process) {
	fds, more, err := d.numbers("fd", maxOpen)
	if err != nil {
		p.Unread = append(p.Unread, "fd: "+err.Error())
		return
	}
	if more {
		p.Unread = append(p.Unread, fmt.Sprintf("fd: more than %d", maxOpen))
	}
	keep := d.keep
	d.keep = false
	defer func() { d.keep = keep }()
	p.FileCount = len(fds)
	for _, fd := range fds {
		target, err := d.link("fd/" + strconv.Itoa(fd))
		if err != nil {
			continue
		}
		o := state.Open{FD: fd}
		target, o.Deleted = procfs.Link(target)
		o.Target = state.Text([]byte(target), procfs.MaxText)
		if strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "/dev/") {
			if b, err := d.read("fdinfo/"+strconv.Itoa(fd), 4096); err == nil {
				o.Write = procfs.FDInfo(b)
			}
		}
		if o.Deleted && strings.HasPrefix(target, "/") {
			var st unix.Stat_t
			if unix.Fstatat(d.fd, "fd/"+strconv.Itoa(fd), &st, 0) == nil {
				o.Size, o.Inode = st.Size, st.Ino
			}
		}
		p.Files = append(p.Files, o)
	}
}
