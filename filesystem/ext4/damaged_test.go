package ext4_test

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/ext4"
	"telltale/filesystem/fstest"
)

// What reading one hostile image may cost.
const (
	maxTime    = 5 * time.Second
	maxMemory  = 256 << 20 // bytes allocated in all: more than were ever in use at once
	maxImage   = 256 << 20 // bytes unpacked
	maxContent = 4 << 30   // bytes read out of one image: sparse files are nearly endless
)

func unpack(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var z io.Reader = bzip2.NewReader(f)
	if filepath.Ext(path) == ".gz" {
		if z, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(z, maxImage)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readHostile reads all that there is: by names, by inode number, and the orphans.
func readHostile(f *ext4.FS, stop func() bool) (r *fstest.Reader, orphans int) {
	r = &fstest.Reader{FS: f, Budget: maxContent, Stop: stop}
	r.All()
	for _, err := range f.Orphans(context.Background()) {
		if stop() {
			break
		}
		if orphans++; err != nil {
			r.Out.Failed("orphan", err)
		}
	}
	for n := filesystem.Inode(0); n < 300 && !stop(); n++ {
		if m, err := f.Stat(n); err == nil && m.Type == filesystem.Regular {
			r.Content(n, min(m.Size, 1<<20))
		}
		f.Readlink(n)
		f.Xattrs(n)
		f.Extents(n)
	}
	f.Info()
	return r, orphans
}

// The test images of e2fsprogs: each is a filesystem damaged in its own way. See
// lab/damaged-images.sh.
func TestDamagedImages(t *testing.T) {
	root := os.Getenv("TELLTALE_E2FSPROGS")
	if root == "" {
		t.Skip("TELLTALE_E2FSPROGS does not name the unpacked source of e2fsprogs (lab/damaged-images.sh fetches it)")
	}
	images, _ := filepath.Glob(filepath.Join(root, "tests", "*", "image.gz"))
	more, _ := filepath.Glob(filepath.Join(root, "tests", "*", "image.bz2"))
	if images = append(images, more...); len(images) == 0 {
		t.Fatalf("no images in %q", root)
	}
	var read, refused, damaged, partial int
	var slowest time.Duration
	var biggest uint64
	for _, path := range images {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			raw := unpack(t, path)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			f, err := ext4.Open(bytes.NewReader(raw), int64(len(raw)))
			if err != nil {
				refused++
				t.Logf("refused: %v", err)
				return
			}
			r, orphans := readHostile(f, func() bool { return time.Since(start) > maxTime })
			fstest.Abilities(t, f, int64(len(raw)))
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			slowest, biggest = max(slowest, took), max(biggest, after.TotalAlloc-before.TotalAlloc)
			if took > maxTime {
				t.Errorf("took %v", took)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > maxMemory {
				t.Errorf("allocated %d bytes", n)
			}
			notes := f.Info().Notes
			for _, err := range r.Out.Errs {
				if !errors.As(err, new(*evidence.Damage)) {
					t.Logf("not damage: %v", err)
				}
			}
			t.Logf("%d names, %d orphans, %d faults, %d notes in %v", r.Names, orphans, len(r.Out.Errs), len(notes), took)
			for _, err := range r.Out.Errs[:min(len(r.Out.Errs), 3)] {
				t.Logf("  %v", err)
			}
			switch {
			case len(r.Out.Errs) == 0:
				read++
			case r.Names == 0:
				partial++
			default:
				damaged++
			}
		})
	}
	t.Logf("%d images: %d read without a fault, %d read with faults reported, %d with faults and no names, %d refused; slowest %v, most memory allocated in all %d MiB",
		len(images), read, damaged, partial, refused, slowest, biggest>>20)
}
