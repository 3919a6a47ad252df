package story

import (
	"fmt"
	"slices"

	"telltale/detect"
)

// ransomed tells what files are held to ransom, of the notes and the files' second endings that were told.
func (b *builder) ransomed() {
	var i *Impact
	for _, f := range b.by[detect.OddFile] {
		id := b.told[f]
		if id == "" || !slices.Contains(f.Attack, "T1486") {
			continue
		}
		if i == nil {
			b.s.Impact = append(b.s.Impact, Impact{What: "ransom", Detail: "what it tells of", First: f.First.String(), Last: f.Last.String(), By: utf8(f.Account), Claims: ids()})
			i = &b.s.Impact[len(b.s.Impact)-1]
		}
		i.Claims = ids(append(i.Claims, id)...)
		if f.Mechanism == "locked" {
			i.Count, i.Unit, i.First, i.Last = f.Count, "files", f.First.String(), f.Last.String()
			i.Detail = fmt.Sprintf("%s with the %s behind their own", plural(f.Count, "file", "files"), f.Detail)
		}
	}
}

// defaced tells of a page that boasts of the break-in.
func (b *builder) defaced(f *detect.Finding, id string) {
	b.action("put a page of his own in the place of the site's", first(f.Attack), f.First, f.Account, f.Path, id)
	for n := range b.s.Impact {
		if i := &b.s.Impact[n]; i.What == "defacement" {
			i.Count++
			i.Claims = ids(append(i.Claims, id)...)
			return
		}
	}
	b.s.Impact = append(b.s.Impact, Impact{What: "defacement", Detail: utf8(f.Path + ": " + f.Detail), Count: 1, Unit: "pages", First: f.First.String(), Last: f.Last.String(), By: utf8(f.Account), Claims: ids(id)})
}

// keepLocked says what to do with files and databases that are held to ransom, and with the site's pages.
func (b *builder) keepLocked() {
	for _, i := range b.s.Impact {
		before := clock(detect.ParseTime(i.First))
		switch i.What + " " + i.Unit {
		case "ransom files":
			b.step("Copy the locked files and the note before anything is restored, and take the data from a backup that was made before "+before+".", "A way to open them may become known; what runs here could lock the backup, too.")
		case "ransom databases":
			b.step("Restore the data from a backup that was made before "+before+", on a server that is closed to the outside.", "Whoever asks for ransom for a database has mostly kept no copy of it.")
		case "defacement pages":
			b.step("Keep a copy of the page that was put there, and put the site back from a backup that was made before "+before+".", "It may name who claims the break-in, and what else was changed is not known.")
		}
	}
}
