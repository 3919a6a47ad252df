// Package container is the lab's tier of real daemons: a Debian 12 server in systemd-nspawn on an ext4 disk of its own, in a
// network that leads nowhere. Everything in its logs was written by those programs about something that happened.
//
// A case is made by a process of its own (Inside), which has its own mounts, network and process ids. When it ends, however
// it ends, the kernel takes all of them back: no mount, loop device, namespace or daemon stays.
package container

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"telltale/lab"
)

// Maker makes cases in containers. It must run in a process that Inside began.
type Maker struct {
	work, dir string // where bases are kept; this case's own folder there
	lock      *os.File
	play      *lab.Play
	setup     lab.Setup
	server    *exec.Cmd // systemd-nspawn
	console   *os.File
	holder    *exec.Cmd // holds the server's network
	machine   bool      // a virtual machine, not a container
	vm        vm
	kept      map[string]bool // which of the intruder's files the disk holds at the end
	sinks     *sinks
}

// New gives a maker that keeps its base and works in a folder: LAB_WORK, or /var/tmp/lab-work.
func New() *Maker {
	work := os.Getenv("LAB_WORK")
	if work == "" {
		work = "/var/tmp/lab-work"
	}
	return &Maker{work: work}
}

// Tier gives the tier.
func (m *Maker) Tier() lab.Tier {
	if m.machine {
		return lab.VM
	}
	return lab.Container
}

// Clock says how the times were made.
func (m *Maker) Clock() string {
	if m.machine {
		return m.vm.clock()
	}
	return "the machine's own: everything since the last boot happened at the time it shows. The days before it are written: the rotated logs (*.1) and the older records of wtmp, btmp and lastlog; the installation's dates were set back by 45 and 30 days"
}

//go:embed base.sh
var baseScript string

//go:embed tree.sh
var treeScript string

//go:embed disk.sh
var diskScript string

// needed are the programs that making takes, and Debian's packages that bring them.
var needed = [][2]string{{"mmdebstrap", "mmdebstrap"}, {"systemd-nspawn", "systemd-container"}, {"mkfs.ext4", "e2fsprogs"}, {"debugfs", "e2fsprogs"}, {"e2fsck", "e2fsprogs"}, {"sshpass", "sshpass"}, {"ssh", "openssh-client"},
	{"ssh-keygen", "openssh-client"}, {"smbclient", "smbclient"}, {"ip", "iproute2"}, {"nsenter", "util-linux"}, {"unshare", "util-linux"}, {"zstd", "zstd"}, {"dpkg-deb", "dpkg"}}

// ErrMissing says that something is needed that is not here; its text says what, and how to get it.
var ErrMissing = errors.New("making a container needs")

// Ready tells whether this machine can make containers.
func Ready() error {
	var lack []string
	for _, n := range needed {
		if _, err := exec.LookPath(n[0]); err != nil && !slices.Contains(lack, n[1]) {
			lack = append(lack, n[1])
		}
	}
	switch {
	case os.Geteuid() != 0:
		return fmt.Errorf("%w root: loop devices, namespaces", ErrMissing)
	case len(lack) > 0:
		return fmt.Errorf("%w more programs: apt-get install %s", ErrMissing, strings.Join(lack, " "))
	}
	return nil
}

// script runs one of our shell scripts.
func script(ctx context.Context, text string, args ...string) error {
	c := exec.CommandContext(ctx, "bash", append([]string{"-c", text, "lab"}, args...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, tail(out))
	}
	return nil
}

func run(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, tail(out))
	}
	return nil
}

func tail(out []byte) string {
	s := strings.TrimSpace(string(out))
	return s[max(0, len(s)-600):]
}

// Begin makes the server, and starts it.
func (m *Maker) Begin(ctx context.Context, p *lab.Play, s lab.Setup) (lab.Stage, error) {
	if err := Ready(); err != nil {
		return nil, err
	}
	m.play, m.setup = p, s
	if err := m.folder(ctx); err != nil {
		return nil, err
	}
	if m.machine {
		return m.beginVM(ctx)
	}
	if err := script(ctx, treeScript, m.work, m.dir, s.Zone); err != nil {
		return nil, fmt.Errorf("lay out the server: %w", err)
	}
	if err := m.configure(ctx); err != nil {
		return nil, fmt.Errorf("set the server up: %w", err)
	}
	if err := m.past(); err != nil {
		return nil, fmt.Errorf("write the days before: %w", err)
	}
	tree := filepath.Join(m.dir, "tree")
	if err := unmount(filepath.Join(tree, "usr")); err != nil {
		return nil, err
	}
	if err := stripOverlay(filepath.Join(tree, "usr")); err != nil {
		return nil, err
	}
	if err := script(ctx, diskScript, m.work, m.dir, "220", fmt.Sprint(m.now().Unix()), "base2"); err != nil {
		return nil, fmt.Errorf("make the disk: %w", err)
	}
	if err := m.network(ctx); err != nil {
		return nil, fmt.Errorf("make the network: %w", err)
	}
	if err := m.boot(ctx); err != nil {
		return nil, err
	}
	return &server{m: m}, nil
}

