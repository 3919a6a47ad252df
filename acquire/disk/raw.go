package disk

import (
	"errors"
	"fmt"
	"io"
	"os"

	"telltale/acquire/chain"
	"telltale/acquire/custody"
	"telltale/internal/holes"
)

// Raw is a raw copy in a file, or any file that is written front to back and is to be on the medium when it is closed: byte for
// byte, but that with holes zeros may take no room.
type Raw struct {
	f      *os.File
	w      io.Writer
	sparse *holes.Writer
	at     int64 // bytes that are written
	going  int64 // of which so many are on their way to the medium
}

const goingBytes = 8 << 20 // sent to the medium at once: else all would be waited for at the end

var _ Settler = (*Raw)(nil)

// NewRaw begins a file; it must not be there.
func NewRaw(path string, sparse bool) (*Raw, error) {
	f, err := custody.Create(path)
	if err != nil {
		return nil, err
	}
	return raw(f, 0, sparse), nil
}

// ResumeRaw opens a file to go on with behind the record's links. What lies behind them is cut off.
func ResumeRaw(path string, rec *custody.Record, sparse bool) (*Raw, error) {
	switch {
	case rec.State != custody.Unfinished:
		return nil, fmt.Errorf("%w: it is %s", ErrResume, rec.State)
	case rec.Copy.Format != "raw":
		return nil, fmt.Errorf("%w: only a raw file can, not %s", ErrResume, rec.Copy.Format)
	}
	st, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	at := int64(len(rec.Copy.Links)) * chain.Piece
	if !st.Mode().IsRegular() || st.Size() < at {
		return nil, fmt.Errorf("%w: its record says that it has %d bytes, %q has %d", ErrResume, at, path, st.Size())
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	err = f.Truncate(at)
	if err == nil {
		_, err = f.Seek(at, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("go on with %q: %w", path, err)
	}
	return raw(f, at, sparse), nil
}

func raw(f *os.File, at int64, sparse bool) *Raw {
	r := &Raw{f: f, w: f, at: at, going: at}
	if sparse {
		r.sparse = holes.NewWriterAt(f, at)
		r.w = r.sparse
	}
	return r
}

// Write takes the next bytes.
func (r *Raw) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if r.at += int64(n); r.at-r.going >= goingBytes && err == nil {
		beginFlush(r.f, r.going, r.at-r.going)
		r.going = r.at
	}
	return n, err
}

// Settle brings n bytes to the medium. Nothing is written any more after a cut.
func (r *Raw) Settle(n int64, cut bool) error {
	st, err := r.f.Stat()
	if err == nil && (cut || st.Size() < n) { // it is shorter where it ends with a hole
		err = r.f.Truncate(n)
	}
	if err != nil {
		return err
	}
	if cut {
		r.sparse = nil // its end would be another
	}
	return r.f.Sync()
}

// Close brings all to the medium: a copy is called finished only then.
func (r *Raw) Close() error {
	var err error
	if r.sparse != nil {
		err = r.sparse.Finish()
	}
	return errors.Join(err, r.f.Sync(), r.f.Close())
}
