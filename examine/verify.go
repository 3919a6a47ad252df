package examine

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/host/pkgdb"
)

// The bounds of verifying.
const (
	maxVerify      = 2_000_000 // files
	maxVerifyBytes = 256 << 30 // of content, together
	maxVerifyFile  = 8 << 30   // of content, one file
	maxMissing     = 200       // files told one by one
)

// verifier compares what packages own with what lies there. The walk shows it every file; what has to be read is read after the walk, for
// a folder's metadata and its files lie at different places.
type verifier struct {
	h       *seenHost
	seen    []uint64 // a bit for each of the database's statements whose file was met
	files   []*candidate
	late    map[*pkgdb.Package]*share // programs whose change or modification is later than their package
	dropped int
	untaken int           // whose content was not collected
	events  []event.Event // what was found: the second reading of the logs shows it again
	damaged []evidence.Damage
	notes   []string
	done    bool
	bootFiles
}

// share counts files of a package.
type share struct{ all, changed, written, differ int }

// candidate is a file to be compared.
type candidate struct {
	path  string
	mount *host.Mount
	inode filesystem.Inode
	size  int64
	phys  int64 // where its content begins on the source, for reading in that order
	uid   uint32
	mode  uint16
	owned bool
	link  bool // a link lies where the package has a file
	mtime evidence.Time
	ctime evidence.Time
	found digests
}

func newVerifier(h *seenHost) *verifier {
	return &verifier{h: h, seen: make([]uint64, (h.owners.Files()+63)/64), late: map[*pkgdb.Package]*share{}}
}

// visit notes a file of the walk, if it matters.
func (v *verifier) visit(e *host.Entry) {
	if v.done || !v.h.owners.Read {
		return
	}
	v.bootFiles.visit(e)
	m := &e.Meta
	owned, digest, config := false, false, false
	for x := range v.h.owners.Claims(e.Path) {
		v.seen[x.ID/64] |= 1 << (x.ID % 64)
		owned = true
		digest = digest || x.Algo != pkgdb.NoDigest
		config = config || x.Flags&pkgdb.Config != 0
		if m.Type == filesystem.Regular && programPlace(e.Path) {
			v.count(m, x.Package)
		}
	}
	if m.Flags&filesystem.Untaken != 0 {
		v.untaken++
		return
	}
	switch {
	case m.Type == filesystem.Symlink && digest && !config && matters(e.Path, 0o755):
	case m.Type != filesystem.Regular:
		return
	case owned && (matters(e.Path, m.Mode) || config):
	case !owned && stranger(e.Path, m.Mode):
	default:
		return
	}
	if len(v.files) >= maxVerify {
		v.dropped++
		return
	}
	c := &candidate{path: e.Path, mount: e.Mount, inode: m.Inode, size: m.Size, mtime: m.Mtime, ctime: m.Ctime, mode: m.Mode, uid: m.UID, owned: owned, link: m.Type == filesystem.Symlink}
	if e.Mount.Raw != nil && !c.link && m.Size > 0 {
		if xs, err := e.Mount.FS.Extents(m.Inode); err == nil && len(xs) > 0 {
			c.phys = xs[0].Physical
		}
	}
	v.files = append(v.files, c)
}

// count notes how many programs of a package are younger than it: one alone tells more than all.
func (v *verifier) count(m *filesystem.Meta, p *pkgdb.Package) {
	s := v.late[p]
	if s == nil {
		s = &share{}
		v.late[p] = s
	}
	s.all++
	if after(m.Ctime, p.Installed) && !v.h.CopyTimes {
		s.changed++
	}
	if after(m.Mtime, p.Installed) {
		s.written++
	}
}

// installing is how long unpacking a package and running its scripts may take.
const installing = 30 * time.Minute

func after(t, installed evidence.Time) bool {
	return t.Known() && installed.Known() && t.Sub(installed) > installing
}

// alone tells whether n of a package's files are few.
func (s *share) alone(n int) bool { return s != nil && n > 0 && (n == 1 && s.all >= 3 || n*5 <= s.all) }

// verify reads the files that the walk noted and shows what was found to the detections.
func (r *run) verify(h *seenHost) error {
	v := h.verify
	if v == nil {
		return nil
	}
	for _, d := range h.owners.Damage {
		if d.Ref.Source == "" {
			d.Ref.Source = h.Source
		}
		r.damage(d)
	}
	if !v.done {
		if err := v.run(r); err != nil {
			return err
		}
		v.done = true
		r.noteSource(h, slices.Concat(h.owners.Notes, v.notes))
	}
	for _, d := range v.damaged {
		r.damage(d)
	}
	for i := range v.events {
		r.emit(&v.events[i])
	}
	return nil
}

