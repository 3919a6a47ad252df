// Package host puts together one machine as it is seen in evidence: it opens any
// input (disk image, folder, archive, single log), finds the filesystems in it,
// assembles the root tree, and reads what the machine says of itself: name, system,
// zone, users, web sites. It reads no logs and draws no conclusions. Evidence is
// opened for reading only; compressed evidence is unpacked into the case's spool.
package host

import (
	"log/slog"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
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
}

// Input is one opened source.
type Input struct {
	Kind   string
	Size   int64  // bytes of the source as it was given
	SHA256 string // of the source as it was given, where opening read it whole; else ""
	Hosts  []*Host
	Notes  []string // what a user must know: which parts were found, what was not read
	Damage []evidence.Damage
	close  []func() error
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
	Infos     []filesystem.Info // by Mounts
	CopyTimes bool              // owners and change times are those of a copy, not of the server
}

// User is a line of /etc/passwd.
type User struct {
	Name, Home, Shell string
	UID, GID          uint32
}
