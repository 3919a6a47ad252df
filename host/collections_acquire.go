package host

import (
	"strings"
	"time"

	"telltale/filesystem"
)

// foxit opens a collection of acquire (fox-it dissect): fs/$rootfs$ with the files, in older versions fs itself, and $metadata$.
func foxit(p *parcel) (*unpacked, error) {
	at := "/fs/$rootfs$"
	root, ok := p.folder("fs/$rootfs$")
	if _, meta := p.folder("$metadata$"); !ok && meta {
		at = "/fs"
		root, ok = p.folder("fs")
	}
	if !ok {
		return nil, nil
	}
	u := &unpacked{state: &State{Kind: kindAcquire}, tree: newGathered(true), at: at, copied: true}
	if err := u.tree.add(p.ctx, p.fs, root, nil); err != nil {
		return nil, err
	}
	u.state.Taken = nameTime(p.name, "20060102150405", time.UTC)
	if i := strings.LastIndexByte(p.name, '_'); i > 0 && u.state.Taken.Known() {
		u.host = clean([]byte(p.name[:i]))
	}
	u.state.Notes = append(u.state.Notes, "owners, modes and change times of files are lost in it: acquire does not keep them")
	for _, n := range p.names("fs") {
		if n != "$rootfs$" && at != "/fs" {
			u.state.Notes = append(u.state.Notes, "not read: fs/"+n+", another volume of the machine")
		}
	}
	if _, m, ok := child(u.tree, "proc"); !ok || m.Type != filesystem.Directory {
		u.state.Still = true
		u.state.Notes = append(u.state.Notes, "it holds no /proc: what ran is not known")
	} else {
		u.state.Notes = append(u.state.Notes, "of processes it holds what acquire copies of /proc, and no links: which programs ran whose file is gone is not known")
	}
	return u, nil
}

// child finds a name at a tree's top.
func child(f filesystem.FS, name string) (filesystem.Inode, filesystem.Meta, bool) {
	i, err := find(f, f.Root(), name)
	if err != nil {
		return 0, filesystem.Meta{}, false
	}
	m, err := stat(f, i)
	return i, m, err == nil
}
