package bolt_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"telltale/internal/bolt"
)

func sample(t testing.TB, name string) []byte {
	f, err := os.Open("testdata/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, b []byte) *bolt.DB {
	db, err := bolt.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestSample(t *testing.T) {
	db := open(t, sample(t, "meta.db"))
	if v, err := db.Get([]string{"v1", "k8s.io", "containers", "c0ffee"}, "image"); string(v) != "registry.example/shop:1" || err != nil {
		t.Errorf("%q %v", v, err)
	}
	if v, err := db.Get([]string{"v1", "k8s.io", "containers", "none"}, "image"); v != nil || err != nil {
		t.Errorf("%q %v", v, err)
	}
	n, last := 0, ""
	err := db.Each([]string{"v1", "moby", "leases"}, func(k, _ []byte, bucket bool) bool {
		if n++; !bucket || string(k) <= last {
			t.Errorf("%q after %q, %v", k, last, bucket)
		}
		last = string(k)
		return true
	})
	if n != 300 || err != nil {
		t.Errorf("%d keys, %v", n, err)
	}
}

func TestNoDatabase(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 100), make([]byte, 1<<20)} {
		if _, err := bolt.Open(bytes.NewReader(b), int64(len(b))); !errors.Is(err, bolt.ErrFormat) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	b := sample(t, "meta.db")
	if err := open(t, b[:9000]).Each([]string{"v1"}, func(_, _ []byte, _ bool) bool { return true }); err == nil {
		t.Error("a cut database gives no error")
	}
}

func FuzzEach(f *testing.F) {
	raw := sample(f, "meta.db")
	f.Add([]byte{}, "moby")
	f.Add([]byte{0x40, 0, 1, 0xff}, "k8s.io")
	f.Fuzz(func(t *testing.T, edits []byte, space string) {
		b := bytes.Clone(raw)
		for ; len(edits) >= 4; edits = edits[4:] { // a page, a place in it, a value; the meta pages' checksums stay
			if at := 8192 + int(edits[0])<<12%(len(b)-8192) + int(edits[1])<<3 + int(edits[2]&7); at < len(b) {
				b[at] = edits[3]
			}
		}
		start := time.Now()
		db := open(t, b)
		for _, path := range [][]string{nil, {"v1"}, {"v1", space}, {"v1", "moby", "leases"}, {"v1", "k8s.io", "containers", "c0ffee"}} {
			db.Each(path, func(k, v []byte, bucket bool) bool { return len(k) < 1<<20 })
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}
