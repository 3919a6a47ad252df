// Package memory is the contract of dumps of a machine's memory: from the file as it lies on the examiner's storage to the bytes at
// the machine's physical addresses. What the bytes mean is told by package kernel. Addresses and sizes are in bytes.
package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"telltale/evidence"
	"telltale/internal/limit"
)

// What a dump cannot be read for. The errors that members give wrap these.
var (
	ErrNotSupported = errors.New("not supported")
	ErrHole         = errors.New("not in the dump")
)

// PageSize is the unit in which dumps hold memory.
const PageSize = 4096

// MaxAddress bounds physical addresses: 52 bits are the most that machines have.
const MaxAddress = 1 << 52

// Dump is an opened dump. It is safe for concurrent use.
type Dump interface {
	// Ranges gives what of the memory the dump holds, by address, none within another.
	Ranges() []Range
	// ReadPhys reads at a physical address, as io.ReaderAt does; ErrHole where the dump holds nothing.
	ReadPhys(p []byte, addr uint64) (int, error)
	// Where gives the offset in the file of what lies at an address: of its byte, or, where the dump is compressed, of the block that
	// holds it. -1 where it holds nothing.
	Where(addr uint64) int64
	// Facts gives what the dump says of itself.
	Facts() Facts
}

// Facts is what a dump says of itself.
type Facts struct {
	VMCoreInfo []byte   // the kernel's note for its dumps, where the dump carries it beside the memory
	Roots      []uint64 // the physical addresses of page tables that processors used: CR3
	Notes      []string // what a user must know
	Damage     []evidence.Damage
}

// Format is a member of the family. Probe sees the file's first bytes, up to 128 KiB.
type Format struct {
	Name  string
	Doc   string
	Probe func(head []byte) bool
	Open  func(ctx context.Context, r io.ReaderAt, size int64, b *limit.Budget) (Dump, error)
}

// Range is memory from Start on, at Off of the file.
type Range struct {
	Start, Size uint64
	Off         int64
}

// Order brings ranges in order and cuts what two of them hold down to one: the first given stays. Those that no machine has are left out.
func Order(rs []Range) []Range {
	rs = slices.DeleteFunc(slices.Clone(rs), func(r Range) bool {
		return r.Size == 0 || r.Start >= MaxAddress || r.Size > MaxAddress-r.Start || r.Off < 0
	})
	slices.SortStableFunc(rs, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	out := rs[:0]
	end := uint64(0)
	for _, r := range rs {
		if cut := end - r.Start; end > r.Start {
			if cut >= r.Size {
				continue
			}
			r.Start, r.Size, r.Off = r.Start+cut, r.Size-cut, r.Off+int64(cut)
		}
		out = append(out, r)
		end = r.Start + r.Size
	}
	return out
}

// Find gives the range that holds an address, of ranges in order.
func Find(rs []Range, addr uint64) (Range, bool) {
	i := sort.Search(len(rs), func(i int) bool { return rs[i].Start > addr }) - 1
	if i < 0 || addr-rs[i].Start >= rs[i].Size {
		return Range{}, false
	}
	return rs[i], true
}

// Plain is a dump whose memory lies in the file as it is.
type Plain struct {
	r      io.ReaderAt
	ranges []Range
	facts  Facts
}

// NewPlain gives the dump of ranges in a file of size bytes. What the file ends before is left out, and told as damage.
func NewPlain(r io.ReaderAt, size int64, rs []Range, f Facts) *Plain {
	missing := uint64(0)
	var there []Range
	for _, x := range rs {
		have := uint64(max(0, size-x.Off))
		if x.Size > have {
			missing += x.Size - have
			x.Size = have
		}
		there = append(there, x)
	}
	if missing > 0 {
		f.Damage = append(f.Damage, evidence.Damage{Ref: evidence.Ref{Off: size}, Reason: fmt.Sprintf("the dump ends early: %d bytes of the memory that it announces are missing", missing)})
	}
	return &Plain{r: r, ranges: Order(there), facts: f}
}

// Ranges gives what the dump holds.
func (d *Plain) Ranges() []Range { return d.ranges }

// Facts gives what the dump says of itself.
func (d *Plain) Facts() Facts { return d.facts }

// Where gives the offset in the file.
func (d *Plain) Where(addr uint64) int64 {
	r, ok := Find(d.ranges, addr)
	if !ok {
		return -1
	}
	return r.Off + int64(addr-r.Start)
}

// ReadPhys reads at a physical address, across ranges that join.
func (d *Plain) ReadPhys(p []byte, addr uint64) (int, error) {
	done := 0
	for done < len(p) {
		r, ok := Find(d.ranges, addr)
		if !ok {
			return done, fmt.Errorf("address %#x: %w", addr, ErrHole)
		}
		in := addr - r.Start
		n := int(min(uint64(len(p)-done), r.Size-in))
		got, err := d.r.ReadAt(p[done:done+n], r.Off+int64(in))
		done, addr = done+got, addr+uint64(got)
		if got < n {
			return done, fmt.Errorf("address %#x: %w", addr, err)
		}
	}
	return done, nil
}
