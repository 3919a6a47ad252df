package ext4_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/ext4"
	"telltale/filesystem/fstest"
)

// benchImage is a filesystem of files and directories like a server's, or the image
// that TELLTALE_EXT4_IMAGE names.
func benchImage(b *testing.B, files int) string {
	b.Helper()
	if p := os.Getenv("TELLTALE_EXT4_IMAGE"); p != "" {
		return p
	}
	if _, err := exec.LookPath("mke2fs"); err != nil {
		b.Skip("needs mke2fs")
	}
	tree, image := b.TempDir(), filepath.Join(b.TempDir(), "image")
	fstest.FillForBench(b, tree, files, 64<<20)
	if out, err := exec.Command("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, image, "512M").CombinedOutput(); err != nil {
		b.Skipf("mke2fs: %v\n%s", err, out)
	}
	return image
}

func reopen(b *testing.B, path string) func() (filesystem.FS, func()) {
	return func() (filesystem.FS, func()) {
		file, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		st, err := file.Stat()
		if err != nil {
			b.Fatal(err)
		}
		f, err := ext4.Open(file, st.Size())
		if err != nil {
			b.Fatal(err)
		}
		return f, func() { file.Close() }
	}
}

func BenchmarkWalk(b *testing.B)           { fstest.BenchWalk(b, reopen(b, benchImage(b, 20_000))) }
func BenchmarkReadSmallFiles(b *testing.B) { fstest.BenchContent(b, reopen(b, benchImage(b, 20_000))) }

func BenchmarkDeleted(b *testing.B) {
	open := reopen(b, benchImage(b, 20_000))
	b.ReportAllocs()
	for b.Loop() {
		f, done := open()
		_, found := f.(filesystem.Undeleter).Deleted(b.Context())
		for range found {
		}
		done()
	}
}
