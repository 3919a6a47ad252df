package catscale_test

import (
	"os"
	"path/filepath"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/catscale"
)

// samples are the files beside, by the artefacts that read them.
var samples = map[string][]string{
	"catscale-ps": {"processes-axwwSo.txt"}, "catscale-links": {"process-fd-links.txt"}, "catscale-status": {"process-details.txt"}, "catscale-heads": {"process-cmdline.txt", "process-environment.txt"},
	"catscale-lsof": {"lsof-list-open-files.txt"}, "catscale-ss": {"ss-anepo.txt"},
}

func TestGolden(t *testing.T) {
	for _, a := range catscale.All() {
		for _, s := range samples[a.Name] {
			artifacttest.GoldenAs(t, a, s, "/Process_and_Network/web1-20261123-0845-"+s, "")
		}
	}
}

func FuzzAll(f *testing.F) {
	all := catscale.All()
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
		in.Path = "/Process_and_Network/web1-20261123-0845-environ"
		artifacttest.Run(t, all[int(i)%len(all)], in)
	})
}
