package story

import (
	"slices"
	"strings"

	"telltale/detect"
)

// setTimes makes a command that gives a file another's times grave where that file is a program or library that differs from its package: who mends one has no use for its old
// times.
func (b *builder) setTimes() {
	for _, c := range b.by[detect.Command] {
		if c.Detection != "D62" || c.Level >= detect.High {
			continue
		}
		for _, f := range b.by[detect.PackageDiff] {
			if f.Level >= detect.High && f.Explained == "" && slices.Contains(strings.Fields(c.Runs), f.Path) {
				c.Level = detect.High
				c.Detail = strings.TrimPrefix(c.Detail+"; "+f.Path+" differs from its package", "; ")
				break
			}
		}
	}
}
