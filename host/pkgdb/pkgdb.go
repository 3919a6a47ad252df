// Package pkgdb reads what package managers know of a host: dpkg's lists, digests and diversions, apk's installed
// database, and rpm's in each of its forms (Berkeley DB, ndb, SQLite). It tells which package owns a path and what the
// file was like when it was installed. It looks at no file of a package itself, and draws no conclusion. Whoever has
// root can write these databases: what is odd about them is told in Package.Doubts. Paths are absolute, as packages
// ship them; sizes are in bytes.
//
// Specification: dpkg 1.21 (deb-md5sums(5), lib/dpkg/db-fsys-divert.c), apk-tools 2.14 (apk-package(5), src/database.c), rpm 4.18
// (docs/manual/format.md, lib/header.c, lib/backend), Berkeley DB 5.3 (src/dbinc/db_page.h).
package pkgdb

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/limit"
)

// Tree is a host's tree, as far as it is asked here.
type Tree interface {
	// Open finds a regular file, links followed; filesystem.ErrNotExist where there is none.
	Open(path string) (*File, error)
	// Files gives the regular files of a directory; nothing where there is none.
	Files(dir string) iter.Seq2[*File, error]
}

// File is one file of a database.
type File struct {
	io.ReaderAt
	Path         string
	Size         int64
	Mtime, Ctime evidence.Time // Ctime is unknown where it is that of a copy
	Ref          evidence.Ref
}

// Package is one that is installed.
type Package struct {
	Name, Version, Arch string // Version has epoch and release: "2:8.7-1.el9"
	Source              string // the source package, "" where the database names none
	Vendor              string // who made it, as the package says
	Status              string // dpkg's words: "install ok installed"
	Installed           evidence.Time
	Signed              bool     // its record carries a signature (rpm); the signature is not checked
	Doubts              []string // what speaks for a record that was written by another than the package manager
	Ref                 evidence.Ref
}

// Whole tells whether the package's files were all put in place: a run of dpkg that was cut off leaves old and new ones.
func (p *Package) Whole() bool {
	switch p.Status {
	case "", "install ok installed", "hold ok installed":
		return true
	}
	return false
}

// Algo is the digest algorithm that a database uses.
type Algo uint8

// The algorithms; rpm numbers them as RFC 4880, section 9.4, does.
const (
	NoDigest Algo = 0
	MD5      Algo = 1
	SHA1     Algo = 2
	SHA256   Algo = 8
	SHA384   Algo = 9
	SHA512   Algo = 10
	SHA224   Algo = 11
)

// sizes are the digests' lengths in bytes.
var sizes = map[Algo]int{MD5: 16, SHA1: 20, SHA224: 28, SHA256: 32, SHA384: 48, SHA512: 64}

var algoNames = map[Algo]string{MD5: "md5", SHA1: "sha1", SHA224: "sha224", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}

// String gives the algorithm's name: "sha256".
func (a Algo) String() string { return algoNames[a] }

// Flags tell what a file is to its package.
type Flags uint8

// The flags.
const (
	Config    Flags = 1 << iota // administrators are meant to change it
	Ghost                       // owned, but not shipped: a log, a cache
	Doc                         // documentation
	MayMiss                     // it need not be there
	Unchecked                   // the package itself says that the content changes
)

// Expected is what a package says of one of its files.
type Expected struct {
	ID      int // of this statement: 0 to Files()-1
	Package *Package
	Algo    Algo
	Sum     []byte // not to be changed
	Size    int64  // -1 where the database does not say
	Mode    uint16 // as filesystem.Meta.Mode
	HasMode bool
	Type    filesystem.Type // UnknownType where the database does not say
	User    string          // "" where the database does not say
	Group   string
	Caps    string // as cap_to_text(3) writes them, "" for none
	Flags   Flags
}

// Database is what all package managers of a host know.
type Database struct {
	Read     bool   // a database was found and read; without one, "unowned" means nothing
	From     string // the database that holds the most packages
	Kinds    []string
	Packages []Package
	Notes    []string
	Damage   []evidence.Damage
	table
	diverted map[string]string // path -> who keeps the package's file elsewhere
}

// bounds of what is kept.
const (
	maxOwned    = 8_000_000 // paths of all packages together
	maxPackages = 500_000
	maxText     = 512 << 20 // bytes of paths, and of digests
	maxFile     = 64 << 20  // bytes of a list or a status file
	maxWord     = 512       // bytes of a name, a version
	maxDamage   = 500
	maxDoubts   = 8
)

