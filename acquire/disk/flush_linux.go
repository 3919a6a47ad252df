package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// beginFlush has the kernel begin to write a part of a file, and does not wait for it. Where it cannot, Sync does it all later.
func beginFlush(f *os.File, off, n int64) {
	unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}
