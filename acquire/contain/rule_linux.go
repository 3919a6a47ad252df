package contain

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Verdicts of linux/netfilter.h.
const (
	nfDrop   = 0 // NF_DROP
	nfAccept = 1 // NF_ACCEPT
)

// Names and numbers of our objects in the kernel.
const (
	armedSet = "armed"
	// typeNFProto is nft(8)'s number of the data type nf_proto, for its listing; the kernel only keeps it.
	typeNFProto = 2
	// before is below NF_IP_PRI_RAW (-300): we are asked before everyone but defragmentation.
	before = -400
	// behind is above NF_IP_PRI_NAT_SRC (100): another table may have turned a packet to an allowed address elsewhere
	// (dnat at output, -100), so the address is looked at again when nobody changes it any more.
	behind = 400
	// loopbackIndex is LOOPBACK_IFINDEX: lo is the first interface of every network namespace; another may bear its name.
	loopbackIndex = 1
)

// Places of fields in headers, in bytes.
const (
	saddr4, daddr4 = 12, 16 // struct iphdr
	saddr6, daddr6 = 8, 24  // struct ipv6hdr
	hopLimit       = 7
	sport, dport   = 0, 2 // TCP and UDP alike
	icmpType       = 0
)

// expr is one expression of a rule: its name and its attributes.
type expr struct {
	name string
	data []byte
}

// rule is one rule of ours.
type rule struct {
	family  uint8
	chain   string
	comment string
	exprs   []expr
}

// chain is one base chain of ours.
type chain struct {
	family   uint8
	name     string
	hook     uint32
	priority int32
}

// chains gives the chains of the table of family inet, and of bridge's. The hooks of bridges are numbered like inet's.
func chains(bridge bool) []chain {
	out := []chain{
		{unix.NFPROTO_INET, "input", unix.NF_INET_LOCAL_IN, before},
		{unix.NFPROTO_INET, "forward", unix.NF_INET_FORWARD, before},
		{unix.NFPROTO_INET, "output", unix.NF_INET_LOCAL_OUT, before},
		{unix.NFPROTO_INET, "postrouting", unix.NF_INET_POST_ROUTING, behind},
	}
	if bridge {
		// Only what goes from port to port: what a bridge takes up for the machine itself passes inet's hooks.
		out = append(out, chain{unix.NFPROTO_BRIDGE, "forward", unix.NF_INET_FORWARD, before})
	}
	return out
}

// armed gives the families of packets that a table of a family has to cut.
func armed(family uint8) []byte {
	if family == unix.NFPROTO_BRIDGE {
		return []byte{unix.NFPROTO_BRIDGE}
	}
	return []byte{unix.NFPROTO_IPV4, unix.NFPROTO_IPV6}
}

// rules gives all rules of a plan, in order.
func (p Plan) rules(bridge bool) []rule {
	var out []rule
	for _, c := range chains(bridge) {
		if c.hook != unix.NF_INET_FORWARD {
			for _, r := range p.accepts(c.hook == unix.NF_INET_LOCAL_IN) {
				r.family, r.chain = c.family, c.name
				r.exprs = append(r.exprs, verdict(nfAccept))
				out = append(out, r)
			}
		}
		family := load(unix.NFT_META_NFPROTO)
		if c.family == unix.NFPROTO_BRIDGE {
			// Of bridges the kernel only knows meta by a module of its own, which may not be there; the family is known anyhow.
			family = constant([]byte{unix.NFPROTO_BRIDGE})
		}
		drop := []expr{family, lookup(armedSet), {name: "counter"}, verdict(nfDrop)}
		out = append(out, rule{c.family, c.name, sayDrop, drop})
	}
	return out
}

// accepts gives what is let through on the way in, or out.
func (p Plan) accepts(in bool) []rule {
	device, own, peer := uint32(unix.NFT_META_OIF), sport, dport
	if in {
		device, own, peer = unix.NFT_META_IIF, dport, sport
	}
	out := []rule{{comment: sayLoopback, exprs: meta(device, binary.NativeEndian.AppendUint32(nil, loopbackIndex))}}
	for _, n := range p.Allow {
		out = append(out, rule{comment: sayAllow + n.String(), exprs: address(n, in)})
	}
	for _, a := range p.DNS {
		for _, l4 := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
			e := append(address(netip.PrefixFrom(a, a.BitLen()), in), port(l4, peer, 53)...)
			out = append(out, rule{comment: sayDNS + a.String(), exprs: e})
		}
	}
	if p.DHCP {
		for _, v := range []struct {
			family       byte
			client, serv uint16
		}{{unix.NFPROTO_IPV4, 68, 67}, {unix.NFPROTO_IPV6, 546, 547}} {
			e := append(meta(unix.NFT_META_NFPROTO, []byte{v.family}), port(unix.IPPROTO_UDP, own, v.client)...)
			e = append(e, payload(unix.NFT_PAYLOAD_TRANSPORT_HEADER, uint32(peer), 2), compare(unix.NFT_CMP_EQ, binary.BigEndian.AppendUint16(nil, v.serv)))
			out = append(out, rule{comment: sayDHCP, exprs: e})
		}
	}
	// Without these IPv6 ends within seconds. The hop limits keep both to the link: 255 by RFC 4861, 1 by RFC 3810.
	return append(out,
		rule{comment: sayNDP, exprs: icmp6(255, 133, 136)}, // solicitations and advertisements of routers and neighbours
		rule{comment: sayMLD, exprs: icmp6(1, 130, 132)},   // query, report, done
		rule{comment: sayMLD, exprs: icmp6(1, 143, 143)})   // report of version 2
}

