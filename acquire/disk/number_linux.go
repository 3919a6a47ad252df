package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// numberOf gives the number of a device file, and that of the device that a file lies on.
func numberOf(path string) (file, on string, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", "", fmt.Errorf("stat %q: %w", path, err)
	}
	name := func(n uint64) string { return fmt.Sprintf("%d:%d", unix.Major(n), unix.Minor(n)) }
	if st.Mode&unix.S_IFMT == unix.S_IFBLK {
		file = name(uint64(st.Rdev))
	}
	return file, name(uint64(st.Dev)), nil
}
