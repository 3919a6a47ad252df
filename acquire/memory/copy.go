package memory

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"telltale/acquire/chain"
	"telltale/acquire/custody"
	"telltale/acquire/pipe"
	"telltale/acquire/rescue"
)

// The header of a range in the LiME format, version 1; all is little-endian.
const (
	limeMagic   = 0x4C694D45
	limeVersion = 1
	limeHeader  = 32
)

// header gives the header of a range: magic, version, first and last address, eight reserved bytes.
func header(r Range) []byte {
	b := binary.LittleEndian.AppendUint32(nil, limeMagic)
	b = binary.LittleEndian.AppendUint32(b, limeVersion)
	b = binary.LittleEndian.AppendUint64(b, r.Start)
	b = binary.LittleEndian.AppendUint64(b, r.End)
	return append(b, make([]byte, 8)...)
}

// Size gives the bytes of the whole copy.
func (m *Memory) Size() int64 {
	n := int64(0)
	for _, r := range m.Ranges {
		n += limeHeader + int64(r.Len())
	}
	return n
}

// Copy writes the memory to w, front to back, and closes it. Pages that cannot be read are zeros in the copy and stand in the
// record, by their address. After an error the record says that the copy is not finished.
func (m *Memory) Copy(ctx context.Context, w io.WriteCloser, rec *custody.Record, progress func(done, total int64)) error {
	began := time.Now()
	s := &stream{m: m}
	h, written, size := chain.New(), int64(0), m.Size()
	err := pipe.Run(ctx, s.next, func(p []byte) error { h.Write(p); return nil }, func(p []byte) error {
		n, err := w.Write(p)
		if written += int64(n); err != nil {
			return fmt.Errorf("write the copy at %d: %w", written, err)
		}
		if progress != nil {
			progress(written, size)
		}
		return nil
	})
	if e := w.Close(); err == nil && e != nil {
		err = fmt.Errorf("end the copy: %w", e)
	}
	rec.Duration, rec.Copy.Piece, rec.Copy.Size = time.Since(began), chain.Piece, size
	rec.Bad = s.bad()
	m.Facts.Ranges = m.layout()
	rec.Ended = time.Now().UTC()
	rec.Notes = append(rec.Notes, fmt.Sprintf("the machine ran on while its memory was copied, for %v: pages are of different moments, and lists that the kernel changed meanwhile may be broken in the copy",
		rec.Duration.Round(time.Millisecond)))
	if err != nil {
		return err
	}
	rec.State, rec.Copy.Links, rec.Copy.SHA256 = custody.Finished, h.Links(), fmt.Sprintf("%x", h.Sum())
	return nil
}

// layout says where in the copy each range lies.
func (m *Memory) layout() []custody.MemoryRange {
	at := int64(0)
	var out []custody.MemoryRange
	for _, r := range m.Ranges {
		out = append(out, custody.MemoryRange{Start: r.Start, End: r.End, At: at})
		at += limeHeader + int64(r.Len())
	}
	return out
}

// stream gives the copy's bytes: headers and ranges.
type stream struct {
	m    *Memory
	i    int // the range
	head []byte
	r    *rescue.Reader // of the range

	mu   sync.Mutex
	past []*rescue.Reader
}

// next gives what follows: the rest of a header, or of a range.
func (s *stream) next(p []byte) (int, error) {
	for {
		if len(s.head) > 0 {
			n := copy(p, s.head)
			s.head = s.head[n:]
			return n, nil
		}
		if s.r != nil {
			if n, err := s.r.Next(p); n > 0 || err != nil {
				return n, err
			}
		}
		if s.i == len(s.m.Ranges) {
			return 0, nil
		}
		x := s.m.Ranges[s.i]
		s.i++
		s.head = header(x)
		s.r = &rescue.Reader{R: s.m.r, Size: int64(x.End) + 1, At: int64(x.Start), Unit: pageSize}
		s.mu.Lock()
		s.past = append(s.past, s.r)
		s.mu.Unlock()
	}
}

// bad gives what could not be read, by address.
func (s *stream) bad() []rescue.Range {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []rescue.Range{}
	for _, r := range s.past {
		out = append(out, r.Bad()...)
	}
	return out
}

// ErrNothing says that not one page could be read.
var ErrNothing = errors.New("not one page could be read")

// Lost gives how many bytes could not be read, and ErrNothing if that is all.
func (m *Memory) Lost(rec *custody.Record) (int64, error) {
	lost, all := int64(0), int64(0)
	for _, b := range rec.Bad {
		lost += b.Length
	}
	for _, r := range m.Ranges {
		all += int64(r.Len())
	}
	if lost == all {
		return lost, ErrNothing
	}
	return lost, nil
}
