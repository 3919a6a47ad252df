package story

import (
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
)

// Here is what was done to others and to those whose server it is.

// scannedBy tells of scanners that were run by hand, where nothing else showed what they sent.
func (b *builder) scannedBy() {
	if slices.ContainsFunc(b.s.Impact, func(i Impact) bool { return i.What == "scan" }) {
		return
	}
	by := map[string]int{} // places in Impact, by account
	for i := range b.s.Actions {
		a := &b.s.Actions[i]
		if a.Attack != "T1046" || !strings.HasPrefix(a.What, "typed: ") || !b.s.sure(a.Claims) {
			continue
		}
		n, ok := by[a.Account]
		if !ok {
			n = len(b.s.Impact)
			by[a.Account] = n
			b.s.Impact = append(b.s.Impact, Impact{What: "scan", Detail: a.What, Unit: "commands", First: a.Time, By: a.Account, Claims: ids()})
		}
		x := &b.s.Impact[n]
		x.Count++
		x.Last = a.Time
		x.Claims = ids(append(x.Claims, a.Claims...)...)
	}
}

// his gives the files that were left and bring nobody back by themselves: tools, loot, programs in odd places. What lies in a folder that is named, too, is left out.
func (b *builder) his() (out []string) {
	for _, f := range b.by[detect.OddFile] {
		if id := b.told[f]; id != "" && f.Path != "" && contains(b.effect, id) && f.Mechanism != "locked" && !slices.ContainsFunc(b.s.Persistence, func(p Persistence) bool { return p.Path == f.Path }) {
			out = ids(append(out, f.Path)...)
		}
	}
	return slices.DeleteFunc(out, func(p string) bool {
		return slices.ContainsFunc(out, func(dir string) bool { return strings.HasPrefix(p, dir+"/") })
	})
}

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
