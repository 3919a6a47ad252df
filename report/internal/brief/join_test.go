package brief

import "testing"

func TestJoin(t *testing.T) {
	for _, tc := range []struct{ a, b, want string }{{"x", "y", "x; y"}, {"", "y", "y"}, {"x", "", "x"}, {"", "", ""}} {
		if got := join(tc.a, tc.b); got != tc.want {
			t.Errorf("%q and %q: %q, want %q", tc.a, tc.b, got, tc.want)
		}
	}
}
