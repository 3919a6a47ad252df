// Package raw is the disk image that is nothing but the disk's bytes (dd, and what
// every other container is reduced to). Sizes are in bytes.
package raw

import (
	"context"
	"fmt"
	"io"

	"telltale/image"
	"telltale/internal/limit"
)

// Format describes the member. Any file can be a raw image, so Probe always says
// yes: it must be asked last.
func Format() image.Format {
	return image.Format{
		Name:  "raw",
		Doc:   "raw disk image (dd)",
		Probe: func(_, _ []byte) bool { return true },
		Open:  open,
	}
}

// The section reader keeps reads inside the size, also where the file grows.
func open(_ context.Context, f image.File, _ *limit.Budget) (image.Disk, error) {
	if f.Size < 0 {
		return nil, fmt.Errorf("open raw image: size %d", f.Size)
	}
	return io.NewSectionReader(f, 0, f.Size), nil
}
