//go:build !linux

package disk

import (
	"fmt"
	"os"
)

// Open opens a regular file; devices are known on Linux only.
func Open(path string) (*Device, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = ErrNotDisk
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open source %q: %w", path, err)
	}
	return openFile(f, path, st.Size()), nil
}

func ofPlace(error) bool { return true }

func numberOf(string) (file, on string, err error) { return "", "", nil }

func beginFlush(*os.File, int64, int64) {}
