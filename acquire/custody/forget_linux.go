package custody

import (
	"os"

	"golang.org/x/sys/unix"
)

// forget asks the kernel to drop what it keeps of a file, so that the medium is read. It may refuse, which does no harm.
func forget(f *os.File) { unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) }
