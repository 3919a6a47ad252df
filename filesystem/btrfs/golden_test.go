package btrfs_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/btrfs"
	"telltale/filesystem/fstest"
	"telltale/internal/golden"
)

func samples(t testing.TB) []string {
	t.Helper()
	list, err := filepath.Glob("testdata/*.img.gz")
	if err != nil || len(list) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	return list
}

func unpack(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func openRaw(t testing.TB, raw []byte) *btrfs.FS {
	t.Helper()
	f, err := btrfs.Open([]filesystem.Device{{ReaderAt: bytes.NewReader(raw), Size: int64(len(raw))}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSamples(t *testing.T) {
	for _, path := range samples(t) {
		name := strings.TrimSuffix(path, ".img.gz")
		t.Run(filepath.Base(name), func(t *testing.T) {
			raw := unpack(t, path)
			f := openRaw(t, raw)
			b := describe(t, f)
			out := fstest.ReadTree(f)
			fstest.CheckRefs(t, f, &out, int64(len(raw)))
			v, did, err := f.Replay(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if v != nil {
				b = fmt.Appendf(b, "\nreplayed: %+v\n", did)
				b = append(b, describe(t, v)...)
			}
			b = append(b, describeDeleted(t, f)...)
			golden.Equal(t, name+".golden", b)
		})
	}
}

// describe writes all that a view holds as text.
func describe(t *testing.T, f filesystem.FS) []byte {
	var b bytes.Buffer
	out := fstest.ReadTree(f)
	for _, p := range out.Paths() {
		n := out.Nodes[p]
		m := n.Meta
		fmt.Fprintf(&b, "%q inode %d %s %04o %d:%d size %d links %d", p, m.Inode, m.Type, m.Mode, m.UID, m.GID, m.Size, m.Links)
		if m.Flags != 0 {
			fmt.Fprintf(&b, " flags %x", m.Flags)
		}
		if m.Rdev != 0 {
			fmt.Fprintf(&b, " rdev %x", m.Rdev)
		}
		fmt.Fprintf(&b, "\n\tm %s c %s a %s b %s, record at %d+%d\n", m.Mtime, m.Ctime, m.Atime, m.Crtime, m.Ref.Off, m.Ref.Len)
		if n.Target != "" {
			fmt.Fprintf(&b, "\t-> %q\n", n.Target)
		}
		if m.Type == filesystem.Regular {
			fmt.Fprintf(&b, "\tsha256 %x", n.Sum[:8])
			extents, _ := f.Extents(m.Inode)
			for _, e := range extents {
				fmt.Fprintf(&b, " %d@%d+%d", e.Logical, e.Physical, e.Length)
			}
			b.WriteByte('\n')
		}
		keys := make([]string, 0, len(n.Xattrs))
		for k := range n.Xattrs {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			fmt.Fprintf(&b, "\t%s=%q\n", k, n.Xattrs[k])
		}
	}
	for _, err := range out.Errs {
		fmt.Fprintf(&b, "fault: %v\n", err)
	}
	for m, err := range f.(filesystem.Orphaner).Orphans(t.Context()) {
		fmt.Fprintf(&b, "orphan %d size %d %v\n", m.Inode, m.Size, err)
	}
	for e, err := range f.(filesystem.FreeSpacer).FreeSpace(t.Context()) {
		fmt.Fprintf(&b, "free %d+%d %v\n", e.Physical, e.Length, err)
	}
	list, err := f.(filesystem.Subvolumer).Subvolumes(t.Context())
	for _, s := range list {
		fmt.Fprintf(&b, "subvolume %d %q %s of %q, read-only %v, made %s\n", s.ID, s.Path, s.UUID, s.Of, s.ReadOnly, s.Made)
	}
	fmt.Fprintf(&b, "%v\n%+v\n", err, f.Info())
	return b.Bytes()
}

// describeDeleted writes what the older trees have.
func describeDeleted(t *testing.T, f *btrfs.FS) []byte {
	h, list := f.Deleted(t.Context())
	b := fmt.Appendf(nil, "\nolder trees: %+v\n", h)
	for r, err := range list {
		if err != nil {
			b = fmt.Appendf(b, "fault: %v\n", err)
			continue
		}
		b = fmt.Appendf(b, "%q inode %d %s %04o size %d, state %d, from %s, deleted after %s and before %s, free %d, reused %d\n",
			r.Path, r.Meta.Inode, r.Meta.Type, r.Meta.Mode, r.Meta.Size, r.Meta.State, r.From, r.After, r.Before, r.Free, r.Reused)
		if r.Meta.Type == filesystem.Regular {
			h := sha256.New()
			n, err := io.Copy(h, io.NewSectionReader(r.Content, 0, r.Meta.Size))
			b = fmt.Appendf(b, "\tsha256 %x of %d bytes, %v, %v\n", h.Sum(nil)[:8], n, err, r.Extents)
		}
	}
	return b
}
