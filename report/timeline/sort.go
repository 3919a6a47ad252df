package timeline

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"telltale/evidence"
)

// sorter writes lines in the order of their times, equal ones in the order they came. What does not fit into memory goes to
// files without a name in the spool, sorted, and is merged at the end.
type sorter struct {
	w     io.Writer
	spool string
	limit int
	text  []byte
	lines []line
	runs  []*os.File
}

// line is a time and where the text stands.
type line struct {
	sec   int64
	nsec  int32
	start uint32
	size  uint32
}

const (
	sortBytes = 64 << 20 // of text that is held before it goes to a file
	lineBytes = 24       // of a line beside its text
	maxRuns   = 4096
)

func newSorter(w io.Writer, spool string) *sorter {
	return &sorter{w: w, spool: spool, limit: sortBytes}
}

// begin makes room for a line's text, which the caller appends to the slice and gives back to add.
func (s *sorter) begin() []byte { return s.text }

func (s *sorter) add(t evidence.Time, text []byte) error {
	start := len(s.text)
	s.text = append(text, '\n')
	s.lines = append(s.lines, line{t.Sec, t.Nsec, uint32(start), uint32(len(s.text) - start)})
	if len(s.text)+lineBytes*len(s.lines) < s.limit {
		return nil
	}
	return s.spill()
}

func (s *sorter) sort() {
	slices.SortStableFunc(s.lines, func(a, b line) int { return compare(a.sec, a.nsec, b.sec, b.nsec) })
}

func compare(as int64, an int32, bs int64, bn int32) int {
	switch {
	case as < bs || as == bs && an < bn:
		return -1
	case as == bs && an == bn:
		return 0
	}
	return 1
}

// spill writes what is held to a file.
func (s *sorter) spill() error {
	if len(s.runs) >= maxRuns {
		return errors.New("the timeline is too long to be sorted")
	}
	f, err := os.CreateTemp(s.spool, "timeline-*")
	if err != nil {
		return fmt.Errorf("sort the timeline: %w", err)
	}
	os.Remove(f.Name())
	s.runs = append(s.runs, f)
	s.sort()
	w := bufio.NewWriterSize(f, 1<<20)
	var head [16]byte
	for _, l := range s.lines {
		binary.LittleEndian.PutUint64(head[:], uint64(l.sec))
		binary.LittleEndian.PutUint32(head[8:], uint32(l.nsec))
		binary.LittleEndian.PutUint32(head[12:], l.size)
		w.Write(head[:])
		w.Write(s.text[l.start : l.start+l.size])
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sort the timeline: %w", err)
	}
	s.text, s.lines = s.text[:0], s.lines[:0]
	return nil
}

// finish writes all lines.
func (s *sorter) finish() error {
	defer func() {
		for _, f := range s.runs {
			f.Close()
		}
	}()
	w := bufio.NewWriterSize(s.w, 1<<20)
	if len(s.runs) == 0 {
		s.sort()
		for _, l := range s.lines {
			w.Write(s.text[l.start : l.start+l.size])
		}
		return w.Flush()
	}
	if err := s.spill(); err != nil {
		return err
	}
	var h merge
	for i, f := range s.runs {
		r := &sortedRun{r: bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), 64<<10), number: i}
		if err := r.next(); err == nil {
			h = append(h, r)
		} else if !errors.Is(err, io.EOF) {
			return err
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		w.Write(h[0].text.Bytes())
		if err := h[0].next(); err == nil {
			heap.Fix(&h, 0)
		} else if errors.Is(err, io.EOF) {
			heap.Pop(&h)
		} else {
			return err
		}
	}
	return w.Flush()
}

// sortedRun is one file of sorted lines.
type sortedRun struct {
	r      *bufio.Reader
	number int
	sec    int64
	nsec   int32
	text   bytes.Buffer
}

func (r *sortedRun) next() error {
	var head [16]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return err
	}
	r.sec, r.nsec = int64(binary.LittleEndian.Uint64(head[:])), int32(binary.LittleEndian.Uint32(head[8:]))
	r.text.Reset()
	_, err := io.CopyN(&r.text, r.r, int64(binary.LittleEndian.Uint32(head[12:])))
	return err
}

type merge []*sortedRun

func (m merge) Len() int { return len(m) }
func (m merge) Less(i, j int) bool {
	c := compare(m[i].sec, m[i].nsec, m[j].sec, m[j].nsec)
	return c < 0 || c == 0 && m[i].number < m[j].number
}
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)   { *m = append(*m, x.(*sortedRun)) }
func (m *merge) Pop() any {
	old := *m
	x := old[len(old)-1]
	*m = old[:len(old)-1]
	return x
}
