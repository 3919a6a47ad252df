package btrfs

import (
	"telltale/filesystem"
)

// Info describes the filesystem. The notes on checksums count what has been read so
// far, so they are whole only after the walk.
func (f *FS) Info() filesystem.Info {
	s := f.sb
	i := filesystem.Info{
		Kind: "btrfs", Label: s.label, UUID: s.fsid.String(),
		Features: featureNames(s.incompat, s.compatRO),
		Dirty:    s.log.at != 0,
		Notes:    append([]string(nil), f.notes...),
	}
	t := f.trees.list[f.top]
	i.LastWrite = t.ctime
	if j, ok := f.trees.index[treeFS]; ok {
		top := f.trees.list[j]
		i.Created = top.made
		if !i.Created.Known() { // mkfs leaves it out of the root item before 5.x
			if in, err := inodeOf(f.live(j), firstFree); err == nil {
				i.Created = in.meta(0).Crtime
			}
		}
	}
	for _, o := range f.trees.list {
		if o.ctime.Known() && (!i.LastWrite.Known() || i.LastWrite.Before(o.ctime)) {
			i.LastWrite = o.ctime
		}
	}
	f.describe(&i)
	return i
}

func (f *FS) describe(i *filesystem.Info) {
	s := f.sb
	if s.log.at != 0 && f.log == nil {
		i.Notes = append(i.Notes, "it was not unmounted cleanly and its log holds newer changes (fsync): the log was not replayed")
	}
	if s.incompat&incompatZoned != 0 {
		i.Notes = append(i.Notes, "it is zoned: its superblocks are a log of their own, of which only the usual places were read")
	}
	if s.flags&superFlagChangingFSID != 0 {
		i.Notes = append(i.Notes, "a change of its UUID was begun and not ended")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	note := func(n int, what string) {
		more := ""
		if n >= maxFaults {
			more = " or more"
		}
		if n > 0 {
			v := volume{}
			v.note("%s: %d%s", what, n, more)
			i.Notes = append(i.Notes, v.notes...)
		}
	}
	note(len(f.broken), "tree nodes whose first copy is bad")
	note(len(f.spoilt), "blocks of content whose first copy is bad")
}
