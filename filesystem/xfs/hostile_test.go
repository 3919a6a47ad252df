package xfs_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/xfs"
)

// Seeded mutants of the samples must be read, or refused, without a fault of ours, within
// bounds of time and memory.
func TestMutants(t *testing.T) {
	mutants := 32
	if fstest.FullRun() {
		mutants = 800
	}
	var images [][]byte
	var lines [][]int64
	for _, path := range samples(t) {
		images = append(images, unpack(t, path))
		lines = append(lines, fstest.Busy(images[len(images)-1]))
	}
	var slowest time.Duration
	var biggest uint64
	refused := 0
	for seed := range mutants {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		i := seed % len(images)
		src := &fstest.Patched{Raw: images[i]}
		for range 1 + rng.IntN(60) {
			off := lines[i][rng.IntN(len(lines[i]))] + int64(rng.IntN(4))*4
			v := rng.Uint32() >> (8 * rng.IntN(4))
			src.Change(off, [4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		size := int64(len(src.Raw))
		f, err := xfs.Open(src, size)
		if err != nil {
			refused++
			continue
		}
		r := &fstest.Reader{FS: f, Budget: maxContent, Stop: func() bool { return time.Since(start) > maxTime }}
		r.All()
		fstest.CheckRefs(t, f, &r.Out, size)
		for n := filesystem.Inode(0); n < 300; n++ {
			f.Stat(n)
			f.Xattrs(n)
			f.Readlink(n)
		}
		for range f.Orphans(t.Context()) {
		}
		fstest.Abilities(t, f, size)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		slowest, biggest = max(slowest, took), max(biggest, after.TotalAlloc-before.TotalAlloc)
		if took > maxTime {
			t.Errorf("seed %d took %v", seed, took)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > maxMemory {
			t.Errorf("seed %d allocated %d MiB in all", seed, n>>20)
		}
	}
	t.Logf("%d mutants, %d refused; slowest %v, most allocated in all %d MiB", mutants, refused, slowest, biggest>>20)
}

func TestConcurrentReaders(t *testing.T) {
	f := openSample(t, unpack(t, "testdata/deleted.img.gz"))
	want := fstest.ReadTree(f)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got := fstest.ReadTree(f)
			for p, n := range want.Nodes {
				if g := got.Nodes[p]; g.Sum != n.Sum || g.Meta != n.Meta {
					t.Errorf("%q differs", p)
				}
			}
			fstest.Abilities(t, f, 1<<62)
		})
	}
	wg.Wait()
}
