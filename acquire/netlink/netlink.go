// Package netlink asks the kernel for lists over netlink(7): sockets, links, addresses, filters. It only asks: no
// request of this package changes anything. Messages are those of include/uapi/linux/netlink.h, in the byte order of
// the machine; answers are taken as untrusted and read within limits.
package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
)

// Sizes of the headers of include/uapi/linux/netlink.h, in bytes.
const (
	headerSize = 16 // sizeof(struct nlmsghdr)
	attrSize   = 4  // sizeof(struct nlattr)
	attrMask   = 0x3fff
)

// Types of messages that are about the conversation itself.
const (
	typeError = 2 // NLMSG_ERROR
	typeDone  = 3 // NLMSG_DONE
)

// ErrForm says that an answer is not formed as netlink's are.
var ErrForm = errors.New("not formed as a netlink answer")

// split calls each for the messages in one datagram; done tells that the list is at its end.
func split(b []byte, each func(typ uint16, body []byte) error) (done bool, err error) {
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		typ := binary.NativeEndian.Uint16(b[4:])
		if size < headerSize || size > len(b) {
			return false, fmt.Errorf("message of %d bytes in %d: %w", uint32(size), len(b), ErrForm)
		}
		body := b[headerSize:size:size]
		switch typ {
		case typeDone:
			return true, nil
		case typeError:
			return true, refusal(body)
		default:
			if err := each(typ, body); err != nil {
				return true, err
			}
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	if len(b) > 0 {
		return false, fmt.Errorf("%d bytes behind the last message: %w", len(b), ErrForm)
	}
	return false, nil
}

// refusal reads struct nlmsgerr.
func refusal(body []byte) error {
	if len(body) < 4 {
		return ErrForm
	}
	if n := int32(binary.NativeEndian.Uint32(body)); n < 0 {
		return fmt.Errorf("netlink refuses: %w", syscall.Errno(-n))
	}
	return nil
}

// Attrs calls each for the attributes in b, in their order. It ends at the first that goes beyond b.
func Attrs(b []byte, each func(typ uint16, v []byte)) {
	for len(b) >= attrSize {
		size := int(binary.NativeEndian.Uint16(b))
		if size < attrSize || size > len(b) {
			return
		}
		each(binary.NativeEndian.Uint16(b[2:])&attrMask, b[attrSize:size:size])
		b = b[min((size+3)&^3, len(b)):]
	}
}

// Text gives an attribute that is a string ended by a NUL.
func Text(v []byte) string {
	for i, c := range v {
		if c == 0 {
			return string(v[:i])
		}
	}
	return string(v)
}

// U32 gives an attribute that is a number of 32 bits, 0 if it is shorter.
func U32(v []byte) uint32 {
	if len(v) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(v)
}
