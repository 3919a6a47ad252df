package btrfs

import "telltale/filesystem"

const maxXattrs = 16 << 20 // bytes of one inode's values

// Xattrs gives a file's extended attributes by their full names. What cannot be read
// is damage; the rest is given.
func (f *FS) Xattrs(n filesystem.Inode) (map[string][]byte, error) {
	if _, ok := f.parentOfEmpty(n); ok {
		return nil, nil
	}
	i, object, err := f.locate(n)
	if err != nil {
		return nil, err
	}
	return xattrsOf(f.live(i), object)
}

func xattrsOf(s source, object uint64) (map[string][]byte, error) {
	values := make(map[string][]byte)
	var first error
	total := 0
	for it, err := range all(s, object, kindXattr) {
		if err == nil {
			total += len(it.data)
			if total > maxXattrs {
				err = itemDamage(it, "inode %d has more attributes than %d bytes", object, maxXattrs)
			}
		}
		if err != nil {
			if first == nil {
				first = err
			}
			if total > maxXattrs {
				break
			}
			continue
		}
		for e, err := range entries(it) {
			if err != nil {
				if first == nil {
					first = err
				}
				continue
			}
			values[string(e.name)] = append([]byte{}, e.data...)
		}
	}
	return values, first
}
