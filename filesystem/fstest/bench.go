package fstest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"telltale/filesystem"
)

// FillForBench writes files and directories like a server's below root, and one big file.
func FillForBench(b *testing.B, root string, files, big int) {
	b.Helper()
	content := make([]byte, 3000)
	for i := range files {
		dir := filepath.Join(root, fmt.Sprint(i/1000), fmt.Sprint(i/20))
		if i%20 == 0 {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("some file %d", i)), content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "big"), make([]byte, big), 0o644); err != nil {
		b.Fatal(err)
	}
}

// StatTree walks names and metadata only.
func StatTree(f filesystem.FS, dir filesystem.Inode, each func(filesystem.Meta)) {
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
		StatTree(f, s, each)
	}
}

// BenchWalk measures names and metadata; open gives the filesystem anew, with nothing in its caches.
func BenchWalk(b *testing.B, open func() (filesystem.FS, func())) {
	inodes := 0
	b.ReportAllocs()
	for b.Loop() {
		f, done := open()
		StatTree(f, f.Root(), func(filesystem.Meta) { inodes++ })
		done()
	}
	b.ReportMetric(float64(inodes)/b.Elapsed().Seconds(), "inodes/s")
}

// BenchContent measures reading every file.
func BenchContent(b *testing.B, open func() (filesystem.FS, func())) {
	buf := make([]byte, 1<<20)
	bytes := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		f, done := open()
		bytes = 0
		StatTree(f, f.Root(), func(m filesystem.Meta) {
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
