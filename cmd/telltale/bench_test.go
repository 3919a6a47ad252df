package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	artall "telltale/artifact/all"
	detall "telltale/detect/all"
	"telltale/examine"
	"telltale/lab/throughput"
)

// BenchmarkExamine measures from the file to the findings: frame, decoder, event, all detections. "telltale lab throughput" measures the program beside
// other tools; this is for profiles.
func BenchmarkExamine(b *testing.B) {
	for _, k := range throughput.Kinds() {
		for _, ext := range []string{"", ".2.gz"} {
			b.Run(k.Name+ext, func(b *testing.B) {
				dir := b.TempDir()
				b.SetBytes(made(b, filepath.Join(dir, k.Path+ext), k))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := examine.Run(b.Context(), examine.Options{Evidence: []string{dir}, Spool: b.TempDir(), Artifacts: artall.Artifacts(), Detections: detall.Detections()}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// made writes a log, and gives how many bytes its lines have.
func made(tb testing.TB, path string, k throughput.Kind) int64 {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var w io.Writer = f
	if filepath.Ext(path) == ".gz" {
		z := gzip.NewWriter(f)
		defer z.Close()
		w = z
	}
	n, err := k.Write(w, 256<<20)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
