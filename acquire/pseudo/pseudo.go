// Package pseudo reads small files of /proc and /sys of a machine that is not to be trusted: with a bound on their size and on the time,
// without following a link at the end, and writing nothing.
package pseudo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const patience = 5 * time.Second // a filesystem in user space that lies over /proc may never answer

// ErrLate says that no answer came in time, ErrLong that the file has more than was asked for.
var (
	ErrLate = errors.New("no answer in time")
	ErrLong = errors.New("longer than its limit")
)

// Read gives a file of at most limit bytes.
func Read(path string, limit int64) ([]byte, error) {
	type answer struct {
		b   []byte
		err error
	}
	c := make(chan answer, 1)
	go func() { // what hangs in the kernel stays behind; it holds nothing of others
		b, err := read(path, limit)
		c <- answer{b, err}
	}()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case a := <-c:
		return a.b, a.err
	case <-t.C:
		return nil, fmt.Errorf("read %q: %w", path, ErrLate)
	}
}

// Line gives a file's content without the white space around it, "" if it cannot be had.
func Line(path string) string {
	b, _ := Read(path, 4096)
	return string(bytes.TrimSpace(bytes.Trim(b, "\x00")))
}

func read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(f, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("read %q: %w", path, ErrLong)
	}
	return b.Bytes()[:min(n, limit)], err
}

// Open opens a file to read, without following a link at its end and without waiting for a writer or a tape.
func Open(path string) (*os.File, error) { return os.OpenFile(path, flags, 0) }
