//go:build !linux

package freeze

import "context"

// Freeze is refused: this is not Linux.
func Freeze(context.Context, int, Options) ([]Process, error) { return nil, ErrCannot }

// Thaw is refused: this is not Linux.
func Thaw(context.Context, int, Options) ([]Process, error) { return nil, ErrCannot }
