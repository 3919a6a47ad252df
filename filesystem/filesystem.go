// Package filesystem is the contract of the read-only trees: a disk's ext4, an
// extracted folder, an archive. Names are bytes, because an intruder hides files by
// names that are not UTF-8; access is by inode, because deleted and hidden files
// have no name; and every byte knows where it lies. Nothing here can write.
package filesystem

import (
	"context"
	"errors"
	"io"
	"iter"

	"telltale/evidence"
	"telltale/internal/limit"
)

// What a reader answers where it cannot read, besides damage.
var (
	ErrNotSupported = errors.New("not supported")
	ErrEncrypted    = errors.New("encrypted")
	ErrNotExist     = errors.New("does not exist")
)

// Inode names a file within one FS.
type Inode uint64

// Type is a file's type.
type Type uint8

// The types.
const (
	UnknownType Type = iota
	Regular
	Directory
	Symlink
	CharDevice
	BlockDevice
	FIFO
	Socket
)

var typeNames = [...]string{"unknown", "file", "dir", "symlink", "char", "block", "fifo", "socket"}

// String gives the type's name as events carry it.
func (t Type) String() string {
	if int(t) >= len(typeNames) {
		t = UnknownType
	}
	return typeNames[t]
}

// State tells where an inode was found.
type State uint8

// The states.
const (
	Live    State = iota
	Orphan        // no name, not yet freed: deleted while open
	Deleted       // freed, recovered
)

// Mode bits of Meta.Mode beside the nine permission bits, as in stat(2).
const (
	SetUID = 0o4000
	SetGID = 0o2000
	Sticky = 0o1000
)

// Flags of a file, the few that matter to an investigation (chattr names them).
const (
	Immutable  = 1 << iota // i
	AppendOnly             // a
	Encrypted              // content or names are encrypted
	InlineData             // the content lies in the inode
	Untaken                // the content is not in the evidence: who collected it took the metadata alone
)

// Meta is what an inode says of its file. Times that the filesystem does not keep
// are unknown.
type Meta struct {
	Inode    Inode
	Type     Type
	Mode     uint16 // permission, SetUID, SetGID, Sticky
	UID, GID uint32
	Size     int64
	Links    uint32
	Flags    uint32
	Rdev     uint64 // device number of a device file, as makedev(3) packs it
	Mtime    evidence.Time
	Ctime    evidence.Time
	Atime    evidence.Time
	Crtime   evidence.Time
	Dtime    evidence.Time // when it was deleted
	State    State
	Ref      evidence.Ref // where the inode's record itself lies
}

// Dirent is one name in a directory. Name is valid until the next is yielded.
type Dirent struct {
	Name  []byte
	Inode Inode
	Type  Type // UnknownType where the directory does not say
}

// Extent is a run of a file's bytes. Physical is its offset in bytes from the
// beginning of the filesystem's own source, -1 for a hole or unwritten run.
type Extent struct{ Logical, Physical, Length int64 }

// FS is a read-only tree. All methods are safe for concurrent use. Errors that do not end the
// reading are *evidence.Damage. ReadDir leaves out "." and "..".
type FS interface {
	Root() Inode
	ReadDir(Inode) iter.Seq2[Dirent, error]
	// Stat may give a filled Meta together with a *evidence.Damage, where it was read with doubts;
	// Meta.Inode is 0 where nothing was.
	Stat(Inode) (Meta, error)
	ReadAt(Inode, []byte, int64) (int, error) // as io.ReaderAt
	Readlink(Inode) ([]byte, error)
	Extents(Inode) ([]Extent, error)
	// Info describes the filesystem itself.
	Info() Info
}

// Info describes a filesystem.
type Info struct {
	Kind                          string // "ext4"
	UUID                          string
	Label                         string
	Features                      []string
	LastMount, LastWrite, Created evidence.Time
	LastMounted                   string   // where it was mounted last
	Dirty                         bool     // not unmounted cleanly: the journal may hold newer truth
	Notes                         []string // what a user must know: features not read, checksums that do not match
}

// Xattrer is the optional ability to give extended attributes.
type Xattrer interface {
	Xattrs(Inode) (map[string][]byte, error)
}

// Orphaner is the optional ability to list files that have no name and are not yet freed: deleted while open.
type Orphaner interface {
	Orphans(context.Context) iter.Seq2[Meta, error]
}

