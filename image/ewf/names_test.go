package ewf

import "testing"

func TestSegmentNames(t *testing.T) {
	for _, tc := range []struct {
		first string
		n     int
		want  string
	}{
		{"a.E01", 1, "a.E01"}, {"a.E01", 99, "a.E99"}, {"a.E01", 100, "a.EAA"}, {"a.E01", 125, "a.EAZ"}, {"a.E01", 126, "a.EBA"},
		{"a.E01", 99 + 676, "a.EZZ"}, {"a.E01", 100 + 676, "a.FAA"}, {"a.E01", 99 + 22*676, "a.ZZZ"}, {"a.E01", 100 + 22*676, ""},
		{"a.b.e01", 100, "a.b.eaa"}, {"a.s01", 100, "a.saa"}, {"a.Ex01", 2, "a.Ex02"}, {"a.Ex01", 100, "a.ExAA"}, {"a.Ex01", 100 + 676, "a.EyAA"},
		{"a.Ex01", 99 + 3*676, "a.EzZZ"}, {"a.Ex01", 100 + 3*676, ""}, {"a", 2, ""}, {"a.E", 2, ""}, {"", 2, ""},
	} {
		if got := segmentName(tc.first, tc.n); got != tc.want {
			t.Errorf("segment %d of %q: %q, want %q", tc.n, tc.first, got, tc.want)
		}
	}
}
