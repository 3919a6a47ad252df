package story

import "telltale/detect"

// manySiteTries is more refusals at a site's own login than people need who forgot their password: before that they have it sent to them.
const manySiteTries = 10

// guessedEditors gives those who were let into a site's own software after many refusals and then wrote programs by it, or ran SQL. Where the site's files are not
// there to be read, no more can be known of it.
func (b *builder) guessedEditors() (out []*detect.Finding) {
	for _, f := range b.by[detect.WebLogin] {
		if f.Count >= manySiteTries && f.Detail != "" && len(f.For) > 0 && b.origin(f.Source) == "external" {
			out = append(out, f)
		}
	}
	return out
}
