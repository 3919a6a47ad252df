//go:build linux

package btrfs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/btrfs"
	"telltale/filesystem/fstest"
)

// benchImage is a filesystem of files and directories like a server's.
func benchImage(b *testing.B, options string) string {
	b.Helper()
	fstest.NeedKernel(b, "mkfs.btrfs", "losetup")
	images := makeImages(b, 1, 1<<30)
	dir, unmount := mountAll(b, images, options)
	content := make([]byte, 3000)
	for i := range content {
		content[i] = "some text "[i*i%10]
	}
	for i := range 20_000 {
		sub := filepath.Join(dir, fmt.Sprint(i/1000), fmt.Sprint(i/20))
		if i%20 == 0 {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("some file %d", i)), content[:i%3000], 0o644); err != nil {
			b.Fatal(err)
		}
	}
	big := make([]byte, 128<<20)
	for i := range big {
		big[i] = content[i%3000] + byte(i>>16)
	}
	if err := os.WriteFile(filepath.Join(dir, "big"), big, 0o644); err != nil {
		b.Fatal(err)
	}
	unmount()
	return images[0]
}

// statTree walks names and metadata only.
func statTree(f *btrfs.FS, dir filesystem.Inode, each func(filesystem.Meta)) {
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
	path := benchImage(b, "rw")
	inodes := 0
	b.ReportAllocs()
	for b.Loop() {
		f, err := btrfs.Open(sources(b, path))
		if err != nil {
			b.Fatal(err)
		}
		statTree(f, f.Root(), func(filesystem.Meta) { inodes++ })
	}
	b.ReportMetric(float64(inodes)/b.Elapsed().Seconds(), "inodes/s")
}

func BenchmarkContent(b *testing.B) {
	for _, options := range []string{"compress=none", "compress-force=zstd", "compress-force=lzo", "compress-force=zlib"} {
		b.Run(options, func(b *testing.B) {
			path := benchImage(b, options)
			buf := make([]byte, 1<<20)
			total := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				f, err := btrfs.Open(sources(b, path))
				if err != nil {
					b.Fatal(err)
				}
				total = 0
				statTree(f, f.Root(), func(m filesystem.Meta) {
					for off := int64(0); m.Type == filesystem.Regular && off < m.Size; {
						n, _ := f.ReadAt(m.Inode, buf, off)
						if off += int64(n); n == 0 {
							break
						}
					}
					total += m.Size
				})
			}
			b.SetBytes(total)
		})
	}
}

func BenchmarkDeleted(b *testing.B) {
	path := benchImage(b, "rw")
	b.ReportAllocs()
	for b.Loop() {
		f, err := btrfs.Open(sources(b, path))
		if err != nil {
			b.Fatal(err)
		}
		h, list := f.Deleted(b.Context())
		for range list {
		}
		b.SetBytes(h.Bytes)
	}
}
