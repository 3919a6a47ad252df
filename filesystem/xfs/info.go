package xfs

import (
	"fmt"
	"strings"

	"telltale/filesystem"
	"telltale/internal/places"
)

// Info describes the filesystem. XFS keeps no times of mounts and no place of its last
// one. The notes on checksums count what has been read so far, so they are whole only
// after the walk.
func (f *FS) Info() filesystem.Info {
	s := f.sb
	i := filesystem.Info{
		Kind: "xfs", Label: strings.TrimRight(s.label, " "),
		UUID:     fmt.Sprintf("%x-%x-%x-%x-%x", s.uuid[:4], s.uuid[4:6], s.uuid[6:8], s.uuid[8:10], s.uuid[10:]),
		Features: s.featureNames(),
		Notes:    append([]string(nil), f.notes...),
	}
	note := func(format string, a ...any) { i.Notes = append(i.Notes, fmt.Sprintf(format, a...)) }
	if root, err := f.Stat(f.Root()); err == nil && s.v5() {
		i.Created = root.Crtime
	}
	if s.incompat&incompatRepair != 0 {
		note("it is marked as needing repair (needsrepair): what is read may be wrong")
	}
	if s.rtBlocks != 0 {
		note("it has a realtime device: the content of files there is not read")
	}
	var why string
	if i.Dirty, why = f.isDirty(); why != "" {
		note("%s", why)
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
