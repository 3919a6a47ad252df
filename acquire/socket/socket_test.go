//go:build linux

package socket

import (
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/process"
	"telltale/internal/state"
)

type kept struct{ failed []string }

func (k *kept) Record(string, any) error                       { return nil }
func (k *kept) File(string, int64, time.Time, io.Reader) error { return nil }
func (k *kept) Failed(what string, err error)                  { k.failed = append(k.failed, what+": "+err.Error()) }

// taken gives the machine's sockets.
func taken(t testing.TB) (*acquire.Box, *kept) {
	b, _, err := acquire.NewBox(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Skip(err)
	}
	k := &kept{}
	for _, s := range []acquire.Step{process.New(process.Options{}).Step(), New()} {
		if err := s.Take(t.Context(), b, k); err != nil {
			t.Fatal(err)
		}
	}
	return b, k
}

func find(b *acquire.Box, protocol, local string) *state.Socket {
	for _, s := range b.Sockets {
		if s.Protocol == protocol && s.Local == local {
			return s
		}
	}
	return nil
}

func TestOwnSockets(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	defer u.Close()
	b, _ := taken(t)
	for _, want := range []struct{ protocol, local, remote, state string }{
		{"tcp", l.Addr().String(), "0.0.0.0:0", "listen"}, {"tcp", c.LocalAddr().String(), c.RemoteAddr().String(), "established"}, {"udp", u.LocalAddr().String(), "[::]:0", ""},
	} {
		s := find(b, want.protocol, want.local)
		if s == nil || s.Remote != want.remote || s.State != want.state || !slices.Equal(s.PIDs, []int{os.Getpid()}) || !slices.Contains(s.Views, inProc) || !slices.Contains(s.Views, inFile) {
			t.Errorf("%+v: %+v", want, s)
			continue
		}
		if os.Geteuid() == 0 && !slices.Contains(s.Views, inDiag) {
			t.Errorf("sock_diag does not show %+v", s)
		}
	}
}

// TestSniffer: a socket that sees all packets, with a filter, as a door that waits for its knock.
func TestSniffer(t *testing.T) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0x0300) // ETH_P_ALL, in the network's order
	if err != nil {
		t.Skipf("needs root: %v", err)
	}
	defer unix.Close(fd)
	program := []unix.SockFilter{{Code: 0x28, K: 12}, {Code: 0x15, Jt: 0, Jf: 1, K: 0x0800}, {Code: 6, K: 0xffff}, {Code: 6}}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}); err != nil {
		t.Skip(err)
	}
	b, k := taken(t)
	for _, s := range b.Sockets {
		if s.Protocol == "packet" && slices.Contains(s.PIDs, os.Getpid()) {
			if s.Filter != len(program) || s.Program[1] != "0x15 0 1 0x800" {
				t.Errorf("%+v", s)
			}
			return
		}
	}
	t.Errorf("it is not there: %q", k.failed)
}

// TestOtherNamespace: a socket where nobody who lists looks.
func TestOtherNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: a network namespace")
	}
	made, done := make(chan error), make(chan struct{})
	go apart(func() { // on a thread of its own, which ends with this goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- err
			return
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrInet4{Port: 31337})
		}
		made <- err
		<-done
	})
	defer close(done)
	if err := <-made; err != nil {
		t.Skip(err)
	}
	b, _ := taken(t)
	for _, s := range b.Sockets {
		if s.Protocol == "udp" && s.Local == "0.0.0.0:31337" && slices.Equal(s.PIDs, []int{os.Getpid()}) && s.NetNS != b.Process(os.Getpid()).NS["net"] {
			return
		}
	}
	t.Error("the socket of a thread's own network is not told")
}

func FuzzMessages(f *testing.F) {
	b := make([]byte, inetMessage)
	b[0] = unix.AF_INET
	f.Add(b)
	f.Add([]byte{17, 3, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 7, 0, 6, 0, 0, 0, 255, 255, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		inet(b, "tcp")
		if s, ok := packet(b); ok && len(s.Program) > maxFilter {
			t.Fatal("unbounded")
		}
	})
}

// apart runs f on a locked thread that is not the first: what that one does is taken for the whole process.
func apart(f func()) {
	runtime.LockOSThread()
	if unix.Gettid() != os.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() { // cannot come to this thread, which is locked
		defer close(done)
		apart(f)
	}()
	<-done
	runtime.UnlockOSThread()
}
