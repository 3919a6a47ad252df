package bloom_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"telltale/internal/bloom"
)

// made is a filter for 100 entries with one false answer in a thousand, made by DCSO's bloom v0.2.4 (see testdata/README).
func made(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/hundred.bloom")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func key(n int) []byte { return fmt.Appendf(nil, "%040X", n*1_000_003) }

func TestHas(t *testing.T) {
	b := made(t)
	f, err := bloom.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Made != 100 || f.In < 99 || f.Rate < 0.001 || f.Rate > 0.002 {
		t.Errorf("%+v", f)
	}
	for n := range 100 {
		if in, err := f.Has(key(n)); !in || err != nil {
			t.Errorf("%s is not in it: %v", key(n), err)
		}
	}
	wrong := 0
	for n := range 100_000 {
		if in, _ := f.Has(key(n + 100)); in {
			wrong++
		}
	}
	if wrong == 0 || wrong > 300 {
		t.Errorf("%d of 100000 strangers are called known, about 100 were made for", wrong)
	}
}

func TestWhatIsNone(t *testing.T) {
	whole := made(t)
	change := func(at int, c ...byte) []byte {
		b := bytes.Clone(whole)
		copy(b[at:], c)
		return b
	}
	for name, b := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)-20], "header alone": whole[:48], "another version": change(0, 2), "no functions": change(24, 0), "no bits": change(32, 0, 0, 0, 0, 0, 0, 0, 0),
		"bits beyond all files": change(32, 255, 255, 255, 255, 255, 255, 255, 255), "many functions": change(24, 0, 0, 0, 1), "no rate": change(16, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f), "text": bytes.Repeat([]byte("d41d8cd98f00b204e9800998ecf8427e\n"), 9),
	} {
		if _, err := bloom.Open(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := bloom.Open(bytes.NewReader([]byte{0x1f, 0x8b, 8}), 3); !errors.Is(err, bloom.ErrPacked) {
		t.Errorf("packed: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(made(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := bloom.Open(bytes.NewReader(b), int64(len(b))); err == nil {
			if _, err := x.Has([]byte("key")); err != nil {
				t.Errorf("%d bytes: %v", len(b), err)
			}
		}
	})
}
