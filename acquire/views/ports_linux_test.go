package views

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/state"
)

func testPorts(t *testing.T, hide map[string]int) (*portHunt, *kept) {
	k := newKept(t)
	b := testBox(t)
	slices.SortFunc(b.Processes, func(a, b *state.Process) int { return a.PID - b.PID })
	return &portHunt{box: b, out: k, until: time.Now().Add(portBudget), ports: everyPort(), filter: func(name string, t *socketTable) *socketTable {
		if p := hide[name]; p != 0 && t.ports[p] {
			delete(t.ports, p)
			t.rows--
		}
		return t
	}}, k
}

// bound gives a socket at a free port of an address.
func bound(t *testing.T, tr transport, addr unix.Sockaddr) (fd, port int) {
	t.Helper()
	fd, err := unix.Socket(tr.family, tr.kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, addr); err != nil {
		t.Skip(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return fd, a.Port
	case *unix.SockaddrInet6:
		return fd, a.Port
	}
	t.Fatal(name)
	return 0, 0
}

// All that is ordinary at once: a port bound and not listening, one of loopback, a dual one of IPv6, and UDP.
func TestNoPortIsHiddenHere(t *testing.T) {
	bound(t, transports[0], &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	listening, _ := bound(t, transports[0], &unix.SockaddrInet4{})
	if err := unix.Listen(listening, 1); err != nil {
		t.Fatal(err)
	}
	bound(t, transports[2], &unix.SockaddrInet4{})
	if six, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
		defer unix.Close(six)
		unix.SetsockoptInt(six, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		unix.Bind(six, &unix.SockaddrInet6{})
		unix.Listen(six, 1)
	}
	h, k := testPorts(t, nil)
	began := time.Now()
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(began), "sock_diag tells of inactive sockets:", tellsInactive())
	k.views()
	k.quiet()
	if n := len(k.contradictions()); tellsInactive() && n != 0 {
		t.Errorf("%d contradictions", n)
	}
}

func TestAHiddenPortIsFound(t *testing.T) {
	fd, port := bound(t, transports[0], &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	_, udp := bound(t, transports[2], &unix.SockaddrInet4{})
	h, k := testPorts(t, map[string]int{"tcp": port, "udp": udp})
	h.ports = []int{port, udp, 9}
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{fmt.Sprintf("tcp %d", port), fmt.Sprintf("udp %d", udp)} {
		c := k.about("port", subject)
		if c == nil || c.Repeats != state.Passes || !slices.Contains(c.Shown, viewBind) || c.Explained != "" {
			t.Errorf("%s: %+v", subject, c)
		}
		t.Logf("%+v", c)
	}
	if c := k.about("port", fmt.Sprintf("tcp %d", port)); c != nil && !c.Holds() {
		t.Error("the counters of sockstat did not tell")
	}
}

// A socket of UDP in another namespace is looked for there, and hidden there it is found.
func TestAnotherNetworkNamespace(t *testing.T) {
	type other struct{ tid, port int }
	made, done := make(chan other, 1), make(chan struct{})
	finished := make(chan error, 1)
	go func() {
		_, err := bounded.Thread(time.Minute, func() (int, error) {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return 0, err
			}
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return 0, err
			}
			defer unix.Close(fd)
			if err := unix.Bind(fd, &unix.SockaddrInet4{Port: 31337}); err != nil {
				return 0, err
			}
			made <- other{unix.Gettid(), 31337}
			<-done
			return 0, nil
		})
		finished <- err
	}()
	var o other
	select {
	case o = <-made:
	case err := <-finished:
		t.Skip("no network namespaces of our own: ", err)
	}
	defer func() { close(done); <-finished }()
	h, k := testPorts(t, map[string]int{"udp": o.port})
	h.ports = []int{o.port, 9}
	h.box.Processes = append(h.box.Processes, &state.Process{PID: o.tid}) // by its thread the namespace is reached
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := k.about("port", "udp "+strconv.Itoa(o.port)); c == nil || c.Repeats != state.Passes {
		t.Errorf("%+v", c)
	}
	k.views()
}
