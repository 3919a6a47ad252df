//go:build !linux

package bounded

import (
	"os"
	"syscall"
)

const (
	flags  = os.O_RDONLY
	folder = 0
	gone   = syscall.ENOENT
)
