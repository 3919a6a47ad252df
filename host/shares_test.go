package host

import "testing"

// TestShareSettings: only "read only = no" lets clients write, in whatever case and with whatever blanks it is written.
func TestShareSettings(t *testing.T) {
	for line, want := range map[[2]string]Share{
		{"readonly", "no"}:        {Writable: true},
		{"readonly", "False"}:     {Writable: true},
		{"readonly", "yes"}:       {},
		{"path", "/srv/../srv/a"}: {Path: "/srv/a"},
		{"comment", "no"}:         {},
	} {
		var s Share
		if s.set(line[0], line[1]); s != want {
			t.Errorf("%v: %+v", line, s)
		}
	}
}
