// Package live reads the tree of the running machine as evidence: by raw system calls, without following a link, without changing
// access times where the kernel lets us, without opening anything but directories and regular files. It crosses into the other filesystems of the machine's own
// disks and memory, and not into those of the kernel (proc, sysfs) nor into those that another machine or program answers for (NFS, FUSE), which can make a reader wait for ever: these are told.
//
// The kernel's answers may be forged. Names that were taken out of a directory's list but left in its bytes are found (package dirents), read like others, and told.
package live

import (
	"telltale/filesystem"
)

// Hidden is a name that a directory's list was made to leave out.
type Hidden struct {
	Path  string
	Inode uint64
	Seen  bool // by that name the file itself could be asked for
}

// Passed is a mount that was not entered, and why.
type Passed struct{ Path, Why string }

var _ filesystem.FS = (*FS)(nil)
