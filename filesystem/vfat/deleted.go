package vfat

import (
	"context"
	"fmt"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
)

// Bounds of the search.
const (
	maxDirs    = 1_000_000
	maxDeleted = 2_000_000
	maxDepth   = 128
	maxPending = 200_000 // directories that are known and not yet looked through
)

// Deleted finds files by the entries that directories keep of them. When a file is deleted its chain goes: what is left
// is where it began and how long it was, so its content is taken to lie in one piece.
func (f *FS) Deleted(ctx context.Context) (filesystem.History, iter.Seq2[filesystem.Recovered, error]) {
	h := filesystem.History{Source: "directories", Notes: []string{"a deleted file is known until its entry is used again; nothing tells when it was deleted",
		"its content is taken to lie in one piece from its first cluster on: of a file that was in several pieces the first is right"}}
	return h, func(yield func(filesystem.Recovered, error) bool) {
		g := &graves{f: f, ctx: ctx, yield: yield, seen: map[uint32]bool{}}
		root, err := f.entry(rootInode)
		if err != nil {
			yield(filesystem.Recovered{}, err)
			return
		}
		g.dir(root, "", 0)
	}
}

type graves struct {
	f     *FS
	ctx   context.Context
	yield func(filesystem.Recovered, error) bool
	seen  map[uint32]bool // first clusters of directories
	found int

	pending int
}

// dir looks through a directory, which may be deleted itself. It tells whether to go on.
func (g *graves) dir(d *entry, path string, depth int) bool {
	if g.ctx.Err() != nil || depth > maxDepth || g.seen[d.first] || len(g.seen) > maxDirs {
		return g.ctx.Err() == nil
	}
	g.seen[d.first] = true
	var subs []entry
	on := true
	err := g.f.files(d, func(e *entry) bool {
		if g.ctx.Err() != nil {
			on = false
			return false
		}
		if d.meta.State == filesystem.Deleted {
			e.meta.State = filesystem.Deleted
		}
		if e.lost && e.name != "" {
			e.name = "_" + e.name[1:]
		}
		if e.meta.State == filesystem.Deleted {
			if !g.sane(e) {
				return true
			}
			on = g.tell(e, path)
		}
		if e.meta.Type == filesystem.Directory && g.pending < maxPending && !g.seen[e.first] && (e.meta.State == filesystem.Live || g.left(e)) {
			subs = append(subs, *e)
			g.pending++
		}
		return on
	}, true)
	defer func() { g.pending -= len(subs) }()
	if err != nil && on && d.meta.State == filesystem.Live {
		on = g.yield(filesystem.Recovered{}, err)
	}
	for i := range subs {
		if !on {
			return false
		}
		on = g.dir(&subs[i], path+"/"+subs[i].name, depth+1)
	}
	return on
}

// sane tells an entry from whatever else lies behind a directory's end.
func (g *graves) sane(e *entry) bool {
	m := &e.meta
	for i := 0; i < len(e.name); i++ {
		if e.name[i] < ' ' || e.name[i] == '/' {
			return false
		}
	}
	return e.name != "" && m.Mtime.Known() && m.Size <= int64(g.f.g.clusters)*g.f.g.cluster && (e.first == 0 || g.f.inside(e.first))
}

// left tells whether a deleted directory's first cluster still holds its entries: it begins with the one for itself.
func (g *graves) left(e *entry) bool {
	if !g.f.inside(e.first) {
		return false
	}
	if free, err := g.f.free(e.first); err != nil || !free {
		return false
	}
	if g.f.g.kind == exFAT {
		e.contiguous = true
		e.meta.Size = g.f.g.cluster
		return true
	}
	var b [entrySize]byte
	if g.f.readAt(b[:], g.f.place(e.first)) != nil || string(b[:11]) != ".          " {
		return false
	}
	e.contiguous, e.meta.Size = true, g.f.g.cluster // of a chain that is gone: its first cluster
	return true
}

func (g *graves) tell(e *entry, path string) bool {
	if g.found++; g.found > maxDeleted {
		g.yield(filesystem.Recovered{}, damage(0, 0, "more than %d deleted files", maxDeleted))
		return false
	}
	r := filesystem.Recovered{Meta: e.meta, Path: path + "/" + e.name, PathFrom: "directory entry", From: fmt.Sprintf("directory entry, first cluster %d", e.first)}
	if e.lost {
		r.PathFrom += ", which has lost the name's first letter"
	}
	c := &chain{f: g.f, size: e.meta.Size, valid: e.valid}
	if e.meta.Type != filesystem.Regular {
		c.size, r.Meta.Size = 0, 0
	}
	if c.size > 0 {
		g.f.straight(c, e.first)
	}
	r.Content, r.Extents = c, c.extents()
	r.Free, r.Reused = g.held(e.first, c)
	r.After = evidence.Max(e.meta.Mtime, e.meta.Crtime)
	return g.yield(r, nil)
}

// held counts what of the content nobody has got since. Where it cannot be told it counts as another's.
func (g *graves) held(first uint32, c *chain) (free, reused int64) {
	if len(c.runs) == 0 {
		return 0, c.size
	}
	for off := int64(0); off < c.size; off += g.f.g.cluster {
		n := min(g.f.g.cluster, c.size-off)
		if ok, err := g.f.free(first + uint32(off/g.f.g.cluster)); ok && err == nil {
			free += n
		} else {
			reused += n
		}
	}
	return free, reused
}
