// Package volume is the contract of what lies between a disk and its filesystems: partition
// tables, which divide one source, and managers (LVM, RAID, encryption), which make volumes
// out of one source or several. Nothing here writes.
package volume

import (
	"context"
	"errors"
	"io"

	"telltale/evidence"
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

// Format is a member of the family that divides one source. Probe sees the first bytes (at least
// 4 KiB where there are so many) of the source.
type Format struct {
	Name  string
	Doc   string
	Probe func(head []byte) bool
	Open  func(r io.ReaderAt, size int64, b *limit.Budget) (Table, error)
}

// Member is a source that a manager's volumes are made of: a disk or a partition.
type Member struct {
	io.ReaderAt
	Size int64
	Name string // where it is from, for notes: "s1 gpt:2"
}

// Volume is what a manager makes. Reads that meet missing members give what comes before and a
// *evidence.Damage.
type Volume struct {
	io.ReaderAt
	Size    int64
	Name    string        // as the manager names it: "vg0/root", "md127", "luks"
	Earlier bool          // a snapshot: an earlier state of another volume
	Of      string        // the name of the volume whose earlier state it is
	Made    evidence.Time // when the volume or snapshot was made, where it is known
	Notes   []string      // what a user must know: members missing, mirrors that differ
}

// Manager is a member of the family that makes volumes. Probe tells whether a source is one of its
// members; it reads little. Make is given all members found in all the evidence and joins those that
// belong together; what cannot be made is told in notes.
type Manager struct {
	Name  string
	Doc   string
	Probe func(m Member) bool
	Make  func(ctx context.Context, ms []Member, o Options) (vs []Volume, notes []string, err error)
}

// Options of Make.
type Options struct {
	// Secret gives a passphrase or the content of a key file for what is named, ErrNoSecret when there
	// are no more; it may be called several times for several tries. nil: there are none.
	Secret func(what string, try int) ([]byte, error)
	Budget *limit.Budget
}

// ErrNoSecret says that no (further) passphrase or key is to be had.
var ErrNoSecret = errors.New("no passphrase or key was given")
