package authorizedkeys_test

import (
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/authorizedkeys"
	"telltale/event"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, authorizedkeys.New(), "keys.txt", "/home/alice/.ssh/authorized_keys", "")
}

// The fingerprints that ssh-keygen -lf gives for the sample's keys.
func TestFingerprints(t *testing.T) {
	want := []string{"SHA256:ol90RGYiOmkZ2/KZw9pJ7ulv0eEpvehIJx5MkoWPsi8", "SHA256:IUFWS7Vo2dENIwJM46afjxYswUQXxHdvt0vxjPStwf4"}
	b, err := os.ReadFile("testdata/keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range authorizedkeys.New().Parse(t.Context(), artifacttest.Input(b)) {
		if err != nil {
			t.Fatal(err)
		}
		if n >= len(want) || e.Text(event.KeyFingerprint) != want[n] {
			t.Errorf("key %d: %s", n, e.Text(event.KeyFingerprint))
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d keys, want %d", n, len(want))
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("testdata/keys.txt")
	if err != nil {
		f.Fatal(err)
	}
	artifacttest.Fuzz(f, authorizedkeys.New, string(b))
}
