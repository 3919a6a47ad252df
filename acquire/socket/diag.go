//go:build linux

package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"telltale/internal/procfs"
	"telltale/internal/state"
)

// Of include/uapi/linux/sock_diag.h, inet_diag.h, packet_diag.h.
const (
	sockDiagByFamily = 20
	inetRequest      = 56 // bytes, struct inet_diag_req_v2
	inetMessage      = 72 // bytes, struct inet_diag_msg
	packetRequest    = 20 // bytes, struct packet_diag_req
	packetMessage    = 16 // bytes, struct packet_diag_msg
	showInfo         = 1  // PACKET_SHOW_INFO
	showFilter       = 32 // PACKET_SHOW_FILTER
	attrInfo         = 0  // PACKET_DIAG_INFO
	attrUID          = 5  // PACKET_DIAG_UID
	attrFilter       = 7  // PACKET_DIAG_FILTER: struct sock_filter, eight bytes each
	maxMessages      = 4_000_000
)

// diag asks the kernel in a namespace, on a thread of its own which is thrown away with the namespace that it took.
func (t *taker) diag(ns space) error {
	type found struct {
		s   state.Socket
		err error
	}
	c := make(chan found, 256)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		defer close(c)
		if err := enter(t.box.Proc, ns.of); err != nil {
			c <- found{err: err}
			return
		}
		if err := dump(func(s *state.Socket) { c <- found{s: *s} }); err != nil {
			c <- found{err: err}
		}
	}()
	var failed error
	for f := range c {
		if f.err != nil {
			failed = f.err
			continue
		}
		t.add(ns, inDiag, &f.s)
	}
	return failed
}

// enter takes the network namespace of a process or thread, unless it is ours already.
func enter(proc, of string) error {
	path := proc + "/" + of + "/ns/net"
	var theirs, ours unix.Stat_t
	if unix.Stat(path, &theirs) == nil && unix.Stat("/proc/self/ns/net", &ours) == nil && theirs.Ino == ours.Ino {
		return nil
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Setns(fd, unix.CLONE_NEWNET)
}

func dump(yield func(*state.Socket)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}); err != nil {
		return err
	}
	var failed error
	for _, q := range []struct {
		name   string
		number uint8
	}{{"tcp", unix.IPPROTO_TCP}, {"udp", unix.IPPROTO_UDP}, {"udplite", unix.IPPROTO_UDPLITE}, {"raw", unix.IPPROTO_RAW}} {
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			req := make([]byte, inetRequest)
			req[0], req[1] = family, q.number
			binary.NativeEndian.PutUint32(req[4:], ^uint32(0)) // in all states
			err := ask(fd, req, func(m []byte) {
				if s, ok := inet(m, q.name); ok {
					yield(&s)
				}
			})
			if err != nil && !errors.Is(err, unix.ENOENT) { // ENOENT: the kernel has no such protocol loaded
				failed = fmt.Errorf("%s: %w", q.name, err)
			}
		}
	}
	req := make([]byte, packetRequest)
	req[0] = unix.AF_PACKET
	binary.NativeEndian.PutUint32(req[8:], showInfo|showFilter)
	err = ask(fd, req, func(m []byte) {
		if s, ok := packet(m); ok {
			yield(&s)
		}
	})
	if err != nil && !errors.Is(err, unix.ENOENT) {
		failed = fmt.Errorf("packet: %w", err)
	}
	return failed
}

// ask sends one question and gives each message of the answer.
func ask(fd int, req []byte, each func([]byte)) error {
	b := make([]byte, unix.NLMSG_HDRLEN+len(req))
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	copy(b[unix.NLMSG_HDRLEN:], req)
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for n := 0; n < maxMessages; {
		size, from, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if a, ok := from.(*unix.SockaddrNetlink); !ok || a.Pid != 0 {
			continue // not from the kernel
		}
		done, err := messages(buf[:size], func(m []byte) { n++; each(m) })
		if done || err != nil {
			return err
		}
	}
	return fmt.Errorf("more than %d sockets", maxMessages)
}

// messages takes a datagram apart.
func messages(b []byte, each func([]byte)) (done bool, err error) {
	for len(b) >= unix.NLMSG_HDRLEN {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.NLMSG_HDRLEN || size > len(b) {
			return true, errors.New("the kernel's answer is cut")
		}
		body := b[unix.NLMSG_HDRLEN:size]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(body) < 4 {
				return true, errors.New("the kernel's answer is cut")
			}
			if e := int32(binary.NativeEndian.Uint32(body)); e != 0 {
				return true, unix.Errno(-e)
			}
			return true, nil
		case sockDiagByFamily:
			each(body)
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return false, nil
}

// inet reads struct inet_diag_msg.
func inet(m []byte, protocol string) (s state.Socket, ok bool) {
	if len(m) < inetMessage {
		return s, false
	}
	size := 4
	if m[0] == unix.AF_INET6 {
		size = 16
	} else if m[0] != unix.AF_INET {
		return s, false
	}
	addr := func(b []byte, port []byte) string {
		a, _ := netip.AddrFromSlice(b[:size])
		return netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(port)).String()
	}
	s = state.Socket{Protocol: protocol, Local: addr(m[8:], m[4:]), Remote: addr(m[24:], m[6:])}
	if protocol == "tcp" {
		s.State = procfs.TCPState(m[1])
	} else if m[1] == 1 {
		s.State = "connected"
	}
	s.Receive, s.Send = int64(binary.NativeEndian.Uint32(m[56:])), int64(binary.NativeEndian.Uint32(m[60:]))
	s.UID, s.Inode = binary.NativeEndian.Uint32(m[64:]), uint64(binary.NativeEndian.Uint32(m[68:]))
	return s, true
}

// packet reads struct packet_diag_msg and its attributes.
func packet(m []byte) (s state.Socket, ok bool) {
	if len(m) < packetMessage {
		return s, false
	}
	s = state.Socket{Protocol: "packet", State: fmt.Sprintf("protocol %04x", binary.NativeEndian.Uint16(m[2:])), Inode: uint64(binary.NativeEndian.Uint32(m[4:]))}
	for a := m[packetMessage:]; len(a) >= 4; {
		size, kind := int(binary.NativeEndian.Uint16(a)), binary.NativeEndian.Uint16(a[2:])&0x3fff
		if size < 4 || size > len(a) {
			return s, true
		}
		switch v := a[4:size]; {
		case kind == attrInfo && len(v) >= 4:
			s.Local = "interface " + strconv.FormatUint(uint64(binary.NativeEndian.Uint32(v)), 10)
		case kind == attrUID && len(v) >= 4:
			s.UID = binary.NativeEndian.Uint32(v)
		case kind == attrFilter:
			s.Filter, s.Program = len(v)/8, filter(v)
		}
		a = a[min(len(a), (size+3)&^3):]
	}
	return s, true
}

// maxFilter is BPF_MAXINSNS, instructions.
const maxFilter = 4096

// filter writes a classic BPF program down, an instruction each as tcpdump -dd does: what it waits for can be read out of its constants.
func filter(b []byte) (out []string) {
	for i := 0; i+8 <= len(b) && len(out) < maxFilter; i += 8 {
		out = append(out, fmt.Sprintf("%#x %d %d %#x", binary.NativeEndian.Uint16(b[i:]), b[i+2], b[i+3], binary.NativeEndian.Uint32(b[i+4:])))
	}
	return out
}
