package velociraptor_test

import (
	"os"
	"path/filepath"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/velociraptor"
)

// samples are the files beside, by the artefacts that read them.
var samples = map[string][]string{
	"velociraptor-pslist": {"pslist.json"}, "velociraptor-netstat": {"netstat.json"}, "velociraptor-modules": {"modules.json"}, "velociraptor-mounts": {"mounts.json"},
}

func TestGolden(t *testing.T) {
	for _, a := range velociraptor.All() {
		for _, s := range samples[a.Name] {
			artifacttest.GoldenAs(t, a, s, "/results/"+s, "")
		}
	}
}

func FuzzAll(f *testing.F) {
	all := velociraptor.All()
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
		in.Path = "/results/environ"
		artifacttest.Run(t, all[int(i)%len(all)], in)
	})
}
