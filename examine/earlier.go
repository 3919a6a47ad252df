package examine

import (
	"fmt"
	"io"
	"path"
	"strings"

	"telltale/filesystem"
	"telltale/host"
)

// Earlier states of a disk - snapshots of a volume, of a subvolume - hold logs as they were then: what stood in them and stands in no
// log now was removed since.

// Bounds of what is looked at of earlier states.
const (
	maxEarlier     = 64
	maxEarlierLogs = 2000
	logDepth       = 4
)

// earlierLogs carves lines from the logs of earlier states.
func (r *run) earlierLogs(s *shovel) error {
	states := 0
	for _, in := range r.inputs {
		if len(in.Hosts) == 0 {
			continue
		}
		for _, e := range in.Earlier {
			if states++; states > maxEarlier {
				return nil
			}
			if err := r.logsOf(s, r.hostOf(in.Hosts[0]), e.Mount.FS, e.Mount.Prefix, fmt.Sprintf("snapshot %s of %s", e.Name, e.Made)); err != nil {
				return err
			}
		}
	}
	for _, h := range r.hosts {
		for i := range h.Mounts {
			m := &h.Mounts[i]
			v, ok := m.FS.(filesystem.Subvolumer)
			if !ok || h.MountedBefore(i) {
				continue
			}
			subs, err := v.Subvolumes(r.ctx)
			if err != nil {
				continue // told by the walk
			}
			for _, x := range subs {
				if x.Of == "" || x.FS == nil {
					continue
				}
				if states++; states > maxEarlier {
					return nil
				}
				if err := r.logsOf(s, h, x.FS, m.Prefix+"snapshot!"+x.Path, fmt.Sprintf("snapshot %s of %s", x.Path, x.Made)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// logsOf carves the files below /var/log of one state.
func (r *run) logsOf(s *shovel, h *seenHost, f filesystem.FS, prefix, name string) error {
	if h == nil {
		return nil
	}
	v := host.View{Source: h.Source, Mounts: []host.Mount{{At: "/", FS: f, Prefix: prefix}}}
	for _, top := range []string{"/var/log", "/log", "/@/var/log"} {
		e, err := v.Lstat(top)
		if err != nil || e.Meta.Type != filesystem.Directory {
			continue
		}
		r.stage("looking into the logs of " + name)
		files := 0
		return r.eachLog(&v, e, 0, &files, func(x *host.Entry) error {
			o := origin{h: h, r: io.NewSectionReader(v.File(x), 0, x.Meta.Size), source: h.Source, path: v.Ref(x).Path, file: strings.TrimPrefix(x.Path, "/@") + " in the " + name}
			return r.carve(s, o, oneExtent(0, min(x.Meta.Size, maxOldLog)))
		})
	}
	return nil
}

func (r *run) eachLog(v *host.View, dir host.Entry, depth int, files *int, f func(*host.Entry) error) error {
	for d, err := range dir.Mount.FS.ReadDir(dir.Meta.Inode) {
		if err != nil || *files >= maxEarlierLogs {
			continue
		}
		m, err := dir.Mount.FS.Stat(d.Inode)
		if m.Inode == 0 {
			continue
		}
		e := host.Entry{Path: path.Join(dir.Path, string(d.Name)), Meta: m, Mount: dir.Mount}
		switch {
		case m.Type == filesystem.Directory && depth < logDepth:
			err = r.eachLog(v, e, depth+1, files, f)
		case m.Type == filesystem.Regular && m.Size > 0:
			*files++
			err = f(&e)
		}
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if err != nil {
			continue
		}
	}
	return nil
}
