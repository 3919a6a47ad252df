// Package imagetest holds what the tests of the image family share: files as the host
// gives them, content worth storing, and the comparisons that every member must pass.
package imagetest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"telltale/evidence"
	"telltale/image"
)

// Full tells whether the long tests are asked for.
func Full() bool { return os.Getenv("TELLTALE_FULL") != "" }

// Need skips where a tool is missing.
func Need(t testing.TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
}

// Run runs a program of the host.
func Run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

// Content gives bytes as disks have them: noise, text, holes, one byte repeated.
func Content(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, size)
	for at := 0; at < size; {
		n := min(size-at, 4096*(1+r.IntN(40)))
		p := b[at : at+n]
		switch r.IntN(4) {
		case 0:
			for i := range p {
				p[i] = byte(r.Uint32())
			}
		case 1:
			for i := 0; i < n; {
				i += copy(p[i:], fmt.Sprintf("Jun %d 03:%02d:07 web sshd[%d]: Failed password for root\n", 1+r.IntN(30), r.IntN(60), r.IntN(30000)))
			}
		case 2:
			for i := range p {
				p[i] = 0xf6
			}
		}
		at += n
	}
	return b
}

// Write writes a file in a new folder and gives its path.
func Write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Open gives a file as the host does, with what lies beside it. What is opened is closed with the test.
func Open(t testing.TB, path string) image.File {
	t.Helper()
	f, err := open(t, path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func open(t testing.TB, path string) (image.File, error) {
	h, err := os.Open(path)
	if err != nil {
		return image.File{}, err
	}
	t.Cleanup(func() { h.Close() })
	st, err := h.Stat()
	if err != nil {
		return image.File{}, err
	}
	return image.File{ReaderAt: h, Size: st.Size(), Name: filepath.Base(path), Beside: func(name string) (image.File, error) {
		if err := baseOnly(name); err != nil {
			t.Errorf("asked for %q beside: %v", name, err)
			return image.File{}, err
		}
		return open(t, filepath.Join(filepath.Dir(path), name))
	}}, nil
}

func baseOnly(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
		return errors.New("not a plain name")
	}
	return nil
}

// Mem gives a file of a folder that is held in memory.
func Mem(folder map[string][]byte, name string) image.File {
	b := folder[name]
	return image.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b)), Name: name, Beside: func(n string) (image.File, error) {
		if err := baseOnly(n); err != nil {
			panic(fmt.Sprintf("a name that is no plain name was asked for: %q", n))
		}
		if _, ok := folder[n]; !ok {
			return image.File{}, os.ErrNotExist
		}
		return Mem(folder, n), nil
	}}
}

// Samples gives the unpacked files of testdata/*.gz by their names without ".gz".
func Samples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.gz")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	all := map[string][]byte{}
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		all[strings.TrimSuffix(filepath.Base(p), ".gz")] = b
	}
	return all
}

// Compare holds a disk against the bytes that it must have: in big and small reads, at
// random places, at the end, and from several readers at once.
func Compare(t testing.TB, d image.Disk, want []byte) {
	t.Helper()
	size := int64(len(want))
	if d.Size() != size {
		t.Fatalf("size %d, want %d", d.Size(), size)
	}
	for _, step := range []int{1 << 20, 4096 * 5, 100_001} {
		p := make([]byte, step)
		for off := int64(0); off < size; off += int64(step) {
			m := min(int64(step), size-off)
			n, err := d.ReadAt(p, off)
			if int64(n) != m || (err != nil && (err != io.EOF || m == int64(step))) {
				t.Fatalf("read %d at %d: %d, %v", step, off, n, err)
			}
			if !bytes.Equal(p[:n], want[off:off+m]) {
				i := 0
				for p[i] == want[off+int64(i)] {
					i++
				}
				t.Fatalf("byte %d is %#x, want %#x", off+int64(i), p[i], want[off+int64(i)])
			}
		}
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			for range 100 {
				off := r.Int64N(size)
				p := make([]byte, min(size-off, int64(1+r.IntN(200_000))))
				if n, err := d.ReadAt(p, off); n != len(p) || err != nil && err != io.EOF || !bytes.Equal(p, want[off:off+int64(n)]) {
					t.Errorf("random read of %d at %d: %d, %v", len(p), off, n, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n, err := d.ReadAt(make([]byte, 8), size); n != 0 || err != io.EOF {
		t.Errorf("read at the end: %d, %v", n, err)
	}
	if _, err := d.ReadAt(make([]byte, 8), -1); err == nil {
		t.Error("a negative offset was taken")
	}
}

// Salvage reads a disk past its damage; what is lost is filled with '?'.
func Salvage(t testing.TB, d image.Disk) ([]byte, []evidence.Damage) {
	t.Helper()
	out, lost := make([]byte, d.Size()), []evidence.Damage(nil)
	for off := int64(0); off < d.Size(); {
		n, err := d.ReadAt(out[off:min(off+1<<20, d.Size())], off)
		off += int64(n)
		var dmg *evidence.Damage
		switch {
		case errors.As(err, &dmg):
			if dmg.Ref.Off != off || dmg.Ref.Len <= 0 || dmg.Ref.Len > d.Size()-off {
				t.Fatalf("damage %+v after a read to %d of %d", dmg, off, d.Size())
			}
			for i := range dmg.Ref.Len {
				out[off+i] = '?'
			}
			off += dmg.Ref.Len
			lost = append(lost, *dmg)
		case err != nil && err != io.EOF:
			t.Fatalf("read at %d: %v", off, err)
		case n == 0:
			t.Fatalf("nothing read at %d of %d", off, d.Size())
		}
	}
	return out, lost
}

// Throughput reads the disk in order, hashing it, as the work on an image does.
func Throughput(b *testing.B, d image.Disk) {
	b.Helper()
	b.SetBytes(d.Size())
	b.ReportAllocs()
	p := make([]byte, 1<<20)
	for b.Loop() {
		h := sha256.New()
		for off := int64(0); off < d.Size(); off += int64(len(p)) {
			n, err := d.ReadAt(p, off)
			if err != nil && err != io.EOF {
				b.Fatal(err)
			}
			h.Write(p[:n])
		}
		h.Sum(nil)
	}
}
