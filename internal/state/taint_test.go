package state

import (
	"slices"
	"testing"
)

func TestTaints(t *testing.T) {
	if got := Taints(1<<12 | 1<<13 | 1<<40); !slices.Equal(got, []string{"O: out-of-tree module", "E: unsigned module", "bit 40"}) {
		t.Error(got)
	}
	if got := ModuleTaints(1<<12 | 1<<13); got != "OE" {
		t.Error(got)
	}
}
