package overlay

import (
	"fmt"
	"strings"

	"telltale/filesystem"
	"telltale/internal/limit"
)

// The marks that layers carry. Names of attributes stand without their prefix.
const (
	opaqueAttr   = "overlay.opaque"   // "y": nothing of the layers below shows; "x": it may hold whiteouts that are plain files
	whiteoutAttr = "overlay.whiteout" // on an empty file in a directory with opaque "x" (since 6.7)
	redirectAttr = "overlay.redirect" // what it was called in the layers below: a name, or a path from their top
	metacopyAttr = "overlay.metacopy" // the content lies in a layer below
	fuseOpaque   = "user.fuseoverlayfs.opaque"

	whiteoutMark = ".wh."
	opaqueMark   = ".wh..wh..opq"
)

// name is what a directory's layers say of one name.
type name struct {
	parts []part // top first; of a file with its metadata alone: the last has the content
	kind  filesystem.Type
	gone  bool // a whiteout lies over whatever there is below
	open  bool // layers below still add to it
	bare  bool // metadata alone
}

// merge puts the layers of one directory together.
type merge struct {
	f     *FS
	parts []part
	names map[string]*name
	order []string
}

// collect reads all layers; it tells whether to go on.
func (m *merge) collect(failed func(error) bool) bool {
	for _, p := range m.parts {
		ok := true
		hidden, err := m.layer(p, func(err error) bool { ok = failed(err); return ok })
		if !ok {
			return false
		}
		if err != nil {
			return failed(err)
		}
		for _, s := range hidden {
			m.hide(s)
		}
	}
	return true
}

// layer reads one layer, and gives the names that its marks hide from below.
func (m *merge) layer(p part, failed func(error) bool) (hidden []string, err error) {
	fs := m.f.layers[p.layer].FS
	plain := string(m.f.attr(p, opaqueAttr)) == "x"
	for d, err := range fs.ReadDir(p.inode) {
		if err != nil {
			if !failed(err) {
				return nil, nil
			}
			continue
		}
		s := string(d.Name)
		if m.f.o.Marks && strings.HasPrefix(s, whiteoutMark) {
			if s != opaqueMark && len(hidden) < maxNames {
				hidden = append(hidden, s[len(whiteoutMark):])
			}
			continue
		}
		if n := m.names[s]; n != nil && !n.open {
			continue
		}
		if len(m.order) >= maxNames {
			return nil, fmt.Errorf("overlay directory of more than %d names: %w", maxNames, limit.ErrLimit)
		}
		kind, white, err := m.f.look(part{p.layer, d.Inode}, d.Type, plain)
		if err != nil && kind == filesystem.UnknownType && !failed(err) {
			return nil, nil
		}
		m.add(s, part{p.layer, d.Inode}, kind, white)
	}
	return hidden, nil
}

// look tells a file's type, and whether it is a whiteout: a character device 0/0, or, where the directory
// says so, an empty file with an attribute.
func (f *FS) look(p part, kind filesystem.Type, plain bool) (filesystem.Type, bool, error) {
	if kind != filesystem.UnknownType && kind != filesystem.CharDevice && !(plain && kind == filesystem.Regular) {
		return kind, false, nil
	}
	x, err := f.layers[p.layer].FS.Stat(p.inode)
	if x.Inode == 0 && err != nil {
		return kind, false, err
	}
	switch {
	case x.Type == filesystem.CharDevice:
		return x.Type, x.Rdev == 0, nil
	case plain && x.Type == filesystem.Regular && x.Size == 0:
		_, ok := f.attrs(p)[f.prefix()+whiteoutAttr]
		return x.Type, ok, nil
	}
	return x.Type, false, nil
}

func (m *merge) hide(s string) {
	if n := m.names[s]; n != nil {
		n.open = false
		return
	}
	m.names[s] = &name{gone: true}
	m.order = append(m.order, s)
}

