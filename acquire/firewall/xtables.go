package firewall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"telltale/internal/state"
)

// errTable says that a table of iptables is not formed as one.
var errTable = errors.New("not formed as a table of iptables")

// Sizes and places of ip_tables.h, ip6_tables.h and x_tables.h, bytes.
const (
	entrySize4    = 112 // sizeof(struct ipt_entry)
	targetSize    = 32  // sizeof(struct xt_entry_target): size u16, name [29], revision u8
	maxHooks      = 5   // NF_INET_NUMHOOKS
	infoSize      = 32 + 4 + 2*4*maxHooks + 4 + 4
	errorName     = 30   // XT_FUNCTION_MAXNAMELEN
	returnVerdict = -5   // XT_RETURN
	interfaceName = 16   // IFNAMSIZ
	inverseFrom   = 0x08 // IPT_INV_SRCIP, IP6T_INV_SRCIP
	inverseTo     = 0x10
	inverseProto  = 0x40
	inverseIn     = 0x01
	inverseOut    = 0x02
)

// layout is where the fields of an entry lie, which differs by family and by the machine's alignment of 64 bits.
type layout struct {
	family                     string
	addr                       int // bytes of an address
	from, to, fromMask, toMask int
	in, out                    int
	proto, inverse             int
	target, next, packets      int
	size                       int
}

// layoutOf gives the layout. A machine that aligns 64 bits at 4 bytes has shorter entries of IPv6.
func layoutOf(six bool, align int) layout {
	if !six {
		return layout{family: "ip", addr: 4, from: 0, to: 4, fromMask: 8, toMask: 12, in: 16, out: 32, proto: 80, inverse: 83, target: 88, next: 90, packets: 96, size: entrySize4}
	}
	l := layout{family: "ip6", addr: 16, from: 0, to: 16, fromMask: 32, toMask: 48, in: 64, out: 80, proto: 128, inverse: 132, target: 140, next: 142, packets: 148, size: 164}
	if align == 8 {
		l.packets, l.size = 152, 168
	}
	return l
}

// info is what the kernel says of a table before its entries: struct ipt_getinfo.
type info struct {
	hooks      uint32
	entry      [maxHooks]uint32
	underflow  [maxHooks]uint32
	count, len uint32
}

func parseInfo(b []byte) (i info, err error) {
	if len(b) < infoSize {
		return i, errTable
	}
	at := 32
	next := func() uint32 { v := binary.NativeEndian.Uint32(b[at:]); at += 4; return v }
	i.hooks = next()
	for h := range i.entry {
		i.entry[h] = next()
	}
	for h := range i.underflow {
		i.underflow[h] = next()
	}
	i.count, i.len = next(), next()
	if i.len > maxTable {
		return i, fmt.Errorf("%d bytes: %w", i.len, errTable)
	}
	return i, nil
}

// parseTable reads the entries of a table: the chains of the hooks one behind the other, each ended by its policy, and then each other chain behind an
// entry that bears its name.
func parseTable(table string, b []byte, i info, l layout) ([]*state.Firewall, error) {
	starts := chainStarts(b, l)
	at := state.Firewall{System: "iptables", Family: l.family, Table: table}
	var all []*state.Firewall
	for off := 0; off < len(b); {
		e, next, err := entryAt(b, off, l)
		if err != nil {
			return dropEnds(all), fmt.Errorf("entry at %d: %w", off, err)
		}
		if name, ok := starts[off]; ok {
			at.Chain, at.Hook, at.Number = name, "", 0
		}
		policy := false
		for h := range i.entry {
			if i.hooks>>h&1 == 0 {
				continue
			}
			policy = policy || int64(i.underflow[h]) == int64(off)
			if int64(i.entry[h]) == int64(off) {
				at.Chain, at.Hook, at.Number = strings.ToUpper(hooks[h]), hooks[h], 0
				c := at
				c.Policy = policyAt(b, int64(i.underflow[h]), l)
				all = append(all, &c)
			}
		}
		if !policy && e.called() != "ERROR" {
			at.Number++
			r := at
			e.fill(&r, l, starts)
			all = append(all, &r)
		}
		if off += next; len(all) > maxRules {
			return all, fmt.Errorf("more than %d rules: %w", maxRules, errTable)
		}
	}
	return dropEnds(all), nil
}

