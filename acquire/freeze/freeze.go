// Package freeze makes processes stand still without ending them and without their noticing, so that their memory, files
// and connections can be looked at: by the freezer of control groups (Documentation/admin-guide/cgroup-v2.rst and
// cgroup-v1/freezer-subsystem.rst of the kernel), and by SIGSTOP only where that is asked for, which the parent is told of.
//
// A process that is moved to another group loses a part of its evidence, the unit to which it belongs. So a group is frozen
// as it is where the process is alone in it; else the freezer of version 1, whose groups are no units, has a group made for
// it; else a group is made beneath its own in version 2. Both are named telltale-freeze-PID and lie beneath the old group, so
// that nothing needs to be remembered to put it back, and what it was in stays legible in /proc/PID/cgroup.
//
// Nothing is written but to the kernel's cgroup filesystems, which are known by their magic numbers. Times are in clock ticks.
package freeze

import "errors"

var (
	// ErrRefused says that freezing it would hurt whoever asks, or the machine.
	ErrRefused = errors.New("it is not to be frozen")
	// ErrCannot says that this kernel or machine has no freezer that can be had.
	ErrCannot = errors.New("there is no freezer that can be used")
	// ErrNotFrozen says that it was told to stand still, and does not.
	ErrNotFrozen = errors.New("it does not stand still")
	// ErrNotHeld says that there is nothing to thaw.
	ErrNotHeld = errors.New("it is not frozen by telltale")
	// ErrGone says that the process ended, or that its number is another's by now.
	ErrGone = errors.New("the process is gone")
)

// The ways of making a process stand still.
const (
	ByOwn  = "its own cgroup (v2)"       // the group as it is
	ByV1   = "a cgroup made for it (v1)" // of the freezer hierarchy
	ByV2   = "a cgroup made for it (v2)" // beneath its own
	ByStop = "SIGSTOP"                   // its parent is told
)

// Options say how.
type Options struct {
	Unit    bool   // the whole cgroup, whoever is in it
	Tree    bool   // its descendants, too
	Stop    bool   // by SIGSTOP
	Protect []int  // processes that are not to be frozen, such as those that carry the caller's session
	Only    string // only this way: ByOwn, ByV1, ByV2; "" for the one that fits
}

// Process is what was done to one process.
type Process struct {
	PID     int      `json:"pid"`
	Program string   `json:"program"`     // as it calls itself
	Start   uint64   `json:"start_ticks"` // after boot
	Cgroups []string `json:"cgroups"`     // lines of /proc/PID/cgroup before
	How     string   `json:"how"`
	Where   string   `json:"where,omitempty"` // directory of the group that is frozen
	Before  string   `json:"state_before"`    // letter of proc(5)
	After   string   `json:"state_after,omitempty"`
	Said    string   `json:"kernel_says,omitempty"` // what the kernel says of the group
	Ticks   uint64   `json:"ticks_since"`           // processor time used while it was watched; 0 if it stands still
	Frozen  bool     `json:"frozen"`
	Error   string   `json:"error,omitempty"`
}
