package casefile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestExhibits(t *testing.T) {
	k, err := Create(filepath.Join(t.TempDir(), "case"), Custody{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "..", "../x.txt", "a/b.txt", "x", ".txt", "a.b.c", "A.txt", "a\x00.txt", "..txt", "a.", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.txt"} {
		if err := k.WriteExhibits([]Exhibit{{Name: bad}}); err == nil {
			t.Errorf("%q was written", bad)
		}
	}
	if err := k.WriteExhibits([]Exhibit{{Name: "index.csv", Content: []byte("a")}, {Name: "00001.txt", Content: []byte("b")}}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(k.Dir(), "exhibits", "00001.txt")); err != nil || string(b) != "b" {
		t.Errorf("%q %v", b, err)
	}
	if err := k.WriteExhibits(nil); err == nil {
		t.Error("the folder was written a second time")
	}
}
