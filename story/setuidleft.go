package story

import (
	"strings"

	"telltale/detect"
)

// setuid tells a program of root's that runs as root for whoever starts it.
func setuid(f *detect.Finding) bool {
	return f.Detection == "D39" && f.Account == "root" && (strings.Contains(f.Detail, "(mode 4") || strings.Contains(f.Detail, "(mode 6"))
}

// setuidLeft takes a shell of root's that the intruder left up into his ways to come back: whoever gets any account again is root by it.
func (b *builder) setuidLeft() {
	for _, w := range []detect.What{detect.OddFile, detect.PackageDiff} {
		for _, f := range b.by[w] {
			id := b.told[f]
			if id == "" || f.Level < detect.High || !setuid(f) {
				continue
			}
			if _, laid := b.laid(f); !laid && !b.besideShell(f) {
				continue
			}
			b.stays(Persistence{Mechanism: "setuid-program", Path: utf8(f.Path), Runs: utf8(f.Path), As: "root", Since: f.First.String(), OwnedByPackage: f.Package != "", Attack: "T1548.001", Claims: ids(id)})
		}
	}
}

// notBack says what must not come back with the data: what was left in homes and sites is copied with them.
func (b *builder) notBack() {
	if left := append(leftovers(b.s.Persistence), b.his()...); len(left) > 0 {
		b.step("Leave behind, when data are restored, what the intruder left: "+apartBySemicolons(left)+".", "It comes back with homes and sites, and he by it. Until the server is rebuilt it is evidence: take the image first, then take it out.")
	}
}
