package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"telltale/acquire/bounded"
	"telltale/acquire/custody"
	"telltale/internal/procfs"
)

const (
	maxFamily    = 4096    // devices that lie on one disk
	maxMountinfo = 8 << 20 // bytes
)

// describe asks sysfs what the device is, and mountinfo what is mounted from it.
func (d *Device) describe() {
	here, err := filepath.EvalSymlinks(filepath.Join(d.root.sys, "dev/block", d.Facts.Device))
	if err != nil {
		d.unknown("sysfs", err)
		d.family = map[string]bool{d.Facts.Device: true}
	} else {
		whole := here
		if _, err := os.Lstat(filepath.Join(here, "partition")); err == nil {
			whole = filepath.Dir(here)
		}
		d.Facts.Whole = whole == here
		d.names(whole)
		d.family = map[string]bool{}
		grow(d.family, whole)
		d.family[d.Facts.Device] = true
	}
	d.Facts.Mounts = []custody.Mount{}
	mounts, err := d.root.mounts()
	if err != nil {
		d.unknown("mounts", err)
		d.Notes = append(d.Notes, "whether the disk is mounted could not be told: the copy may be smeared")
	}
	for _, m := range mounts {
		if dev := m.of(d.family); dev != "" && len(d.Facts.Mounts) < maxFamily {
			d.Facts.Mounts = append(d.Facts.Mounts, custody.Mount{Device: dev, Point: m.point, Type: m.kind, Writable: m.writable})
		}
	}
}

// names finds the marks by which a disk is known again: each driver has other files.
func (d *Device) names(whole string) {
	first := func(files ...string) string {
		for _, f := range files {
			if s := bounded.Line(filepath.Join(whole, f)); s != "" {
				return strings.ToValidUTF8(s, "?")
			}
		}
		return ""
	}
	d.Facts.Vendor = first("device/vendor")
	d.Facts.Model = first("device/model", "dm/name", "loop/backing_file")
	d.Facts.Serial = first("serial", "device/serial", "dm/uuid", "md/uuid")
	d.Facts.WWID = first("wwid", "device/wwid")
	// SCSI, SPC-4, 7.8.16: page 80h, the length at 2, the number at 4.
	if b, err := bounded.Read(filepath.Join(whole, "device/vpd_pg80"), 4096); d.Facts.Serial == "" && err == nil && len(b) > 4 {
		d.Facts.Serial = strings.ToValidUTF8(strings.TrimSpace(strings.Trim(string(b[4:min(len(b), 4+int(b[2])<<8+int(b[3]))]), "\x00")), "?")
	}
}

// grow adds a device, its partitions, and what device-mapper, md and others have made of them.
func grow(family map[string]bool, dir string) {
	dev := bounded.Line(filepath.Join(dir, "dev"))
	if dev == "" || family[dev] || len(family) >= maxFamily {
		return
	}
	family[dev] = true
	for _, name := range names(dir) {
		if _, err := os.Lstat(filepath.Join(dir, name, "partition")); err == nil {
			grow(family, filepath.Join(dir, name))
		}
	}
	for _, name := range names(filepath.Join(dir, "holders")) {
		if to, err := filepath.EvalSymlinks(filepath.Join(dir, "holders", name)); err == nil {
			grow(family, to)
		}
	}
}

// names lists a folder of sysfs.
func names(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	list, _ := f.Readdirnames(maxFamily)
	return list
}

// mount is a line of mountinfo.
type mount struct {
	dev, root, point, kind, source string
	writable                       bool // the filesystem itself: a mount that is read-only may be one of several
}

func (s system) mounts() ([]mount, error) {
	b, err := bounded.Read(s.mountinfo, maxMountinfo)
	return parseMounts(b), err
}

// parseMounts reads /proc/self/mountinfo; lines that are no such are passed over.
func parseMounts(b []byte) []mount {
	var out []mount
	for line := range strings.Lines(string(b)) {
		left, right, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		l, r := strings.Split(left, " "), strings.Split(right, " ")
		if !ok || len(l) < 6 || len(r) < 3 {
			continue
		}
		out = append(out, mount{
			dev: l[2], root: procfs.Unescape(l[3]), point: procfs.Unescape(l[4]), kind: r[0], source: procfs.Unescape(r[1]),
			writable: r[2] == "rw" || strings.HasPrefix(r[2], "rw,"),
		})
	}
	return out
}

// of gives the device of the family from which a filesystem is mounted. btrfs and others have a number of
// their own, so that the device they name is looked at, too.
func (m *mount) of(family map[string]bool) string {
	if family[m.dev] {
		return m.source
	}
	if strings.HasPrefix(m.dev, "0:") && strings.HasPrefix(m.source, "/dev/") {
		if dev, _, err := numberOf(m.source); err == nil && family[dev] {
			return m.source
		}
	}
	return ""
}

// Refuse gives ErrOnItself if a file in the folder of path would be written onto the disk that is copied, or would be the source.
func (d *Device) Refuse(path string) error {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return fmt.Errorf("folder of the copy: %w", err)
	}
	if len(d.family) == 0 {
		return nil
	}
	_, on, err := numberOf(dir)
	if err != nil {
		return fmt.Errorf("folder of the copy: %w", err)
	}
	if d.family[on] {
		return fmt.Errorf("%w: %q lies on it (device %s)", ErrOnItself, dir, on)
	}
	mounts, err := d.root.mounts()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("which disk %q lies on: %w", dir, err)
	}
	if m := at(mounts, dir); m != nil {
		if dev := m.of(d.family); dev != "" {
			return fmt.Errorf("%w: %q lies on %s, which is mounted on %s", ErrOnItself, dir, dev, m.point)
		}
		if m.kind == "overlay" {
			d.Notes = append(d.Notes, fmt.Sprintf("%q lies on an overlay: on which disk the copy is written could not be told", dir))
		}
	}
	return nil
}

// at gives the mount that a folder is seen through: of those with the longest point the last, which covers the others.
func at(mounts []mount, dir string) *mount {
	var best *mount
	for i := range mounts {
		m := &mounts[i]
		rel, err := filepath.Rel(m.point, dir)
		if err == nil && filepath.IsLocal(rel) && (best == nil || len(m.point) >= len(best.point)) {
			best = m
		}
	}
	return best
}
