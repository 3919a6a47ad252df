package pseudo

import (
	"os"

	"golang.org/x/sys/unix"
)

const flags = os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK // package os adds O_CLOEXEC
