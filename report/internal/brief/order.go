package brief

import (
	"cmp"
	"slices"
	"strings"

	"telltale/story"
)

// Ordered gives acts in the order of time; those of which no time is known stand last.
func Ordered(actions []story.Action) []story.Action {
	out := slices.Clone(actions)
	slices.SortStableFunc(out, func(a, b story.Action) int {
		if (a.Time == "") != (b.Time == "") {
			return cmp.Compare(len(b.Time), len(a.Time))
		}
		return strings.Compare(a.Time, b.Time)
	})
	return out
}
