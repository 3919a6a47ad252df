package views

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/acquire/netlink"
)

// transport is a protocol of one family, whose ports are asked for.
type transport struct {
	name         string // of its file in /proc/net
	family, kind int
	protocol     int
	stat         string // its name in sockstat or sockstat6
	dual         bool   // a socket of IPv6 that takes the port of IPv4 with it
}

var transports = []transport{
	{"tcp", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP, "TCP", false},
	{"tcp6", unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP, "TCP6", false},
	{"udp", unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDP, "UDP", false},
	{"udp6", unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_UDP, "UDP6", false},
}

// both gives the transport that has a port of both families at once: what it can have need not be asked for by family,
// which halves the time. ok is false where sockets of IPv6 are not to be had or keep to themselves.
func (tr transport) both() (dual transport, ok bool) {
	dual = transport{tr.name + "+6", unix.AF_INET6, tr.kind, tr.protocol, "", true}
	fd, err := unix.Socket(dual.family, dual.kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return dual, false
	}
	defer unix.Close(fd)
	only, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
	return dual, err == nil && only == 0 && unix.Bind(fd, &unix.SockaddrInet6{}) == nil
}

// socketDiagByFamily is SOCK_DIAG_BY_FAMILY of include/uapi/linux/sock_diag.h.
const socketDiagByFamily = 20

// bindable tells whether a port of all addresses can be had. The socket never listens and is closed at once, so that
// nothing can be seen of it from elsewhere.
func (tr transport) bindable(port int) (bool, error) {
	fd, err := unix.Socket(tr.family, tr.kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	var addr unix.Sockaddr = &unix.SockaddrInet4{Port: port}
	if tr.family == unix.AF_INET6 {
		// Without this it would take the port of the other family, too.
		if !tr.dual {
			if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
				return false, err
			}
		}
		addr = &unix.SockaddrInet6{Port: port}
	}
	err = unix.Bind(fd, addr)
	if errors.Is(err, unix.EADDRINUSE) {
		return false, nil
	}
	return err == nil, err
}

// proc reads the table of the network namespace of the calling thread.
func (tr transport) proc(proc string) (*socketTable, error) {
	b, err := readNet(proc, tr.name)
	if err != nil {
		return newSocketTable(), err
	}
	t, bad := parseNet(b)
	if bad > 0 {
		return t, fmt.Errorf("%d lines of %s could not be read", bad, tr.name)
	}
	return t, nil
}

// readNet reads a file of /proc/net of the calling thread: /proc/net itself is that of the first thread. It therefore
// cannot hand the reading to another thread, and goes without a clock of its own: the thread as a whole has one.
func readNet(proc, name string) ([]byte, error) {
	path := filepath.Join(proc, "self/task", strconv.Itoa(unix.Gettid()), "net", name)
	return bounded.Now(path, 256<<20)
}

// asked gives what sock_diag shows of the protocol, with the sockets that are bound and do not listen, which only
// Linux 6.8 and later tell of.
func (tr transport) asked(loaded map[int]bool) (*socketTable, error) {
	t := newSocketTable()
	if !loaded[tr.protocol] {
		return t, nil
	}
	req := make([]byte, 56) // sizeof(struct inet_diag_req_v2)
	req[0], req[1] = byte(tr.family), byte(tr.protocol)
	for i := 4; i < 8; i++ {
		req[i] = 0xff // all states
	}
	err := netlink.Dump(unix.NETLINK_SOCK_DIAG, socketDiagByFamily, req, func(typ uint16, body []byte) error {
		if typ == socketDiagByFamily {
			t.diag(body)
		}
		return nil
	})
	return t, err
}

// tellsInactive tells whether sock_diag shows sockets that are bound and do not listen, by one of our own.
func tellsInactive() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return false
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	own, ok := name.(*unix.SockaddrInet4)
	t, err := transports[0].asked(map[int]bool{unix.IPPROTO_TCP: true})
	return ok && err == nil && t.ports[own.Port]
}

// sweep asks for ports of one transport in the namespace of the calling thread.
func (tr transport) sweep(ctx context.Context, ports []int, until time.Time) (taken []int, asked int, err error) {
	for _, p := range ports {
		if asked%256 == 255 && (ctx.Err() != nil || time.Now().After(until)) {
			return taken, asked, fmt.Errorf("no time for the ports after %d", p-1)
		}
		free, e := tr.bindable(p)
		switch {
		case e == nil && !free:
			taken = append(taken, p)
		case errors.Is(e, unix.EACCES), errors.Is(e, unix.EPERM):
			err = fmt.Errorf("some ports may not be bound: %w", e)
		case errors.Is(e, unix.EAFNOSUPPORT), errors.Is(e, unix.EADDRNOTAVAIL):
			return taken, asked, fmt.Errorf("this kernel or namespace has no such family: %w", e)
		case e != nil:
			return taken, asked, fmt.Errorf("bind %s %d: %w", tr.name, p, e)
		}
		asked++
	}
	return taken, asked, err
}
