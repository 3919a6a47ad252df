//go:build !linux

package examine

import (
	"fmt"
	"os"

	"telltale/filesystem"
)

func inMemory() (*os.File, error) {
	return nil, fmt.Errorf("a file in memory: %w", filesystem.ErrNotSupported)
}