// Replayer is the optional ability to give the second view of a filesystem that was not unmounted
// cleanly: as it becomes when its journal or log is replayed, in memory. The FS that was opened
// stays the view as found on disk.
type Replayer interface {
	// Replay gives the replayed view; nil where there is nothing to replay.
	Replay(context.Context) (FS, Replayed, error)
}

// Replayed tells what replaying did.
type Replayed struct {
	Transactions int
	Blocks       int           // of the filesystem that the journal has newer than the disk
	First, Last  evidence.Time // of the replayed transactions, where the journal keeps times
	Notes        []string      // transactions that were not whole, checksums that do not match
}

// Recovered is a deleted file that was found again. Content reads Meta.Size bytes; where what is
// asked for is lost it gives a *evidence.Damage. The caller may use it until the FS is closed.
type Recovered struct {
	Meta     Meta          // as last seen; State is Deleted or Orphan
	Path     string        // last known path within this filesystem, bytes as in the directory; "" where no name was found; "#12/name" where only the directory's inode is known
	PathFrom string        // what tells the path: "journal transaction 812", "older tree 41"
	Cut      bool          // the file itself lives on: this is what it held before it was cut shorter or written anew
	From     string        // what tells where the content lies: "journal transaction 812", "orphan list", "inode"
	After    evidence.Time // it was deleted after this (last seen alive)
	Before   evidence.Time // and not later than this (first seen deleted)
	Content  io.ReaderAt
	Extents  []Extent
	Free     int64 // bytes of content that lie in space which nobody has got since
	Reused   int64 // bytes of content whose place was given to somebody else since: they are probably another file's
}

// Whole tells whether nothing of the content was given away since.
func (r *Recovered) Whole() bool { return r.Reused == 0 }

// History is how far back a filesystem's own memory goes: it is told before anything is claimed of
// deleted files, so that "none found" is not taken for "none deleted".
type History struct {
	Source       string // "journal", "log", "older trees"
	From, To     evidence.Time
	Transactions int
	Bytes        int64 // of the journal or log that were read
	Notes        []string
	Unread       string // why the memory could not be read, "" if it was: then nothing found says nothing at all
}

// Undeleter is the optional ability to find deleted files, those still open (orphans) included.
type Undeleter interface {
	Deleted(context.Context) (History, iter.Seq2[Recovered, error])
}

// FreeSpacer is the optional ability to tell which space belongs to no file, by the filesystem's own
// maps: runs in physical order, Logical 0. What the maps cannot tell is an error beside them.
type FreeSpacer interface {
	FreeSpace(context.Context) iter.Seq2[Extent, error]
}

// Leftover is space that a file has and its content has not: blocks that were set aside for it and never written, and what
// lies behind its end. What the disk held there before lies there still. Logical is where in the file it would be.
type Leftover struct {
	Inode Inode
	Extent
	Behind bool // behind the file's end, in a block that was written
}

// Leftoverer is the optional ability to tell such space, of all files that live, in no order.
type Leftoverer interface {
	Leftovers(context.Context) iter.Seq2[Leftover, error]
}

// Subvolume is a tree of its own within the same filesystem.
type Subvolume struct {
	Path     string // where it lies in the filesystem, "" where it has no name any more
	ID       uint64
	ReadOnly bool
	Of       string // UUID of what it is a snapshot of, "" for none
	UUID     string
	Made     evidence.Time
	FS       FS
}

// Subvolumer is the optional ability to give subvolumes and snapshots, each as a tree of its own.
type Subvolumer interface {
	Subvolumes(context.Context) ([]Subvolume, error)
}

// Device is one of several sources that one filesystem lies on.
type Device struct {
	io.ReaderAt
	Size int64
	Name string // where it is from, for notes
}

// Format is a member of the family for filesystems that lie on a block source.
// Probe sees the first bytes (at least 128 KiB where there are so many); Open reads
// through r, which it keeps.
type Format struct {
	Name  string
	Doc   string
	Probe func(head []byte) bool
	Open  func(r io.ReaderAt, size int64, b *limit.Budget) (FS, error)
	// Part tells, of a source that Probe takes, which filesystem it is a part of (an id that all its
	// parts share) and how many parts there are; nil for filesystems that lie on one source.
	Part func(head []byte) (id string, parts int)
	// Join opens a filesystem that lies on several sources, some of which may be missing; nil as Part.
	Join func(ds []Device, b *limit.Budget) (FS, error)
}
