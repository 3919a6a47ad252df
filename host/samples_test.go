package host

import (
	"compress/bzip2"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/evidence"
)

// QEMU's own samples of virtual disks, sound and crafted by a fuzzer, out of Debian's source package (lab/damaged-images.sh qemu DIR): each
// gives the bytes that qemu-img gives, or an error, and soon.
func TestSamplesOfQEMU(t *testing.T) {
	root := os.Getenv("TELLTALE_QEMU")
	if root == "" {
		t.Skip("TELLTALE_QEMU does not name the unpacked source of QEMU (lab/damaged-images.sh qemu fetches it)")
	}
	packed, _ := filepath.Glob(filepath.Join(root, "tests", "qemu-iotests", "sample_images", "*.bz2"))
	if len(packed) == 0 {
		t.Fatalf("no samples in %q", root)
	}
	for _, p := range packed {
		name := strings.TrimSuffix(filepath.Base(p), ".bz2")
		if ext := filepath.Ext(name); ext != ".vhd" && ext != ".vhdx" && ext != ".vmdk" && ext != ".img" && ext != ".raw" {
			continue // formats that we do not read
		}
		t.Run(name, func(t *testing.T) {
			image := unpackSample(t, p, name)
			start := time.Now()
			in := &Input{}
			defer in.Close()
			f, err := os.Open(image)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			st, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			b, err := containerOf(t.Context(), f, st.Size(), image, in)
			if err != nil {
				t.Logf("refused: %v", err)
				return
			}
			sum, n, err := digestOf(b, min(b.size, 1<<30))
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			var lost *evidence.Damage
			if err != nil && !errors.As(err, &lost) {
				t.Errorf("not damage: %v", err)
			}
			want, ok := asQEMU(t, image)
			t.Logf("%s, %d bytes, %d read, %v; qemu-img reads it: %v", in.Container, b.size, n, err, ok)
			if ok && err == nil && b.size <= 1<<30 && sum != want {
				t.Error("the bytes are not those that qemu-img gives")
			}
		})
	}
}

func unpackSample(t *testing.T, packed, name string) string {
	t.Helper()
	f, err := os.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, io.LimitReader(bzip2.NewReader(f), 1<<30)); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

func digestOf(r io.ReaderAt, size int64) (sum [sha256.Size]byte, n int64, err error) {
	h := sha256.New()
	n, err = io.CopyBuffer(h, struct{ io.Reader }{io.NewSectionReader(r, 0, size)}, make([]byte, 1<<20))
	return [sha256.Size]byte(h.Sum(nil)), n, err
}

// asQEMU gives the digest of what qemu-img makes of an image.
func asQEMU(t *testing.T, image string) (sum [sha256.Size]byte, ok bool) {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "raw")
	if exec.Command("timeout", "20", "qemu-img", "convert", "-O", "raw", image, raw).Run() != nil {
		return sum, false
	}
	f, err := os.Open(raw)
	if err != nil {
		return sum, false
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() > 1<<30 {
		return sum, false
	}
	sum, _, err = digestOf(f, st.Size())
	return sum, err == nil
}
