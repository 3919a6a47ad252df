// Package firewall takes the rules of the kernel's packet filter as they hold at this moment, in every network namespace that a process has: the
// tables of nftables, which iptables-nft keeps its rules in, too, and those of the older iptables and ip6tables. It asks and changes nothing, and what
// the kernel has not loaded is not asked for, for asking would load it. Rules are taken apart as far as an examiner needs: what a packet must be, and what
// becomes of it; expressions beyond that are named.
//
// Forms follow Linux 6.18: include/uapi/linux/netfilter/nf_tables.h, x_tables.h, xt_tcpudp.h, xt_multiport.h, nf_nat.h and
// include/uapi/linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h.
package firewall

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"telltale/internal/state"
)

// Limits of one network namespace.
const (
	maxRules    = 50_000
	maxSets     = 500
	maxElements = 64       // of one set that are kept: more is a list of bans, or of a country
	maxWords    = 64       // of one rule
	maxText     = 256      // bytes of a comment or name
	maxTable    = 16 << 20 // bytes of one table of iptables
)

// hooks of the families ip, ip6, inet and bridge: NF_INET_* of include/uapi/linux/netfilter.h.
var hooks = [...]string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}

// hookName names a hook: netdev and arp number theirs anew.
func hookName(family string, n uint32) string {
	switch {
	case family == "netdev" && n < 2:
		return [...]string{"ingress", "egress"}[n]
	case family == "arp" && n < 3:
		return [...]string{"input", "output", "forward"}[n]
	case family != "netdev" && family != "arp" && n < uint32(len(hooks)):
		return hooks[n]
	}
	return fmt.Sprintf("hook %d", n)
}

// protocols are those that have names in rules.
var protocols = map[byte]string{1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah", 58: "icmpv6", 132: "sctp", 136: "udplite"}

func protocol(n byte) string {
	if s := protocols[n]; s != "" {
		return s
	}
	return "protocol " + strconv.Itoa(int(n))
}

// match notes one thing that a rule asks for.
func match(r *state.Firewall, words ...string) {
	if len(r.Match) < maxWords {
		r.Match = append(r.Match, strings.Join(words, " "))
	}
}

// unread notes an expression that was not understood, once.
func unread(r *state.Firewall, name string) {
	name = state.Text([]byte(name), maxText)
	for _, u := range r.Unread {
		if u == name {
			return
		}
	}
	if len(r.Unread) < maxWords {
		r.Unread = append(r.Unread, name)
	}
}

// prefix writes a network: an address alone where the mask is whole.
func prefix(addr []byte, bits int) string {
	a, ok := netip.AddrFromSlice(addr)
	if !ok {
		return fmt.Sprintf("%#x", addr)
	}
	if bits == a.BitLen() {
		return a.String()
	}
	return netip.PrefixFrom(a, bits).String()
}

// ones counts the leading ones of a mask, ok if nothing but zeros follows.
func ones(mask []byte) (n int, ok bool) {
	ended := false
	for _, b := range mask {
		for bit := 7; bit >= 0; bit-- {
			one := b>>bit&1 == 1
			if one && ended {
				return n, false
			}
			if ended = ended || !one; one {
				n++
			}
		}
	}
	return n, true
}

// ports writes a range of ports.
func ports(from, to uint16) string {
	if from == to {
		return strconv.Itoa(int(from))
	}
	return fmt.Sprintf("%d-%d", from, to)
}

// address writes where a packet is sent to.
func address(addr netip.Addr, from, to uint16) string {
	host := ""
	if addr.IsValid() && !addr.IsUnspecified() {
		host = addr.String()
		if addr.Is6() {
			host = "[" + host + "]"
		}
	}
	if from == 0 {
		return strings.Trim(host, "[]")
	}
	return host + ":" + ports(from, to)
}

// name reads a string that ends at its first zero.
func name(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return state.Text(b[:i], maxText)
		}
	}
	return state.Text(b, maxText)
}
