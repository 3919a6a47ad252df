//go:build linux

// Package rawdisk holds the machine's directories, as the kernel lists them, against what our own readers find on the disks below. Who hides a file by the
// kernel's answers hides it from every program, but seldom from the disk. It reads the block device of each mounted ext2, ext3, ext4, XFS and btrfs, as far as the volumes below let it,
// and follows nothing else.
//
// The kernel writes names to the disk late. So what only the disk shows is asked for by its name too: a file that can be reached by a name that its directory does
// not list is hidden. One that cannot be reached was probably just removed, and is told only if it stays so.
package rawdisk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/filesystem"
	"telltale/filesystem/btrfs"
	"telltale/filesystem/ext4"
	"telltale/filesystem/live"
	"telltale/filesystem/xfs"
	"telltale/internal/limit"
	"telltale/internal/procfs"
	"telltale/internal/state"
	"telltale/internal/untouched"
)

// The views.
const (
	onDisk  = "raw-disk"
	byPath  = "path"
	byNames = "getdents"
)

// maxTold bounds the files that are told one by one.
const maxTold = 500

// maxMountinfo and maxUevent bound the kernel's files, bytes.
const (
	maxMountinfo = 8 << 20
	maxUevent    = 4 << 10
)

// maxLate bounds how many names are told that the kernel has only not yet written off.
const maxLate = 20

// New gives the step.
func New() acquire.Step {
	return acquire.Step{Name: "disks", Doc: "directories as the kernel lists them against what lies on the disks", Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
		for _, m := range mounts(b, out) {
			if err := ctx.Err(); err != nil {
				out.Failed("the disk of "+m.At, err)
				continue
			}
			c := &comparer{ctx: ctx, out: out, mount: m, proc: b.Proc}
			if err := c.compare(); err != nil {
				return err
			}
		}
		return nil
	}}
}

var formats = map[string]filesystem.Format{"ext2": ext4.Format(), "ext3": ext4.Format(), "ext4": ext4.Format(), "xfs": xfs.Format(), "btrfs": btrfs.Format()}

// mounts gives one mount of each disk, that of the filesystem's top.
func mounts(b *acquire.Box, out acquire.Out) (list []*state.Mount) {
	raw, err := bounded.Read(b.Proc+"/self/mountinfo", maxMountinfo)
	if err != nil {
		out.Failed("the list of mounts", err)
		return nil
	}
	seen := map[string]bool{}
	procfs.Mountinfo(raw, func(m *state.Mount) bool {
		if _, ok := formats[m.Type]; ok && m.Root == "/" && !seen[m.Dev] {
			seen[m.Dev] = true
			list = append(list, m)
		}
		return true
	})
	return list
}

// device opens the block device of a mount, by its number and not by the name that the mount was given.
func device(m *state.Mount) (*os.File, error) {
	uevent, err := bounded.Read("/sys/dev/block/"+path.Base(m.Dev)+"/uevent", maxUevent)
	name := path.Base(m.Source)
	if err == nil {
		for line := range strings.SplitSeq(string(uevent), "\n") {
			if n, ok := strings.CutPrefix(line, "DEVNAME="); ok {
				name = path.Base(n)
			}
		}
	}
	f, err := os.OpenFile("/dev/"+name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		f.Close()
		return nil, fmt.Errorf("/dev/%s is no block device", name)
	}
	if dev := fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev)); dev != m.Dev && m.Type != "btrfs" { // btrfs shows a number of its own
		f.Close()
		return nil, fmt.Errorf("/dev/%s is device %s, not %s", name, dev, m.Dev)
	}
	return f, nil
}

// comparer compares one disk.
type comparer struct {
	ctx   context.Context
	out   acquire.Out
	mount *state.Mount
	proc  string
	fs    filesystem.FS
	live  *live.FS
	names int64
	odd   []found
	leave func(path string) bool // in tests: names that the kernel's list is to leave out; nil for none
}

// found is a name that only the disk shows.
type found struct {
	path    string
	inode   filesystem.Inode
	meta    filesystem.Meta
	reached bool // by its name
}

func (c *comparer) compare() error {
	began := time.Now()
	v := &state.View{What: "file", Name: onDisk + " " + c.mount.At}
	err := c.open()
	if err == nil {
		defer c.live.Close()
		if err = c.dir("", c.fs.Root(), c.live.Root(), 0); err == nil {
			c.settle()
		}
	}
	if err != nil {
		v.Blind = err.Error()
		c.out.Failed("the disk of "+c.mount.At, err)
	}
	v.Count, v.MS = c.names, time.Since(began).Milliseconds()
	if err := c.out.Record(state.ViewFile, v); err != nil {
		return err
	}
	late := 0
	for i := range c.odd {
		if late++; !c.odd[i].reached && late > maxLate {
			continue
		}
		if err := c.out.Record(state.ContradictionsFile, c.odd[i].told(c.mount)); err != nil {
			return err
		}
	}
	return nil
}

