package story

import (
	"strings"

	"telltale/detect"
)

// namedByJob tells a script that is odd for its hidden name alone, and that a job which is odd for nothing but that name runs: what it says was read and judged, and is not
// grave. A program, of which nothing can be read, stays a sign of its own.
func (b *builder) namedByJob(f *detect.Finding) bool {
	if f.What != detect.OddFile || f.Detection != "D64" || f.Method != "script" {
		return false
	}
	job := false
	for _, p := range b.by[detect.Persistence] {
		job = job || p.Level >= detect.High && strings.Contains(p.Detail, "uses the hidden path "+f.Path)
		if p.Path == f.Path && p.Level >= detect.High {
			return false
		}
	}
	return job
}
