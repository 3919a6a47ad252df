// Package secrets knows which files of a server hold secrets, or data worth taking, by their names and what their first bytes say of their kind. A
// secret's value leaves it nowhere: Look answers with words of its own. The places are those of the programs' manual pages and of
// the packages of Debian, RHEL and the makers.
package secrets

import (
	"path"
	"strings"
)

// Head is how much of a file Look wants, bytes.
const Head = 64 << 10

// The classes.
const (
	Hashes      = "password-hashes"
	PrivateKey  = "private-key"
	Certificate = "certificate-key"
	Token       = "token"
	Password    = "service-password"
	Data        = "data"
)

// Kind is one kind of secret.
type Kind struct {
	ID     string // "wordpress-config"
	Class  string
	Words  string // "the password of WordPress's database"
	Do     string // what replaces it
	Folder bool   // told by its folder, not file by file

	names   []string // of files; "*" at an end stands for anything
	below   []string // one of these parts lies in the path; "^" before it binds it to the beginning, "$" behind it to the folder itself; "?" is one folder of any name
	endings []string // of names
	look    func(head []byte) (more string, is bool)
}

// Look tells by a file's first bytes what more there is to say of it, and whether it is one at all. A nil head stands for a content that is not to be had: then
// only what the name promises is told, and Certain says whether that is enough.
func (k *Kind) Look(head []byte) (more string, is bool) {
	if k.look == nil || head == nil {
		return "", true
	}
	return k.look(head)
}

// Certain tells whether name and place alone tell that it is one, where the content is not to be had.
func (k *Kind) Certain(name string) bool {
	switch k.ID {
	case "ssh-key":
		return strings.HasPrefix(name, "id_") && !strings.Contains(name, ".")
	case "shadow", "ssh-host-key", "wordpress", "mysql-client":
		return true
	}
	return k.look == nil
}

// Reads tells whether the content has to be seen to know whether it is one.
func (k *Kind) Reads() bool { return k.look != nil }

// Table finds kinds by path.
type Table struct {
	byName   map[string][]*Kind
	byEnding map[string][]*Kind // by what follows the last dot
	byFolder map[string][]*Kind // by the folder's own name
	loose    []*Kind            // names with a "*"
	byID     map[string]*Kind
}

// New gives the table of all kinds.
func New() *Table {
	t := &Table{byName: map[string][]*Kind{}, byEnding: map[string][]*Kind{}, byFolder: map[string][]*Kind{}, byID: map[string]*Kind{}}
	for _, k := range kinds() {
		t.add(&k)
	}
	return t
}

func (t *Table) add(k *Kind) {
	t.byID[k.ID] = k
	for _, n := range k.names {
		switch {
		case n == "*":
			for _, b := range k.below {
				b = path.Base(strings.Trim(b, "^$/"))
				t.byFolder[b] = append(t.byFolder[b], k)
			}
		case strings.Contains(n, "*"):
			if n := len(t.loose); n == 0 || t.loose[n-1] != k {
				t.loose = append(t.loose, k)
			}
		default:
			t.byName[n] = append(t.byName[n], k)
		}
	}
	for _, e := range k.endings {
		e = e[strings.LastIndexByte(e, '.')+1:]
		t.byEnding[e] = append(t.byEnding[e], k)
	}
}

// ByID gives a kind by its name, nil for none.
func (t *Table) ByID(id string) *Kind { return t.byID[id] }

// Of gives the kinds that a file's path may be, the likeliest first; none for almost all files.
func (t *Table) Of(p string) (out []*Kind) {
	dir, name := path.Split(p)
	for _, list := range [][]*Kind{t.byFolder[path.Base(dir)], t.byName[name], t.loose, t.byEnding[strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])]} {
		for _, k := range list {
			if !k.Folder && k.fits(dir, name) {
				out = append(out, k)
			}
		}
	}
	return out
}

// Folder gives the kind that a folder is, nil for none.
func (t *Table) Folder(p string) *Kind {
	dir, name := path.Split(p)
	for _, k := range t.byName[name] {
		if k.Folder && k.fits(dir, name) {
			return k
		}
	}
	return nil
}

// snakeoil is the key that Debian makes for servers without a certificate: nobody trusts it.
const snakeoil = "ssl-cert-snakeoil.key"

func (k *Kind) fits(dir, name string) bool {
	return k.Named(name) && name != snakeoil && k.lies(dir) && !others(dir)
}

// others tells folders of other people's code, whose tests and examples bring keys and settings that open nothing.
func others(dir string) bool {
	for _, s := range []string{"/node_modules/", "/vendor/", "/site-packages/", "/dist-packages/", "/testdata/", "/tests/", "/fixtures/", "/examples/", "/.git/", "/gems/"} {
		if strings.Contains(dir, s) {
			return true
		}
	}
	return false
}

// Named tells whether a file's name alone is one of the kind's.
func (k *Kind) Named(name string) bool {
	for _, n := range k.names {
		before, after, star := strings.Cut(n, "*")
		if n == name || star && len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after) {
			return true
		}
	}
	low := strings.ToLower(name)
	for _, e := range k.endings {
		if len(low) > len(e) && strings.HasSuffix(low, e) {
			return true
		}
	}
	return false
}

func (k *Kind) lies(dir string) bool {
	for _, b := range k.below {
		first, last := strings.HasPrefix(b, "^"), strings.HasSuffix(b, "$")
		b = strings.Trim(b, "^$")
		switch {
		case strings.Contains(b, "?"):
			if ok, _ := path.Match(strings.ReplaceAll(b, "?", "*"), dir); ok {
				return true
			}
		case first && last && dir == b, first && !last && strings.HasPrefix(dir, b), !first && last && strings.HasSuffix(dir, b), !first && !last && strings.Contains(dir, b):
			return true
		}
	}
	return len(k.below) == 0
}
