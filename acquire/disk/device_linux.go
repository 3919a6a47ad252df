package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"telltale/acquire/custody"
	"telltale/internal/untouched"
)

// Open opens a block device or a regular file to read. O_EXCL is not used: it would fail on what is mounted, which is the
// usual case here. A link (/dev/disk/by-id/...) is followed first, so that what is opened is what is recorded.
func Open(path string) (*Device, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	if real, err = filepath.Abs(real); err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	const flags = unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := untouched.Open(real, flags)
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	d, err := opened(f, real)
	if err != nil {
		f.Close()
		return nil, err
	}
	return d, nil
}

func opened(f *os.File, path string) (*Device, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, fmt.Errorf("open source %q: %w", path, err)
	}
	size, err := f.Seek(0, io.SeekEnd) // of a block device: what BLKGETSIZE64 gives
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFBLK && kind != unix.S_IFREG {
		return nil, fmt.Errorf("open source %q: %w", path, ErrNotDisk)
	} else if err != nil {
		return nil, fmt.Errorf("size of %q: %w", path, err)
	} else if kind == unix.S_IFREG {
		return openFile(f, path, size), nil
	}
	d := &Device{
		Facts: custody.Disk{Path: path, Device: fmt.Sprintf("%d:%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))), Size: size, Sector: 512},
		r:     f, close: f.Close, root: linux,
	}
	d.ask(f)
	d.describe()
	if s := smear(d.Facts.Mounts); s != "" {
		d.Notes = append(d.Notes, s)
	}
	if direct, err := openDirect(path, f); err == nil {
		d.again = direct
		d.close = func() error { direct.f.Close(); return f.Close() }
	} else {
		d.unknown("reading past the kernel's cache", err)
	}
	d.alive = func() error {
		now, err := f.Seek(0, io.SeekEnd)
		if err == nil && now != size {
			err = fmt.Errorf("the device had %d bytes and has %d: it went away", size, now)
		}
		return err
	}
	return d, nil
}

// ask asks the driver.
func (d *Device) ask(f *os.File) {
	fd := int(f.Fd())
	if v, err := unix.IoctlGetUint32(fd, unix.BLKSSZGET); err != nil {
		d.unknown("BLKSSZGET", err)
	} else if v >= 512 && v <= 64<<10 && v&(v-1) == 0 {
		d.Facts.Sector = int(v)
	}
	if v, err := unix.IoctlGetUint32(fd, unix.BLKPBSZGET); err != nil {
		d.unknown("BLKPBSZGET", err)
	} else {
		d.Facts.Physical = int(v)
	}
	if v, err := unix.IoctlGetUint32(fd, unix.BLKROGET); err != nil {
		d.unknown("BLKROGET", err)
	} else {
		d.Facts.ReadOnly = v != 0
	}
}

// ofPlace tells the errors that a place of a disk gives, by block/blk-core.c, blk_errors[]; ENODEV, ENXIO and others are of the whole.
func ofPlace(err error) bool {
	for _, e := range []error{unix.EIO, unix.ENODATA, unix.EILSEQ, unix.EREMOTEIO, unix.ETIMEDOUT} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// direct reads past the kernel's cache, which works in pages: a sector that is bad would take its page's others with it.
type direct struct {
	f    *os.File
	slow io.ReaderAt
	buf  []byte // at a page's start; never given back, for a read that hangs may still write into it
}

const directBuffer = 1 << 20

func openDirect(path string, slow io.ReaderAt) (*direct, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_DIRECT, 0)
	if err != nil {
		return nil, err
	}
	return &direct{f: f, slow: slow}, nil
}

func (d *direct) ReadAt(p []byte, off int64) (int, error) {
	if d.buf == nil {
		b, err := unix.Mmap(-1, 0, directBuffer, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			return d.slow.ReadAt(p, off)
		}
		d.buf = b
	}
	if len(p) > len(d.buf) {
		return d.slow.ReadAt(p, off)
	}
	n, err := d.f.ReadAt(d.buf[:len(p)], off)
	if errors.Is(err, unix.EINVAL) { // not aligned as this device wants it
		return d.slow.ReadAt(p, off)
	}
	return copy(p, d.buf[:n]), err
}
