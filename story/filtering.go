package story

import "telltale/detect"

// filters tells what was read of the packet filter, and which of its rules somebody known lays. What is odd of it stands among the findings: a rule alone
// does not say who laid it.
func (b *builder) filters() {
	for _, f := range b.by[detect.Filtering] {
		if f.Explained != "" && len(b.s.Innocent) < maxInnocent {
			b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: utf8(f.Explained)})
		}
	}
}