// dropEnds takes out the return that ends each chain without a hook.
func dropEnds(all []*state.Firewall) (out []*state.Firewall) {
	for i, r := range all {
		last := i+1 == len(all) || all[i+1].Chain != r.Chain
		if r.Hook == "" && r.Number > 0 && last && r.Verdict == "return" && len(r.Match) == 0 {
			continue
		}
		out = append(out, r)
	}
	return out
}

// entry is one entry with its matches and its target.
type entry struct {
	head, matches, target []byte
}

func entryAt(b []byte, off int, l layout) (e entry, next int, err error) {
	if off < 0 || l.size > len(b)-off {
		return e, 0, errTable
	}
	b = b[off:]
	target, next := int(binary.NativeEndian.Uint16(b[l.target:])), int(binary.NativeEndian.Uint16(b[l.next:]))
	if target < l.size || next < target+targetSize || next > len(b) {
		return e, 0, errTable
	}
	return entry{b[:l.size], b[l.size:target], b[target:next]}, next, nil
}

// called is the name of the target: "" for a standard one, a verdict or a jump.
func (e entry) called() string { return name(e.target[2:31]) }

// chainStarts finds where the chains begin to which others jump: behind an entry that bears the chain's name (struct xt_error_target).
func chainStarts(b []byte, l layout) map[int]string {
	names := map[int]string{}
	for off := 0; off < len(b) && len(names) < maxRules; {
		e, next, err := entryAt(b, off, l)
		if err != nil {
			return names
		}
		off += next
		if e.called() == "ERROR" && len(e.target) >= targetSize+errorName {
			names[off] = name(e.target[targetSize : targetSize+errorName])
		}
	}
	return names
}

// policyAt reads what a chain does at its end.
func policyAt(b []byte, off int64, l layout) string {
	if off < 0 || off > int64(len(b)) {
		return ""
	}
	e, _, err := entryAt(b, int(off), l)
	if err != nil || len(e.target) < targetSize+4 {
		return ""
	}
	return standard(int32(binary.NativeEndian.Uint32(e.target[targetSize:])))
}

// standard names the verdict of a standard target: NF_* kept as -NF_x-1.
func standard(v int32) string {
	switch v {
	case -1:
		return "drop"
	case -2:
		return "accept"
	case -4:
		return "queue"
	case returnVerdict:
		return "return"
	}
	return fmt.Sprintf("verdict %d", v)
}

// fill writes what an entry asks for and what becomes of a packet.
func (e entry) fill(r *state.Firewall, l layout, starts map[int]string) {
	h := e.head
	inverse := h[l.inverse]
	network := func(word string, at, mask int, not bool, to *[]string) {
		addr, m := h[at:at+l.addr], h[mask:mask+l.addr]
		bits, ok := ones(m)
		if bits == 0 && ok {
			return
		}
		say := prefix(addr, bits)
		if !ok {
			say = fmt.Sprintf("%#x/%#x", addr, m)
		}
		if not {
			match(r, word, "!=", say)
			return
		}
		match(r, word, say)
		*to = append(*to, say)
	}
	network(l.family+" saddr", l.from, l.fromMask, inverse&inverseFrom != 0, &r.From)
	network(l.family+" daddr", l.to, l.toMask, inverse&inverseTo != 0, &r.Dest)
	device := func(word string, at int, not bool, to *string) {
		s := name(h[at : at+interfaceName])
		if s == "" {
			return
		}
		if not {
			match(r, word, "!=", s)
			return
		}
		match(r, word, s)
		*to = s
	}
	device("iifname", l.in, inverse&inverseIn != 0, &r.In)
	device("oifname", l.out, inverse&inverseOut != 0, &r.Out)
	if p := binary.NativeEndian.Uint16(h[l.proto:]); p != 0 && p < 256 {
		if inverse&inverseProto != 0 {
			match(r, "protocol !=", protocol(byte(p)))
		} else {
			r.Protocol = protocol(byte(p))
			match(r, r.Protocol)
		}
	}
	r.Packets = binary.NativeEndian.Uint64(h[l.packets:])
	for b := e.matches; len(b) >= targetSize; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < targetSize || n > len(b) {
			unread(r, "match")
			break
		}
		matchOf(r, name(b[2:31]), b[targetSize:n])
		b = b[n:]
	}
	e.verdict(r, l, starts)
}

func (e entry) verdict(r *state.Firewall, l layout, starts map[int]string) {
	called, data := e.called(), e.target[targetSize:]
	if called != "" {
		targetOf(r, called, uint32(e.target[31]), data, l.family == "ip6")
		return
	}
	if len(data) < 4 {
		unread(r, "target")
		return
	}
	v := int32(binary.NativeEndian.Uint32(data))
	if v < 0 {
		r.Verdict = standard(v)
		return
	}
	r.Verdict = "jump " + starts[int(v)]
}

