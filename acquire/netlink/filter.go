package netlink

import (
	"encoding/binary"
	"fmt"
)

// FilterFamily names a family of the packet filter: NFPROTO_* of include/uapi/linux/netfilter.h, in the words of nft(8).
func FilterFamily(family uint8) string {
	switch family {
	case 1:
		return "inet"
	case 2:
		return "ip"
	case 3:
		return "arp"
	case 5:
		return "netdev"
	case 7:
		return "bridge"
	case 10:
		return "ip6"
	}
	return fmt.Sprintf("family %d", family)
}

// FilterHeader is struct nfgenmsg: family, version 0, resource in network order.
func FilterHeader(family uint8, resource uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte{family, 0}, resource)
}

// Put writes an attribute behind b, filled up to four bytes.
func Put(b []byte, typ uint16, v []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(attrSize+len(v)))
	b = append(binary.NativeEndian.AppendUint16(b, typ), v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// Net32 and Net64 read the numbers of the packet filter, which are in network order; what is too short is 0.
func Net32(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// Net64 is Net32 for eight bytes.
func Net64(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
