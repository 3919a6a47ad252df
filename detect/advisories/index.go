package advisories

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"telltale/internal/version"
)

// The bounds of what is kept, which is an index and not the files: with all of Debian's, Ubuntu's and Alpine's advisories it has about two million rows.
const (
	maxRows  = 6_000_000  // of 24 bytes
	maxWords = 8_000_000  // different names, versions and advisories
	maxText  = 1024 << 20 // bytes of them
	maxCVEs  = 40         // of one advisory
	maxNames = 50         // of files: those behind are told as the last one
)

// errFull refuses files that hold more than is kept.
var errFull = errors.New("more advisories than are kept: give only those of the distributions that are to be examined")

// Database is what the examiner's files say: which versions of which packages have faults, and which faults are known to be exploited.
type Database struct {
	Files []File

	rows   []row
	words  []string
	ids    map[string]uint32 // of the words
	worlds map[uint32]bool   // ecosystems that there are advisories of
	kev    map[string]bool   // CVEs that are exploited
	text   int
	sorted bool
}

// File is one of the files that were read.
type File struct {
	Name   string
	Kind   string // "osv", "debian-tracker", "kev"
	Newest time.Time
	Rows   int // ranges of versions, or exploited faults
}

// row is one range: from its beginning up to, and not with, its end; with lastBad the end is the last version that has the fault. All are numbers of words.
type row struct {
	world, name, from, to, vuln uint32
	file                        uint16
	lastBad                     bool
}

// Fault is a known fault of one version.
type Fault struct {
	Advisory string
	File     string // that it stands in
	CVE      []string
	Fixed    string // "" where only the last version that has it is known
}

// NewDatabase gives an empty one.
func NewDatabase() *Database {
	return &Database{ids: map[string]uint32{}, worlds: map[uint32]bool{}, kev: map[string]bool{}}
}

// word gives the number of a word.
func (d *Database) word(s string) (uint32, error) {
	if n, ok := d.ids[s]; ok {
		return n, nil
	}
	if len(d.words) >= maxWords || d.text+len(s) > maxText {
		return 0, errFull
	}
	s = strings.Clone(s) // what it was cut from is let go
	n := uint32(len(d.words))
	d.words, d.ids[s] = append(d.words, s), n
	d.text += len(s)
	return n, nil
}

// add keeps one range of versions.
func (d *Database) add(world, name, from, to, advisory string, cve []string, lastBad bool) error {
	if len(d.rows) >= maxRows {
		return errFull
	}
	slices.Sort(cve)
	cve = slices.Compact(cve)
	r := row{lastBad: lastBad, file: uint16(min(len(d.Files), maxNames))}
	for _, x := range []struct {
		to   *uint32
		word string
	}{{&r.world, world}, {&r.name, name}, {&r.from, from}, {&r.to, to}, {&r.vuln, strings.Join(append([]string{advisory}, cve[:min(len(cve), maxCVEs)]...), " ")}} {
		n, err := d.word(x.word)
		if err != nil {
			return err
		}
		*x.to = n
	}
	d.rows, d.sorted = append(d.rows, r), false
	d.worlds[r.world] = true
	return nil
}

// Covers tells whether there are advisories of an ecosystem.
func (d *Database) Covers(world string) bool {
	if d == nil {
		return false
	}
	n, ok := d.ids[world]
	return ok && d.worlds[n]
}

// Exploited tells whether a fault is on the list of exploited ones.
func (d *Database) Exploited(cve string) bool { return d != nil && d.kev[cve] }

// Find gives the faults that a version of a package has.
func (d *Database) Find(world, name, ver string) (out []Fault) {
	if d == nil {
		return nil
	}
	d.sort()
	w, ok1 := d.ids[world]
	n, ok2 := d.ids[name]
	if !ok1 || !ok2 {
		return nil
	}
	i := sort.Search(len(d.rows), func(i int) bool { return d.rows[i].name > n || d.rows[i].name == n && d.rows[i].world >= w })
	for ; i < len(d.rows) && d.rows[i].name == n && d.rows[i].world == w; i++ {
		r := &d.rows[i]
		from, to := d.words[r.from], d.words[r.to]
		if !within(kindOf(world), ver, from, to, r.lastBad) {
			continue
		}
		f := Fault{}
		if int(r.file) < len(d.Files) && r.file < maxNames {
			f.File = d.Files[r.file].Name
		}
		x := strings.Split(d.words[r.vuln], " ")
		f.Advisory, f.CVE = x[0], x[1:]
		if !r.lastBad {
			f.Fixed = to
		}
		out = append(out, f)
	}
	return out
}

func (d *Database) sort() {
	if d.sorted {
		return
	}
	slices.SortFunc(d.rows, func(a, b row) int {
		switch {
		case a.name != b.name:
			return cmp.Compare(a.name, b.name)
		case a.world < b.world:
			return -1
		case a.world > b.world:
			return 1
		}
		return 0
	})
	d.sorted = true
}

// within tells whether a version lies in a range. A stream of modules (rpm) says nothing of another stream, which has its fixes in its own numbers.
func within(k version.Kind, ver, from, to string, lastBad bool) bool {
	if k == version.RPM && strings.Contains(to, "module") && !sameStream(ver, to) {
		return false
	}
	if from != "" && from != "0" && version.Compare(k, ver, from) < 0 {
		return false
	}
	c := version.Compare(k, ver, to)
	return c < 0 || c == 0 && lastBad
}

// sameStream holds the first two numbers of two versions against each other.
func sameStream(a, b string) bool {
	return strings.Contains(a, "module") && stream(a) == stream(b)
}

func stream(v string) string {
	if i := strings.IndexByte(v, ':'); i >= 0 {
		v = v[i+1:]
	}
	x := strings.SplitN(v, ".", 3)
	if len(x) < 2 {
		return v
	}
	return x[0] + "." + x[1]
}

// kindOf gives the rules by which an ecosystem's versions order.
func kindOf(world string) version.Kind {
	name, _, _ := strings.Cut(world, ":")
	switch name {
	case "Debian", "Ubuntu":
		return version.Deb
	case "AlmaLinux", "Rocky", "Red Hat", "openSUSE":
		return version.RPM
	case "Alpine":
		return version.Apk
	}
	return version.Plain
}

// world brings an ecosystem's name into our form: distribution and release. It is "" for those of which nothing on a server is looked at.
func world(ecosystem string) string {
	name, release, _ := strings.Cut(ecosystem, ":")
	switch name {
	case "Packagist":
		return name
	case "Rocky Linux":
		name = "Rocky"
	case "Red Hat": // "enterprise_linux:9::baseos"; other products have numbers of their own
		r, ok := strings.CutPrefix(release, "enterprise_linux:")
		if !ok {
			return ""
		}
		release = r
	case "openSUSE":
		release = strings.TrimPrefix(release, "Leap ")
	case "Debian", "Ubuntu", "AlmaLinux", "Alpine":
	default:
		return ""
	}
	release, _, _ = strings.Cut(strings.TrimPrefix(release, "v"), ":")
	if release == "" || release == "Pro" { // what only paying customers get is missing on no other machine
		return ""
	}
	return name + ":" + release
}

// Words tells in one sentence what was read.
func (f File) Words() string {
	newest := "of unknown date"
	if !f.Newest.IsZero() {
		newest = "as of " + f.Newest.UTC().Format("2006-01-02")
	}
	return fmt.Sprintf("%s (%s, %d entries, %s)", f.Name, f.Kind, f.Rows, newest)
}
