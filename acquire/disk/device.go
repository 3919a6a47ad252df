// Package disk copies a disk, a partition or an image file, in one pass, to a raw file, to a writer that its caller
// gives (an E01, a connection) or to standard output. It reads the source only, goes on at places that cannot be
// read, and says what the copy is worth: of a disk that is mounted writable it is smeared. The HPA and what a drive
// hides of itself are out of its reach. Offsets and sizes are in bytes.
//
// Sources: Linux' Documentation/ABI/stable/sysfs-block, Documentation/filesystems/proc.rst (mountinfo),
// include/uapi/linux/fs.h (the BLK ioctls), GNU ddrescue's manual, "Mapfile structure".
package disk

import (
	"errors"
	"fmt"
	"io"
	"os"

	"telltale/acquire/custody"
)

// What a copy is refused for.
var (
	ErrNotDisk  = errors.New("no block device and no regular file")
	ErrOnItself = errors.New("the copy would be written onto the disk that is copied")
	ErrChanged  = errors.New("not the disk that the copy was begun of")
	ErrResume   = errors.New("this copy cannot be gone on with")
)

// Device is an opened source.
type Device struct {
	Facts custody.Disk
	Notes []string

	r      io.ReaderAt
	again  io.ReaderAt // for places that could not be read; nil: r
	alive  func() error
	close  func() error
	family map[string]bool // major:minor of all that lies on the same disk
	root   system
}

// system is where the kernel tells of devices; other folders in tests.
type system struct{ sys, mountinfo string }

var linux = system{"/sys", "/proc/self/mountinfo"}

// Close closes the source.
func (d *Device) Close() error { return d.close() }

// unknown notes what could not be asked.
func (d *Device) unknown(what string, err error) {
	d.Facts.Unknown = append(d.Facts.Unknown, fmt.Sprintf("%s: %v", what, err))
}

// smear says what a mounted disk means for a copy, "" for nothing.
func smear(mounts []custody.Mount) string {
	for _, m := range mounts {
		if m.Writable {
			return fmt.Sprintf("%s is mounted writable on %s: the copy is smeared, its parts are of different moments while it was made; "+
				"a journal is replayed or a filesystem checked on a further copy, and what changed meanwhile may look damaged", m.Device, m.Point)
		}
	}
	return ""
}

// Same tells whether a copy that was begun can be gone on with from this device.
func (d *Device) Same(was *custody.Disk) error {
	now := &d.Facts
	switch {
	case was == nil:
		return fmt.Errorf("%w: the record names no disk", ErrChanged)
	case was.Size != now.Size:
		return fmt.Errorf("%w: it had %d bytes, this one has %d", ErrChanged, was.Size, now.Size)
	case was.Serial != now.Serial || was.WWID != now.WWID || was.Model != now.Model:
		return fmt.Errorf("%w: it was %q, serial %q, wwid %q; this one is %q, serial %q, wwid %q", ErrChanged, was.Model, was.Serial, was.WWID, now.Model, now.Serial, now.WWID)
	case was.Sector != now.Sector || (was.Device == "") != (now.Device == ""):
		return fmt.Errorf("%w: its sectors were of %d bytes, this one's are of %d", ErrChanged, was.Sector, now.Sector)
	case now.Serial == "" && now.WWID == "" && was.Path != now.Path:
		return fmt.Errorf("%w: it was %q, and without a serial number %q cannot be told to be the same", ErrChanged, was.Path, now.Path)
	}
	return nil
}

// openFile opens an image file as a source.
func openFile(f *os.File, path string, size int64) *Device {
	return &Device{
		Facts: custody.Disk{Path: path, Size: size, Sector: 512, Mounts: []custody.Mount{}},
		r:     f, close: f.Close,
	}
}
