// Package image is the contract of the containers that a disk comes in: from a file
// as it lies on the examiner's storage to the bytes of the disk. Nothing here writes.
package image

import (
	"io"

	"telltale/internal/limit"
)

// Disk gives the bytes of a disk.
type Disk interface {
	io.ReaderAt
	Size() int64 // bytes
}

// Format is a member of the family. Probe sees the file's first bytes (up to 128 KiB).
type Format struct {
	Name  string
	Doc   string
	Probe func(head []byte) bool
	Open  func(r io.ReaderAt, size int64, b *limit.Budget) (Disk, error)
}
