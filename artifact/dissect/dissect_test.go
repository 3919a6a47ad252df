package dissect_test

import (
	"os"
	"path/filepath"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/dissect"
)

// samples are the files beside, by the artefacts that read them.
var samples = map[string][]string{
	"dissect-status": {"status"}, "dissect-stat": {"stat"}, "dissect-maps": {"maps"}, "dissect-comm": {"comm"}, "dissect-words": {"cmdline", "environ"}, "dissect-net": {"tcp"}, "dissect-modules": {"modules"},
}

func TestGolden(t *testing.T) {
	for _, a := range dissect.All() {
		for _, s := range samples[a.Name] {
			artifacttest.GoldenAs(t, a, s, "/fs/$rootfs$/proc/4711/"+s, "")
		}
	}
}

func FuzzAll(f *testing.F) {
	all := dissect.All()
	for i, a := range all {
		for _, s := range samples[a.Name] {
			b, err := os.ReadFile(filepath.Join("testdata", s))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		in := artifacttest.Input(b)
		in.Path = "/fs/$rootfs$/proc/4711/environ"
		artifacttest.Run(t, all[int(i)%len(all)], in)
	})
}
