//go:build !linux

package live

import (
	"fmt"

	"telltale/filesystem"
)

// FS is a tree on a system that is no Linux: there is none to be read.
type FS struct{ filesystem.FS }

// Open refuses.
func Open(dir, proc string) (*FS, error) {
	return nil, fmt.Errorf("the running system: %w", filesystem.ErrNotSupported)
}

// Close has nothing to close.
func (f *FS) Close() error { return nil }

// Hidden gives nothing.
func (f *FS) Hidden() []Hidden { return nil }

// Passed gives nothing.
func (f *FS) Passed() []Passed { return nil }
