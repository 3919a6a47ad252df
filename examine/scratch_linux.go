package examine

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// inMemory gives a file that lies in memory alone.
func inMemory() (*os.File, error) {
	fd, err := unix.MemfdCreate("telltale", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), "memory"), nil
}