// add takes what one layer has under a name.
func (m *merge) add(s string, p part, kind filesystem.Type, white bool) {
	n := m.names[s]
	switch {
	case white:
		m.hide(s)
		return
	case n == nil:
		n = &name{kind: kind}
		m.names[s] = n
		m.order = append(m.order, s)
	case n.kind != kind:
		n.open = false
		return
	}
	n.parts = append(n.parts, p)
	n.open, n.bare = false, n.bare && kind == filesystem.Regular
	if p.layer == len(m.f.layers)-1 {
		return // there is nothing below
	}
	switch kind {
	case filesystem.Directory:
		if n.open = !m.f.opaque(p); !n.open {
			return
		}
	case filesystem.Regular:
		if _, n.open = m.f.attrs(p)[m.f.prefix()+metacopyAttr]; !n.open {
			return
		}
		n.bare = true
	default:
		return
	}
	if to := m.f.attr(p, redirectAttr); len(to) > 0 {
		n.open = false
		n.parts = append(n.parts, m.f.below(p.layer, string(to), m.parts, kind, 0)...)
	}
}

// below follows a redirect into the layers beneath one: they have the file under another name.
func (f *FS) below(layer int, to string, parent []part, kind filesystem.Type, depth int) (out []part) {
	const maxRedirects = 16
	if depth > maxRedirects {
		return nil
	}
	starts := parent
	if strings.HasPrefix(to, "/") {
		starts = nil
		for i := range f.layers {
			starts = append(starts, part{i, f.layers[i].Root})
		}
	}
	for _, at := range starts {
		if at.layer <= layer {
			continue
		}
		p, x, ok := f.walk(at, to)
		if !ok {
			continue
		}
		if x != kind {
			return out
		}
		if kind == filesystem.Regular {
			if _, bare := f.attrs(p)[f.prefix()+metacopyAttr]; !bare {
				return append(out, p)
			}
			continue
		}
		out = append(out, p)
		if f.opaque(p) {
			return out
		}
		if next := f.attr(p, redirectAttr); len(next) > 0 && strings.HasPrefix(string(next), "/") {
			return append(out, f.below(p.layer, string(next), nil, kind, depth+1)...)
		}
	}
	return out
}

// walk follows a path within one layer. A whiteout on the way ends the search: UnknownType says so.
func (f *FS) walk(at part, path string) (part, filesystem.Type, bool) {
	kind := filesystem.Directory
	steps := strings.Split(strings.Trim(path, "/"), "/")
	if len(steps) > limit.Depth*4 {
		return at, kind, false
	}
	for _, s := range steps {
		if s == "" || s == "." || s == ".." || kind != filesystem.Directory {
			return at, kind, false
		}
		found := false
		for d, err := range f.layers[at.layer].FS.ReadDir(at.inode) {
			if f.walked.Add(1) > maxWalked {
				return at, kind, false
			}
			if err != nil || string(d.Name) != s {
				continue
			}
			next := part{at.layer, d.Inode}
			x, white, err := f.look(next, d.Type, false)
			if white || err != nil {
				return at, filesystem.UnknownType, true
			}
			at, kind, found = next, x, true
			break
		}
		if !found {
			return at, kind, false
		}
	}
	return at, kind, true
}

func (f *FS) prefix() string {
	if f.o.UserXattr {
		return "user."
	}
	return "trusted."
}

func (f *FS) attrs(p part) map[string][]byte {
	x, ok := f.layers[p.layer].FS.(filesystem.Xattrer)
	if !ok {
		return nil
	}
	all, _ := x.Xattrs(p.inode) // what cannot be read is told when the file's own attributes are asked for
	return all
}

func (f *FS) attr(p part, name string) []byte { return f.attrs(p)[f.prefix()+name] }

// opaque tells whether a directory hides those of its name below.
func (f *FS) opaque(p part) bool {
	all := f.attrs(p)
	if string(all[f.prefix()+opaqueAttr]) == "y" {
		return true
	}
	if !f.o.Marks {
		return false
	}
	if string(all[fuseOpaque]) == "y" {
		return true
	}
	for d, err := range f.layers[p.layer].FS.ReadDir(p.inode) {
		if err == nil && string(d.Name) == opaqueMark {
			return true
		}
	}
	return false
}

// Xattrs gives a file's extended attributes without the union's own.
func (f *FS) Xattrs(i filesystem.Inode) (map[string][]byte, error) {
	p, err := f.part(i)
	if err != nil {
		return nil, err
	}
	x, ok := f.layers[p.layer].FS.(filesystem.Xattrer)
	if !ok {
		return nil, nil
	}
	all, err := x.Xattrs(p.inode)
	out := make(map[string][]byte, len(all))
	for k, v := range all {
		if !strings.HasPrefix(k, f.prefix()+"overlay.") {
			out[k] = v
		}
	}
	return out, err
}
