package pkgdb

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"

	"telltale/filesystem"
)

// apkPaths are where apk keeps its database: the second since apk-tools 3.
var apkPaths = []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed"}

// apk reads apk's database. Its digests of links are those of their targets: who compares must look at the type.
func (d *Database) apk(t Tree) string {
	for _, p := range apkPaths {
		if f := d.open(t, p); f != nil {
			d.installed(f)
			return p
		}
	}
	return ""
}

// apkState is where the reading of a database stands.
type apkState struct {
	pkg  int
	open bool
	dir  string
	file *entry
}

func (d *Database) installed(f *File) {
	var s apkState
	off := int64(0)
	for line := range bytes.Lines(d.slurp(f)) {
		l := bytes.TrimRight(line, "\n")
		if len(l) > 2 && l[1] == ':' && len(l) <= 8192 {
			d.apkLine(&s, l[0], string(l[2:]), f, off)
		}
		if len(l) == 0 {
			s = apkState{}
		}
		off += int64(len(line))
	}
}

func (d *Database) apkLine(s *apkState, k byte, v string, f *File, off int64) {
	switch k {
	case 'C': // the first of a stanza
		*s = apkState{}
	case 'P':
		p := Package{Name: v, Ref: f.Ref}
		p.Ref.Off, p.Ref.Len = off, int64(len(v)+2)
		s.pkg, s.open = d.pack(p)
	case 'F':
		s.dir, s.file = "/"+v, nil
		if s.open && d.of(-1, []byte(s.dir)) == nil {
			if e := d.add(s.pkg, []byte(s.dir)); e != nil {
				e.kind = filesystem.Directory
			}
		}
	case 'R':
		s.file = nil
		if s.open {
			p := strings.TrimSuffix(s.dir, "/") + "/" + v
			s.file = d.add(s.pkg, []byte(p))
			if s.file != nil && strings.HasPrefix(p, "/etc/") { // apk's own list of protected paths
				s.file.flags |= Config
			}
			if s.file != nil { // 'a' is left out where it is this
				s.file.mode, s.file.has = 0o644, true
			}
		}
	case 'a': // uid:gid:mode
		if w := strings.Split(v, ":"); s.file != nil && len(w) >= 3 {
			if m, err := strconv.ParseUint(w[2], 8, 12); err == nil {
				s.file.mode, s.file.has = uint16(m), true
			}
		}
	case 'Z':
		if s.file != nil {
			d.apkSum(s.file, v)
		}
	default:
		d.apkField(s, k, v)
	}
}

func (d *Database) apkField(s *apkState, k byte, v string) {
	if !s.open {
		return
	}
	v = v[:min(len(v), maxWord)]
	p := &d.Packages[s.pkg]
	switch k {
	case 'V':
		p.Version = v
	case 'A':
		p.Arch = v
	case 'o':
		p.Source = v
	case 'm':
		p.Vendor = v
	}
}

// apkSum reads "Q1" and a SHA-1 in base64, or hexadecimal MD5 of old databases.
func (d *Database) apkSum(e *entry, v string) {
	if b, ok := strings.CutPrefix(v, "Q1"); ok {
		if sum, err := base64.StdEncoding.DecodeString(b); err == nil {
			d.setSum(e, SHA1, sum)
		}
		return
	}
	d.hexSum(e, MD5, []byte(v))
}
