// Package raw reads dumps that are nothing but the memory, each byte at its address ("padded": LiME's format "padded", pmemsave of
// QEMU, .vmem of VMware below 3 GiB). A dump whose holes were left out looks the same and is not: package kernel tells it by what it finds.
package raw

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"telltale/internal/holes"
	"telltale/internal/limit"
	"telltale/memory"
)

// Bounds of what is looked at to tell memory from anything else.
const (
	minSize = 8 << 20
	window  = 1 << 20
)

// Format describes the member. A probe of the first bytes tells nothing: it says no, and Sniff looks.
func Format() memory.Format {
	return memory.Format{Name: "raw", Doc: "memory as it is, by address", Probe: func([]byte) bool { return false }, Open: open}
}

func open(_ context.Context, r io.ReaderAt, size int64, _ *limit.Budget) (memory.Dump, error) {
	if size < memory.PageSize {
		return nil, fmt.Errorf("%d bytes are no memory: %w", size, memory.ErrNotSupported)
	}
	return memory.NewPlain(r, size, []memory.Range{{Size: uint64(size)}}, memory.Facts{}), nil
}

// Sniff tells whether a file is the memory of a Linux: it holds the kernel's note for its dumps, at the start of a page. It reads until it finds it.
func Sniff(ctx context.Context, r io.ReaderAt, size int64) (bool, error) {
	if size < minSize {
		return false, nil
	}
	b := make([]byte, window)
	for off := int64(0); off < size; off += window {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if off = holes.Next(r, off) &^ (window - 1); off >= size {
			break
		}
		n, err := r.ReadAt(b[:min(window, size-off)], off)
		for p := 0; p+64 <= n; p += memory.PageSize {
			if page := b[p:min(p+memory.PageSize/4, n)]; bytes.HasPrefix(page, []byte("OSRELEASE=")) && bytes.Contains(page, []byte("\nPAGESIZE=")) {
				return true, nil
			}
		}
		if err != nil && err != io.EOF {
			return false, nil
		}
	}
	return false, nil
}
