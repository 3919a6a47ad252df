package fstest

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"telltale/filesystem"
)

// Describe writes all that a filesystem holds as text, for golden files.
func Describe(f filesystem.FS) []byte {
	var b bytes.Buffer
	out := ReadTree(f)
	for _, p := range out.Paths() {
		n := out.Nodes[p]
		m := n.Meta
		fmt.Fprintf(&b, "%q inode %d %s %04o %d:%d size %d links %d", p, m.Inode, m.Type, m.Mode, m.UID, m.GID, m.Size, m.Links)
		if m.Rdev != 0 {
			fmt.Fprintf(&b, " rdev %x", m.Rdev)
		}
		fmt.Fprintf(&b, "\n\tm %s c %s a %s b %s, record at %d+%d\n", m.Mtime, m.Ctime, m.Atime, m.Crtime, m.Ref.Off, m.Ref.Len)
		if n.Target != "" {
			fmt.Fprintf(&b, "\t-> %q\n", n.Target)
		}
		if m.Type == filesystem.Regular {
			fmt.Fprintf(&b, "\tsha256 %x", n.Sum[:8])
			extents, _ := f.Extents(m.Inode)
			for _, e := range extents[:min(len(extents), 8)] {
				fmt.Fprintf(&b, " %d@%d+%d", e.Logical, e.Physical, e.Length)
			}
			fmt.Fprintf(&b, " in %d\n", len(extents))
		}
		var keys []string
		for k := range n.Xattrs {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			fmt.Fprintf(&b, "\t%s = %.60q, %d bytes\n", k, n.Xattrs[k], len(n.Xattrs[k]))
		}
	}
	for _, err := range out.Errs {
		fmt.Fprintf(&b, "fault %v\n", err)
	}
	i := f.Info()
	fmt.Fprintf(&b, "%s %q uuid %s dirty %v\n%s\nmade %s\n", i.Kind, i.Label, i.UUID, i.Dirty, strings.Join(i.Features, " "), i.Created)
	for _, n := range i.Notes {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	return b.Bytes()
}
