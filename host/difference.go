package host

import (
	"context"
	"fmt"
	"strings"

	"telltale/evidence"
	"telltale/filesystem"
)

// Difference is what a journal holds and the disk does not show yet: the view as found against the replayed one.
type Difference struct {
	New, Gone, Changed int
	First, Last        evidence.Time // of the changes, by the files' own change times in the replayed view
	Examples           []string      // the first few, in words
}

const (
	maxExamples     = 10
	maxDifferDepth  = 256
	maxDifferOfADir = 200_000 // names of one directory that are compared
	maxDifferNew    = 10_000_000
)

// Words says what differs, "" for nothing.
func (d *Difference) Words() string {
	if d.New+d.Gone+d.Changed == 0 {
		return ""
	}
	s := fmt.Sprintf("the journal holds what the disk does not show yet: %d files new, %d gone, %d changed", d.New, d.Gone, d.Changed)
	if d.First.Known() {
		s += fmt.Sprintf(", from %s to %s", d.First, d.Last)
	}
	return s + ": " + strings.Join(d.Examples, ", ")
}

// Differ compares the two views of a filesystem that was not unmounted cleanly; a Mount with one view has no difference.
func (m *Mount) Differ(ctx context.Context) Difference {
	d := differ{ctx: ctx, was: m.AsWas, is: m.FS}
	if m.AsWas != nil {
		d.dir("", m.AsWas.Root(), m.FS.Root(), 0)
	}
	return d.out
}

type differ struct {
	ctx     context.Context
	was, is filesystem.FS
	out     Difference
}

func (d *differ) tell(n *int, path, what string, at evidence.Time) {
	*n++
	if at.Known() {
		d.out.First, d.out.Last = evidence.Min(d.out.First, at), evidence.Max(d.out.Last, at)
	}
	if len(d.out.Examples) < maxExamples {
		d.out.Examples = append(d.out.Examples, fmt.Sprintf("%q (%s)", path, what))
	}
}

func (d *differ) dir(path string, was, is filesystem.Inode, depth int) {
	if depth > maxDifferDepth || d.ctx.Err() != nil {
		return
	}
	before := d.names(d.was, was)
	type sub struct {
		path    string
		was, is filesystem.Inode
	}
	var subs []sub
	for e, err := range d.is.ReadDir(is) {
		if err != nil {
			continue
		}
		p := path + "/" + string(e.Name)
		old, there := before[string(e.Name)]
		delete(before, string(e.Name))
		now, err := stat(d.is, e.Inode)
		if err != nil {
			continue
		}
		then, err := stat(d.was, old)
		switch {
		case !there || err != nil || then.Type != now.Type:
			d.tell(&d.out.New, p, "new", now.Ctime)
			if now.Type == filesystem.Directory {
				d.fresh(p, e.Inode, depth+1)
			}
			continue
		case then.Size != now.Size || then.Mtime != now.Mtime || then.Ctime != now.Ctime || then.Inode != now.Inode:
			if now.Type != filesystem.Directory {
				d.tell(&d.out.Changed, p, "changed", now.Ctime)
			}
		}
		if now.Type == filesystem.Directory {
			subs = append(subs, sub{p, old, e.Inode})
		}
	}
	for name := range before {
		d.tell(&d.out.Gone, path+"/"+name, "gone", evidence.Time{})
	}
	for _, s := range subs {
		d.dir(s.path, s.was, s.is, depth+1)
	}
}

// fresh tells what is in a directory that is new.
func (d *differ) fresh(path string, dir filesystem.Inode, depth int) {
	if depth > maxDifferDepth || d.ctx.Err() != nil {
		return
	}
	for e, err := range d.is.ReadDir(dir) {
		if err != nil {
			continue
		}
		m, err := stat(d.is, e.Inode)
		if err != nil || d.out.New > maxDifferNew {
			continue
		}
		p := path + "/" + string(e.Name)
		d.tell(&d.out.New, p, "new", m.Ctime)
		if m.Type == filesystem.Directory {
			d.fresh(p, e.Inode, depth+1)
		}
	}
}

func (d *differ) names(f filesystem.FS, dir filesystem.Inode) map[string]filesystem.Inode {
	out := map[string]filesystem.Inode{}
	for e, err := range f.ReadDir(dir) {
		if err == nil && len(out) < maxDifferOfADir {
			out[string(e.Name)] = e.Inode
		}
	}
	return out
}
