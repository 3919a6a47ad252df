package fstest

import (
	"errors"
	"testing"

	"telltale/evidence"
	"telltale/filesystem"
)

// CheckRefs fails where a record, an extent or damage lies outside the source of size bytes.
func CheckRefs(t *testing.T, v filesystem.FS, out *Tree, size int64) {
	inside := func(r evidence.Ref) bool { return r.Off >= 0 && r.Len >= 0 && r.Off <= size-r.Len }
	for p, n := range out.Nodes {
		if !inside(n.Meta.Ref) {
			t.Fatalf("%q: record at %v of %d bytes", p, n.Meta.Ref, size)
		}
		extents, _ := v.Extents(n.Meta.Inode)
		end := int64(0)
		for _, e := range extents {
			if e.Physical < -1 || e.Length <= 0 || e.Logical < end || e.Logical+e.Length > n.Meta.Size {
				t.Fatalf("%q: extent %+v of %d bytes", p, e, n.Meta.Size)
			}
			end = e.Logical + e.Length
		}
	}
	for _, err := range out.Errs {
		var d *evidence.Damage
		if errors.As(err, &d) && !inside(d.Ref) {
			t.Fatalf("damage outside the source: %v", d)
		}
	}
}
