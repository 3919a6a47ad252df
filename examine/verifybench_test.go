package examine

import (
	"bytes"
	"testing"

	"telltale/host/pkgdb"
)

func BenchmarkSums(b *testing.B) {
	data := bytes.Repeat([]byte("\x7fELF program"), 100_000)
	buf := make([]byte, 256<<10)
	for _, a := range []pkgdb.Algo{pkgdb.MD5, pkgdb.SHA1, pkgdb.SHA256} {
		b.Run(a.String(), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				sumsOf(b.Context(), bytes.NewReader(data), int64(len(data)), buf, []pkgdb.Algo{a})
			}
		})
	}
}

func BenchmarkMatters(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		matters("/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Socket/Socket.so", 0o644)
		stranger("/usr/lib/python3/dist-packages/x/y.py", 0o644)
	}
}

// TestContains looks for a word that lies across the end of a buffer.
func TestContains(t *testing.T) {
	for _, at := range []int{0, 64<<10 - 5, 64 << 10, 200_000} {
		b := append(bytes.Repeat([]byte{'x'}, at), prelinkMark...)
		if !contains(t.Context(), bytes.NewReader(b), prelinkMark) {
			t.Errorf("not found at %d", at)
		}
		if contains(t.Context(), bytes.NewReader(b[:len(b)-1]), prelinkMark) {
			t.Errorf("found what is not there, at %d", at)
		}
	}
}