// folder makes the case's own folder, and removes those of makes that were killed: nobody locks them any more. Other makes wait meanwhile.
func (m *Maker) folder(ctx context.Context) (err error) {
	all, err := waitLock(ctx, m.work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	old, err := filepath.Glob(filepath.Join(m.work, "case-*"))
	if err != nil {
		return err
	}
	for _, d := range old {
		if f, err := lock(d); err == nil {
			if err := errors.Join(os.RemoveAll(d), f.Close()); err != nil {
				return err
			}
		}
	}
	if m.dir, err = os.MkdirTemp(m.work, "case-"); err != nil {
		return err
	}
	if m.lock, err = lock(m.dir); err != nil {
		return err
	}
	return nil
}

// base makes the tree that all servers of a tier start from, where there is none yet. It takes the packages from the machine's mirror, and so runs before
// the network is left behind. Other makes wait meanwhile.
func base(ctx context.Context, work string, tier lab.Tier) (err error) {
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	all, err := waitLock(ctx, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	name, more := "base2", ""
	if tier == lab.VM {
		name, more = "base-vm", vmPackages
	}
	if err := script(ctx, baseScript, work, name, more); err != nil {
		return fmt.Errorf("make the base: %w", err)
	}
	return nil
}

// waitLock locks a folder as soon as nobody else has.
func waitLock(ctx context.Context, dir string) (*os.File, error) {
	f, err := lock(dir)
	for ; errors.Is(err, unix.EWOULDBLOCK); f, err = lock(dir) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return f, err
}

func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// End switches the server off in order and writes its disk into a folder.
func (m *Maker) End(ctx context.Context, dir string) ([]string, error) {
	if m.server == nil {
		return nil, errors.New("no server was begun")
	}
	if m.machine {
		return m.endVM(ctx, dir)
	}
	if err := m.down(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	mnt := filepath.Join(m.dir, "mnt")
	m.look(mnt)
	for _, step := range []func() error{
		func() error { return unmount(filepath.Join(mnt, "usr")) }, func() error { return os.RemoveAll(filepath.Join(mnt, "overlay")) },
		func() error { return stripOverlay(filepath.Join(mnt, "usr")) }, func() error { return unmount(mnt) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	img := filepath.Join(m.dir, "disk.img")
	if err := run(ctx, "e2fsck", "-fn", img); err != nil {
		return nil, err
	}
	if m.setup.RemoteLogs {
		m.play.Truth.Remote = "remote"
		if err := m.sinks.keep(filepath.Join(dir, "remote"), m.setup.Hostname); err != nil {
			return nil, err
		}
	}
	return []string{"evidence.img.zst"}, run(ctx, "zstd", "-q", "-3", "--long=27", "-T0", "-f", img, "-o", filepath.Join(dir, "evidence.img.zst"))
}

// Has tells whether the disk that End wrote holds one of the intruder's files.
func (m *Maker) Has(path string) bool { return m.kept[path] }

// look notes which of the intruder's files a mounted disk holds.
func (m *Maker) look(mnt string) {
	m.kept = map[string]bool{}
	paths := slices.Clone(m.play.Truth.Expect.Files)
	for _, a := range m.play.Truth.Expect.Altered {
		paths = append(paths, a.Path)
	}
	for _, f := range paths {
		_, err := os.Lstat(filepath.Join(mnt, f))
		m.kept[f] = err == nil
	}
}

// Discard takes back what is left.
func (m *Maker) Discard() error {
	var errs []error
	if m.server != nil {
		m.kill()
	}
	if m.sinks != nil {
		m.sinks.close()
		m.sinks = nil
	}
	if m.holder != nil {
		_ = m.holder.Process.Kill() // it may be gone
		_ = m.holder.Wait()
		m.holder = nil
	}
	if m.dir != "" {
		for _, p := range []string{"mnt/usr", "mnt", "tree/usr"} {
			errs = append(errs, unmount(filepath.Join(m.dir, p)))
		}
		if errors.Join(errs...) == nil { // never through a mount
			errs = append(errs, os.RemoveAll(m.dir), m.lock.Close())
			m.dir = ""
		}
	}
	return errors.Join(errs...)
}

// unmount unmounts what may still be busy for a moment; what is not mounted is no error.
func unmount(p string) error {
	for range 20 {
		err := unix.Unmount(p, 0)
		if err == nil || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("unmount %s: %w", p, err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	return fmt.Errorf("unmount %s: still in use", p)
}

// stripOverlay takes off the marks that overlays leave on folders; no server has them.
func stripOverlay(root string) error {
	return filepath.WalkDir(root, func(p string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var buf [4096]byte
		n, err := unix.Llistxattr(p, buf[:])
		if err != nil {
			return nil // too many, or none: not ours
		}
		for _, name := range strings.Split(string(buf[:n]), "\x00") {
			if strings.HasPrefix(name, "trusted.overlay.") {
				if err := unix.Lremovexattr(p, name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
