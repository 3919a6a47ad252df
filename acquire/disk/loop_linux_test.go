package disk

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/acquire/custody"
)

// loop makes a loop device over a file; the test is skipped where that is not allowed.
func loop(t *testing.T, file string, args ...string) string {
	t.Helper()
	out, err := exec.Command("losetup", append(append([]string{"--find", "--show"}, args...), file)...).CombinedOutput()
	if err != nil {
		t.Skipf("no loop devices: %v %s", err, out)
	}
	dev := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "-d", dev).CombinedOutput(); err != nil {
			t.Errorf("%v %s", err, out)
		}
	})
	f, err := os.Open(dev)
	if err != nil {
		t.Skipf("loop devices cannot be read: %v", err)
	}
	f.Close()
	return dev
}

func open(t *testing.T, path string) *Device {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// A loop device keeps its size when its file is cut: what lies behind gives EIO, as a bad sector does.
func TestRealReadErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk")
	data := noise(4 << 20)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	dev := loop(t, file)
	const cut = 3<<20 + 5*sector
	if err := os.Truncate(file, cut); err != nil {
		t.Fatal(err)
	}
	d := open(t, dev)
	var m memory
	rec := record(d)
	if err := Copy(t.Context(), d, &m, rec, Options{Retries: 1}); err != nil {
		t.Fatal(err)
	}
	clear(data[cut:])
	if !bytes.Equal(m.Bytes(), data) {
		t.Error("the copy is not what could be read, and zeros")
	}
	if len(rec.Bad) == 0 || rec.Bad[0].Offset != cut || rec.Bad[len(rec.Bad)-1].Offset+rec.Bad[len(rec.Bad)-1].Length != 4<<20 {
		t.Errorf("bad: %v", rec.Bad)
	}
	t.Logf("%+v; bad: %v", d.Facts, rec.Bad)
}

func TestFactsOfALoopDevice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	d := open(t, loop(t, file, "--read-only", "--sector-size", "4096"))
	if f := d.Facts; f.Size != 1<<20 || f.Sector != 4096 || !f.ReadOnly || !f.Whole || f.Device == "" || f.Model != file || len(f.Mounts) != 0 {
		t.Errorf("%+v", f)
	}
	for _, p := range []string{"/dev/null", t.TempDir()} {
		if _, err := Open(p); !errors.Is(err, ErrNotDisk) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "x")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestAMountedDisk(t *testing.T) {
	file, point := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	if err := os.WriteFile(file, make([]byte, 16<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	dev := loop(t, file)
	if out, err := exec.Command("mkfs.ext4", "-q", dev).CombinedOutput(); err != nil {
		t.Skipf("mkfs.ext4: %v %s", err, out)
	}
	if out, err := exec.Command("mount", dev, point).CombinedOutput(); err != nil {
		t.Skipf("mount: %v %s", err, out)
	}
	t.Cleanup(func() {
		for range 20 {
			if exec.Command("umount", point).Run() == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Error("it could not be unmounted")
	})
	d := open(t, dev)
	want := []custody.Mount{{Device: dev, Point: point, Type: "ext4", Writable: true}}
	if len(d.Facts.Mounts) != 1 || d.Facts.Mounts[0] != want[0] || len(d.Notes) != 1 || !strings.Contains(d.Notes[0], "smeared") {
		t.Errorf("%+v, %q", d.Facts.Mounts, d.Notes)
	}
	if err := d.Refuse(filepath.Join(point, "x.raw")); !errors.Is(err, ErrOnItself) {
		t.Errorf("a copy onto itself: %v", err)
	}
	if err := d.Refuse(filepath.Join(t.TempDir(), "x.raw")); err != nil {
		t.Errorf("a copy elsewhere: %v", err)
	}
	if err := d.Refuse(filepath.Join(point, "nowhere", "x.raw")); err == nil || errors.Is(err, ErrOnItself) {
		t.Errorf("no folder: %v", err)
	}
}

// A sysfs as a server has it: a disk with two partitions, a volume on the second, whose copy is asked for by its first.
func TestTheFamilyOfADisk(t *testing.T) {
	sys := t.TempDir()
	put := func(path, s string) {
		p := filepath.Join(sys, path)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, path string) {
		p := filepath.Join(sys, path)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(sys, to), p); err != nil {
			t.Fatal(err)
		}
	}
	put("devices/sda/dev", "8:0\n")
	put("devices/sda/device/model", "DISK 1  \n")
	put("devices/sda/device/vendor", "ACME\n")
	put("devices/sda/device/vpd_pg80", "\x00\x80\x00\x06 WX123")
	put("devices/sda/sda1/dev", "8:1\n")
	put("devices/sda/sda1/partition", "1\n")
	put("devices/sda/sda2/dev", "8:2\n")
	put("devices/sda/sda2/partition", "2\n")
	put("devices/dm-0/dev", "253:0\n")
	link("devices/dm-0", "devices/sda/sda2/holders/dm-0")
	link("devices/sda/sda1", "dev/block/8:1")
	link("devices/sda", "devices/dm-0/holders/loop") // no end
	put("mountinfo", "1 0 253:0 / / rw - ext4 /dev/mapper/root rw\n2 1 8:17 / /usb rw - ext4 /dev/sdb1 rw\n")
	d := &Device{Facts: custody.Disk{Device: "8:1"}, root: system{sys, filepath.Join(sys, "mountinfo")}}
	d.describe()
	for _, dev := range []string{"8:0", "8:1", "8:2", "253:0"} {
		if !d.family[dev] {
			t.Errorf("%s is no part of %v", dev, d.family)
		}
	}
	f := d.Facts
	if len(d.family) != 4 || f.Whole || f.Model != "DISK 1" || f.Vendor != "ACME" || f.Serial != "WX123" || len(f.Mounts) != 1 || f.Mounts[0].Point != "/" {
		t.Errorf("%+v, %v", f, d.family)
	}
}

// What one pass gave up, ddrescue goes on with by the map.
func TestDdrescueTakesTheMap(t *testing.T) {
	if _, err := exec.LookPath("ddrescue"); err != nil {
		t.Skip("no ddrescue: apt-get install gddrescue")
	}
	dir := t.TempDir()
	file, raw, mapfile := filepath.Join(dir, "disk"), filepath.Join(dir, "x.raw"), filepath.Join(dir, "x.map")
	data := noise(2 << 20)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	d := device(bytes.Clone(data), 9, 2000)
	w, err := NewRaw(raw, false)
	if err != nil {
		t.Fatal(err)
	}
	rec := record(d)
	if err := Copy(t.Context(), d, w, rec, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mapfile, Map(rec), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ddrescuelog", "-t", mapfile).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1024 B,  in      2 area(s)") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command("ddrescue", "-q", "-r1", file, raw, mapfile).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, err := os.ReadFile(raw); err != nil || !bytes.Equal(got, data) {
		t.Errorf("ddrescue did not make it whole: %v", err)
	}
}
