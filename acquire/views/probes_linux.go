package views

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// probe is a view that is asked for one number at a time.
type probe struct {
	name string
	call int                       // its number
	ask  func(n int) (bool, error) // an error: this view cannot say
}

// calls are the system calls that tell whether a number is a process; a root-kit must cover each. All but pidfd_open take
// the number of a thread, too. Nothing is sent or changed by them.
func calls() []probe {
	cpus := unix.NewCPUSet(1 << 16) // a smaller mask is EINVAL on a larger machine
	return []probe{
		{"kill", unix.SYS_KILL, func(n int) (bool, error) { return there(unix.Kill(n, 0)) }},
		{"getpgid", unix.SYS_GETPGID, func(n int) (bool, error) { _, err := unix.Getpgid(n); return there(err) }},
		{"getsid", unix.SYS_GETSID, func(n int) (bool, error) { _, err := unix.Getsid(n); return there(err) }},
		{"sched_getscheduler", unix.SYS_SCHED_GETSCHEDULER, func(n int) (bool, error) {
			_, _, e := unix.Syscall(unix.SYS_SCHED_GETSCHEDULER, uintptr(n), 0, 0)
			return there(errno(e))
		}},
		{"sched_getaffinity", unix.SYS_SCHED_GETAFFINITY, func(n int) (bool, error) { return there(unix.SchedGetaffinityDynamic(n, cpus)) }},
		{"getpriority", unix.SYS_GETPRIORITY, func(n int) (bool, error) { _, err := unix.Getpriority(unix.PRIO_PROCESS, n); return there(err) }},
		{viewPidfd, unix.SYS_PIDFD_OPEN, func(n int) (bool, error) {
			fd, err := unix.PidfdOpen(n, 0)
			if err == nil {
				unix.Close(fd)
			}
			if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
				return false, nil // the number of a thread, or of a group or session whose leader has ended: no process
			}
			return there(err)
		}},
	}
}

// byPath asks for /proc/N by its name. Threads are found in this way, too, though they are not listed.
func byPath(proc string) (probe, func(), error) {
	fd, err := unix.Open(proc, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return probe{}, nil, fmt.Errorf("open %s: %w", proc, err)
	}
	ask := func(n int) (bool, error) {
		var st unix.Stat_t
		return there(unix.Fstatat(fd, strconv.Itoa(n), &st, unix.AT_SYMLINK_NOFOLLOW))
	}
	return probe{viewPath, statCall, ask}, func() { unix.Close(fd) }, nil
}

// there reads what a call about a number answered.
func there(err error) (bool, error) {
	switch {
	case err == nil, errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES): // it is, and is not ours
		return true, nil
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.ENOENT):
		return false, nil
	}
	return false, err
}

// errno makes an error of a raw call's number, and none of 0.
func errno(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}
