package tamper

import "testing"

func TestBeats(t *testing.T) {
	beat := func(n int, gap int64) (out times) {
		for i := range n {
			out = append(out, 1e9+int64(i)*gap+int64(i%3))
		}
		return out
	}
	for _, tc := range []struct {
		name string
		t    times
		want bool
	}{
		{"a monitor", beat(20, 300), true}, {"twice told", append(beat(20, 300), beat(20, 300)...), true}, {"a guesser in a hurry", beat(20, 3), false}, {"too few", beat(5, 300), false},
		{"a person", times{100, 500, 4000, 4100, 9000, 9500, 20000, 60000, 90000}, false}, {"none", nil, false},
	} {
		if got := tc.t.beats(); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
