package host

import (
	"context"
	"fmt"
	"os"

	"telltale/image"
	"telltale/internal/untouched"
)

// Stored holds the digests that a disk's container keeps of itself against its bytes; none for a container that keeps none, and
// for what is no disk. It reads everything.
func Stored(ctx context.Context, path string, progress func(done, total int64)) ([]image.Check, error) {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return nil, err
	}
	f, err := untouched.Open(path, 0)
	if err != nil {
		return nil, err
	}
	in := &Input{close: []func() error{f.Close}}
	defer in.Close()
	if _, err := containerOf(ctx, f, st.Size(), path, in); err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	if in.Verifier == nil {
		return nil, nil
	}
	return in.Verifier.Verify(ctx, progress)
}
