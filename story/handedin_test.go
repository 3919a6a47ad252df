package story

import (
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// TestHandedIn: a file that the web server's account owns is held against no administrator who was logged in when it came; one of his own is.
func TestHandedIn(t *testing.T) {
	for owner, want := range map[string]bool{"www-data": false, "bob": true, "": true} {
		f := detect.Finding{What: detect.OddFile, Level: detect.High, Rung: evidence.Effect, Path: "/var/www/html/uploads/x.jpg", Account: owner}
		b := &builder{by: map[detect.What][]*detect.Finding{}}
		if got := b.mayWrite("bob", &f); got != want {
			t.Errorf("%q: %v", owner, got)
		}
	}
	f := detect.Finding{What: detect.OddFile, Path: "/var/www/html/x.jpg", Account: "www-data"}
	if b := (&builder{by: map[detect.What][]*detect.Finding{}}); b.mayWrite("root", &f) || !b.mayWrite("www-data", &f) {
		t.Error("root, or the account itself")
	}
}
