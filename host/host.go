// Package host puts together one machine as it is seen in evidence: it opens any
// input (disk image, folder, archive, single log), finds the filesystems in it,
// assembles the root tree, and reads what the machine says of itself: name, system,
// zone, users, web sites. It reads no logs and draws no conclusions. Evidence is
// opened for reading only; compressed evidence is unpacked into the case's spool.
package host

import (
	"crypto/ed25519"
	"io"
	"log/slog"
	"time"

	"filippo.io/age"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/image"
)

// The kinds of input, as report.json names them.
const (
	KindDisk    = "disk-image"
	KindVolume  = "filesystem-image"
	KindArchive = "archive"
	KindFolder  = "folder"
	KindLogs    = "log-folder"
	KindFile    = "file"
	KindRemote  = "remote-logs"
)

// Options of Open.
type Options struct {
	Source   string         // id of the source within the case
	Spool    string         // folder in which compressed evidence is unpacked
	Remote   bool           // the input is a remote log server's copy
	Zone     *time.Location // for logs without a zone, where the evidence names none; nil: UTC
	Log      *slog.Logger
	Progress func(done, total int64) // bytes of unpacking; may be nil
	// Secret asks for the passphrase or key of an encrypted volume; nil: there is none to be had.
	Secret func(what string, try int) ([]byte, error)
	// Identities open evidence that is encrypted by age.
	Identities []age.Identity
	// Signers are the keys by one of which a collection's seals must be signed; none for any.
	Signers []ed25519.PublicKey
	// Beside are other files of evidence, in which members of the same RAID or volume group may lie.
	Beside []string
}

// Input is one opened source.
type Input struct {
	Kind   string
	Size   int64  // bytes of the source as it was given
	SHA256 string // of the source as it was given, where opening read it whole; else ""
	Hosts  []*Host
	Notes  []string // what a user must know: which parts were found, what was not read
	Damage []evidence.Damage

	Container string         // format of the container that the disk came in, "" for none
	Verifier  image.Verifier // of a container that has digests of its own; nil for none
	Files     []string       // files beside it that were read too: segments, extents, parents
	Used      []string       // of Options.Beside: those that are members of this one's volumes
	Swaps     []Raw
	Earlier   []Earlier
	snapshots []image.Snapshot
	close     []func() error
}

// Raw is a source without a structure: swap space.
type Raw struct {
	io.ReaderAt
	Size   int64
	Skip   int64 // bytes at the beginning that are not its content
	Prefix string
}

// Earlier is an earlier state of a volume.
type Earlier struct {
	Name, Of string
	Made     evidence.Time
	Mount    Mount
}

// Close closes what the input holds open.
func (in *Input) Close() error {
	var first error
	for i := len(in.close) - 1; i >= 0; i-- {
		if err := in.close[i](); err != nil && first == nil {
			first = err
		}
	}
	in.close = nil
	return first
}

// Host is one machine.
type Host struct {
	View
	Kind      string // as Input.Kind
	Flat      bool   // no server's tree, only logs in a folder or a single log: files are told by name and content
	Name      string
	OS        string
	MachineID string
	Zone      *time.Location
	ZoneName  string
	ZoneFrom  string // the file that says so, or ZoneAssumed
	Users     []User
	Sites     Sites
	Shares    map[string]Share // of the rsync daemon, by name
	Logs      LogPaths
	Infos     []filesystem.Info // by Mounts
	State     *State            // of the machine when it ran; nil where the evidence holds none
	CopyTimes bool              // owners and change times are those of a copy, not of the server

	Containers []*Host    // that an engine keeps on this host, each with its own tree
	Parent     *Host      // of a container: the host that it lies on
	Container  *Container // nil for a host
}

// User is a line of /etc/passwd.
type User struct {
	Name, Home, Shell string
	UID, GID          uint32
}
