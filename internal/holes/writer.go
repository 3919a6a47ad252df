package holes

import "os"

// Writer writes a file and leaves holes where the content is zero, as disk images mostly are: a sparse file must not fill the
// examiner's disk.
type Writer struct {
	f   *os.File
	off int64
	err error
}

// NewWriter gives a writer from the file's beginning on.
func NewWriter(f *os.File) *Writer { return NewWriterAt(f, 0) }

// NewWriterAt gives a writer from an offset on, at which the file must end: what lies behind would show through the holes.
func NewWriterAt(f *os.File, off int64) *Writer { return &Writer{f: f, off: off} }

// Write writes what is not zero.
func (w *Writer) Write(p []byte) (int, error) {
	const block = 64 << 10
	for b := p; len(b) > 0; {
		n := min(len(b), block)
		if !Zero(b[:n]) {
			if _, err := w.f.WriteAt(b[:n], w.off); err != nil {
				w.err = err
				return 0, err
			}
		}
		w.off += int64(n)
		b = b[n:]
	}
	return len(p), nil
}

// Finish gives the file its size; a failure of an earlier Write stays the failure.
func (w *Writer) Finish() error {
	if err := w.f.Truncate(w.off); err != nil && w.err == nil {
		w.err = err
	}
	return w.err
}

// Size gives how many bytes were written, holes included.
func (w *Writer) Size() int64 { return w.off }

// Zero tells whether there is nothing but zeros.
func Zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
