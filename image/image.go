// Package image is the contract of the containers that a disk comes in: from the files
// as they lie on the examiner's storage to the bytes of the disk. Nothing here writes to
// evidence; the one writer (package ewf) makes new files where its caller says.
package image

import (
	"context"
	"errors"
	"io"

	"telltale/evidence"
	"telltale/internal/limit"
)

// What a container cannot be opened for. The errors that members give wrap these and name the feature.
var (
	ErrNotSupported = errors.New("not supported")
	ErrEncrypted    = errors.New("encrypted")
)

// Disk gives the bytes of a disk. A read that meets damage gives the bytes before it and a
// *evidence.Damage; what lies behind can still be read by reading from there. What was never
// written reads as zeros.
type Disk interface {
	io.ReaderAt
	Size() int64 // bytes
}

// File is one file of a container: the one that was given, or one that lies beside it.
type File struct {
	io.ReaderAt
	Size int64
	Name string // without its folder
	// Beside opens a file of the same folder by its name; a name with a separator, ".." or "" is
	// refused: what an image names is the intruder's word, and may never reach other files of the
	// examiner's. It is nil where the container did not come as a file of a folder.
	Beside func(name string) (File, error)
}

// Format is a member of the family. Probe sees the file's first bytes (up to 128 KiB) and its
// last (up to 4 KiB), for containers that keep their description at the end.
type Format struct {
	Name  string
	Doc   string
	Probe func(head, tail []byte) bool
	Open  func(ctx context.Context, f File, b *limit.Budget) (Disk, error)
}

// Info is what a container says of itself.
type Info struct {
	Facts []Fact        // in the container's own order: "examiner", "acquired", "software" ...
	Notes []string      // what a user must know: segments missing, a parent not found, a log replayed
	Made  evidence.Time // when it was made, where it says so
}

// Fact is one field of what a container says of itself, as it stands there.
type Fact struct{ Name, Value string }

// Describer is the optional ability to tell more than the bytes.
type Describer interface{ Info() Info }

// Check is a stored digest or checksum held against the bytes.
type Check struct {
	What   string // "MD5 of the disk", "checksums of 1,200 chunks"
	Stored string
	Found  string
	OK     bool
	Damage []evidence.Damage // which pieces do not match
}

// Verifier is the optional ability to hold the container's own digests against its bytes. It
// reads everything. A container without stored digests gives none.
type Verifier interface {
	Verify(ctx context.Context, progress func(done, total int64)) ([]Check, error)
}

// Snapshot is an earlier state of the disk that the container keeps.
type Snapshot struct {
	Name string
	Made evidence.Time
	Disk Disk
}

// Snapshotter is the optional ability to give earlier states.
type Snapshotter interface{ Snapshots() []Snapshot }
