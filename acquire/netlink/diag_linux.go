package netlink

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// Diagnosed gives the protocols for which the kernel has its part of sock_diag at hand, by its table of symbols (/proc/kallsyms); packets stand under AF_PACKET<<16. About
// others it is not to be asked: to answer, it would run modprobe and load a module.
func Diagnosed(symbols []byte) map[int]bool {
	has := func(symbol string) bool { return bytes.Contains(symbols, []byte(" "+symbol)) }
	return map[int]bool{
		unix.IPPROTO_TCP: has("tcp_diag_dump"), unix.IPPROTO_UDP: has("udp_diag_dump"), unix.IPPROTO_UDPLITE: has("udplite_diag_dump"), unix.IPPROTO_RAW: has("raw_diag_dump"),
		unix.AF_PACKET << 16: has("packet_diag_dump"),
	}
}
