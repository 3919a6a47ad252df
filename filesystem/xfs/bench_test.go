//go:build linux

package xfs_test

import (
	"os"
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
	fstest.FillForBench(b, root, files, 256<<20)
	unmount()
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
		f, err := xfs.Open(file, st.Size())
		if err != nil {
			b.Fatal(err)
		}
		return f, func() { file.Close() }
	}
}

func BenchmarkWalk(b *testing.B)        { fstest.BenchWalk(b, reopen(b, benchImage(b, 20_000))) }
func BenchmarkReadContent(b *testing.B) { fstest.BenchContent(b, reopen(b, benchImage(b, 20_000))) }

func BenchmarkDeleted(b *testing.B) {
	open := reopen(b, benchImage(b, 20_000))
	b.ReportAllocs()
	for b.Loop() {
		f, done := open()
		h, found := f.(filesystem.Undeleter).Deleted(b.Context())
		for range found {
		}
		b.SetBytes(h.Bytes)
		done()
	}
}
