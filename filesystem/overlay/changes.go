package overlay

import (
	"context"
	"fmt"
	"iter"

	"telltale/filesystem"
	"telltale/internal/limit"
)

// Kind says what the upper layer does to the layers below.
type Kind uint8

// The kinds.
const (
	Added   Kind = iota // no layer below has it
	Changed             // a layer below has it too
	Deleted             // a whiteout hides what a layer below has
)

// String gives the kind in words.
func (k Kind) String() string { return [...]string{"added", "changed", "deleted"}[min(k, Deleted)] }

// Change is one file of the upper layer.
type Change struct {
	Path string // within the union
	Kind Kind
	Meta filesystem.Meta // of the upper layer's own file; of a deleted one: of the whiteout
}

// Changes walks the upper layer alone: what was written since the union was made. A directory that was only
// copied up for what it holds is no change.
func (f *FS) Changes(ctx context.Context) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		var below *FS
		if len(f.layers) > 1 {
			var err error
			if below, err = Open(f.layers[1:], f.o); err != nil && !yield(Change{}, err) {
				return
			}
		}
		w := changes{f: f, ctx: ctx, below: below, yield: yield, seen: map[filesystem.Inode]bool{}}
		root := filesystem.Inode(0)
		if below != nil {
			root = below.Root()
		}
		w.dir("", f.layers[0].Root, root, 0)
	}
}

type changes struct {
	f     *FS
	below *FS // nil where there is one layer
	ctx   context.Context
	yield func(Change, error) bool
	seen  map[filesystem.Inode]bool // directories: a crafted layer may hold loops
}

const maxDepth = 1024

// dir compares a directory of the upper layer with its like below, 0 for none. It tells whether to go on.
func (w *changes) dir(path string, upper, lower filesystem.Inode, depth int) bool {
	if w.seen[upper] || depth > maxDepth {
		return w.yield(Change{Path: path}, lost("directory %q was met before, or lies too deep", path))
	}
	w.seen[upper] = true
	names, err := w.names(lower)
	if err != nil && !w.yield(Change{Path: path}, err) {
		return false
	}
	type sub struct {
		path         string
		upper, lower filesystem.Inode
	}
	var subs []sub
	top := &w.f.layers[0]
	plain := string(w.f.attr(part{0, upper}, opaqueAttr)) == "x"
	for d, err := range top.FS.ReadDir(upper) {
		if w.ctx.Err() != nil {
			return false
		}
		if err != nil {
			if !w.yield(Change{Path: path}, err) {
				return false
			}
			continue
		}
		c, below, ok, err := w.change(path, d, names, plain)
		switch {
		case err != nil:
			ok = w.yield(c, err)
		case ok:
			ok = w.yield(c, nil)
		default:
			ok = true
		}
		if !ok {
			return false
		}
		if c.Meta.Type == filesystem.Directory && c.Kind != Deleted && len(subs) < maxNames {
			subs = append(subs, sub{c.Path, d.Inode, below})
		}
	}
	for _, s := range subs {
		if !w.dir(s.path, s.upper, s.lower, depth+1) {
			return false
		}
	}
	return true
}

// change judges one name; below is the directory that it covers, ok tells whether it is a change.
func (w *changes) change(path string, d filesystem.Dirent, names map[string]filesystem.Dirent, plain bool) (c Change, below filesystem.Inode, ok bool, err error) {
	s := string(d.Name)
	c.Path = path + "/" + s
	m, err := w.f.layers[0].FS.Stat(d.Inode)
	if m.Inode == 0 {
		return c, 0, false, err
	}
	c.Meta = m
	if w.f.o.Marks && len(s) > len(whiteoutMark) && s[:len(whiteoutMark)] == whiteoutMark {
		c.Path, c.Kind = path+"/"+s[len(whiteoutMark):], Deleted
		return c, 0, s != opaqueMark, nil
	}
	if _, white, _ := w.f.look(part{0, d.Inode}, m.Type, plain); white {
		c.Kind = Deleted
		return c, 0, true, nil
	}
	old, was := names[s]
	if !was {
		return c, 0, true, nil
	}
	c.Kind = Changed
	if m.Type != filesystem.Directory || old.Type != filesystem.Directory {
		return c, 0, true, nil
	}
	if w.f.opaque(part{0, d.Inode}) {
		return c, 0, true, nil
	}
	o, _ := w.below.Stat(old.Inode)
	return c, old.Inode, o.Mode != m.Mode || o.UID != m.UID || o.GID != m.GID, nil
}

// names gives what the layers below have in a directory.
func (w *changes) names(dir filesystem.Inode) (map[string]filesystem.Dirent, error) {
	if dir == 0 || w.below == nil {
		return nil, nil
	}
	out := map[string]filesystem.Dirent{}
	var failed error
	for d, err := range w.below.ReadDir(dir) {
		if err != nil {
			failed = err
			continue
		}
		if len(out) >= maxNames {
			return out, fmt.Errorf("overlay directory of more than %d names: %w", maxNames, limit.ErrLimit)
		}
		out[string(d.Name)] = filesystem.Dirent{Inode: d.Inode, Type: d.Type}
	}
	return out, failed
}