// open opens both sides.
func (c *comparer) open() error {
	f, err := device(c.mount)
	if err != nil {
		return err
	}
	size, err := f.Seek(0, 2)
	if err != nil {
		f.Close()
		return err
	}
	if c.fs, err = formats[c.mount.Type].Open(f, size, limit.New(limit.Memory)); err != nil {
		f.Close()
		return fmt.Errorf("read %s on %s: %w", c.mount.Type, f.Name(), err)
	}
	if r, ok := c.fs.(filesystem.Replayer); ok {
		if fs, _, err := r.Replay(c.ctx); err == nil && fs != nil {
			c.fs = fs
		}
	}
	c.live, err = live.Open(c.mount.At, "") // without mounts: only names are compared, and other filesystems are left by their device
	return err
}

// maxDepth is how deep directories are followed.
const maxDepth = 256

// dir compares one directory and those below it.
func (c *comparer) dir(p string, disk, now filesystem.Inode, depth int) error {
	if err := c.ctx.Err(); err != nil || depth > maxDepth {
		return err
	}
	listed := map[string]filesystem.Inode{}
	for d, err := range c.live.ReadDir(now) {
		if err != nil {
			return nil // it is gone, or may not be read: nothing can be said of it
		}
		listed[string(d.Name)] = d.Inode
	}
	type pair struct {
		name      string
		disk, now filesystem.Inode
	}
	var below []pair
	for d, err := range c.fs.ReadDir(disk) {
		if err != nil {
			continue
		}
		c.names++
		name := string(d.Name)
		i, ok := listed[name]
		ok = ok && (c.leave == nil || !c.leave(p+"/"+name))
		switch {
		case ok && d.Type == filesystem.Directory:
			below = append(below, pair{name, d.Inode, i})
		case !ok && len(c.odd) < maxTold && !(p == "" && name == "lost+found"):
			m, err := c.fs.Stat(d.Inode)
			if err != nil || m.Inode == 0 || m.Links == 0 {
				continue
			}
			x := found{path: p + "/" + name, inode: d.Inode, meta: m}
			x.reached = c.reached(x.path)
			c.odd = append(c.odd, x)
		}
	}
	for _, b := range below {
		m, err := c.live.Stat(b.now)
		if err != nil || m.Type != filesystem.Directory || c.other(p+"/"+b.name) {
			continue
		}
		if err := c.dir(p+"/"+b.name, b.disk, b.now, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) at(p string) string { return strings.TrimSuffix(c.mount.At, "/") + p }

func (c *comparer) reached(p string) bool {
	var st unix.Stat_t
	return unix.Lstat(c.at(p), &st) == nil
}

// other tells whether another filesystem is mounted at a directory.
func (c *comparer) other(p string) bool {
	var here, top unix.Stat_t
	return unix.Lstat(c.at(p), &here) != nil || unix.Lstat(c.mount.At, &top) != nil || here.Dev != top.Dev
}

// pause is how long is waited between passes.
const pause = 700 * time.Millisecond

// settle looks again at the names that can be reached: a file may just have been made anew under the name of one that was removed.
func (c *comparer) settle() {
	for pass := 1; pass < state.Passes; pass++ {
		if !slices.ContainsFunc(c.odd, func(x found) bool { return x.reached }) {
			return
		}
		select {
		case <-c.ctx.Done():
			c.odd = nil
			c.out.Failed("names that only the disk of "+c.mount.At+" shows", errors.New("the time was over before they could be looked at again"))
			return
		case <-time.After(pause):
		}
		var still []found
		for _, x := range c.odd {
			if listed, ok := c.listed(x.path); ok && (!listed || c.leave != nil && c.leave(x.path)) {
				x.reached = c.reached(x.path)
				still = append(still, x)
			}
		}
		c.odd = still
	}
}

// listed tells whether the kernel's list has a name now.
func (c *comparer) listed(p string) (is, ok bool) {
	f, err := untouched.Open(c.at(path.Dir(p)), 0)
	if err != nil {
		return false, false
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1024)
		for _, n := range names {
			if n == path.Base(p) {
				return true, true
			}
		}
		if err != nil {
			return false, true
		}
	}
}

// told words what was found.
func (x *found) told(m *state.Mount) *state.Contradiction {
	c := &state.Contradiction{What: "file", Subject: state.Text([]byte(strings.TrimSuffix(m.At, "/")+x.path), 4096), Shown: []string{onDisk}, Missing: []string{byNames}, Repeats: state.Passes,
		Detail: fmt.Sprintf("inode %d %s mode %04o uid %d size %d modified %s", x.inode, x.meta.Type, x.meta.Mode, x.meta.UID, x.meta.Size, x.meta.Mtime)}
	if x.reached {
		c.Shown = append(c.Shown, byPath)
		c.Structural = true
		c.Tested = []string{"it can be reached by its name, so it was not removed", "no other filesystem is mounted over its directory", "three passes"}
		return c
	}
	c.Explained = "it cannot be reached by its name: it was removed, and the kernel has not written that to the disk yet"
	return c
}
