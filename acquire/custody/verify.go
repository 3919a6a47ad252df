package custody

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"telltale/acquire/chain"
)

// Verify reads a copy that is a plain file and holds it against its record. An error is for what says nothing of
// the copy: it could not be opened, the record is of no use, the context is done.
func (r *Record) Verify(ctx context.Context, path string, progress func(done int64)) (*Verification, error) {
	sum, err := hex.DecodeString(r.Copy.SHA256)
	if r.State != Finished || err != nil || len(sum) != 32 {
		return nil, fmt.Errorf("the record says that the copy is %s, with the SHA-256 %q", r.State, r.Copy.SHA256)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	forget(f)
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	bad, err := chain.Check(ctx, f, r.Copy.Size, r.Copy.Links, [32]byte(sum), progress)
	if err != nil {
		return nil, err
	}
	v := &Verification{Time: time.Now().UTC(), Bad: bad, OK: len(bad) == 0 && st.Size() == r.Copy.Size}
	if st.Size() != r.Copy.Size {
		v.Words = append(v.Words, fmt.Sprintf("the copy has %d bytes, the record says %d", st.Size(), r.Copy.Size))
	}
	return v, nil
}
