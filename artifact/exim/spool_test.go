package exim_test

import (
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/exim"
)

func TestSpool(t *testing.T) {
	for _, name := range []string{"spool-script", "spool-auth"} {
		artifacttest.GoldenAs(t, exim.Spool(), name+".txt", "/var/spool/exim4/input/"+name+"-H", "")
	}
}

func TestLooseSpool(t *testing.T) {
	for name, want := range map[string]bool{"1q5Abc-00Abcd-2C-H": true, "1q5Abc-00000001AbC-2CdE-H": true, "1q5Abc-00Abcd-2C-D": false, "notes-H": false} {
		if exim.Spool().Loose(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func FuzzSpool(f *testing.F) {
	b, err := os.ReadFile("testdata/spool-script.txt")
	if err != nil {
		f.Fatal(err)
	}
	artifacttest.Fuzz(f, exim.Spool, string(b))
}
