package bin_test

import (
	"errors"
	"math"
	"testing"

	"telltale/internal/bin"
)

func TestCursorAtTheEdges(t *testing.T) {
	data := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	for _, tc := range []struct {
		name string
		n    int
		ok   bool
	}{{"nothing", 0, true}, {"all", 8, true}, {"one too many", 9, false}, {"max", math.MaxInt, false}, {"negative", -1, false}} {
		t.Run(tc.name, func(t *testing.T) {
			c := bin.Little(data)
			b := c.Bytes(tc.n)
			if got := c.Err() == nil; got != tc.ok {
				t.Fatalf("Bytes(%d): err %v", tc.n, c.Err())
			}
			if tc.ok && len(b) != tc.n {
				t.Fatalf("Bytes(%d) gave %d", tc.n, len(b))
			}
			if !tc.ok && !errors.Is(c.Err(), bin.ErrShort) {
				t.Fatalf("error %v is not ErrShort", c.Err())
			}
		})
	}
}

func TestCursorSticks(t *testing.T) {
	c := bin.Big([]byte{0, 1, 0, 0, 0, 2, 9})
	if a, b := c.U16(), c.U32(); a != 1 || b != 2 {
		t.Fatalf("got %d %d", a, b)
	}
	if c.U16() != 0 || c.Err() == nil {
		t.Fatal("a short read must fail")
	}
	if c.U8() != 0 {
		t.Fatal("a failed cursor must give zero, though one byte is left")
	}
	if c.Seek(8).Err() == nil || c.Off() != 6 {
		t.Fatal("the failure must stick and the offset must stay")
	}
}

func TestCString(t *testing.T) {
	if got := string(bin.Little([]byte("ab\x00cd")).CString(5)); got != "ab" {
		t.Fatalf("got %q", got)
	}
	if got := string(bin.Little([]byte("abcd")).CString(4)); got != "abcd" {
		t.Fatalf("got %q", got)
	}
}
