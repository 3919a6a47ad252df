package ext4_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/ext4"
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
	content := make([]byte, 3000)
	for i := range files {
		dir := filepath.Join(tree, fmt.Sprint(i/1000), fmt.Sprint(i/20))
		if i%20 == 0 {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("some file %d", i)), content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(tree, "big"), make([]byte, 64<<20), 0o644); err != nil {
		b.Fatal(err)
	}
	if out, err := exec.Command("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, image, "512M").CombinedOutput(); err != nil {
		b.Skipf("mke2fs: %v\n%s", err, out)
	}
	return image
}

func reopen(b *testing.B, path string) (*ext4.FS, func()) {
	b.Helper()
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

// statTree walks names and metadata only.
func statTree(f *ext4.FS, dir filesystem.Inode, each func(filesystem.Meta)) {
	var subs []filesystem.Inode
	for e, err := range f.ReadDir(dir) {
		if err != nil {
			continue
		}
		m, err := f.Stat(e.Inode)
		if err != nil {
			continue
		}
		each(m)
		if m.Type == filesystem.Directory {
			subs = append(subs, e.Inode)
		}
	}
	for _, s := range subs {
		statTree(f, s, each)
	}
}

func BenchmarkWalk(b *testing.B) {
	path := benchImage(b, 20_000)
	inodes := 0
	b.ReportAllocs()
	for b.Loop() {
		f, done := reopen(b, path)
		statTree(f, f.Root(), func(filesystem.Meta) { inodes++ })
		done()
	}
	b.ReportMetric(float64(inodes)/b.Elapsed().Seconds(), "inodes/s")
}

func BenchmarkReadSmallFiles(b *testing.B) {
	path := benchImage(b, 20_000)
	buf := make([]byte, 1<<20)
	bytes := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		f, done := reopen(b, path)
		bytes = 0
		statTree(f, f.Root(), func(m filesystem.Meta) {
			for off := int64(0); m.Type == filesystem.Regular && off < m.Size; {
				n, _ := f.ReadAt(m.Inode, buf, off)
				if off += int64(n); n == 0 {
					break
				}
			}
			bytes += m.Size
		})
		done()
	}
	b.SetBytes(bytes)
}
