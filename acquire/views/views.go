// Package views asks the same question of a running machine in several ways and writes down where the answers differ:
// which processes there are, which ports are taken, what is mounted over what. A root-kit that filters one answer must
// filter them all in the same way. The package draws no conclusions: each difference is a state.Contradiction with the
// views that show the thing, those that should and do not, and the ordinary causes that were looked for; what has an
// ordinary cause is written down as explained. A view that could not look says so in its state.View.
//
// Methods and their false alarms: proc(5), pid_namespaces(7), mount_namespaces(7), kernel/fork.c, kernel/pid.c,
// fs/namespace.c and net/ipv4/inet_connection_sock.c of Linux 6.18. Times are milliseconds where a name says MS.
package views

import (
	"time"

	"telltale/internal/state"
)

// Options is what the views need from elsewhere.
type Options struct {
	// Describe reads all that is to be known of a process from its files below proc, which is "/proc" or a path to
	// another mount of the same filesystem. Without it a hidden process gets a contradiction and no record.
	Describe func(proc string, pid int) (*state.Process, error)
	// Budget is how long the numbers of processes may be asked for one by one; 0 is ten seconds, which is a million of them.
	Budget time.Duration
}

// pause lies between two passes: what was in the midst of beginning or ending is done with it then.
const pause = 80 * time.Millisecond

// most is how many contradictions of a kind are written one by one: a machine that makes more has made its point.
const most = 500

// The names of the views, as state.View and state.Contradiction have them.
const (
	viewList     = "proc-readdir"      // the listing of /proc, and of the tasks of all processes in it
	viewFresh    = "fresh-proc"        // the same of a proc filesystem that we mounted ourselves
	viewPath     = "proc-path"         // /proc/N by its name
	viewOracle   = "pid-allocator"     // the kernel refuses to give the number to a new process
	viewParents  = "parents"           // named as the parent of a process
	viewChildren = "children"          // named in a parent's list of children
	viewCgroups  = "cgroup-procs"      // member of a control group
	viewPidfds   = "pidfd-fdinfo"      // held by an open pidfd
	viewPidfd    = "pidfd_open"        // that call, which knows processes and no threads
	viewLoad     = "proc-loadavg"      // counted there
	viewMounts   = "mountinfo"         // something is mounted on its folder
	viewBind     = "bind"              // a port that cannot be bound
	viewTables   = "socket-tables"     // a port that /proc/net or sock_diag shows
	viewSockstat = "sockstat"          // counted there
	viewFDs      = "file-descriptors"  // a socket that a process holds
	viewBeneath  = "beneath-the-mount" // a file that lies below a mount
)
