package procread

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/limit"
)

// The bounds of what is read.
const (
	SmallFile = 64 << 10 // bytes of stat, comm, cgroup
	TableFile = 64 << 20 // bytes of /proc/net/tcp and its like: 400 000 connections
	maxNames  = 1 << 22  // entries of a directory: as many as PIDs can be (PID_MAX_LIMIT)
	maxDepth  = 256      // ancestors that are walked up
)

// kernelThread is PF_KTHREAD of linux/sched.h, in the flags of /proc/PID/stat.
const kernelThread = 0x00200000

// Stat is who a process is and what it used, from /proc/PID/stat.
type Stat struct {
	PID    int
	Comm   string // as the process calls itself
	State  byte   // R, S, D, T, Z...
	Parent int
	Flags  uint64
	Ticks  uint64 // user and system time, in clock ticks
	Start  uint64 // clock ticks after boot: with the PID it names a process for good
}

// Kernel tells whether it is a thread of the kernel.
func (s Stat) Kernel() bool { return s.Flags&kernelThread != 0 }

// File reads a whole file of at most max bytes; of a longer one it gives what fitted, and bounded.ErrLong.
func File(path string, max int) ([]byte, error) { return bounded.Read(path, max) }

// All reads an open file to its end; name is for errors.
func All(fd int, name string, max int) ([]byte, error) {
	var out []byte
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return out, fmt.Errorf("read %q: %w", name, err)
		case n <= 0:
			return out, nil
		}
		if len(out)+n > max {
			return append(out, buf[:max-len(out)]...), fmt.Errorf("read %q: more than %d bytes: %w", name, max, limit.ErrLimit)
		}
		out = append(out, buf[:n]...)
	}
}

// PIDs lists the processes that /proc shows, ascending. A hidden one is not among them.
func PIDs() ([]int, error) {
	list, err := bounded.List("/proc", maxNames)
	var out []int
	for _, n := range list {
		if pid, e := strconv.Atoi(n); e == nil && pid > 0 {
			out = append(out, pid)
		}
	}
	slices.Sort(out)
	return out, err
}

// Of reads who a process is.
func Of(pid int) (Stat, error) {
	b, err := File(filepath.Join("/proc", strconv.Itoa(pid), "stat"), SmallFile)
	if err != nil {
		return Stat{}, err
	}
	s, err := parseStat(b)
	if err != nil {
		return s, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return s, nil
}

// parseStat reads proc(5)'s stat. The name stands in brackets and may hold brackets and blanks itself, so it ends at the last one.
func parseStat(b []byte) (Stat, error) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 1 || end < open {
		return Stat{}, errors.New("no name in brackets")
	}
	f := strings.Fields(string(b[end+1:]))
	if len(f) < 20 { // up to starttime, field 22
		return Stat{}, errors.New("it ends early")
	}
	var n [6]uint64
	for i, s := range []string{strings.TrimSpace(string(b[:open])), f[1], f[6], f[11], f[12], f[19]} {
		v, err := strconv.ParseUint(s, 10, 63)
		if err != nil {
			return Stat{}, fmt.Errorf("field %d: %w", i, err)
		}
		n[i] = v
	}
	if n[0] > maxNames || n[1] > maxNames {
		return Stat{}, errors.New("a process number beyond the kernel's greatest")
	}
	return Stat{PID: int(n[0]), Comm: string(b[open+1 : end]), State: f[0][0], Parent: int(n[1]), Flags: n[2], Ticks: n[3] + n[4], Start: n[5]}, nil
}

// Ancestors gives the parent of a process, its parent, and so on up to PID 1.
func Ancestors(pid int) ([]Stat, error) {
	s, err := Of(pid)
	if err != nil {
		return nil, err
	}
	var out []Stat
	seen := map[int]bool{pid: true}
	for s.Parent > 0 && len(out) < maxDepth && !seen[s.Parent] {
		seen[s.Parent] = true
		if s, err = Of(s.Parent); err != nil {
			return out, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Sockets gives the inode numbers of the sockets that a process holds.
func Sockets(pid int) ([]uint64, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	list, err := bounded.List(dir, maxNames)
	var out []uint64
	for _, n := range list {
		l, e := bounded.Link(filepath.Join(dir, n))
		if e != nil {
			continue // it was closed meanwhile
		}
		if s, ok := strings.CutPrefix(l, "socket:["); ok {
			if v, e := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64); e == nil {
				out = append(out, v)
			}
		}
	}
	return out, err
}
