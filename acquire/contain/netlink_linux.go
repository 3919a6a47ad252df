package contain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/netlink"
	"telltale/internal/limit"
)

// The bounds of a dump. The kernel's answers are evidence as well: a root-kit may have its hand in them.
const (
	dumpBytes   = 64 << 20
	dumpTime    = 10 * time.Second
	socketBytes = 4 << 20 // buffer of the socket: the kernel takes a transaction in one piece
)

// message is one netlink message without its header.
type message struct {
	kind  uint16 // nlmsg_type
	flags uint16 // nlmsg_flags
	body  []byte // nfgenmsg or ifinfomsg, and attributes
	what  string // for people: what it does
}

// attr is one netlink attribute that was read: its type without the flags NESTED and NET_BYTEORDER.
type attr struct {
	kind   uint16
	nested bool // it was said to be nested; the kernel does not always say so
	data   []byte
}

// conn is a netlink socket. It belongs to the network namespace in which it was opened.
type conn struct {
	fd  int
	seq uint32
}

// dial opens a socket of a netlink protocol (NETLINK_NETFILTER, NETLINK_ROUTE).
func dial(protocol int) (*conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind a netlink socket: %w", err)
	}
	// Beyond the usual bound only with CAP_NET_ADMIN; without it the sizes stay as they are and nothing could be laid anyway.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketBytes)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBytes)
	tv := unix.NsecToTimeval(int64(dumpTime))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bound the wait of a netlink socket: %w", err)
	}
	return &conn{fd: fd, seq: 1}, nil
}

func (c *conn) close() { unix.Close(c.fd) }

// append writes a message with its header behind b.
func (c *conn) append(b []byte, m message) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(unix.SizeofNlMsghdr+len(m.body)))
	b = binary.NativeEndian.AppendUint16(b, m.kind)
	b = binary.NativeEndian.AppendUint16(b, m.flags|unix.NLM_F_REQUEST)
	b = binary.NativeEndian.AppendUint32(b, c.seq)
	b = binary.NativeEndian.AppendUint32(b, 0)
	c.seq++
	return pad(append(b, m.body...))
}

