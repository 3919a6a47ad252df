package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// built gives the program as users have it.
func built(t testing.TB) string {
	program := filepath.Join(t.TempDir(), "telltale")
	c := exec.Command("go", "build", "-o", program, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// forks counts the processes that the kernel says a process made, threads left out (drivers/connector/cn_proc.c).
type forks struct {
	fd    int
	made  atomic.Int64
	of    atomic.Int64
	alive atomic.Int64 // events of anybody: it counts at all
}

func newForks(t *testing.T) *forks {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM, unix.NETLINK_CONNECTOR)
	if err != nil {
		t.Skipf("the kernel does not tell of forks: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		t.Skipf("the kernel does not tell of forks: %v", err)
	}
	const header, message = 16, 20
	b := make([]byte, header+message+4)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], unix.NLMSG_DONE)
	binary.NativeEndian.PutUint32(b[header:], 1)         // CN_IDX_PROC
	binary.NativeEndian.PutUint32(b[header+4:], 1)       // CN_VAL_PROC
	binary.NativeEndian.PutUint16(b[header+16:], 4)      // length
	binary.NativeEndian.PutUint32(b[header+message:], 1) // PROC_CN_MCAST_LISTEN
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		t.Skipf("the kernel does not tell of forks: %v", err)
	}
	f := &forks{fd: fd}
	go f.read(header + message)
	return f
}

func (f *forks) read(at int) {
	buf := make([]byte, 8192)
	for {
		n, _, err := unix.Recvfrom(f.fd, buf, 0)
		if err != nil {
			return
		}
		e := buf[:n]
		if n < at+32 {
			continue
		}
		e = e[at:]
		f.alive.Add(1)
		parent, child, group := binary.NativeEndian.Uint32(e[20:]), binary.NativeEndian.Uint32(e[24:]), binary.NativeEndian.Uint32(e[28:])
		if binary.NativeEndian.Uint32(e) == 1 && child == group && int64(parent) == f.of.Load() { // PROC_EVENT_FORK
			f.made.Add(1)
		}
	}
}

// pace is how long a fixed piece of the kernel's work takes here and now: making and binding a socket, as often as there are ports, on two threads beside
// each other, as the views use. It is about 0.5 s where nothing else runs; where others hold a core, it shows.
func pace(t *testing.T) time.Duration {
	began := time.Now()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for range 1 << 16 {
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					t.Error(err)
					return
				}
				unix.Bind(fd, &unix.SockaddrInet4{})
				unix.Close(fd)
			}
		})
	}
	both.Wait()
	return time.Since(began)
}

// The bar for taking all views of a machine with five hundred processes: two seconds, or where the machine is slow or busy, so many times its pace. Beside
// the tests of other packages the pace itself is a guess, so that only a multiple of it fails there; TELLTALE_FULL asks for the bar.
const (
	bar        = 2 * time.Second
	barInPace  = 5.0
	busyInPace = 12.0
)

// TestLiveLeavesNothing takes the state of a machine with five hundred processes more: no forks by the kernel's count, no bytes to a disk, little memory, little time.
func TestLiveLeavesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: the state of other users' processes, and the kernel's count of forks")
	}
	program := built(t)
	for range 500 {
		c := exec.Command("sleep", "1000")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	}
	if err := exec.Command(program, "version").Run(); err != nil { // the first time that it is run marks its own file as read
		t.Fatal(err)
	}
	f := newForks(t)
	most := busyInPace
	if os.Getenv("TELLTALE_FULL") != "" {
		most = barInPace
	}
	var best float64
	for range 3 { // tests of other packages run at the same time: the best of three counts
		quiet := pace(t)
		took := takeOnce(t, program, f)
		ratio := took.Seconds() / quiet.Seconds()
		t.Logf("%v, %.1f times the pace of %v", took.Round(time.Millisecond), ratio, quiet.Round(time.Millisecond))
		if took <= bar || ratio <= most {
			return
		}
		if best == 0 || ratio < best {
			best = ratio
		}
	}
	t.Errorf("it took %.1f times the machine's pace: the bar is %v, or %.0f times", best, bar, most)
}

// takeOnce takes the state once, and tells how long it took.
func takeOnce(t *testing.T, program string, f *forks) time.Duration {
	t.Helper()
	var answer bytes.Buffer
	c := exec.Command(program, "live", "--collect-only", "--quick", "--fast", "-q", "--to", "-")
	c.Stderr = &answer
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	forgetPeak()
	began := time.Now()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	f.of.Store(int64(c.Process.Pid))
	size, io := 0, ""
	buf := make([]byte, 1<<16)
	for {
		n, err := pipe.Read(buf)
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", c.Process.Pid)); err == nil && len(b) > 0 {
			io = string(b)
		}
		if size += n; err != nil {
			break
		}
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, answer.String())
	}
	took := time.Since(began)
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("%d MiB, %d bytes of collection, %d forks, %d events", usage.Maxrss>>10, size, f.made.Load(), f.alive.Load())
	if f.alive.Load() == 0 || f.made.Load() != 0 {
		t.Errorf("%d forks in %d events of the kernel", f.made.Load(), f.alive.Load())
	}
	if !strings.Contains(io, "\nwrite_bytes: 0\n") {
		t.Errorf("it wrote to a disk: %s", io)
	}
	if usage.Maxrss>>10 > 128 {
		t.Errorf("%d MiB", usage.Maxrss>>10)
	}
	if size < 100_000 {
		t.Errorf("%d bytes", size)
	}
	return took
}
