package ext4_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/ext4"
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

func openSample(t testing.TB, raw []byte) *ext4.FS {
	t.Helper()
	f, err := ext4.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSamples(t *testing.T) {
	for _, path := range samples(t) {
		name := strings.TrimSuffix(path, ".img.gz")
		t.Run(filepath.Base(name), func(t *testing.T) {
			golden.Equal(t, name+".golden", describe(openSample(t, unpack(t, path))))
		})
	}
}

// describe writes all that a filesystem holds as text.
func describe(f *ext4.FS) []byte {
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
		describeXattrs(&b, n.Xattrs)
	}
	for m, err := range f.Orphans(context.Background()) {
		fmt.Fprintf(&b, "orphan inode %d size %d links %d %v\n", m.Inode, m.Size, m.Links, err)
	}
	for _, err := range out.Errs {
		fmt.Fprintf(&b, "fault %v\n", err)
	}
	i := f.Info()
	fmt.Fprintf(&b, "%s %q uuid %s dirty %v on %q\n%s\nmade %s mounted %s written %s\n", i.Kind, i.Label, i.UUID, i.Dirty, i.LastMounted,
		strings.Join(i.Features, " "), i.Created, i.LastMount, i.LastWrite)
	for _, n := range i.Notes {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	return b.Bytes()
}

func describeXattrs(b *bytes.Buffer, x map[string][]byte) {
	var keys []string
	for k := range x {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Fprintf(b, "\t%s = %.60q, %d bytes\n", k, x[k], len(x[k]))
	}
}

func TestUnknownFeaturesAreNamed(t *testing.T) {
	raw := unpack(t, "testdata/ext2.img.gz")
	raw[1024+0x60] |= 0x01   // compression
	raw[1024+0x60+3] |= 0x80 // nobody's
	_, err := ext4.Open(bytes.NewReader(raw), int64(len(raw)))
	if !errors.Is(err, filesystem.ErrNotSupported) || !strings.Contains(err.Error(), "compression FEATURE_I31") {
		t.Fatalf("got %v", err)
	}
}

func TestATruncatedImageIsReadAsFarAsItGoes(t *testing.T) {
	raw := unpack(t, "testdata/ext4.img.gz")
	whole := fstest.ReadTree(openSample(t, raw))
	for _, size := range []int64{int64(len(raw)) / 2, int64(len(raw)) / 4, 64 << 10, 2048} {
		f, err := ext4.Open(bytes.NewReader(raw[:size]), size)
		if err != nil {
			t.Fatal(err)
		}
		out := fstest.ReadTree(f)
		if len(out.Nodes) < len(whole.Nodes) && len(out.Errs) == 0 {
			t.Errorf("of %d bytes: %d of %d names and no fault", size, len(out.Nodes), len(whole.Nodes))
		}
		if notes := f.Info().Notes; len(notes) == 0 {
			t.Errorf("of %d bytes: no note", size)
		}
	}
}

func TestInodesThatThereAreNot(t *testing.T) {
	f := openSample(t, unpack(t, "testdata/ext4.img.gz"))
	for _, n := range []filesystem.Inode{0, 1 << 31, 1 << 32, 1<<64 - 1} {
		if _, err := f.Stat(n); !errors.Is(err, filesystem.ErrNotExist) {
			t.Errorf("inode %d: %v", n, err)
		}
		for _, err := range f.ReadDir(n) {
			if !errors.Is(err, filesystem.ErrNotExist) {
				t.Errorf("directory inode %d: %v", n, err)
			}
		}
	}
}

func TestProbe(t *testing.T) {
	probe := ext4.Format().Probe
	for name, head := range map[string][]byte{"nothing": nil, "short": make([]byte, 1100), "zeros": make([]byte, 128<<10)} {
		if probe(head) {
			t.Errorf("%s was taken for a filesystem", name)
		}
	}
	if !probe(unpack(t, "testdata/ext2-rev0.img.gz")[:4096]) {
		t.Error("the first revision was not recognised")
	}
}
