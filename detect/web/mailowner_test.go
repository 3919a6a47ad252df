package web

import (
	"testing"

	"telltale/evidence"
)

func TestToOwner(t *testing.T) {
	x := &sender{times: []evidence.Time{{Sec: 100}, {Sec: 200}}}
	for name, c := range map[string]struct {
		to   []uint32
		n    int
		want bool
	}{
		"all to one":              {[]uint32{7, 7, 7}, 3, true},
		"to the owner and a copy": {[]uint32{7, 8, 7, 8}, 2, true},
		"to anybody":              {[]uint32{7, 8, 9}, 3, false},
		"most went nowhere":       {[]uint32{7}, 3, false},
		"no delivery is told":     {nil, 1, false},
	} {
		f := &fold{}
		for _, to := range c.to {
			f.reached = append(f.reached, reached{evidence.Time{Sec: 150}, to})
		}
		f.reached = append(f.reached, reached{evidence.Time{Sec: 900}, 99})
		if got := f.toOwner(x, c.n); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
