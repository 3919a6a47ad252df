package xfs_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/xfs"
	"telltale/internal/golden"
)

// What reading one hostile image may cost.
const (
	maxTime    = 5 * time.Second
	maxMemory  = 256 << 20 // bytes allocated in all: more than were ever in use at once
	maxContent = 1 << 30   // bytes read out of one image: sparse files are nearly endless
)

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
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(z, 64<<20)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func samples(t testing.TB) []string {
	t.Helper()
	list, err := filepath.Glob("testdata/*.img.gz")
	if err != nil || len(list) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	return list
}

func openSample(t testing.TB, raw []byte) *xfs.FS {
	t.Helper()
	f, err := xfs.Open(bytes.NewReader(raw), int64(len(raw)))
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
func describe(f *xfs.FS) []byte {
	var b bytes.Buffer
	describeTree(&b, f)
	for m, err := range f.Orphans(context.Background()) {
		fmt.Fprintf(&b, "orphan inode %d size %d links %d %v\n", m.Inode, m.Size, m.Links, err)
	}
	free := int64(0)
	for e, err := range f.FreeSpace(context.Background()) {
		if free += e.Length; err != nil {
			fmt.Fprintf(&b, "fault %v\n", err)
		}
	}
	fmt.Fprintf(&b, "free %d bytes\n", free)
	i := f.Info()
	fmt.Fprintf(&b, "%s %q uuid %s dirty %v on %q\n%s\nmade %s mounted %s written %s\n", i.Kind, i.Label, i.UUID, i.Dirty, i.LastMounted,
		strings.Join(i.Features, " "), i.Created, i.LastMount, i.LastWrite)
	for _, n := range i.Notes {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	describeReplay(&b, f)
	describeDeleted(&b, f)
	return b.Bytes()
}

// describeDeleted writes what was deleted.
func describeDeleted(b *bytes.Buffer, f *xfs.FS) {
	h, found := f.Deleted(context.Background())
	fmt.Fprintf(b, "history in the %s of %d bytes: %d transactions, %s to %s\n", h.Source, h.Bytes, h.Transactions, h.From, h.To)
	for _, n := range h.Notes {
		fmt.Fprintf(b, "note %s\n", n)
	}
	for r, err := range found {
		if err != nil {
			fmt.Fprintf(b, "fault %v\n", err)
			continue
		}
		sum := sha256.New()
		n, err := io.Copy(sum, io.NewSectionReader(r.Content, 0, min(r.Meta.Size, 16<<20)))
		fmt.Fprintf(b, "deleted %q by %s: inode %d %s state %d size %d, after %s, before %s\n\tfrom %s, sha256 of %d bytes %x, free %d reused %d, %d extents, %v\n", r.Path, r.PathFrom,
			r.Meta.Inode, r.Meta.Type, r.Meta.State, r.Meta.Size, r.After, r.Before, r.From, n, sum.Sum(nil)[:8], r.Free, r.Reused, len(r.Extents), err)
	}
}

// describeReplay writes the view with the log laid over it.
func describeReplay(b *bytes.Buffer, f *xfs.FS) {
	view, done, err := f.Replay(context.Background())
	if view == nil {
		fmt.Fprintf(b, "replay: nothing, %v\n", err)
		return
	}
	fmt.Fprintf(b, "replayed %d transactions, %d blocks, %s to %s\n", done.Transactions, done.Blocks, done.First, done.Last)
	for _, n := range done.Notes {
		fmt.Fprintf(b, "note %s\n", n)
	}
	describeTree(b, view)
}

func describeTree(b *bytes.Buffer, f filesystem.FS) {
	out := fstest.ReadTree(f)
	for _, p := range out.Paths() {
		n := out.Nodes[p]
		m := n.Meta
		fmt.Fprintf(b, "%q inode %d %s %04o %d:%d size %d links %d", p, m.Inode, m.Type, m.Mode, m.UID, m.GID, m.Size, m.Links)
		if m.Flags != 0 {
			fmt.Fprintf(b, " flags %x", m.Flags)
		}
		if m.Rdev != 0 {
			fmt.Fprintf(b, " rdev %x", m.Rdev)
		}
		fmt.Fprintf(b, "\n\tm %s c %s a %s b %s, record at %d+%d\n", m.Mtime, m.Ctime, m.Atime, m.Crtime, m.Ref.Off, m.Ref.Len)
		if n.Target != "" {
			fmt.Fprintf(b, "\t-> %q\n", n.Target)
		}
		if m.Type == filesystem.Regular {
			fmt.Fprintf(b, "\tsha256 %x", n.Sum[:8])
			extents, _ := f.Extents(m.Inode)
			for _, e := range extents {
				fmt.Fprintf(b, " %d@%d+%d", e.Logical, e.Physical, e.Length)
			}
			b.WriteByte('\n')
		}
		describeXattrs(b, n.Xattrs)
	}
	for _, err := range out.Errs {
		fmt.Fprintf(b, "fault %v\n", err)
	}
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
	raw := unpack(t, "testdata/xfs.img.gz")
	raw[216] |= 0x80   // nobody's
	raw[216+2] |= 0x02 // zoned
	for off := int64(0); off < int64(len(raw)); off += int64(len(raw)) / 2 {
		xfs.Reseal(raw[off:off+512], 224)
	}
	_, err := xfs.Open(bytes.NewReader(raw), int64(len(raw)))
	if !errors.Is(err, filesystem.ErrNotSupported) || !strings.Contains(err.Error(), "zoned FEATURE_I31") {
		t.Fatalf("got %v", err)
	}
}

func TestATruncatedImageIsReadAsFarAsItGoes(t *testing.T) {
	raw := unpack(t, "testdata/xfs.img.gz")
	whole := fstest.ReadTree(openSample(t, raw))
	for _, size := range []int64{int64(len(raw)) / 2, int64(len(raw)) / 4, 64 << 10, 2048} {
		f, err := xfs.Open(bytes.NewReader(raw[:size]), size)
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
	f := openSample(t, unpack(t, "testdata/xfs.img.gz"))
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
	probe := xfs.Format().Probe
	for name, head := range map[string][]byte{"nothing": nil, "short": make([]byte, 1100), "zeros": make([]byte, 128<<10)} {
		if probe(head) {
			t.Errorf("%s was taken for a filesystem", name)
		}
	}
	if !probe(unpack(t, "testdata/damaged.img.gz")[:4096]) {
		t.Error("a filesystem without its first superblock was not recognised")
	}
}

// A map whose tree points at itself must end soon, and be told.
func TestTreeOfItself(t *testing.T) {
	raw := unpack(t, "testdata/xfs.img.gz")
	var m filesystem.Meta
	for p, n := range fstest.ReadTree(openSample(t, raw)).Nodes {
		if p == "/sparse" {
			m = n.Meta
		}
	}
	be := binary.BigEndian
	rec := raw[m.Ref.Off : m.Ref.Off+m.Ref.Len]
	rec[5] = 3 // a tree
	be.PutUint32(rec[76:], 1000)
	be.PutUint16(rec[176:], 5)
	be.PutUint16(rec[178:], 10)
	for i := range 20 {
		be.PutUint64(rec[180+20*8+i*8-8:], 3000)
	}
	block := raw[3000*4096 : 3001*4096]
	be.PutUint32(block, 0x424d4133)
	for level := range 6 {
		be.PutUint16(block[4:], uint16(level))
		be.PutUint16(block[6:], 251)
		for i := range 251 {
			be.PutUint64(block[72+251*8+i*8:], 3000)
		}
		start := time.Now()
		f := openSample(t, raw)
		if _, err := f.Extents(m.Inode); err == nil {
			t.Error("no fault")
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	}
}
