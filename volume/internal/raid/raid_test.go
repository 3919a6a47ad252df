package raid

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"telltale/evidence"
	"telltale/internal/galois"
)

func TestField(t *testing.T) {
	for a := 1; a < 256; a++ {
		if galois.Mul(byte(a), galois.Inverse(byte(a))) != 1 {
			t.Fatalf("inverse of %d", a)
		}
	}
	if galois.Exp(8) != 0x1d || galois.Exp(255) != 1 {
		t.Fatalf("2^8 = %#x, 2^255 = %d", galois.Exp(8), galois.Exp(255))
	}
}

// TestRows: in each row of each layout P, Q and the data lie on legs of their own.
func TestRows(t *testing.T) {
	for _, level := range []int{5, 6} {
		for layout := range uint32(32) {
			for n := 3; n < 9; n++ {
				legs := make([]Leg, n)
				g := &parity{legs: legs, n: n, data: n - level + 4, layout: layout}
				if _, err := Parity("", legs, level, 4096, layout, 1<<20); err != nil || g.data < 1 {
					continue
				}
				for row := range int64(40) {
					seen := map[int]bool{}
					for d := range g.data {
						p, q, leg := g.row(row, d)
						seen[leg], seen[p] = true, true
						if level == 6 {
							seen[q] = true
						}
						if leg < 0 || leg >= n || p < 0 || p >= n || q >= n {
							t.Fatalf("level %d layout %d of %d: row %d column %d: %d %d %d", level, layout, n, row, d, p, q, leg)
						}
					}
					if len(seen) != n {
						t.Fatalf("level %d layout %d of %d: row %d takes %d legs", level, layout, n, row, len(seen))
					}
				}
			}
		}
	}
}

func TestGeometry(t *testing.T) {
	full := func(n int, size int64) []Leg {
		legs := make([]Leg, n)
		for i := range legs {
			legs[i] = Leg{bytes.NewReader(nil), size}
		}
		return legs
	}
	for i, f := range []func() (*Array, error){
		func() (*Array, error) { return Linear("", nil) },
		func() (*Array, error) { return Linear("", full(MaxLegs+1, 1)) },
		func() (*Array, error) { return Linear("", full(2, math.MaxInt64)) },
		func() (*Array, error) { return Linear("", full(2, -1)) },
		func() (*Array, error) { return Mirror("", full(2, 1), -1) },
		func() (*Array, error) { return Stripe("", full(2, 1), 0, false) },
		func() (*Array, error) { return Stripe("", full(2, 1), -4096, false) },
		func() (*Array, error) { return Parity("", full(2, 1), 6, 4096, 2, 4096) },
		func() (*Array, error) { return Parity("", full(3, 1), 5, 4096, 6, 4096) },
		func() (*Array, error) { return Parity("", full(3, 1), 5, 4096, 8, 4096) },
		func() (*Array, error) { return Parity("", full(3, 1), 5, 4096, 2, math.MaxInt64) },
		func() (*Array, error) { return Ten("", full(3, 1), 4096, 0, 4096) },
		func() (*Array, error) { return Ten("", full(3, 1), 4096, 0x104, 4096) },
		func() (*Array, error) { return Ten("", full(3, 1), 4096, 7<<17|0x102, 4096) },
		func() (*Array, error) { return Ten("", full(3, 1), 4096, 1<<30|0x102, 4096) },
	} {
		if _, err := f(); !errors.Is(err, ErrGeometry) {
			t.Errorf("case %d: %v", i, err)
		}
	}
	for n := 1; n < 12; n++ { // the legs of level 10 are there, whatever the layout
		for layout := range uint32(1 << 20) {
			if layout&0xff > 12 || layout>>8&0xff > 12 {
				continue
			}
			a, err := Ten("", full(n, 1<<16), 4096, layout, 1<<16)
			for off := int64(0); err == nil && off < a.Size; off += 4096 {
				if _, e := a.ReadAt(make([]byte, 1), off); e == nil {
					t.Fatal("an empty leg was read")
				}
			}
		}
	}
}

func TestDamage(t *testing.T) {
	raw := bytes.Repeat([]byte{1}, 8192)
	a, err := Linear("lin", []Leg{{bytes.NewReader(raw), 8192}, {nil, 8192}, {bytes.NewReader(raw[:5000]), 8192}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		off  int64
		n    int
		want string
	}{{0, 8192, "lin"}, {8192, 0, "lin"}, {16384, 5000, "lin"}, {24576, 0, "EOF"}} {
		n, err := a.ReadAt(make([]byte, 10000), tc.off)
		var d *evidence.Damage
		if n != tc.n || tc.want == "EOF" && err != io.EOF || tc.want != "EOF" && (!errors.As(err, &d) || d.Ref.Off != tc.off+int64(tc.n)) {
			t.Errorf("at %d: %d bytes, %v", tc.off, n, err)
		}
	}
	m, err := Mirror("m", []Leg{{nil, 8192}, {bytes.NewReader(raw[:5000]), 8192}}, 8192)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := m.ReadAt(make([]byte, 8192), 0); n != 4096 || err == nil {
		t.Errorf("a mirror with a short leg gave %d bytes, %v", n, err)
	}
}
