package pkgdb

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"telltale/evidence"
)

const (
	dpkgDir = "/var/lib/dpkg"
	// slack is how far the times of files that one run of dpkg wrote lie apart.
	slack = time.Hour
)

// dpkgInfo are the files that dpkg keeps of one package.
type dpkgInfo struct {
	list, sums *File
	newest     evidence.Time // change time of its other files: scripts, triggers
}

// dpkg reads dpkg's database.
func (d *Database) dpkg(t Tree) string {
	known := map[string]int{}
	from := ""
	if f := d.open(t, dpkgDir+"/status"); f != nil {
		from = dpkgDir + "/status"
		d.status(f, known)
	}
	d.distroless(t, known)
	moved := d.diversions(t)
	info := d.info(t, known)
	for name, i := range info.byName {
		d.dpkgFiles(name, i, known, moved)
	}
	if len(info.byName) > 0 {
		from = dpkgDir + "/info"
	}
	d.overrides(t)
	return from
}

type dpkgInfos struct{ byName map[string]*dpkgInfo }

// info collects the files below info/, by package: "libc6:amd64".
func (d *Database) info(t Tree, known map[string]int) dpkgInfos {
	in := dpkgInfos{map[string]*dpkgInfo{}}
	for f, err := range t.Files(dpkgDir + "/info") {
		if err != nil {
			d.damage(evidence.Ref{Path: dpkgDir + "/info"}, "list dpkg's files: "+err.Error())
			continue
		}
		name := f.Path[strings.LastIndexByte(f.Path, '/')+1:]
		cut := strings.LastIndexByte(name, '.')
		if cut <= 0 {
			continue
		}
		pkg, what := name[:cut], name[cut+1:]
		i := in.byName[pkg]
		if i == nil {
			if len(in.byName) >= maxPackages {
				d.full = true
				return in
			}
			i = &dpkgInfo{}
			in.byName[pkg] = i
		}
		switch what {
		case "list":
			i.list = f
		case "md5sums":
			i.sums = f
		default:
			i.newest = evidence.Max(i.newest, f.Ctime)
		}
	}
	return in
}

// status reads stanzas of the status file; known gets the packages by "name" and "name:arch".
func (d *Database) status(f *File, known map[string]int) {
	b := d.slurp(f)
	for off := 0; off < len(b); {
		end := bytes.Index(b[off:], []byte("\n\n"))
		if end < 0 {
			end = len(b) - off
		}
		d.stanza(b[off:off+end], f, int64(off), known)
		off += end + 2
	}
}

func (d *Database) stanza(b []byte, f *File, off int64, known map[string]int) {
	p := Package{Ref: f.Ref}
	p.Ref.Off, p.Ref.Len = off, int64(len(b))
	var conffiles [][]byte
	in := false
	for line := range bytes.Lines(b) {
		line = bytes.TrimRight(line, "\n")
		if len(line) > 0 && line[0] == ' ' {
			if in {
				conffiles = append(conffiles, line)
			}
			continue
		}
		k, v, _ := strings.Cut(string(line[:min(len(line), 1024)]), ":")
		v = strings.TrimSpace(v)
		in = k == "Conffiles"
		switch k {
		case "Package":
			p.Name = v
		case "Version":
			p.Version = v
		case "Architecture":
			p.Arch = v
		case "Source":
			p.Source, _, _ = strings.Cut(v, " ")
		case "Maintainer":
			p.Vendor = v
		case "Status":
			p.Status = v
		}
	}
	if p.Name == "" || strings.HasSuffix(p.Status, " config-files") || strings.HasSuffix(p.Status, " not-installed") {
		return
	}
	if i, ok := d.pack(p); ok {
		known[p.Name], known[p.Name+":"+p.Arch] = i, i
		d.conffiles(i, conffiles)
	}
}

// conffiles takes lines like " /etc/passwd 0123.. obsolete".
func (d *Database) conffiles(i int, lines [][]byte) {
	for _, line := range lines {
		w := bytes.Fields(line)
		if len(w) < 2 || len(w) > 2 && string(w[2]) == "obsolete" {
			continue
		}
		if e := d.add(i, w[0]); e != nil {
			e.flags |= Config
			d.hexSum(e, MD5, w[1])
		}
	}
}

func (d *Database) hexSum(e *entry, a Algo, s []byte) {
	var sum [64]byte
	if n := sizes[a]; len(s) == 2*n {
		if _, err := hex.Decode(sum[:], s); err == nil {
			d.setSum(e, a, sum[:n])
		}
	}
}

// distroless reads the form of the database that images without dpkg have: a stanza and a list of digests a package.
func (d *Database) distroless(t Tree, known map[string]int) {
	sums := map[string]*File{}
	for f, err := range t.Files(dpkgDir + "/status.d") {
		if err != nil {
			d.damage(evidence.Ref{Path: dpkgDir + "/status.d"}, "list dpkg's files: "+err.Error())
			continue
		}
		name := f.Path[strings.LastIndexByte(f.Path, '/')+1:]
		if n, ok := strings.CutSuffix(name, ".md5sums"); ok {
			sums[n] = f
			continue
		}
		d.status(f, known)
	}
	for name, f := range sums {
		if i, ok := known[name]; ok {
			d.md5sums(i, f, name, nil, nil)
		}
	}
}

