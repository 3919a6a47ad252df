package galois_test

import (
	"testing"

	"telltale/internal/galois"
)

func TestField(t *testing.T) {
	for a := 1; a < 256; a++ {
		if galois.Mul(byte(a), galois.Inverse(byte(a))) != 1 {
			t.Errorf("%d has no inverse", a)
		}
	}
	if galois.Exp(8) != 0x1d || galois.Exp(255) != 1 || galois.Exp(256) != 2 || galois.Mul(3, 7) != 9 {
		t.Error("powers or products are wrong")
	}
}
