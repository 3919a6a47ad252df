// Package limit holds the budgets that hostile input is read under: every
// allocation that a number in the evidence asks for, every recursion, every
// expansion is charged to a Budget with a named limit.
package limit

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrLimit is what every refusal by a budget wraps.
var ErrLimit = errors.New("limit reached")

// The limits in force where nobody sets others.
const (
	Memory     = 256 << 20  // bytes of one reader's tables and buffers
	Depth      = 64         // nested layers: extent trees, directories of archives, includes
	Entries    = 20_000_000 // inodes, directory entries or archive members of one source
	LineLength = 1 << 20    // bytes of one log line that are kept; the rest is passed over and reported
	Expansion  = 64 << 30   // bytes that one compressed file may become
	Ratio      = 2000       // times that a compressed file beyond 1 GiB may have grown: logs of nothing but guessing grow three hundred times
	EndlessLog = 4 << 30    // bytes without the end of a line after which a log is read no further
	SmallFile  = 16 << 20   // bytes of a configuration file or state file read whole
)

// Budget counts down bytes of memory; it is safe for concurrent use. The zero
// Budget allows nothing; nil allows everything up to Memory for each call.
type Budget struct{ left atomic.Int64 }

// New gives a budget of n bytes.
func New(n int64) *Budget {
	b := &Budget{}
	b.left.Store(n)
	return b
}

// Take charges n bytes for what, or says why not. n comes from evidence, so it
// may be anything.
func (b *Budget) Take(n int64, what string) error {
	if n < 0 || n > Memory {
		return fmt.Errorf("%s wants %d bytes: %w", what, n, ErrLimit)
	}
	if b == nil {
		return nil
	}
	if b.left.Add(-n) < 0 {
		b.left.Add(n)
		return fmt.Errorf("%s wants %d bytes more than the budget has: %w", what, n, ErrLimit)
	}
	return nil
}

// Give returns n bytes that were taken.
func (b *Budget) Give(n int64) {
	if b != nil {
		b.left.Add(n)
	}
}
