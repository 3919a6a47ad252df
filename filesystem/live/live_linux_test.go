package live

import (
	"context"
	"os"
	"testing"
	"time"

	"telltale/filesystem"
)

// BenchmarkWalk reads the metadata of a whole tree: TELLTALE_LIVE_TREE, or this repository.
func BenchmarkWalk(b *testing.B) {
	dir := os.Getenv("TELLTALE_LIVE_TREE")
	if dir == "" {
		dir = "../.."
	}
	for b.Loop() {
		f, err := Open(dir, "/proc")
		if err != nil {
			b.Fatal(err)
		}
		start, n := time.Now(), 0
		var walk func(i filesystem.Inode)
		walk = func(i filesystem.Inode) {
			for d, err := range f.ReadDir(i) {
				if err != nil {
					continue
				}
				m, err := f.Stat(d.Inode)
				if err != nil {
					continue
				}
				n++
				if m.Type == filesystem.Directory {
					walk(d.Inode)
				}
			}
		}
		walk(f.Root())
		b.ReportMetric(float64(n)/time.Since(start).Seconds(), "files/s")
		b.ReportMetric(float64(n), "files")
		f.Close()
	}
	_ = context.Background
}
