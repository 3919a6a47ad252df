//go:build linux

package xfs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/xfs"
)

// benchImage is a filesystem of files and directories like a server's, or the image that
// TELLTALE_XFS_IMAGE names.
func benchImage(b *testing.B, files int) string {
	b.Helper()
	if p := os.Getenv("TELLTALE_XFS_IMAGE"); p != "" {
		return p
	}
	fstest.NeedKernel(b, "mkfs.xfs")
	image := makeImage(b, 1<<30)
	root, unmount := fstest.MountImage(b, image, "rw")
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
	if err := os.WriteFile(filepath.Join(root, "big"), make([]byte, 256<<20), 0o644); err != nil {
		b.Fatal(err)
	}
	unmount()
	return image
}

func reopen(b *testing.B, path string) (*xfs.FS, func()) {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	st, err := file.Stat()
	if err != nil {
		b.Fatal(err)
	}
	f, err := xfs.Open(file, st.Size())
	if err != nil {
		b.Fatal(err)
	}
	return f, func() { file.Close() }
}

// statTree walks names and metadata only.
func statTree(f *xfs.FS, dir filesystem.Inode, each func(filesystem.Meta)) {
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

func BenchmarkReadContent(b *testing.B) {
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

func BenchmarkDeleted(b *testing.B) {
	path := benchImage(b, 20_000)
	b.ReportAllocs()
	for b.Loop() {
		f, done := reopen(b, path)
		h, found := f.Deleted(context.Background())
		for range found {
		}
		b.SetBytes(h.Bytes)
		done()
	}
}