// address matches the source on the way in, the destination on the way out.
func address(n netip.Prefix, in bool) []expr {
	family, offset := byte(unix.NFPROTO_IPV4), uint32(daddr4)
	switch {
	case n.Addr().Is4() && in:
		offset = saddr4
	case n.Addr().Is6():
		family, offset = unix.NFPROTO_IPV6, daddr6
		if in {
			offset = saddr6
		}
	}
	want := n.Masked().Addr().AsSlice()
	mask := make([]byte, len(want))
	for i := range n.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return append(meta(unix.NFT_META_NFPROTO, []byte{family}),
		payload(unix.NFT_PAYLOAD_NETWORK_HEADER, offset, uint32(len(want))), bitwise(mask), compare(unix.NFT_CMP_EQ, want))
}

// port matches a protocol and one of its ports.
func port(l4 byte, offset int, want uint16) []expr {
	return append(meta(unix.NFT_META_L4PROTO, []byte{l4}),
		payload(unix.NFT_PAYLOAD_TRANSPORT_HEADER, uint32(offset), 2), compare(unix.NFT_CMP_EQ, binary.BigEndian.AppendUint16(nil, want)))
}

// icmp6 matches ICMPv6 of the types from..to with a hop limit.
func icmp6(hops, from, to byte) []expr {
	e := append(meta(unix.NFT_META_NFPROTO, []byte{unix.NFPROTO_IPV6}), meta(unix.NFT_META_L4PROTO, []byte{unix.IPPROTO_ICMPV6})...)
	return append(e, payload(unix.NFT_PAYLOAD_NETWORK_HEADER, hopLimit, 1), compare(unix.NFT_CMP_EQ, []byte{hops}),
		payload(unix.NFT_PAYLOAD_TRANSPORT_HEADER, icmpType, 1), compare(unix.NFT_CMP_GTE, []byte{from}), compare(unix.NFT_CMP_LTE, []byte{to}))
}

func meta(key uint32, want []byte) []expr { return []expr{load(key), compare(unix.NFT_CMP_EQ, want)} }

func load(key uint32) expr {
	return expr{"meta", number(number(nil, unix.NFTA_META_DREG, unix.NFT_REG_1), unix.NFTA_META_KEY, key)}
}

func payload(base, offset, n uint32) expr {
	d := number(number(nil, unix.NFTA_PAYLOAD_DREG, unix.NFT_REG_1), unix.NFTA_PAYLOAD_BASE, base)
	return expr{"payload", number(number(d, unix.NFTA_PAYLOAD_OFFSET, offset), unix.NFTA_PAYLOAD_LEN, n)}
}

func bitwise(mask []byte) expr {
	d := number(number(nil, unix.NFTA_BITWISE_SREG, unix.NFT_REG_1), unix.NFTA_BITWISE_DREG, unix.NFT_REG_1)
	d = nest(number(d, unix.NFTA_BITWISE_LEN, uint32(len(mask))), unix.NFTA_BITWISE_MASK, put(nil, unix.NFTA_DATA_VALUE, mask))
	return expr{"bitwise", nest(d, unix.NFTA_BITWISE_XOR, put(nil, unix.NFTA_DATA_VALUE, make([]byte, len(mask))))}
}

func compare(op uint32, want []byte) expr {
	d := number(number(nil, unix.NFTA_CMP_SREG, unix.NFT_REG_1), unix.NFTA_CMP_OP, op)
	return expr{"cmp", nest(d, unix.NFTA_CMP_DATA, put(nil, unix.NFTA_DATA_VALUE, want))}
}

func lookup(set string) expr {
	return expr{"lookup", number(text(nil, unix.NFTA_LOOKUP_SET, set), unix.NFTA_LOOKUP_SREG, unix.NFT_REG_1)}
}

func constant(b []byte) expr {
	return expr{"immediate", nest(number(nil, unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_1), unix.NFTA_IMMEDIATE_DATA, put(nil, unix.NFTA_DATA_VALUE, b))}
}

func verdict(code uint32) expr {
	v := nest(nil, unix.NFTA_DATA_VERDICT, number(nil, unix.NFTA_VERDICT_CODE, code))
	return expr{"immediate", nest(number(nil, unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_VERDICT), unix.NFTA_IMMEDIATE_DATA, v)}
}
