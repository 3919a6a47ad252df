package files

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// renamed counts files that have a second ending behind their own, as those who ask for ransom leave them.
type renamed struct {
	count       int64
	folders     map[string]int64 // how many of them lie there
	first, last evidence.Time
	path        string
	account     string
	quotes      []evidence.Quote
}

const (
	maxEndings = 500
	maxFolders = 200 // of one ending; what lies in others is counted, and stands beside nothing
	minRenamed = 3
)

// data are the endings of what people keep; honest are those that programs put behind them.
var (
	data = map[string]bool{".doc": true, ".docx": true, ".xls": true, ".xlsx": true, ".ppt": true, ".pptx": true, ".odt": true, ".ods": true, ".pdf": true, ".txt": true, ".csv": true, ".jpg": true, ".jpeg": true, ".png": true, ".gif": true, ".sql": true, ".db": true, ".sqlite": true, ".mdb": true, ".php": true, ".html": true, ".htm": true, ".js": true,
		".css": true, ".xml": true, ".json": true, ".zip": true, ".tar": true, ".gz": true, ".rar": true, ".7z": true, ".mp3": true, ".mp4": true, ".eml": true, ".pst": true, ".vmdk": true, ".vmx": true, ".vdi": true, ".qcow2": true, ".ibd": true, ".frm": true, ".myd": true, ".myi": true, ".bak": true, ".dwg": true, ".psd": true, ".log": true, ".conf": true, ".ini": true}
	honest = map[string]bool{".gz": true, ".bz2": true, ".xz": true, ".zst": true, ".zip": true, ".lz4": true, ".bak": true, ".old": true, ".orig": true, ".save": true, ".swp": true, ".tmp": true, ".part": true, ".crdownload": true, ".gpg": true, ".asc": true, ".age": true, ".sig": true, ".md5": true, ".sha1": true, ".sha256": true, ".sha512": true, ".dist": true, ".sample": true,
		".example": true, ".default": true, ".map": true, ".meta": true, ".txt": true, ".html": true, ".php": true, ".js": true, ".css": true, ".json": true, ".xml": true, ".webp": true, ".avif": true, ".tar": true, ".br": true, ".j2": true, ".in": true, ".tpl": true, ".twig": true, ".lock": true, ".torrent": true, ".erb": true, ".pid": true, ".dpkg-old": true, ".dpkg-dist": true, ".rpmnew": true, ".rpmsave": true}
)

// behindOwn counts a file whose name has a second ending: "letter.docx.locked".
func (f *fold) behindOwn(e *event.Event, p, kind string) {
	outer := strings.ToLower(path.Ext(p))
	inner := strings.ToLower(path.Ext(strings.TrimSuffix(p, path.Ext(p))))
	if kind != "file" || len(outer) < 3 || len(outer) > 40 || !data[inner] || honest[outer] || strings.Trim(outer, ".0123456789") == "" {
		return
	}
	r := f.renamed[outer]
	if r == nil {
		if len(f.renamed) >= maxEndings {
			return
		}
		r = &renamed{path: p, folders: map[string]int64{}, account: f.scene.UserByUID(e.Text(event.FileUID))}
		if f.renamed == nil {
			f.renamed = map[string]*renamed{}
		}
		f.renamed[outer] = r
	}
	at := detect.ParseTime(cmp.Or(e.Text(event.FileCtime), e.Text(event.FileMtime)))
	r.count++
	if dir := path.Dir(p); len(r.folders) < maxFolders || r.folders[dir] > 0 {
		r.folders[dir]++
	}
	r.first, r.last = evidence.Min(r.first, at), evidence.Max(r.last, at)
	if len(r.quotes) < 3 {
		r.quotes = append(r.quotes, e.Quote())
	}
}

// beside counts the files in a note's folder and below it; one at the top, or in root's home, is for the whole server.
func (r *renamed) beside(notes []string) (n int64) {
	for dir, k := range r.folders {
		if slices.ContainsFunc(notes, func(p string) bool {
			at := path.Dir(p)
			return at == "/" || at == "/root" || at == dir || strings.HasPrefix(dir, at+"/")
		}) {
			n += k
		}
	}
	return n
}

// notes gives where notes lie that ask for ransom.
func (f *fold) notes() (out []string) {
	for _, x := range f.found {
		if x.Mechanism == "file" && slices.Contains(x.Attack, "T1486") {
			out = append(out, x.Path)
		}
	}
	return out
}

// lockedUp tells of the files that became useless beside notes that ask for ransom. Without a note, a second ending is nothing, and a single note without
// such files is less than with them: those who teach or collect keep notes of others.
func (f *fold) lockedUp() (r detect.Finding, ok bool) {
	notes := f.notes()
	if len(notes) == 0 {
		return r, false
	}
	ending, most := "", int64(0)
	for end, x := range f.renamed {
		if n := x.beside(notes); n > most || n == most && n > 0 && end < ending {
			ending, most = end, n
		}
	}
	if most < minRenamed {
		f.singleNote(len(notes))
		return r, false
	}
	x := f.renamed[ending]
	return detect.Finding{Detection: "D42", What: detect.OddFile, Level: detect.Critical, Rung: evidence.Effect, Mechanism: "locked", Path: x.path, Account: x.account, Count: x.count, First: x.first, Last: x.last, Attack: []string{"T1486"}, For: x.quotes,
		Title: fmt.Sprintf("%d files have the ending %s behind their own, beside a note that asks for ransom; the first is %s", x.count, ending, x.path), Detail: "ending " + ending}, true
}

// singleNote takes a note that stands alone for less.
func (f *fold) singleNote(n int) {
	for i := range f.found {
		if x := &f.found[i]; n == 1 && x.Mechanism == "file" && slices.Contains(x.Attack, "T1486") && detect.RansomName(x.Path) { // no database of that name
			x.Level = detect.High
		}
	}
}
