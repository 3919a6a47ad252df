package bounded

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	flags  = os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK // package os adds O_CLOEXEC
	folder = unix.O_DIRECTORY
	gone   = unix.ESRCH // what a file of /proc says when its process ended after it was opened
)
