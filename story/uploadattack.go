package story

import (
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// soonUsed is how long behind an attempt whoever made it asks for what it put there.
const soonUsed = 10 * time.Minute

// afterAttempt takes a script in a place for data for an intruder's where only a log is left of it, if whoever asked for it first had used a fault of the site just before: a
// post before it may be anybody's, this is not.
func (b *builder) afterAttempt() {
	for _, f := range b.by[detect.WebUpload] {
		if f.Level != detect.Medium || f.Rung != evidence.Accepted || f.Source == "" || len(f.Sources) > 3 || f.Explained != "" {
			continue
		}
		for _, a := range b.by[detect.WebAttack] {
			if !runsCommands(a) || len(cvesIn(a.Mechanism)) == 0 {
				continue
			}
			for _, t := range a.Tries {
				if d := f.First.Sub(t.At); t.Source == f.Source && !t.Absent && d > -soonUsed && d <= soonUsed && !t.At.After(f.Last) {
					f.Level = detect.High
				}
			}
		}
	}
}
