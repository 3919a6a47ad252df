package btrfs_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/btrfs"
	"telltale/filesystem/fstest"
)

const maxMemory = 512 << 20 // bytes in use while one hostile image is read

// heap samples the memory in use until it is stopped, and gives the most.
func heap() (stop func() uint64) {
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		var top uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			top = max(top, m.HeapAlloc)
			select {
			case <-done:
				most <- top
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(done); return <-most }
}

// The fuzz images of btrfs-progs: each is a filesystem that once brought a tool down. See
// lab/damaged-images.sh.
func TestDamagedImages(t *testing.T) {
	root := os.Getenv("TELLTALE_BTRFSPROGS")
	if root == "" {
		t.Skip("TELLTALE_BTRFSPROGS does not name the unpacked source of btrfs-progs (lab/damaged-images.sh fetches it)")
	}
	images, _ := filepath.Glob(filepath.Join(root, "tests", "fuzz-tests", "images", "*.raw"))
	if len(images) == 0 {
		t.Fatalf("no images in %q", root)
	}
	var read, damaged, refused int
	var slowest time.Duration
	var biggest uint64
	for _, path := range images {
		t.Run(filepath.Base(path), func(t *testing.T) {
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			st, err := file.Stat()
			if err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			start, stop := time.Now(), heap()
			names, faults, err := readImage(t, filesystem.Device{ReaderAt: file, Size: st.Size()}, start)
			took, most := time.Since(start), stop()
			slowest, biggest = max(slowest, took), max(biggest, most)
			if took > maxTime || most > maxMemory {
				t.Errorf("took %v and %d bytes", took, most)
			}
			switch {
			case err != nil:
				refused++
				t.Logf("refused: %v", err)
			case faults > 0:
				damaged++
			default:
				read++
			}
			t.Logf("%d names, %d faults, %v, %d MiB", names, faults, took, most>>20)
		})
	}
	t.Logf("%d images: %d read without a fault, %d with faults reported, %d refused; slowest %v, most memory %d MiB",
		len(images), read, damaged, refused, slowest, biggest>>20)
}

func readImage(t *testing.T, d filesystem.Device, start time.Time) (names, faults int, err error) {
	f, err := btrfs.Open([]filesystem.Device{d})
	if err != nil {
		return 0, 0, err
	}
	late := func() bool { return time.Since(start) > maxTime }
	r := &fstest.Reader{FS: f, Budget: 1 << 30, Stop: late}
	r.All()
	fstest.CheckRefs(t, f, &r.Out, d.Size)
	faults = len(r.Out.Errs)
	for _, err := range r.Out.Errs[:min(faults, 3)] {
		t.Logf("  %v", err)
	}
	for _, err := range f.FreeSpace(t.Context()) {
		if err != nil {
			faults++
		}
	}
	f.Subvolumes(t.Context())
	if v, _, err := f.Replay(t.Context()); err != nil {
		faults++
	} else if v != nil {
		r := &fstest.Reader{FS: v, Budget: 1 << 28, Stop: late}
		r.All()
	}
	h, list := f.Deleted(t.Context())
	old := 0
	for _, err := range list {
		if old++; err != nil {
			faults++
		}
		if late() {
			break
		}
	}
	t.Logf("  %d older; %q; %q", old, h.Notes, f.Info().Notes)
	return r.Names, faults, nil
}

// Images damaged at random, with checksums that are right again and with such that are not.
func TestMutants(t *testing.T) {
	n := 60
	if fstest.FullRun() {
		n = 3000
	}
	for i, path := range samples(t) {
		raw := unpack(t, path)
		lines := busy(raw)
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		for range n {
			src := &edited{raw, make(map[int64][]byte)}
			for range 1 + rng.IntN(20) {
				var b [8]byte
				binary.LittleEndian.PutUint64(b[:], rng.Uint64()>>rng.IntN(64))
				src.edit(lines[rng.IntN(len(lines))]+int64(rng.IntN(9)), b[:1+rng.IntN(8)])
			}
			start := time.Now()
			readHostile(t, src)
			if took := time.Since(start); took > time.Second {
				t.Logf("%s: took %v", path, took)
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	raw := unpack(t, "testdata/none.img.gz")
	for _, n := range []int{0, 1, 4095, 65_536, 65_600, 65_536 + 4095, 65_536 + 4096, 1 << 20, 5 << 20, 5<<20 + 77_777, len(raw) - 1} {
		f, err := btrfs.Open([]filesystem.Device{{ReaderAt: bytes.NewReader(raw[:n]), Size: int64(n)}})
		if err != nil {
			continue
		}
		out := fstest.ReadTree(f)
		if len(out.Errs) == 0 && len(f.Info().Notes) == 0 {
			t.Errorf("%d bytes: no word of damage", n)
		}
	}
}

// Content that does not match its checksum is damage, and only that block of it.
func TestContentChecksum(t *testing.T) {
	raw := unpack(t, "testdata/none.img.gz")
	f := openRaw(t, raw)
	want := fstest.ReadTree(f)
	m := want.Nodes["/var/log/syslog"].Meta
	list, err := f.Extents(m.Inode)
	if err != nil || len(list) == 0 || list[0].Physical < 0 {
		t.Fatalf("%v %v", list, err)
	}
	raw[list[0].Physical+5000] ^= 1
	f = openRaw(t, raw)
	b := make([]byte, m.Size)
	n, err := f.ReadAt(m.Inode, b, 0)
	var d *evidence.Damage
	if n != 4096 || !errors.As(err, &d) || d.Ref.Off != list[0].Physical+4096 {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := f.ReadAt(m.Inode, b[8192:], 8192); err != nil || int64(n) != m.Size-8192 {
		t.Errorf("behind it: %d bytes, %v", n, err)
	}
}

func TestConcurrentReaders(t *testing.T) {
	f := openRaw(t, unpack(t, "testdata/zstd.img.gz"))
	want := fstest.ReadTree(f)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got := fstest.ReadTree(f)
			for p, n := range want.Nodes {
				if g := got.Nodes[p]; g.Sum != n.Sum || g.Meta != n.Meta {
					t.Errorf("%q differs", p)
				}
			}
			for range f.Orphans(t.Context()) {
			}
		})
	}
	wg.Wait()
}

func TestProbeAndPart(t *testing.T) {
	raw := unpack(t, "testdata/none.img.gz")
	m := btrfs.Format()
	if !m.Probe(raw[:128<<10]) || m.Probe(raw[:65_000]) || m.Probe(make([]byte, 128<<10)) {
		t.Error("probe is wrong")
	}
	if id, n := m.Part(raw[:128<<10]); n != 1 || len(id) != 36 {
		t.Errorf("part %q of %d", id, n)
	}
}

// Features that would be misread are refused by name.
func TestUnknownFeatures(t *testing.T) {
	raw := unpack(t, "testdata/none.img.gz")
	for bit, name := range map[int]string{13: "extent_tree_v2", 14: "raid_stripe_tree", 40: "incompat:40"} {
		src := &edited{raw, make(map[int64][]byte)}
		at := int64(64<<10 + 0xbc)
		v := binary.LittleEndian.Uint64(raw[at:]) | 1<<bit
		src.edit(at, binary.LittleEndian.AppendUint64(nil, v))
		_, err := btrfs.Open([]filesystem.Device{{ReaderAt: src, Size: int64(len(raw))}})
		if !errors.Is(err, filesystem.ErrNotSupported) || !bytes.Contains([]byte(err.Error()), []byte(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