// transact sends messages as one transaction of nf_tables: all of them hold, or none.
func (c *conn) transact(list []message) error {
	if len(list) == 0 {
		return nil
	}
	edge := genmsg(unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES)
	first := c.seq
	b := c.append(nil, message{kind: unix.NFNL_MSG_BATCH_BEGIN, body: edge})
	for i, m := range list {
		// Errors come for every message; one acknowledgement, of the last, says that all went through.
		if i == len(list)-1 {
			m.flags |= unix.NLM_F_ACK
		}
		b = c.append(b, m)
	}
	last := c.seq - 1
	b = c.append(b, message{kind: unix.NFNL_MSG_BATCH_END, body: edge})
	if err := unix.Sendto(c.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("send a transaction: %w", err)
	}
	var failed error
	err := c.receive(func(h header, body []byte) (bool, error) {
		if h.kind != unix.NLMSG_ERROR || h.seq < first || h.seq > last+1 || len(body) < 4 {
			return false, nil
		}
		code := int32(binary.NativeEndian.Uint32(body))
		if code != 0 && failed == nil {
			failed = &stepError{step: int(h.seq) - int(first) - 1, list: list, err: errno(code)}
		}
		// An error of the first message (no right, no nf_tables, the commit) may be all that comes.
		return h.seq == last || h.seq == first && code != 0, nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// stepError says which message of a transaction the kernel refused.
type stepError struct {
	step int // -1: the transaction as a whole
	list []message
	err  error
}

func (e *stepError) Error() string {
	if e.step < 0 || e.step >= len(e.list) {
		return fmt.Sprintf("the kernel refuses the transaction: %v", e.err)
	}
	return fmt.Sprintf("the kernel refuses to %s: %v", e.list[e.step].what, e.err)
}

func (e *stepError) Unwrap() error { return e.err }

// bridge tells whether the step belongs to the table of family bridge.
func (e *stepError) bridge() bool {
	return e.step >= 0 && e.step < len(e.list) && e.list[e.step].body[0] == unix.NFPROTO_BRIDGE
}

// dump asks for a list and calls f with the kind and body of each message of it.
func (c *conn) dump(m message, f func(kind uint16, body []byte) error) error {
	m.flags |= unix.NLM_F_DUMP
	want := c.seq
	if err := unix.Sendto(c.fd, c.append(nil, m), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask to %s: %w", m.what, err)
	}
	torn := false
	err := c.receive(func(h header, body []byte) (bool, error) {
		if h.seq != want {
			return false, nil
		}
		torn = torn || h.flags&unix.NLM_F_DUMP_INTR != 0
		if h.kind == unix.NLMSG_DONE || h.kind == unix.NLMSG_ERROR {
			if len(body) >= 4 {
				if code := int32(binary.NativeEndian.Uint32(body)); code != 0 {
					return true, errno(code)
				}
			}
			return true, nil
		}
		return false, f(h.kind, body)
	})
	if err == nil && torn {
		err = errTorn
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.what, err)
	}
	return nil
}

// errTorn says that the list changed while it was read.
var errTorn = errors.New("it changed while it was read")

// header is a netlink message's.
type header struct {
	kind, flags uint16
	seq         uint32
}

// receive calls f for each message that the kernel sends until f has enough.
func (c *conn) receive(f func(h header, body []byte) (done bool, err error)) error {
	buf := make([]byte, 256<<10)
	end, total := time.Now().Add(dumpTime), 0
	for {
		n, from, err := unix.Recvfrom(c.fd, buf, unix.MSG_TRUNC)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait for the kernel's answer: %w", err)
		case n > len(buf):
			return fmt.Errorf("an answer of %d bytes: %w", n, limit.ErrLimit)
		}
		if total += n; total > dumpBytes || time.Now().After(end) {
			return fmt.Errorf("the kernel's answer does not end: %w", limit.ErrLimit)
		}
		// Any process may send to our port: only the kernel has number 0.
		if nl, ok := from.(*unix.SockaddrNetlink); !ok || nl.Pid != 0 {
			continue
		}
		if done, err := messages(buf[:n], f); done || err != nil {
			return err
		}
	}
}

// messages takes apart what came in one piece.
func messages(b []byte, f func(h header, body []byte) (bool, error)) (bool, error) {
	for len(b) >= unix.SizeofNlMsghdr {
		n := int64(binary.NativeEndian.Uint32(b))
		if n < unix.SizeofNlMsghdr || n > int64(len(b)) {
			return false, fmt.Errorf("a netlink message of %d bytes where %d are", n, len(b))
		}
		h := header{kind: binary.NativeEndian.Uint16(b[4:]), flags: binary.NativeEndian.Uint16(b[6:]), seq: binary.NativeEndian.Uint32(b[8:])}
		if done, err := f(h, b[unix.SizeofNlMsghdr:n]); done || err != nil {
			return done, err
		}
		b = b[min(int64(len(b)), (n+3)&^3):]
	}
	return false, nil
}

// attrs takes a row of attributes apart. It stops at the first that goes beyond the end.
func attrs(b []byte) ([]attr, error) {
	var out []attr
	for len(b) >= unix.SizeofNlAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofNlAttr || n > len(b) {
			return out, fmt.Errorf("an attribute of %d bytes where %d are", n, len(b))
		}
		kind := binary.NativeEndian.Uint16(b[2:])
		out = append(out, attr{kind &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER), kind&unix.NLA_F_NESTED != 0, b[unix.SizeofNlAttr:n]})
		b = b[min(len(b), (n+3)&^3):]
	}
	return out, nil
}

// find gives the data of the first attribute of a kind, nil if there is none.
func find(list []attr, kind uint16) []byte {
	for _, a := range list {
		if a.kind == kind {
			return a.data
		}
	}
	return nil
}

// errno makes an error of a negative error number.
func errno(code int32) error { return unix.Errno(-code) }

// genmsg is struct nfgenmsg: family, version 0, resource in network order.
func genmsg(family uint8, resource uint16) []byte { return netlink.FilterHeader(family, resource) }

func pad(b []byte) []byte {
	for len(b)%unix.NLA_ALIGNTO != 0 {
		b = append(b, 0)
	}
	return b
}

// put writes an attribute behind b.
func put(b []byte, kind uint16, data []byte) []byte { return netlink.Put(b, kind, data) }

// nest writes an attribute that holds attributes.
func nest(b []byte, kind uint16, data []byte) []byte { return put(b, kind|unix.NLA_F_NESTED, data) }

// text writes a string with its closing zero.
func text(b []byte, kind uint16, s string) []byte { return put(b, kind, append([]byte(s), 0)) }

// number writes 32 bits in network order, as nf_tables wants them.
func number(b []byte, kind uint16, v uint32) []byte {
	return put(b, kind, binary.BigEndian.AppendUint32(nil, v))
}
