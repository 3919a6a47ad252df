package story

import (
	"time"

	"telltale/detect"
)

// An address is familiar from where others were let in that often, that long before the first refused try.
const (
	neighbourLogins = 3
	neighbourFor    = 3 * 24 * time.Hour
)

// neighbours tells whether an address from where a password was mistyped, or tried by a program that had an old one, is where people of this server sit: another account was
// let in from there, for days before, without that its password was guessed.
func (b *builder) neighbours(f *detect.Finding) bool {
	if f.Access == nil || !f.First.Known() {
		return false
	}
	for _, l := range b.by[detect.Login] {
		if l.Source == f.Source && l.Account != f.Account && shellService(l.Service) && l.Count >= neighbourLogins && l.First.Known() && f.First.Sub(l.First)-f.Access.Trying >= neighbourFor {
			return true
		}
	}
	return false
}
