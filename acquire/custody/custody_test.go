package custody_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"telltale/acquire/chain"
	"telltale/acquire/custody"
	"telltale/acquire/rescue"
)

func record() *custody.Record {
	return &custody.Record{
		Format: custody.Format, Kind: "disk", State: custody.Unfinished, Command: []string{"a", "<b>"}, Started: time.Unix(1, 0).UTC(),
		Disk:  &custody.Disk{Path: "/dev/x", Size: 40 << 20, Mounts: []custody.Mount{}},
		Copy:  custody.Copy{Name: "x.raw", Format: "raw", Size: 40 << 20, Piece: chain.Piece, Links: []chain.Link{{1}, {2}}},
		Bad:   []rescue.Range{{Offset: 0, Length: 512, Error: "e"}, {Offset: 4096, Length: 512, Error: "e"}},
		Notes: []string{},
	}
}

func TestSaveAndLoad(t *testing.T) {
	p := filepath.Join(t.TempDir(), "x.json")
	if _, err := custody.Load(p); !errors.Is(err, custody.ErrNone) {
		t.Error(err)
	}
	for range 2 {
		if err := record().Save(p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := custody.Load(p)
	if err != nil || !reflect.DeepEqual(got, record()) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := custody.Create(p); !errors.Is(err, os.ErrExist) {
		t.Errorf("a record was written over: %v", err)
	}
	if _, err := custody.Load(filepath.Dir(p)); err == nil {
		t.Error("a folder was taken for a record")
	}
}

func TestRecordsThatLieAreRefused(t *testing.T) {
	for name, change := range map[string]func(*custody.Record){
		"format":     func(r *custody.Record) { r.Format = "x" },
		"links":      func(r *custody.Record) { r.Copy.Links = make([]chain.Link, 3) },
		"piece":      func(r *custody.Record) { r.Copy.Piece = 1 },
		"size":       func(r *custody.Record) { r.Copy.Size = -1 },
		"ranges":     func(r *custody.Record) { r.Bad[1].Offset = 100 },
		"range size": func(r *custody.Record) { r.Bad[1].Length = 1<<63 - 1 },
	} {
		r := record()
		change(r)
		b, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := custody.Parse(b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestBeside(t *testing.T) {
	for in, want := range map[string]string{"a/case.E01": "a/case.json", "x": "x.json", "a.b/x": "a.b/x.json", "x.raw": "x.json"} {
		if got := custody.Beside(in, ".json"); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	b, err := record().Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := custody.Parse(b)
		if err != nil {
			return
		}
		if _, err := r.Bytes(); err != nil {
			t.Error(err)
		}
	})
}
