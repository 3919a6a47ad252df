package postgresql

import "testing"

func TestClient(t *testing.T) {
	for in, want := range map[string]string{"203.0.113.5(40100)": "203.0.113.5", "203.0.113.5": "203.0.113.5", "shop": "", "203.0.113.5(": "", "[local]": "", "": ""} {
		if got := string(client([]byte(in))); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
