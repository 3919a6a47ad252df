// Package bounded reads files and folders of a machine that is not to be trusted: nothing is read without end, waited
// for without end, followed through a link, or written. It is for small files, as /proc and /sys have them. Sizes are
// bytes.
package bounded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"telltale/internal/untouched"
)

// Patience is how long one call may take. The kernel answers at once for its own files; a filesystem in user space may
// never answer.
const Patience = 5 * time.Second

// slowest is how many bytes a second the kernel gives of its longest lists on a machine that is busy otherwise.
const slowest = 8 << 20

// ErrLate says that the machine did not answer in time.
var ErrLate = errors.New("no answer in time")

// ErrLong says that a file or folder has more than was asked for; what was read up to there is given with it.
var ErrLong = errors.New("longer than its limit")

// Within gives what f gives, or ErrLate. A call that hangs in the kernel cannot be taken back: its goroutine stays
// until the kernel lets it go, and f must therefore touch nothing that others use.
func Within[T any](d time.Duration, f func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	c := make(chan answer, 1)
	go func() {
		v, err := f()
		c <- answer{v, err}
	}()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case a := <-c:
		return a.v, a.err
	case <-t.C:
		var none T
		return none, ErrLate
	}
}

// Read gives the first max bytes of a file, and ErrLong if there are more.
func Read(path string, limit int) ([]byte, error) {
	b, err := Within(Patience+time.Duration(limit)*time.Second/slowest, func() ([]byte, error) { return read(path, limit) })
	if errors.Is(err, ErrLate) || errors.Is(err, ErrLong) {
		err = fmt.Errorf("read %q: %w", path, err)
	}
	return b, err
}

// Now is Read on the calling thread, and so without a clock: it is for callers that are in Within or Thread already.
func Now(path string, limit int) ([]byte, error) {
	b, err := read(path, limit)
	if errors.Is(err, ErrLong) {
		err = fmt.Errorf("read %q: %w", path, err)
	}
	return b, err
}

// read reads without a clock.
func read(path string, limit int) ([]byte, error) {
	f, err := untouched.Open(path, flags)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, 0, min(4096, limit+1))
	for { // files of the kernel give a page at a time, so that room is made only when there is none
		if len(b) == cap(b) {
			b = slices.Grow(b, max(min(len(b), limit+1-len(b)), 1))
		}
		n, err := f.Read(b[len(b):min(cap(b), limit+1)])
		b = b[:len(b)+n]
		switch {
		case len(b) > limit:
			return b[:limit], ErrLong
		case errors.Is(err, io.EOF), err == nil && n == 0:
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

// List gives at most limit names of a folder, in the folder's order, and ErrLong if there are more.
func List(path string, limit int) ([]string, error) {
	return names(path, limit, func(fs.DirEntry) bool { return true })
}

// Folders gives the names of at most limit folders in a folder, and ErrLong if there are more.
func Folders(path string, limit int) ([]string, error) { return names(path, limit, fs.DirEntry.IsDir) }

func names(path string, limit int, want func(fs.DirEntry) bool) ([]string, error) {
	names, err := Within(Patience, func() ([]string, error) { return list(path, limit, want) })
	if errors.Is(err, ErrLate) || errors.Is(err, ErrLong) {
		err = fmt.Errorf("list %q: %w", path, err)
	}
	return names, err
}

// list lists without a clock.
func list(path string, limit int, want func(fs.DirEntry) bool) ([]string, error) {
	f, err := untouched.Open(path, flags|folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	for {
		some, err := f.ReadDir(1024)
		for _, e := range some {
			if want(e) {
				names = append(names, e.Name())
			}
		}
		switch {
		case len(names) > limit:
			return names[:limit], ErrLong
		case errors.Is(err, io.EOF), err == nil && len(some) == 0:
			return names, nil
		case err != nil:
			return names, err
		}
	}
}

// Line gives a small file's content without the white space and NULs around it, "" if it cannot be had.
func Line(path string) string {
	b, _ := Read(path, 4096)
	return string(bytes.TrimSpace(bytes.Trim(b, "\x00")))
}

// Open opens a file to read, without following a link at its end and without waiting for a writer or a tape.
func Open(path string) (*os.File, error) { return untouched.Open(path, flags) }

// Link gives what a symbolic link says.
func Link(path string) (string, error) {
	return Within(Patience, func() (string, error) { return os.Readlink(path) })
}

// Gone tells whether an error says no more than that the thing ended between two looks.
func Gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, gone) }