// noteSource adds to the notes of a host's source.
func (r *run) noteSource(h *seenHost, notes []string) {
	for i := range r.res.Sources {
		if s := &r.res.Sources[i]; s.ID == h.Source {
			for _, n := range notes {
				s.Notes = append(s.Notes, printable(n))
			}
		}
	}
}

func (v *verifier) run(r *run) error {
	db := v.h.owners
	if !db.Read {
		return nil
	}
	r.stage("comparing programs with packages of " + v.h.label())
	sort.SliceStable(v.files, func(i, j int) bool { return v.files[i].phys < v.files[j].phys })
	if err := v.hash(r); err != nil {
		return err
	}
	sort.Slice(v.files, func(i, j int) bool { return v.files[i].path < v.files[j].path })
	t := tally{}
	for _, c := range v.files {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		v.judge(r, c, &t)
	}
	v.wholesale(&t)
	v.missing(&t)
	v.records()
	v.tell(&t)
	if err := v.boot(r); err != nil {
		return err
	}
	v.files, v.seen = nil, nil
	return nil
}

// tally counts for the notes.
type tally struct{ checked, differ, unread, noDigest, unowned, missing, known, published int }

func (v *verifier) tell(t *tally) {
	s := fmt.Sprintf("packages: %d programs and libraries were compared with the digests of %s, %d differ", t.checked, strings.Join(v.h.owners.Kinds, " and "), t.differ)
	for _, x := range []struct {
		n    int
		what string
	}{{t.unowned, "that no package owns lie where packages put theirs"}, {t.noDigest, "have no digest there and could not be compared"}, {t.unread, "could not be read"}, {t.known, "are explained by what is known to be good"}, {t.published, "are probably published files, by a filter that errs"}, {v.dropped, "were too many to be compared"}, {v.untaken, "were not compared, for their content was not collected"}} {
		if x.n > 0 {
			s += fmt.Sprintf("; %d %s", x.n, x.what)
		}
	}
	v.notes = append(v.notes, s)
}

// wholesale explains packages most of whose programs differ: such a package was replaced as a whole. Where most of everything
// differs, the database is not this tree's.
func (v *verifier) wholesale(t *tally) {
	if t.differ > 20 && t.differ*2 > t.checked {
		v.notes = append(v.notes, "packages: most programs differ from the package database, which is therefore of another system or another time; they are not told one by one")
		v.events = slices.DeleteFunc(v.events, func(e event.Event) bool { return e.Kind == event.PackageFileChanged })
		return
	}
	by := map[string]*share{}
	for p, s := range v.late {
		by[p.Name+" "+p.Version] = s
	}
	for i := range v.events {
		e := &v.events[i]
		s := by[e.Text(event.PackageName)+" "+e.Text(event.PackageVersion)]
		if e.Kind == event.PackageFileChanged && e.Get(event.Message) == nil && s != nil && s.differ >= 5 && s.differ*2 >= s.all {
			e.AddText(event.Message, fmt.Sprintf("%d of %d programs of the package differ: it was probably replaced as a whole, built here or unpacked by other means", s.differ, s.all))
		}
	}
}

// missing tells programs that packages own and that are not there. Many say that the evidence does not hold all files.
func (v *verifier) missing(t *tally) {
	var gone []event.Event
	for p, x := range v.h.owners.All() {
		if x.Algo == pkgdb.NoDigest || x.Flags != 0 || v.seen[x.ID/64]&(1<<(x.ID%64)) != 0 || !x.Package.Whole() || !programPlace(p) && !library(p) {
			continue
		}
		if v.otherSeen(p) {
			continue
		}
		t.missing++
		if len(gone) < maxMissing {
			e := v.event(event.PackageFileChanged, p, x.Package)
			e.AddText(event.Change, "missing")
			e.AddText(event.HashExpected, told(&x))
			e.Raw = []byte("package " + x.Package.Name + " owns " + p + ", which is not there")
			e.Ref = x.Package.Ref
			gone = append(gone, e)
		}
	}
	if t.missing > maxMissing || t.missing*20 > t.checked+t.missing && t.missing > 5 {
		v.notes = append(v.notes, fmt.Sprintf("packages: %d of their programs and libraries are not in this evidence", t.missing))
		return
	}
	v.events = append(v.events, gone...)
}

