package examine

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/carve"
)

// Space that files have and never wrote to is as good a place for lines as free space: what the disk held before lies there. A line that is found
// there is told with the file, which has nothing to do with it.

// Bounds of what is looked through.
const (
	maxLeftovers = 600_000 // runs of one filesystem
	maxBehind    = 400_000 // of them, behind the ends of files
)

// leftovers are the runs of one filesystem, in the order in which they lie, none over another.
type leftovers struct {
	h     *seenHost
	mount *host.Mount
	runs  []filesystem.Leftover
}

// carveLeftovers looks through what the files of a filesystem were given and never wrote to.
func (r *run) carveLeftovers(s *shovel, h *seenHost, m *host.Mount) error {
	f, ok := m.FS.(filesystem.Leftoverer)
	if !ok {
		return nil
	}
	r.stage("looking for removed lines in space that files never wrote to, on " + strings.TrimRight(m.Prefix, ":!"))
	l := &leftovers{h: h, mount: m}
	behind := 0
	for x, err := range f.Leftovers(r.ctx) {
		if err != nil {
			if r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			continue // the walk tells what cannot be read
		}
		if x.Behind {
			behind++
		}
		if len(l.runs) >= maxLeftovers || x.Behind && behind > maxBehind {
			r.damage(evidence.Damage{Ref: evidence.Ref{Source: h.Source, Path: m.Prefix + "never written"}, Reason: fmt.Sprintf("space that files never wrote to lies in more than %d runs: the rest was not looked at", len(l.runs))})
			break
		}
		l.runs = append(l.runs, x)
	}
	l.sort()
	return r.carve(s, origin{h: h, r: m.Raw, source: h.Source, path: m.Prefix + "never written", left: l}, l.extents())
}

// sort puts the runs in order and takes out what lies over another, which only damage or a crafted filesystem has.
func (l *leftovers) sort() {
	slices.SortFunc(l.runs, func(a, b filesystem.Leftover) int {
		return cmp.Or(cmp.Compare(a.Physical, b.Physical), cmp.Compare(b.Length, a.Length))
	})
	kept, end := l.runs[:0], int64(0)
	for _, x := range l.runs {
		if x.Physical >= end {
			kept = append(kept, x)
			end = x.Physical + x.Length
		}
	}
	l.runs = kept
}

func (l *leftovers) extents() iter.Seq[carve.Extent] {
	return func(yield func(carve.Extent) bool) {
		for _, x := range l.runs {
			if !yield(carve.Extent{Off: x.Physical, Len: x.Length}) {
				return
			}
		}
	}
}

// at gives the run that an offset lies in.
func (l *leftovers) at(off int64) filesystem.Leftover {
	i, found := slices.BinarySearchFunc(l.runs, off, func(x filesystem.Leftover, off int64) int { return cmp.Compare(x.Physical, off) })
	if !found {
		i--
	}
	if i < 0 {
		return filesystem.Leftover{}
	}
	return l.runs[i]
}

// leftPlace is where in the space of a file a line was found.
type leftPlace struct {
	of  *leftovers
	run filesystem.Leftover
	off int64
}

func (o *origin) leftAt(off int64) leftPlace {
	if o.left == nil {
		return leftPlace{}
	}
	return leftPlace{o.left, o.left.at(off), off}
}

// nameLeftovers finds the names of the files in whose space lines were found: the tree is gone through once more, and only where there are any.
func (r *run) nameLeftovers() {
	wanted := map[*host.Mount]map[filesystem.Inode]string{}
	hosts := map[*seenHost]bool{}
	for i := range r.buried {
		for k := range r.buried[i].lines {
			if of := r.buried[i].lines[k].left; of.of != nil {
				if wanted[of.of.mount] == nil {
					wanted[of.of.mount] = map[filesystem.Inode]string{}
				}
				wanted[of.of.mount][of.run.Inode] = ""
				hosts[of.of.h] = true
			}
		}
	}
	for _, h := range r.hosts {
		if !hosts[h] {
			continue
		}
		h.Walk(r.ctx, func(string, error) {}, func(e *host.Entry) error {
			if m := wanted[e.Mount]; m != nil {
				if p, ok := m[e.Meta.Inode]; ok && p == "" {
					m[e.Meta.Inode] = e.Path
				}
			}
			return nil
		})
	}
	for i := range r.buried {
		for k := range r.buried[i].lines {
			if l := &r.buried[i].lines[k]; l.left.of != nil {
				l.file = l.left.words(wanted[l.left.of.mount][l.left.run.Inode])
			}
		}
	}
}

// inSpace begins the words for a place in the space of a file.
const inSpace = "space of "

func (p *leftPlace) words(name string) string {
	if name == "" {
		name = fmt.Sprintf("inode %d", p.run.Inode)
	}
	what := "that was never written"
	if p.run.Behind {
		what = "behind its end"
	}
	return fmt.Sprintf("%s%s %s, at its offset %d", inSpace, name, what, p.run.Logical+p.off-p.run.Physical)
}
