package host

import (
	"bytes"
	"hash/maphash"
	"strings"

	"telltale/filesystem"
)

// Owners tells which package owns a path, by the package manager's own lists.
type Owners struct {
	seed  maphash.Seed
	owner map[uint64]uint32
	names []string
	Read  bool   // a database was found and read
	From  string // which
}

// maxOwned bounds the paths of all packages together.
const maxOwned = 8_000_000

// Owners reads dpkg's file lists (dpkg 1.21, /var/lib/dpkg/info/*.list) or apk's installed database. Without
// one, no path is owned and Read is false: "unowned" then means nothing.
func (h *Host) Owners() *Owners {
	o := &Owners{seed: maphash.MakeSeed(), owner: map[uint64]uint32{}}
	dir, err := h.Lookup("/var/lib/dpkg/info")
	if err == nil && dir.Meta.Type == filesystem.Directory {
		o.From = "/var/lib/dpkg/info"
		for d, err := range dir.Mount.FS.ReadDir(dir.Meta.Inode) {
			name := string(d.Name)
			if err != nil || !strings.HasSuffix(name, ".list") {
				continue
			}
			b, err := h.ReadFile("/var/lib/dpkg/info/" + name)
			if err != nil {
				continue
			}
			o.Read = true
			pkg, _, _ := strings.Cut(strings.TrimSuffix(name, ".list"), ":")
			o.add(pkg, b)
		}
		return o
	}
	if b, err := h.ReadFile("/lib/apk/db/installed"); err == nil {
		o.From, o.Read = "/lib/apk/db/installed", true
		o.apk(b)
	}
	return o
}

func (o *Owners) add(pkg string, list []byte) {
	o.names = append(o.names, pkg)
	i := uint32(len(o.names) - 1)
	for line := range bytes.Lines(list) {
		if p := bytes.TrimRight(line, "\r\n"); len(p) > 2 && len(o.owner) < maxOwned {
			o.owner[maphash.Bytes(o.seed, p)] = i
		}
	}
}

// apk reads the stanzas of apk's database: P: package, F: directory, R: file.
func (o *Owners) apk(b []byte) {
	dir := ""
	for line := range bytes.Lines(b) {
		k, v, ok := strings.Cut(strings.TrimRight(string(line), "\n"), ":")
		switch {
		case !ok:
		case k == "P":
			o.names = append(o.names, v)
		case k == "F":
			dir = "/" + v
		case k == "R" && len(o.names) > 0 && len(o.owner) < maxOwned:
			o.owner[maphash.String(o.seed, join(dir, v))] = uint32(len(o.names) - 1)
		}
	}
}

// Of gives the package that owns a path, "" for none. Lists name paths as the package ships them; since
// /bin, /sbin and /lib became links into /usr the same file has two names.
func (o *Owners) Of(p string) string {
	if i, ok := o.owner[maphash.String(o.seed, p)]; ok {
		return o.names[i]
	}
	for _, d := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/", "/lib32/", "/libx32/"} {
		var q string
		switch {
		case strings.HasPrefix(p, "/usr"+d):
			q = p[len("/usr"):]
		case strings.HasPrefix(p, d):
			q = "/usr" + p
		default:
			continue
		}
		if i, ok := o.owner[maphash.String(o.seed, q)]; ok {
			return o.names[i]
		}
	}
	return ""
}
