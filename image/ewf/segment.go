package ewf

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
)

const (
	segmentHeader1 = 13     // bytes: signature, fields start 1, segment number, fields end 0
	segmentHeader2 = 32     // bytes: signature, version, compression method, segment number, set identifier
	maxSegments    = 15_000 // .E01 to .ZZZ are 14,971
	gapLook        = 20     // segments that are looked for behind a missing one
)

// segmentName gives the name of the n-th segment (from 1) of a set whose first is called first:
// .E01 to .E99, .EAA to .EZZ, .FAA to .ZZZ; .Ex01 to .Ex99, .ExAA to .EzZZ. Letters are as the
// first's are. "" is beyond the last.
func segmentName(first string, n int) string {
	dot := strings.LastIndexByte(first, '.')
	stem, ext := first[:dot+1], first[dot+1:]
	if dot < 0 || len(ext) < 3 {
		return ""
	}
	lead := []byte(ext[:len(ext)-2]) // "E", "s", "Ex"
	if n <= 99 {
		return fmt.Sprintf("%s%s%02d", stem, lead, n)
	}
	a := byte('A')
	if c := lead[0]; c >= 'a' && c <= 'z' {
		a = 'a'
	}
	n -= 100
	turn := n / (26 * 26)
	last := &lead[len(lead)-1]
	for range turn {
		if *last == 'z' || *last == 'Z' {
			return ""
		}
		*last++
	}
	n %= 26 * 26
	return fmt.Sprintf("%s%s%c%c", stem, lead, int(a)+n/26, int(a)+n%26)
}

// readSet reads all segments by read, which gives the segment's number and whether it says that it is the
// last. Segments that are missing leave a hole; what comes behind is placed by its own numbers (EWF2) or,
// where one hole is all that is unknown, from the end (EWF).
func (d *disk) readSet(ctx context.Context, f image.File, read func(f image.File, want int) (last bool, err error)) error {
	holeAt, holes, last := 0, 0, false // tables before the hole
	missing := 0
	for n := 1; n <= maxSegments && !last; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		seg := f
		if n > 1 {
			var err error
			if seg, err = d.segmentBeside(f, n); err != nil {
				if missing++; missing == 1 {
					if holes++; holes == 1 {
						holeAt = len(d.tables)
					}
				}
				if missing > gapLook {
					break
				}
				continue
			}
			if missing > 0 {
				d.note("the segments %d to %d are missing", n-missing, n-1)
			}
			missing = 0
		}
		var err error
		d.segments = append(d.segments, seg)
		if last, err = read(seg, n); err != nil {
			if n == 1 || errors.Is(err, image.ErrEncrypted) || errors.Is(err, image.ErrNotSupported) {
				return err
			}
			d.note("segment %d, %q: %v", n, seg.Name, err)
		}
	}
	if !last {
		d.note("no segment says that it is the last: %q and those behind it are missing, or the last one is cut", segmentName(f.Name, len(d.segments)+1))
	}
	return d.place(holeAt, holes, last)
}

func (d *disk) segmentBeside(f image.File, n int) (image.File, error) {
	name := segmentName(f.Name, n)
	if name == "" {
		return image.File{}, errors.New("no such name")
	}
	return extent.Beside(f, name)
}

// place gives the tables of a version 1 set their first chunks, and puts all in order.
func (d *disk) place(holeAt, holes int, last bool) error {
	next := int64(0)
	for i, t := range d.tables {
		if t.entrySize == entrySize2 {
			continue // says itself where it stands
		}
		if holes > 0 && i == holeAt {
			rest := int64(0)
			for _, t := range d.tables[i:] {
				rest += t.count
			}
			if holes > 1 || !last || d.chunks-rest < next {
				d.note("what lies behind the missing segments has no known place on the disk: it is not read")
				d.tables = d.tables[:i]
				break
			}
			next = d.chunks - rest
		}
		t.first = next
		if next += t.count; next < 0 || next > 1<<50 {
			return fmt.Errorf("more than %d chunks", int64(1)<<50)
		}
	}
	sort.SliceStable(d.tables, func(i, j int) bool { return d.tables[i].first < d.tables[j].first })
	return nil
}

// checkNumber holds the number in a segment's header against its place in the set.
func (d *disk) checkNumber(f image.File, got uint32, want int) error {
	if int64(got) == int64(want) {
		return nil
	}
	if want == 1 {
		return fmt.Errorf("it is segment %d of its set: the first one is needed", got)
	}
	d.note("%q says that it is segment %d, its name says %d", f.Name, got, want)
	return nil
}

func fileNumber1(f image.File) (uint32, error) {
	b, err := extent.Bytes(f, 0, segmentHeader1, segmentHeader1, "file header")
	if err != nil {
		return 0, err
	}
	c := bin.Little(b)
	if s := string(c.Bytes(8)); s != signature1 {
		return 0, fmt.Errorf("signature %q", s)
	}
	c.Skip(1)
	return uint32(c.U16()), c.Err()
}