// diversion is where the other packages' file goes.
type diversion struct{ to, by string }

// diversions reads triples of lines: the path, where it goes, the package whose own file stays (":" for the administrator's).
func (d *Database) diversions(t Tree) map[string]diversion {
	f := d.open(t, dpkgDir+"/diversions")
	if f == nil {
		return nil
	}
	lines := strings.Split(string(d.slurp(f)), "\n")
	m := map[string]diversion{}
	for i := 0; i+2 < len(lines) && i < 3*maxPackages; i += 3 {
		by := lines[i+2]
		m[lines[i]] = diversion{lines[i+1], by}
		if by == ":" {
			by = "the administrator"
		}
		d.diverted[lines[i]] = by
	}
	return m
}

// place tells where a package's file lies, diversions followed.
func place(p []byte, pkg string, moved map[string]diversion) []byte {
	if v, ok := moved[string(p)]; ok && v.by != pkg {
		return []byte(v.to)
	}
	return p
}

// dpkgFiles reads a package's list and digests.
func (d *Database) dpkgFiles(info string, in *dpkgInfo, known map[string]int, moved map[string]diversion) {
	if in.list == nil {
		return // only scripts: of a package that was removed, or format
	}
	name, arch, _ := strings.Cut(info, ":")
	i, ok := known[info]
	if !ok {
		p := Package{Name: name, Arch: arch, Ref: in.list.Ref}
		if len(known) > 0 {
			p.Status = "unknown"
			p.doubt("it has a list of files and no entry in the status file")
		}
		if i, ok = d.pack(p); !ok {
			return
		}
	}
	p := &d.Packages[i]
	p.Installed = in.list.Mtime // dpkg writes the list when it unpacks
	own := map[uint64]bool{}
	for line := range bytes.Lines(d.slurp(in.list)) {
		l := place(bytes.TrimRight(line, "\r\n"), name, moved)
		if len(l) <= 2 {
			continue
		}
		if in.sums != nil {
			own[d.hash(l)] = true
		}
		if d.of(-1, l) == nil { // a directory belongs to many: the first is enough
			d.add(i, l)
		}
	}
	if in.sums != nil {
		d.md5sums(i, in.sums, name, moved, own)
	}
	in.doubts(p)
}

// md5sums reads lines of a digest, two blanks and a path without its first slash. What the package's list does not hold was taken over by
// a package that replaces it; own is nil where there is no list.
func (d *Database) md5sums(i int, f *File, name string, moved map[string]diversion, own map[uint64]bool) {
	buf := []byte{'/'}
	for line := range bytes.Lines(d.slurp(f)) {
		sum, p, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte("  "))
		if !ok || len(sum) != 32 {
			continue
		}
		buf = append(buf[:1], bytes.TrimPrefix(bytes.TrimPrefix(p, []byte("./")), []byte("/"))...)
		at := place(buf, name, moved)
		if own != nil && !own[d.hash(at)] {
			continue
		}
		e := d.of(i, at)
		if e == nil {
			if e = d.add(i, at); e == nil {
				continue
			}
		}
		d.hexSum(e, MD5, sum)
	}
}

// doubts holds a package's lists against each other: the digests come out of the package with the time at which it was built, the list is
// written when it is unpacked, and both change together with the other files that dpkg keeps.
func (in *dpkgInfo) doubts(p *Package) {
	l, s := in.list, in.sums
	if s == nil {
		return
	}
	if s.Mtime.Known() && l.Mtime.Known() && s.Mtime.Sub(l.Mtime) > slack {
		p.doubt(fmt.Sprintf("its list of digests was written %s, after the package was unpacked %s", s.Mtime, l.Mtime))
	}
	others := evidence.Max(l.Ctime, in.newest)
	if s.Ctime.Known() && others.Known() && s.Ctime.Sub(others) > slack {
		p.doubt(fmt.Sprintf("its list of digests changed %s, alone among its files, which changed %s at the latest", s.Ctime, others))
	}
	others = evidence.Max(s.Ctime, in.newest)
	if l.Ctime.Known() && others.Known() && l.Ctime.Sub(others) > slack {
		p.doubt(fmt.Sprintf("its list of files changed %s, alone among its files, which changed %s at the latest", l.Ctime, others))
	}
}

// overrides reads lines of user, group, mode and path (dpkg-statoverride(1)).
func (d *Database) overrides(t Tree) {
	f := d.open(t, dpkgDir+"/statoverride")
	if f == nil {
		return
	}
	for line := range bytes.Lines(d.slurp(f)) {
		w := strings.SplitN(strings.TrimRight(string(line), "\n"), " ", 4)
		if len(w) != 4 {
			continue
		}
		mode, err := strconv.ParseUint(w[2], 8, 12)
		e := d.of(-1, []byte(w[3]))
		if err != nil || e == nil {
			continue
		}
		e.mode, e.has = uint16(mode), true
		d.setWord(&e.user, w[0])
		d.setWord(&e.group, w[1])
	}
}
