package untouched

import "golang.org/x/sys/unix"

const noMark = unix.O_NOATIME
