// Package raw is the disk image that is nothing but the disk's bytes (dd, and what
// every other container is reduced to). Sizes are in bytes.
package raw

import (
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
		Probe: func([]byte) bool { return true },
		Open:  open,
	}
}

// The section reader keeps reads inside size, also where r is longer.
func open(r io.ReaderAt, size int64, _ *limit.Budget) (image.Disk, error) {
	if size < 0 {
		return nil, fmt.Errorf("open raw image: size %d", size)
	}
	return io.NewSectionReader(r, 0, size), nil
}