// Read reads the databases of every package manager that there are: one that an intruder put beside the real one
// must not hide it.
func Read(t Tree) *Database {
	d := &Database{table: newTable(), diverted: map[string]string{}}
	most := 0
	for _, m := range []struct {
		name string
		read func(*Database, Tree) (from string)
	}{{"dpkg", (*Database).dpkg}, {"apk", (*Database).apk}, {"rpm", (*Database).rpm}} {
		before := len(d.Packages)
		from := m.read(d, t)
		if from == "" {
			continue
		}
		n := len(d.Packages) - before
		if n > 0 {
			d.Read = true
			d.Kinds = append(d.Kinds, m.name)
		}
		if n > most || d.From == "" {
			most, d.From = n, from
		}
	}
	if d.full {
		d.Notes = append(d.Notes, fmt.Sprintf("packages own more than %d paths: the rest is not known", maxOwned))
	}
	d.settle()
	return d
}

// Of gives the package that owns a path, "" for none.
func (d *Database) Of(p string) string {
	if i, ok := d.find(p); ok {
		return d.Packages[d.entries[i].pkg].Name
	}
	return ""
}

// Files gives how many statements about files there are.
func (d *Database) Files() int { return len(d.entries) }

// Claims gives what packages say of a path: more than one where several ship it.
func (d *Database) Claims(p string) iter.Seq[Expected] {
	return func(yield func(Expected) bool) {
		i, ok := d.find(p)
		for n := 0; ok && n < maxClaims; n++ {
			if !yield(d.expected(i)) {
				return
			}
			i, ok = d.after(i)
		}
	}
}

// All gives every statement with its path.
func (d *Database) All() iter.Seq2[string, Expected] {
	return func(yield func(string, Expected) bool) {
		for i := range d.entries {
			if !yield(d.path(uint32(i)), d.expected(uint32(i))) {
				return
			}
		}
	}
}

// Diverted tells who keeps a package's file under another name than this one (dpkg-divert(1)): a package, or
// "the administrator".
func (d *Database) Diverted(p string) (by string, ok bool) {
	for q := range names(p) {
		if by, ok = d.diverted[q]; ok {
			return by, true
		}
	}
	return "", false
}

func (d *Database) expected(i uint32) Expected {
	e := &d.entries[i]
	x := Expected{ID: int(i), Package: &d.Packages[e.pkg], Algo: e.algo, Size: e.size, Flags: e.flags, HasMode: e.has, Type: e.kind, Mode: e.mode,
		User: d.word(e.user), Group: d.word(e.group), Caps: d.word(e.caps)}
	if n := sizes[e.algo]; n > 0 {
		x.Sum = d.sums[e.sum : int(e.sum)+n : int(e.sum)+n]
	}
	return x
}

func (d *Database) damage(ref evidence.Ref, reason string) {
	if len(d.Damage) < maxDamage {
		d.Damage = append(d.Damage, evidence.Damage{Ref: ref, Reason: reason})
	}
}

// doubt notes what is odd about a package's record.
func (p *Package) doubt(why string) {
	if len(p.Doubts) < maxDoubts {
		p.Doubts = append(p.Doubts, why)
	}
}

// pack adds a package and gives its number.
func (d *Database) pack(p Package) (int, bool) {
	if len(d.Packages) >= maxPackages {
		d.full = true
		return 0, false
	}
	for _, s := range []*string{&p.Name, &p.Version, &p.Arch, &p.Source, &p.Vendor, &p.Status} {
		*s = (*s)[:min(len(*s), maxWord)]
	}
	d.Packages = append(d.Packages, p)
	return len(d.Packages) - 1, true
}

// slurp reads a file of a database whole.
func (d *Database) slurp(f *File) []byte {
	if f.Size > maxFile {
		d.damage(f.Ref, fmt.Sprintf("%d bytes of a package database: %v", f.Size, limit.ErrLimit))
		return nil
	}
	b := make([]byte, max(f.Size, 0))
	n, err := io.ReadFull(io.NewSectionReader(f, 0, f.Size), b)
	if err != nil && !errors.Is(err, io.EOF) {
		d.damage(f.Ref, "read a package database: "+err.Error())
	}
	return b[:n]
}

// open finds a file; what cannot be read is damage, what is not there is nil.
func (d *Database) open(t Tree, p string) *File {
	f, err := t.Open(p)
	if err != nil {
		if !errors.Is(err, filesystem.ErrNotExist) {
			d.damage(evidence.Ref{Path: p}, "open a package database: "+err.Error())
		}
		return nil
	}
	return f
}
