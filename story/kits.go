package story

import (
	"time"

	"telltale/detect"
)

// bringsKit is how long behind a login a kit is taken to be brought by who logged in, whose account has no rights for it: it comes with a way to them.
const bringsKit = time.Hour

// rootkit tells a known kit that hides in the system.
func rootkit(f *detect.Finding) bool {
	return f.What == detect.OddFile && f.Level == detect.Critical && contains(f.Attack, "T1014")
}

// broughtKit tells whether a kit appeared soon after the first login of an account from a strange address outside.
func (b *builder) broughtKit(l, kit *detect.Finding) bool {
	d := kit.First.Sub(l.First)
	return l.Access.Unfamiliar() && b.origin(l.Source) == "external" && d >= 0 && d <= bringsKit
}
