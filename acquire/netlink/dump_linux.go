package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of one list.
const (
	patience  = 5 * time.Second
	maxAnswer = 256 << 20 // bytes in all
	maxDgram  = 1 << 20   // bytes of one datagram: the kernel sends at most 32 KiB unless the buffer is larger
)

// ErrNotWhole says that a list was longer or slower than its limit: it may lack entries.
var ErrNotWhole = errors.New("the list is not whole")

// Dump asks for a list: a request of the type with the payload, to a protocol (unix.NETLINK_ROUTE and others), in the
// network namespace of the calling thread. each gets every entry, and must not keep the bytes.
func Dump(protocol int, typ uint16, payload []byte, each func(typ uint16, body []byte) error) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return fmt.Errorf("open netlink %d: %w", protocol, err)
	}
	defer unix.Close(fd)
	tv := unix.NsecToTimeval(int64(patience))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		return fmt.Errorf("set a time limit: %w", err)
	}
	req := make([]byte, headerSize, headerSize+len(payload))
	binary.NativeEndian.PutUint32(req, uint32(headerSize+len(payload)))
	binary.NativeEndian.PutUint16(req[4:], typ)
	binary.NativeEndian.PutUint16(req[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	if err := unix.Sendto(fd, append(req, payload...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask netlink %d: %w", protocol, err)
	}
	return receive(fd, each)
}

func receive(fd int, each func(typ uint16, body []byte) error) error {
	buf := make([]byte, maxDgram)
	deadline := time.Now().Add(patience)
	for total := 0; ; {
		n, _, flags, from, err := unix.Recvmsg(fd, buf, nil, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("hear netlink: %w", err)
		}
		if nl, ok := from.(*unix.SockaddrNetlink); ok && nl.Pid != 0 {
			continue // from another process, not from the kernel
		}
		if total += n; flags&unix.MSG_TRUNC != 0 || total > maxAnswer || time.Now().After(deadline) {
			return ErrNotWhole
		}
		if done, err := split(buf[:n], each); done || err != nil {
			return err
		}
	}
}
