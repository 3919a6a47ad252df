package story

import (
	"fmt"

	"telltale/detect"
)

// maxExplained bounds the changed programs of which it is told why they are innocent.
const maxExplained = 20

// programs tells programs and libraries that are not as their packages shipped them. That one differs is a fact; that an intruder changed it
// is said only where it happened in his session, for whoever builds a package himself leaves the same.
func (b *builder) programs() {
	explained := 0
	for _, f := range b.by[detect.PackageDiff] {
		if f.Explained != "" {
			if explained++; explained <= maxExplained {
				b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: utf8(f.Explained)})
			}
			continue
		}
		if f.Level < detect.Medium {
			continue
		}
		s, words, st := b.whose(f)
		text := f.Title
		if f.Key != "" && f.Method != "" {
			text += fmt.Sprintf(": the package has %s, found was %s", f.Key, f.Method)
		}
		if s == nil {
			st, words = Possible, "a package that was built or mended here leaves the same"
		}
		id := b.claim(text+" ("+words+").", f.Rung, f.First, st, f.For, f.Against)
		b.told[f] = id
		if s != nil {
			b.effect = ids(append(b.effect, id)...)
			b.action("changed "+f.Path, first(f.Attack), f.First, f.Account, f.Path, id)
		}
		if f.Path == "" {
			continue // the record of a package, no file
		}
		if s == nil {
			b.unasked++
		}
		expected, found := f.Key, f.Method
		if expected == "" || found == "" || f.Mechanism == "mode" {
			expected, found = "as package "+f.Package+" ships it", f.Title
		}
		b.s.Altered = append(b.s.Altered, Altered{Path: utf8(f.Path), Kind: string(detect.PackageDiff), Expected: utf8(expected), Found: utf8(found), Claims: ids(id)})
	}
}

// changedPrograms gives the paths of programs that matter and that differ from their packages with no cause that explains it.
func (b *builder) changedPrograms() (out []string) {
	for _, f := range b.by[detect.PackageDiff] {
		if f.Level >= detect.High && f.Explained == "" && f.Path != "" {
			out = ids(append(out, utf8(f.Path))...)
		}
	}
	return out
}