// matchOf reads a match of x_tables.
func matchOf(r *state.Firewall, called string, b []byte) {
	half := func(i int) uint16 { return binary.NativeEndian.Uint16(b[2*i:]) }
	span := func(word string, from, to uint16, not bool, keep *[]string) {
		switch {
		case from == 0 && to == 65535:
		case not:
			match(r, word, "!=", ports(from, to))
		default:
			match(r, word, ports(from, to))
			*keep = append(*keep, ports(from, to))
		}
	}
	switch {
	case called == "tcp" && len(b) >= 12: // struct xt_tcp
		span("sport", half(0), half(1), b[11]&1 != 0, &r.FromPort)
		span("dport", half(2), half(3), b[11]&2 != 0, &r.DestPort)
	case (called == "udp" || called == "udplite") && len(b) >= 9: // struct xt_udp
		span("sport", half(0), half(1), b[8]&1 != 0, &r.FromPort)
		span("dport", half(2), half(3), b[8]&2 != 0, &r.DestPort)
	case called == "multiport" && len(b) >= 2+30+15+1: // struct xt_multiport_v1
		multiport(r, b)
	case called == "comment":
		r.Comment = name(b)
	case called == "":
		unread(r, "match")
	default:
		unread(r, called)
	}
}

// multiport reads struct xt_multiport_v1: flags, count, ports [15]u16, which of them begin a range [15]u8, invert.
func multiport(r *state.Firewall, b []byte) {
	var all []string
	for i := 0; i < min(int(b[1]), 15); i++ {
		from := binary.NativeEndian.Uint16(b[2+2*i:])
		to := from
		if b[2+30+i] != 0 && i < 14 {
			i++
			to = binary.NativeEndian.Uint16(b[2+2*i:])
		}
		all = append(all, ports(from, to))
	}
	word := [...]string{"sport", "dport", "port"}[min(int(b[0]), 2)]
	inverted := b[2+30+15] != 0
	if inverted {
		word += " !="
	}
	match(r, word, "{ "+strings.Join(all, ", ")+" }")
	switch {
	case inverted:
	case b[0] == 0:
		r.FromPort = append(r.FromPort, all...)
	default:
		r.DestPort = append(r.DestPort, all...)
	}
}

// targetOf reads a target of x_tables.
func targetOf(r *state.Firewall, called string, revision uint32, b []byte, six bool) {
	switch called {
	case "DNAT", "SNAT", "REDIRECT", "NETMAP":
		r.Verdict = map[string]string{"DNAT": "dnat", "SNAT": "snat", "REDIRECT": "redirect", "NETMAP": "netmap"}[called]
		r.To = natTo(b, revision, six)
	case "MASQUERADE":
		r.Verdict = "masquerade"
	case "REJECT":
		r.Verdict = "reject"
	case "TPROXY":
		r.Verdict = "tproxy"
	case "ACCEPT", "DROP", "RETURN":
		r.Verdict = map[string]string{"ACCEPT": "accept", "DROP": "drop", "RETURN": "return"}[called]
	default:
		unread(r, called)
	}
}

// natTo reads where a packet is sent to: struct nf_nat_ipv4_multi_range_compat of the oldest targets of IPv4, else struct nf_nat_range and what
// begins like it.
func natTo(b []byte, revision uint32, six bool) string {
	const mapIPs, protoSpecified = 1, 2 // NF_NAT_RANGE_*
	if revision == 0 && !six {
		if len(b) < 20 || native(b) == 0 {
			return ""
		}
		flags := native(b[4:])
		return natAddress(b[8:12], b[16:20], flags&mapIPs != 0, flags&protoSpecified != 0)
	}
	if len(b) < 40 {
		return ""
	}
	flags, addr := native(b), b[4:20]
	if !six {
		addr = addr[:4]
	}
	return natAddress(addr, b[36:40], flags&mapIPs != 0, flags&protoSpecified != 0)
}

func natAddress(addr, port []byte, hasAddr, hasPort bool) string {
	var to netip.Addr
	if hasAddr {
		to, _ = netip.AddrFromSlice(addr)
	}
	if !hasPort {
		return address(to, 0, 0)
	}
	return address(to, portOf(port), portOf(port[2:]))
}
