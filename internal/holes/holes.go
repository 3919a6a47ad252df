// Package holes tells where a source has data: a disk image that says fifteen terabytes may hold a few gigabytes, and whoever searches
// free space must not read the rest. Offsets are in bytes.
package holes

import (
	"io"
	"os"
	"sync"
)

// Nexter is the ability to tell where data go on.
type Nexter interface {
	// Next gives the first byte at or behind off that may hold data; the source's size where nothing does.
	Next(off int64) int64
}

// Next asks a source, if it can tell: else there may be data anywhere.
func Next(r io.ReaderAt, off int64) int64 {
	if n, ok := r.(Nexter); ok {
		return max(off, n.Next(off))
	}
	return off
}

// File is a file that knows its holes where the system tells them.
type File struct {
	*os.File
	size int64
	mu   sync.Mutex
	from int64 // of the stretch that was asked for last: no data from here
	to   int64 // to here
}

// NewFile gives a file of size bytes its ability. The file's own position is not to be used any more.
func NewFile(f *os.File, size int64) *File { return &File{File: f, size: size} }

const seekData = 3 // lseek(2), SEEK_DATA

// Next tells where data go on.
func (f *File) Next(off int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if off >= f.from && off < f.to {
		return f.to
	}
	n, err := f.Seek(off, seekData)
	if err != nil {
		if off < f.size && nothingBehind(err) {
			f.from, f.to = off, f.size
			return f.size
		}
		return off // it cannot be told
	}
	f.from, f.to = off, n
	return n
}

// Section is a part of a source that keeps the ability.
type Section struct {
	*io.SectionReader
	r    io.ReaderAt
	base int64
}

// NewSection gives n bytes of r from off on.
func NewSection(r io.ReaderAt, off, n int64) *Section {
	return &Section{io.NewSectionReader(r, off, n), r, off}
}

// Next tells where data go on within the section.
func (s *Section) Next(off int64) int64 {
	return min(Next(s.r, s.base+off)-s.base, s.Size())
}
