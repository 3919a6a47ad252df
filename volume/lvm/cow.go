package lvm

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"telltale/internal/bin"
	"telltale/internal/limit"
)

// The exception store of a snapshot (dm-snap-persistent.c): a header, then areas of metadata, each followed
// by the chunks that it tells of.
const (
	cowMagic      = 0x70416e53 // SNAP_MAGIC, "SnAp"
	cowVersion    = 1
	exceptionSize = 16       // bytes of struct disk_exception
	maxCowChunk   = 16 << 20 // bytes
	maxExceptions = 8 << 20
)

var errOverflown = errors.New("the snapshot overflowed and is no longer valid")

// cow is a snapshot: the origin, where it was not written since, else what was kept of it.
type cow struct {
	origin, store io.ReaderAt
	size          int64 // of the origin
	chunk         int64 // bytes
	old, kept     []uint64
}

func openCow(origin io.ReaderAt, size int64, store *node, budget *limit.Budget) (*cow, error) {
	var head [sector]byte
	if n, err := store.ReadAt(head[:], 0); n < len(head) {
		return nil, fmt.Errorf("read the exception store: %w", err)
	}
	h := bin.Little(head[:])
	magic, valid, version := h.U32(), h.U32(), h.U32()
	s := &cow{origin: origin, store: store, size: size, chunk: int64(h.U32()) * sector}
	switch {
	case magic != cowMagic:
		return nil, errors.New("the exception store has no header")
	case valid == 0:
		return nil, errOverflown
	case version != cowVersion:
		return nil, fmt.Errorf("an exception store of version %d: %w", version, errRefused)
	case s.chunk <= 0 || s.chunk > maxCowChunk || s.chunk%sector != 0:
		return nil, fmt.Errorf("an exception store with chunks of %d bytes", s.chunk)
	}
	if err := s.load(store.Size, budget); err != nil {
		return nil, fmt.Errorf("read the exception store: %w", err)
	}
	sort.Sort(s)
	return s, nil
}

// load reads the areas up to the first exception that is not set.
func (s *cow) load(size int64, budget *limit.Budget) error {
	area := make([]byte, s.chunk)
	each := s.chunk / exceptionSize
	for at := s.chunk; at <= size-s.chunk; at += (each + 1) * s.chunk {
		if n, err := s.store.ReadAt(area, at); n < len(area) {
			return err
		}
		if err := budget.Take(s.chunk, "exceptions of a snapshot"); err != nil {
			return err
		}
		for c := bin.Little(area); c.Left() >= exceptionSize; {
			old, kept := c.U64(), c.U64()
			if kept == 0 {
				return nil
			}
			if kept > uint64(size/s.chunk) || len(s.old) == maxExceptions {
				return fmt.Errorf("an exception in chunk %d of %d", kept, size/s.chunk)
			}
			s.old, s.kept = append(s.old, old), append(s.kept, kept)
		}
	}
	return nil
}

func (s *cow) Len() int           { return len(s.old) }
func (s *cow) Less(i, j int) bool { return s.old[i] < s.old[j] }
func (s *cow) Swap(i, j int) {
	s.old[i], s.old[j] = s.old[j], s.old[i]
	s.kept[i], s.kept[j] = s.kept[j], s.kept[i]
}

// ReadAt reads the origin as it was.
func (s *cow) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), s.size-off)]
	for n < len(want) {
		at := off + int64(n)
		number, in := uint64(at/s.chunk), at%s.chunk
		i := sort.Search(len(s.old), func(i int) bool { return s.old[i] >= number })
		from, pos, run := s.store, int64(0), s.chunk-in
		if i < len(s.old) && s.old[i] == number {
			pos = int64(s.kept[i])*s.chunk + in
		} else {
			from, pos, run = s.origin, at, int64(len(want)-n)
			if i < len(s.old) && s.old[i] < uint64(s.size/s.chunk+1) {
				run = int64(s.old[i])*s.chunk - at
			}
		}
		part := want[n : n+int(min(run, int64(len(want)-n)))]
		m, err := from.ReadAt(part, pos)
		if n += m; m < len(part) {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
