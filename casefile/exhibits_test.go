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
	if there, err := k.HasExhibits(nil); there || err != nil {
		t.Errorf("before it is written: %v %v", there, err)
	}
	list := []Exhibit{{Name: "index.csv", Content: []byte("a")}, {Name: "00001.txt", Content: []byte("b")}}
	if err := k.WriteExhibits(list); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(k.Dir(), "exhibits", "00001.txt")); err != nil || string(b) != "b" {
		t.Errorf("%q %v", b, err)
	}
	if there, err := k.HasExhibits(list); !there || err != nil {
		t.Errorf("as written: %v %v", there, err)
	}
	for name, other := range map[string]Exhibit{"longer": {"00001.txt", []byte("bb")}, "other words": {"00001.txt", []byte("c")}, "missing": {"00002.txt", []byte("b")}, "out of the folder": {"../case.json", []byte("b")}} {
		if there, err := k.HasExhibits([]Exhibit{other}); !there || err == nil {
			t.Errorf("%s: %v %v", name, there, err)
		}
	}
	if err := k.WriteExhibits(nil); err == nil {
		t.Error("the folder was written a second time")
	}
}
