package ext4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/ext4"
	"telltale/filesystem/fstest"
	"telltale/internal/golden"
)

func TestDeletedOfSamples(t *testing.T) {
	for _, path := range samples(t) {
		name := strings.TrimSuffix(path, ".img.gz")
		t.Run(filepath.Base(name), func(t *testing.T) {
			golden.Equal(t, name+".deleted.golden", describeDeleted(t, openSample(t, unpack(t, path))))
		})
	}
}

// describeDeleted writes what was deleted, and how the replayed view differs from the one on disk.
func describeDeleted(t *testing.T, f *ext4.FS) []byte {
	var b bytes.Buffer
	h, files := f.Deleted(context.Background())
	fmt.Fprintf(&b, "%s from %s to %s, %d transactions, %q\n", h.Source, h.From, h.To, h.Transactions, h.Notes)
	for r, err := range files {
		if err != nil {
			fmt.Fprintf(&b, "error: %v\n", err)
			continue
		}
		sum := sha256.New()
		n, err := io.Copy(sum, io.NewSectionReader(r.Content, 0, r.Meta.Size))
		fmt.Fprintf(&b, "%q (%s) inode %d %s %04o size %d state %d cut %v\n\tdeleted %s, after %s, before %s\n\t%d bytes by %s, %d free, %d reused, sha256 %x, %v\n",
			r.Path, r.PathFrom, r.Meta.Inode, r.Meta.Type, r.Meta.Mode, r.Meta.Size, r.Meta.State, r.Cut, r.Meta.Dtime, r.After, r.Before, n, r.From, r.Free, r.Reused, sum.Sum(nil)[:8], err)
	}
	v, did, err := f.Replay(context.Background())
	if v == nil {
		fmt.Fprintf(&b, "nothing to replay (%v)\n", err)
		return b.Bytes()
	}
	fmt.Fprintf(&b, "replayed %d transactions, %d blocks, %s to %s, %q, %v\n", did.Transactions, did.Blocks, did.First, did.Last, did.Notes, err)
	was, is := fstest.ReadTree(f), fstest.ReadTree(v)
	for _, p := range is.Paths() {
		o, n := was.Nodes[p], is.Nodes[p]
		o.Meta.Ref, n.Meta.Ref = filesystem.Meta{}.Ref, filesystem.Meta{}.Ref
		if o.Meta != n.Meta || o.Sum != n.Sum {
			fmt.Fprintf(&b, "%q is %s of %d bytes, changed %s; was %s of %d\n", p, n.Meta.Type, n.Meta.Size, n.Meta.Ctime, o.Meta.Type, o.Meta.Size)
		}
	}
	for _, p := range was.Paths() {
		if _, ok := is.Nodes[p]; !ok {
			fmt.Fprintf(&b, "%q is no more\n", p)
		}
	}
	return b.Bytes()
}
