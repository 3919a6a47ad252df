//go:build linux

package rawdisk

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/acquire"
	"telltale/filesystem"
	"telltale/internal/state"
)

type kept struct {
	views  []*state.View
	contra []*state.Contradiction
	failed []string
}

func (k *kept) Record(file string, v any) error {
	switch x := v.(type) {
	case *state.View:
		k.views = append(k.views, x)
	case *state.Contradiction:
		k.contra = append(k.contra, x)
	}
	return nil
}
func (k *kept) File(string, int64, time.Time, io.Reader) error { return nil }
func (k *kept) Failed(what string, err error)                  { k.failed = append(k.failed, what+": "+err.Error()) }

// mounted makes a filesystem on a loop device and mounts it.
func mounted(t *testing.T, kind string, size int64) *state.Mount {
	if os.Geteuid() != 0 {
		t.Skip("needs root: loop devices, mounts")
	}
	dir := t.TempDir()
	img, at := filepath.Join(dir, "img"), filepath.Join(dir, "mnt")
	if err := errors.Join(os.WriteFile(img, nil, 0o600), os.Truncate(img, size), os.Mkdir(at, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"mkfs." + kind, img}, {"mount", "-o", "loop", img, at}} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%s: %v: %s", c[0], err, out)
		}
	}
	t.Cleanup(func() { exec.Command("umount", at).Run() })
	b, _, err := acquire.NewBox(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mounts(b, &kept{}) {
		if m.At == at {
			return m
		}
	}
	t.Fatal("it is not among the mounts")
	return nil
}

// run compares one mount; hide makes the kernel's list leave names out.
func run(t *testing.T, m *state.Mount, hide func(*comparer)) *kept {
	k := &kept{}
	c := &comparer{ctx: t.Context(), out: k, mount: m, proc: "/proc"}
	hide(c)
	if err := c.compare(); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestQuietAndHidden(t *testing.T) {
	for kind, size := range map[string]int64{"ext4": 32 << 20, "xfs": 320 << 20, "btrfs": 160 << 20} {
		t.Run(kind, func(t *testing.T) {
			m := mounted(t, kind, size)
			for i := range 40 {
				d := fmt.Sprintf("%s/d%d", m.At, i%4)
				if err := errors.Join(os.MkdirAll(d, 0o755), os.WriteFile(fmt.Sprintf("%s/f%d", d, i), []byte("x"), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			exec.Command("sync", "-f", m.At).Run()
			if err := os.Remove(m.At + "/d1/f1"); err != nil { // removed, and not yet written to the disk
				t.Fatal(err)
			}
			k := run(t, m, func(*comparer) {})
			for _, c := range k.contra {
				if c.Holds() {
					t.Errorf("%+v", c)
				}
			}
			if len(k.failed) > 0 || len(k.views) != 1 || k.views[0].Count < 40 || k.views[0].Blind != "" {
				t.Fatalf("%+v %q", k.views[0], k.failed)
			}
			k = run(t, m, func(c *comparer) {
				c.leave = func(p string) bool { return strings.HasSuffix(p, "/d2/f2") }
			})
			if len(k.contra) == 0 || !k.contra[len(k.contra)-1].Holds() || !strings.HasSuffix(k.contra[len(k.contra)-1].Subject, "/d2/f2") {
				t.Errorf("hidden, and not found: %+v", k.contra)
			}
		})
	}
}

func TestOwnDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: the disk itself is read")
	}
	b, _, err := acquire.NewBox(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	k := &kept{}
	for _, m := range mounts(b, k) {
		c := &comparer{ctx: t.Context(), out: k, mount: m, proc: b.Proc}
		if err := c.open(); err != nil {
			t.Skipf("%s cannot be read: %v", m.At, err)
		}
		defer c.live.Close()
		for _, sub := range []string{"etc"} { // the whole would take long
			disk, now := child(c.fs, c.fs.Root(), sub), child(c.live, c.live.Root(), sub)
			if disk == 0 || now == 0 {
				continue
			}
			if err := c.dir("/"+sub, disk, now, 0); err != nil {
				t.Fatal(err)
			}
		}
		c.settle()
		for _, x := range c.odd {
			if told := x.told(m); told.Holds() {
				t.Errorf("%+v", told)
			}
		}
		t.Logf("%s: %d names", m.At, c.names)
	}
}

func child(f filesystem.FS, dir filesystem.Inode, name string) filesystem.Inode {
	for d := range f.ReadDir(dir) {
		if string(d.Name) == name {
			return d.Inode
		}
	}
	return 0
}
