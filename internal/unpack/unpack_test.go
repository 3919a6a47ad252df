package unpack_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"telltale/internal/unpack"
)

func pack(t testing.TB, kind string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch kind {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	case "lz4":
		w = lz4.NewWriter(&b)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReader(t *testing.T) {
	text := []byte(strings.Repeat("Jan  2 03:04:05 web1 sshd[1]: hello\n", 5000))
	for _, kind := range []string{"gzip", "zstd", "lz4"} {
		packed := pack(t, kind, text)
		r, got, err := unpack.Reader(bytes.NewReader(packed))
		if err != nil || got != kind {
			t.Fatalf("%s: told as %q, %v", kind, got, err)
		}
		all, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(all, text) {
			t.Errorf("%s: %d bytes, %v", kind, len(all), err)
		}
		r, _, err = unpack.Reader(bytes.NewReader(packed[:len(packed)/2]))
		if err != nil {
			t.Fatalf("%s cut in the middle: %v", kind, err)
		}
		if _, err = io.ReadAll(r); err == nil {
			t.Errorf("%s cut in the middle ends without an error", kind)
		}
	}
	r, kind, err := unpack.Reader(bytes.NewReader(text))
	if err != nil || kind != "" {
		t.Fatalf("plain text: %q, %v", kind, err)
	}
	if all, _ := io.ReadAll(r); !bytes.Equal(all, text) {
		t.Error("plain text came out changed")
	}
	if _, _, err := unpack.Reader(bytes.NewReader(nil)); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	for _, kind := range []string{"gzip", "zstd", "lz4"} {
		f.Add(pack(f, kind, []byte("hello")))
	}
	f.Add([]byte("\xfd7zXZ\x00\x00\x04"))
	f.Add([]byte("BZh91AY&SY"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, _, err := unpack.Reader(bytes.NewReader(b))
		if err != nil {
			return
		}
		defer r.Close()
		io.CopyN(io.Discard, r, 1<<20)
	})
}
