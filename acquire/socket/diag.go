//go:build linux

package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/acquire/namespace"
	"telltale/acquire/netlink"
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
)

// diag asks the kernel in a namespace, on a thread of its own which is thrown away with the namespace that it took.
func (t *taker) diag(ns space) error {
	found, err := bounded.Thread(patience, func() ([]state.Socket, error) {
		var all []state.Socket
		if err := enter(t.box.Proc, ns.of); err != nil {
			return nil, err
		}
		return all, dump(t.speaks, func(s *state.Socket) { all = append(all, *s) })
	})
	for i := range found {
		t.add(ns, inDiag, &found[i])
	}
	return err
}

// patience is how long one namespace may take.
const patience = 10 * time.Second

// enter takes the network namespace of a process or thread, unless it is ours already.
func enter(proc, of string) error {
	path := proc + "/" + of + "/ns/net"
	if namespace.ID(path) == namespace.ID("/proc/thread-self/ns/net") {
		return nil
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Setns(fd, unix.CLONE_NEWNET)
}

// dump asks for all sockets of the protocols that the kernel can tell of without loading anything.
func dump(diagnosed map[int]bool, yield func(*state.Socket)) error {
	var failed error
	for _, q := range []struct {
		name   string
		number uint8
	}{{"tcp", unix.IPPROTO_TCP}, {"udp", unix.IPPROTO_UDP}, {"udplite", unix.IPPROTO_UDPLITE}, {"raw", unix.IPPROTO_RAW}} {
		if !diagnosed[int(q.number)] {
			continue
		}
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			req := make([]byte, inetRequest)
			req[0], req[1] = family, q.number
			binary.NativeEndian.PutUint32(req[4:], ^uint32(0)) // in all states
			err := ask(req, func(m []byte) {
				if s, ok := inet(m, q.name); ok {
					yield(&s)
				}
			})
			if err != nil {
				failed = fmt.Errorf("%s: %w", q.name, err)
			}
		}
	}
	if !diagnosed[unix.AF_PACKET<<16] {
		return failed
	}
	req := make([]byte, packetRequest)
	req[0] = unix.AF_PACKET
	binary.NativeEndian.PutUint32(req[8:], showInfo|showFilter)
	if err := ask(req, func(m []byte) {
		if s, ok := packet(m); ok {
			yield(&s)
		}
	}); err != nil {
		failed = fmt.Errorf("packet: %w", err)
	}
	return failed
}

// ask gives each socket of one question; a kernel that has no such protocol has none.
func ask(req []byte, each func([]byte)) error {
	err := netlink.Dump(unix.NETLINK_SOCK_DIAG, sockDiagByFamily, req, func(typ uint16, body []byte) error {
		if typ == sockDiagByFamily {
			each(body)
		}
		return nil
	})
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
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
