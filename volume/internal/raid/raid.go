// Package raid maps the bytes of an array to its members: concatenation, stripes, mirrors, parity and
// the kernel's level 10. Both md arrays and LVM's raid segments are laid out so. It knows nothing of
// superblocks; it only reads, and takes a member that is missing or fails from the others where the
// level allows it. Sizes and offsets are in bytes.
//
// Source: Linux 6.1, drivers/md/raid0.c, raid5.c, raid10.c, and md(4).
package raid

import (
	"errors"
	"fmt"
	"io"
	"math"

	"telltale/evidence"
)

// Limits of an array.
const (
	MaxLegs  = 4096    // members; md allows 1920
	maxChunk = 1 << 30 // bytes
	minChunk = 512     // bytes
)

// ErrGeometry says that members, chunk and layout do not make an array.
var ErrGeometry = errors.New("no such array")

// Leg is one member's data area, in the order of their roles. A nil reader is a missing member.
type Leg struct {
	io.ReaderAt
	Size int64
}

// Array is a volume made of legs. It is safe for concurrent use.
type Array struct {
	Size int64
	name string
	// piece reads from off as much of p as lies together, at least one byte.
	piece func(p []byte, off int64) (int, error)
}

// errMissing is what reading a missing leg gives.
var errMissing = errors.New("a member is missing")

// ReadAt gives what comes before bytes that cannot be had, and then *evidence.Damage.
func (a *Array) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read at %d of %s", off, a.name)
	}
	if off >= a.Size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), a.Size-off)]
	for n < len(want) {
		m, err := a.piece(want[n:], off+int64(n))
		n += m
		if err != nil {
			return n, damage(a.name, off+int64(n), err)
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// damage keeps the damage that a lower layer told, which knows more.
func damage(name string, off int64, err error) error {
	var d *evidence.Damage
	if errors.As(err, &d) {
		return d
	}
	return &evidence.Damage{Ref: evidence.Ref{Path: name, Off: off}, Reason: err.Error()}
}

// read fills p from a leg or fails.
func (l Leg) read(p []byte, off int64) error {
	if l.ReaderAt == nil {
		return errMissing
	}
	if off < 0 || int64(len(p)) > l.Size-off {
		return fmt.Errorf("byte %d lies beyond the end of a member at %d", off, l.Size)
	}
	n, err := l.ReaderAt.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = fmt.Errorf("a member ends early, at byte %d: %w", off+int64(n), io.ErrUnexpectedEOF)
	}
	return err
}

// some is read for levels without redundancy: what can be had of p before the failure.
func (l Leg) some(p []byte, off int64) (int, error) {
	err := l.read(p, off)
	if err == nil {
		return len(p), nil
	}
	if l.ReaderAt == nil || off < 0 || off >= l.Size {
		return 0, err
	}
	n, _ := l.ReaderAt.ReadAt(p[:min(int64(len(p)), l.Size-off)], off) // err says what failed
	return n, err
}

// check tells whether legs, of which used bytes count, can make an array: their sum must not overflow,
// and not where level 10 rounds it up, either.
func check(legs []Leg, chunk, used int64) error {
	if len(legs) == 0 || len(legs) > MaxLegs {
		return fmt.Errorf("%d members: %w", len(legs), ErrGeometry)
	}
	if chunk < minChunk || chunk > maxChunk {
		return fmt.Errorf("chunks of %d bytes: %w", chunk, ErrGeometry)
	}
	most := math.MaxInt64/2/int64(len(legs)) - maxChunk
	for i, l := range legs {
		if l.Size < 0 || l.Size > most {
			return fmt.Errorf("member %d of %d bytes: %w", i, l.Size, ErrGeometry)
		}
	}
	if used < 0 || used > most {
		return fmt.Errorf("%d bytes of each member: %w", used, ErrGeometry)
	}
	return nil
}

// Linear puts the legs one behind the other. The size of a missing leg must be known, too.
func Linear(name string, legs []Leg) (*Array, error) {
	if err := check(legs, minChunk, 0); err != nil {
		return nil, err
	}
	a := &Array{name: name}
	starts := make([]int64, len(legs))
	for i, l := range legs {
		starts[i] = a.Size
		a.Size += l.Size
	}
	a.piece = func(p []byte, off int64) (int, error) {
		lo, hi := 0, len(starts) // the last leg that starts at or before off
		for hi-lo > 1 {
			if mid := (lo + hi) / 2; starts[mid] <= off {
				lo = mid
			} else {
				hi = mid
			}
		}
		at := off - starts[lo]
		return legs[lo].some(p[:min(int64(len(p)), legs[lo].Size-at)], at)
	}
	return a, nil
}

// Mirror reads the first leg that answers.
func Mirror(name string, legs []Leg, size int64) (*Array, error) {
	if err := check(legs, minChunk, size); err != nil {
		return nil, err
	}
	piece := func(p []byte, off int64) (int, error) { return anyOf(p, legs, nil, off) }
	return &Array{Size: size, name: name, piece: piece}, nil
}

// probeSize is how finely a mirror is searched for what each leg can give, once no leg gives all.
const probeSize = 4096 // bytes

// anyOf reads p from one of several legs, leg i at offs[i], or at off for all where offs is nil.
func anyOf(p []byte, legs []Leg, offs []int64, off int64) (n int, err error) {
	at := func(i int) int64 {
		if offs == nil {
			return off
		}
		return offs[i]
	}
	try := func(p []byte, more int64) error {
		err := errMissing
		for i, l := range legs {
			e := l.read(p, at(i)+more)
			if e == nil {
				return nil
			}
			if l.ReaderAt != nil {
				err = e
			}
		}
		return err
	}
	if err := try(p, 0); err == nil || len(p) <= probeSize {
		return done(p, err)
	}
	for n < len(p) {
		part := p[n:min(n+probeSize, len(p))]
		if err := try(part, int64(n)); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

func done(p []byte, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Split reads before below the byte at, after from there on: an array that was being reshaped.
func Split(name string, at int64, before, after *Array) *Array {
	piece := func(p []byte, off int64) (int, error) {
		if off >= at {
			return after.piece(p, off)
		}
		return before.piece(p[:min(int64(len(p)), at-off)], off)
	}
	return &Array{Size: min(before.Size, after.Size), name: name, piece: piece}
}
