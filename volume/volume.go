// Package volume is the contract of what divides a disk: partition tables now,
// volume managers, RAID and encryption later. Nothing here writes.
package volume

import (
	"io"

	"telltale/internal/limit"
)

// Part is one part of a disk. Off and Length are in bytes of the divided source and
// lie inside it.
type Part struct {
	Index  int    // as the operating system counts: 1, 2, ... 5 for the first logical one
	Type   string // the table's own word: GUID or hexadecimal type
	Name   string
	Off    int64
	Length int64
}

// Table is a divided source.
type Table interface {
	Parts() []Part
	Notes() []string // damage and oddities: a backup header used, parts that overlap or go beyond the end
}

// Format is a member of the family. Probe sees the first bytes (at least 4 KiB where there are so many)
// of the source.
type Format struct {
	Name  string
	Doc   string
	Probe func(head []byte) bool
	Open  func(r io.ReaderAt, size int64, b *limit.Budget) (Table, error)
}
