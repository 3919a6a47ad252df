package ext4

import (
	"fmt"

	"telltale/filesystem"
	"telltale/internal/places"
)

// Info describes the filesystem. The notes on checksums count what has been read so
// far, so they are whole only after the walk.
func (f *FS) Info() filesystem.Info {
	s := f.sb
	i := filesystem.Info{
		Kind: s.kind(), Label: s.label, LastMounted: s.lastMounted,
		UUID:      fmt.Sprintf("%x-%x-%x-%x-%x", s.uuid[:4], s.uuid[4:6], s.uuid[6:8], s.uuid[8:10], s.uuid[10:]),
		Features:  featureNames(s.compat, s.incompat, s.ro),
		LastMount: s.mtime, LastWrite: s.wtime, Created: s.mkfs,
		Dirty: !f.replayed && (s.state&stateValid == 0 || s.incompat&incompatRecover != 0), // copies of the superblock say yes
		Notes: append([]string(nil), f.notes...),
	}
	note := func(format string, a ...any) { i.Notes = append(i.Notes, fmt.Sprintf(format, a...)) }
	if f.replayed {
		note("it was not unmounted cleanly")
	} else if s.incompat&incompatRecover != 0 {
		note("it was not unmounted cleanly and its journal holds newer changes (needs_recovery): in this view the journal is not replayed")
	} else if s.state&stateValid == 0 && s.group == 0 {
		note("it was not unmounted cleanly")
	}
	if s.state&stateError != 0 || s.errors != 0 {
		note("the kernel recorded %d errors in it, the first at %q in %q, inode %d", s.errors, s.firstError, s.firstErrorFunc, s.firstErrorInode)
	}
	if s.incompat&incompatEncrypt != 0 {
		note("it may hold encrypted files: their names are given as they stand and their content cannot be read")
	}
	for k := range structures {
		n, more, what := f.bad.Of(k), "", "do not match their checksum"
		if n >= places.Most {
			more = " or more"
		}
		if k == mapStructure {
			what = "are damaged: content of these files is missing or doubtful"
		}
		if n > 0 {
			note("%ss that %s: %d%s", structureNames[k], what, n, more)
		}
	}
	return i
}

// kind tells the generations apart as blkid does.
func (s *superblock) kind() string {
	switch {
	case s.incompat&incompatExt4 != 0 || s.ro&roExt4 != 0:
		return "ext4"
	case s.compat&compatHasJournal != 0:
		return "ext3"
	}
	return "ext2"
}
