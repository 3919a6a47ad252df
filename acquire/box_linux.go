package acquire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/state"
	"telltale/internal/untouched"
)

// Of include/linux/proc_ns.h: the numbers of the first namespaces.
const (
	firstPIDSpace  = 0xEFFFFFFC
	firstUserSpace = 0xEFFFFFFD
)

// NewBox looks at the machine that we run on, and begins a collection's header.
func NewBox(log *slog.Logger) (*Box, *state.Header, error) {
	wall, since := Clock()
	b := &Box{Root: "/", Proc: "/proc", Sys: "/sys", Log: log, Boot: wall.Add(-time.Duration(since)), Self: os.Getpid()}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, nil, fmt.Errorf("uname: %w", err)
	}
	word := func(b []byte) string { s, _, _ := bytes.Cut(b, []byte{0}); return state.Text(s, 256) }
	h := &state.Header{Format: state.Format, Host: word(u.Nodename[:]), Kernel: strings.Join([]string{word(u.Sysname[:]), word(u.Release[:]), word(u.Version[:]), word(u.Machine[:])}, " "),
		Booted: b.Boot.UTC().Format(time.RFC3339Nano), Started: wall.UTC().Format(time.RFC3339Nano), SinceBoot: since, Self: b.Self, Missing: []string{}, Command: []string{}}
	h.BootID, h.MachineID = b.small("/proc/sys/kernel/random/boot_id"), b.small("/etc/machine-id")
	if _, err := os.Stat(path.Join(b.Proc, "self/stat")); err != nil {
		return nil, nil, fmt.Errorf("/proc is not mounted, so nothing of what runs can be seen: %w", err)
	}
	h.Root = os.Geteuid() == 0 && space("user") == firstUserSpace
	h.Container = b.container()
	if !h.Root {
		h.Missing = append(h.Missing, "other users' processes, sockets' owners, the kernel's own tables: they need root")
	}
	return b, h, nil
}

// Clock reads the wall clock, and the time since the kernel began (CLOCK_BOOTTIME), nanoseconds.
func Clock() (wall time.Time, sinceBoot int64) {
	var ts unix.Timespec
	wall = time.Now().Round(0)
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) == nil {
		sinceBoot = ts.Nano()
	}
	return wall, sinceBoot
}

func space(name string) uint64 {
	s, err := os.Readlink("/proc/self/ns/" + name)
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(s, "[")
	n, _ := strconv.ParseUint(strings.TrimSuffix(rest, "]"), 10, 64)
	return n
}

// container tells in what kind of container we run, "" for none: then the machine's other processes are not to be seen.
func (b *Box) container() string {
	if s := space("pid"); s == firstPIDSpace || s == 0 {
		return ""
	}
	if s := b.small("/run/systemd/container"); s != "" {
		return s
	}
	for _, f := range [][2]string{{"/.dockerenv", "docker"}, {"/run/.containerenv", "podman"}} {
		if _, err := os.Lstat(f[0]); err == nil {
			return f[1]
		}
	}
	return "a process number space of its own"
}

// small reads the first line of a small file.
func (b *Box) small(name string) string {
	f, err := untouched.Open(name, unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err != nil {
		return ""
	}
	defer f.Close()
	buf := make([]byte, 256)
	n, err := io.ReadFull(f, buf)
	if n == 0 && err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(buf[:n], []byte{'\n'})
	return state.Text(bytes.TrimSpace(line), 256)
}

// Gentle makes this process give way to all others: the machine may be one that people need. To Linux both are a thread's own, and new threads have
// them of the one that made them; so all that are there are asked, twice, for one may have been made meanwhile.
func Gentle() error {
	const ioprioWhoProcess, idleClass = 1, 3 << 13 // linux/ioprio.h
	for range 2 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("list our threads: %w", err)
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				continue
			}
			if err := unix.Setpriority(unix.PRIO_PROCESS, tid, 19); errors.Is(err, unix.ESRCH) {
				continue // it has ended
			} else if err != nil {
				return fmt.Errorf("setpriority: %w", err)
			}
			if _, _, e := unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, uintptr(tid), idleClass); e != 0 && e != unix.ESRCH {
				return fmt.Errorf("ioprio_set: %w", e)
			}
		}
	}
	return nil
}

// maxSymbols bounds what is read of kallsyms, bytes.
const maxSymbols = 128 << 20

// KernelSymbols gives /proc/kallsyms, and reads it but once: the kernel takes as long to write it as for hundreds of processes. Who must know what has
// changed since reads it anew.
func (b *Box) KernelSymbols() ([]byte, error) {
	if b.Symbols != nil {
		return b.Symbols, nil
	}
	text, err := bounded.Read(path.Join(b.Proc, "kallsyms"), maxSymbols)
	if err == nil {
		b.Symbols = text
	}
	return text, err
}