// otherSeen tells whether a file was met under a path's other name: the walk knows each file by one.
func (v *verifier) otherSeen(p string) bool {
	_, err := v.h.Lstat(p)
	return err == nil
}

// records tells what is odd about packages' own records.
func (v *verifier) records() {
	for i := range v.h.owners.Packages {
		p := &v.h.owners.Packages[i]
		for _, d := range p.Doubts {
			e := v.event(event.PackageRecordOdd, "", p)
			e.AddText(event.Message, d)
			e.Ref, e.Raw = p.Ref, []byte("package "+p.Name+" "+p.Version+": "+d)
			v.events = append(v.events, e)
		}
	}
}

func (v *verifier) event(k event.Kind, p string, pkg *pkgdb.Package) event.Event {
	e := event.Event{Kind: k}
	e.AddText(event.FilePath, p)
	if pkg != nil {
		e.AddText(event.PackageName, pkg.Name)
		e.AddText(event.PackageVersion, pkg.Version)
		e.AddText(event.PackageInstalled, exact(pkg.Installed))
	}
	return e
}

// systemDirs are where packages put programs and libraries.
var systemDirs = []string{"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/lib/", "/lib64/", "/lib32/", "/libx32/", "/usr/lib/", "/usr/lib64/", "/usr/lib32/", "/usr/libx32/", "/usr/libexec/"}

func inSystemDir(p string) bool {
	return slices.ContainsFunc(systemDirs, func(d string) bool { return strings.HasPrefix(p, d) })
}

// programPlace tells a path in a directory of programs.
func programPlace(p string) bool {
	switch path.Dir(p) {
	case "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/lib/openssh", "/usr/libexec/openssh":
		return true
	}
	return false
}

// library tells a shared library or a kernel module by its name.
func library(p string) bool {
	b := path.Base(p)
	i := strings.Index(b, ".so")
	return i > 0 && (len(b) == i+3 || b[i+3] == '.') || module(b)
}

func module(p string) bool {
	for _, c := range []string{".gz", ".xz", ".zst"} {
		p = strings.TrimSuffix(p, c)
	}
	return strings.HasSuffix(p, ".ko")
}

// matters tells whether a package's file is code: a program, a library, a module, or whatever lies among them.
func matters(p string, mode uint16) bool {
	if strings.HasPrefix(p, "/usr/share/") {
		for _, d := range []string{"/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/", "/usr/share/icons/", "/usr/share/fonts/"} {
			if strings.HasPrefix(p, d) {
				return false
			}
		}
		switch path.Ext(p) {
		case ".py", ".pm", ".pl", ".sh", ".php", ".rb":
			return true
		}
		return mode&0o111 != 0
	}
	if inSystemDir(p) {
		return mode&0o111 != 0 || !data[path.Ext(p)] && !strings.Contains(p, "/__pycache__/")
	}
	return mode&0o111 != 0 || library(p)
}

// data are the endings of files that no system runs or loads; there are gigabytes of them among libraries.
var data = map[string]bool{".a": true, ".o": true, ".la": true, ".h": true, ".hpp": true, ".json": true, ".mo": true, ".html": true, ".txt": true, ".md": true, ".rst": true, ".tsv": true, ".csv": true, ".png": true, ".svg": true, ".css": true,
	".map": true, ".gir": true, ".typelib": true, ".pc": true, ".bc": true, ".jsa": true, ".pem": true, ".ttf": true, ".xml": true, ".yaml": true, ".gz": true}

// stranger tells whether a file that no package owns is one that packages would have to own.
func stranger(p string, mode uint16) bool {
	if !inSystemDir(p) || mode&0o111 == 0 && !library(p) || strings.Contains(p, "/__pycache__/") {
		return false
	}
	b := path.Base(p)
	return !strings.HasPrefix(b, ".wh.") && !strings.HasSuffix(b, ".dpkg-new") && !strings.HasSuffix(b, ".dpkg-tmp")
}

// told writes a digest as "sha256:0123...".
func told(x *pkgdb.Expected) string {
	if x.Algo == pkgdb.NoDigest {
		return ""
	}
	return fmt.Sprintf("%s:%x", x.Algo, x.Sum)
}

func same(x *pkgdb.Expected, d *digests) (equal, known bool) {
	sum := d.of(x.Algo)
	if sum == nil || x.Sum == nil {
		return false, false
	}
	return bytes.Equal(sum, x.Sum), true
}
