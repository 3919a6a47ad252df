package firewall

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"telltale/acquire/netlink"
	"telltale/internal/state"
)

// Attributes of nf_tables, include/uapi/linux/netfilter/nf_tables.h.
const (
	chainTable, chainName, chainHook, chainPolicy = 1, 3, 4, 5
	hookNum, hookPriority                         = 1, 2
	ruleTable, ruleChain, ruleExprs, ruleUserdata = 1, 2, 4, 7
	listElem                                      = 1
	exprName, exprData                            = 1, 2
	dataValue, dataVerdict                        = 1, 2
	verdictCode, verdictChain                     = 1, 2
)

// nfgenSize is sizeof(struct nfgenmsg).
const nfgenSize = 4

// attributes gives the attributes of one level by their number; of several of a number, the first.
func attributes(b []byte) map[uint16][]byte {
	all := map[uint16][]byte{}
	netlink.Attrs(b, func(typ uint16, v []byte) {
		if _, twice := all[typ]; !twice {
			all[typ] = v
		}
	})
	return all
}

// parseChain reads an answer about a chain.
func parseChain(b []byte) (*state.Firewall, bool) {
	if len(b) < nfgenSize {
		return nil, false
	}
	a := attributes(b[nfgenSize:])
	c := &state.Firewall{System: "nftables", Family: netlink.FilterFamily(b[0]), Table: name(a[chainTable]), Chain: name(a[chainName])}
	if h := a[chainHook]; h != nil {
		hook := attributes(h)
		c.Hook, c.Priority = hookName(c.Family, netlink.Net32(hook[hookNum])), int(int32(netlink.Net32(hook[hookPriority])))
		c.Policy = "accept"
		if p, told := a[chainPolicy]; told && netlink.Net32(p) == 0 {
			c.Policy = "drop"
		}
	}
	return c, c.Table != "" && c.Chain != ""
}

// register is what stands in one of the registers while a rule is worked off.
type register struct {
	what  string // in words: "tcp dport"
	field field
	from  int    // how many bytes of the field are there
	mask  []byte // and which bits of them; nil: all
	value []byte // of a constant
}

// field is what a rule's words are kept apart by.
type field int

const (
	other field = iota
	source
	dest
	sourcePort
	destPort
	bothPorts
	layer3 // the protocol of the network
	layer4 // the protocol above it
	inName
	outName
	inIndex
	outIndex
	conntrack
)

// parser reads one rule.
type parser struct {
	r    *state.Firewall
	regs map[uint32]*register
	six  bool // the packet is one of IPv6
	set  func(name string) *set
}

// parseRule reads an answer about a rule. sets gives what is in a set of its table, nil if that is not known.
func parseRule(b []byte, sets func(family, table, name string) *set) (*state.Firewall, bool) {
	if len(b) < nfgenSize {
		return nil, false
	}
	a := attributes(b[nfgenSize:])
	r := &state.Firewall{System: "nftables", Family: netlink.FilterFamily(b[0]), Table: name(a[ruleTable]), Chain: name(a[ruleChain])}
	p := &parser{r: r, regs: map[uint32]*register{}, six: r.Family == "ip6", set: func(n string) *set { return sets(r.Family, r.Table, n) }}
	netlink.Attrs(a[ruleExprs], func(typ uint16, v []byte) {
		if e := attributes(v); typ == listElem && e[exprName] != nil {
			p.expression(name(e[exprName]), attributes(e[exprData]))
		}
	})
	const commentType = 0 // NFTNL_UDATA_RULE_COMMENT of libnftnl: a byte of type, one of length, the text
	if u := a[ruleUserdata]; len(u) > 2 && u[0] == commentType {
		r.Comment = name(u[2:min(len(u), 2+int(u[1]))])
	}
	return r, r.Table != "" && r.Chain != ""
}

// slot gives the place of a register: the older ones of 16 bytes (1 to 4) lie over the newer ones of 4 (8 to 23).
func slot(b []byte) uint32 {
	n := netlink.Net32(b)
	if n >= 1 && n <= 4 {
		return (n - 1) * 4
	}
	return n - 8
}

// expression works off one expression.
func (p *parser) expression(called string, a map[uint16][]byte) {
	switch called {
	case "meta":
		p.meta(a)
	case "payload":
		p.payload(a)
	case "ct":
		p.conntrack(a)
	case "bitwise":
		p.bitwise(a)
	case "cmp":
		p.compare(a)
	case "range":
		p.between(a)
	case "lookup":
		p.lookup(a)
	case "immediate":
		p.immediate(a)
	case "counter":
		p.r.Packets = netlink.Net64(a[2])
	case "nat", "redir", "masq", "tproxy", "reject", "dup", "fwd", "queue", "notrack":
		p.deed(called, a)
	case "match":
		matchOf(p.r, name(a[1]), a[3])
	case "target":
		targetOf(p.r, name(a[1]), netlink.Net32(a[2]), a[3], p.six)
	default:
		unread(p.r, called)
	}
}

// put keeps what an expression loads; one that stores into the packet has a source and no destination.
func (p *parser) put(dreg []byte, r register) {
	if dreg != nil {
		p.regs[slot(dreg)] = &r
	}
}

// metas are the keys of meta: NFT_META_*.
var metas = map[uint32]register{
	1: {what: "protocol", field: layer3}, 3: {what: "mark"}, 4: {what: "iif", field: inIndex}, 5: {what: "oif", field: outIndex}, 6: {what: "iifname", field: inName},
	7: {what: "oifname", field: outName}, 10: {what: "skuid"}, 11: {what: "skgid"}, 15: {what: "nfproto", field: layer3}, 16: {what: "l4proto", field: layer4}, 17: {what: "ibrname"}, 20: {what: "pkttype"}, 23: {what: "cgroup"},
}

func (p *parser) meta(a map[uint16][]byte) {
	r, known := metas[netlink.Net32(a[2])]
	if !known {
		r.what = fmt.Sprintf("meta %d", netlink.Net32(a[2]))
	}
	if a[1] == nil {
		match(p.r, "set", r.what) // a mark is put onto the packet
		return
	}
	p.put(a[1], r)
}

// payload loads bytes of the packet. A network that ends at a byte is loaded by the bytes that count, without a mask.
func (p *parser) payload(a map[uint16][]byte) {
	base, off, n := netlink.Net32(a[2]), netlink.Net32(a[3]), int(netlink.Net32(a[4]))
	r := register{from: n, what: fmt.Sprintf("payload %d+%d,%d", base, off, n)}
	const network, transport = 1, 2 // NFT_PAYLOAD_*
	switch {
	case a[1] == nil || n > 64:
		unread(p.r, "payload")
		return
	case base == network && !p.six && off == 12 && n <= 4:
		r.what, r.field = "ip saddr", source
	case base == network && !p.six && off == 16 && n <= 4:
		r.what, r.field = "ip daddr", dest
	case base == network && (p.six || n == 16) && off == 8 && n <= 16:
		r.what, r.field = "ip6 saddr", source
	case base == network && (p.six || n == 16) && off == 24 && n <= 16:
		r.what, r.field = "ip6 daddr", dest
	case base == network && (p.six && off == 6 || !p.six && off == 9) && n == 1:
		r.what, r.field = "protocol", layer4
	case base == transport && off == 0 && n == 2:
		r.what, r.field = "sport", sourcePort
	case base == transport && off == 2 && n == 2:
		r.what, r.field = "dport", destPort
	case base == transport && off == 0 && n == 4:
		r.what, r.field = "sport . dport", bothPorts
	}
	p.put(a[1], r)
}

func (p *parser) conntrack(a map[uint16][]byte) {
	r := register{what: fmt.Sprintf("ct %d", netlink.Net32(a[2]))}
	if netlink.Net32(a[2]) == 0 {
		r = register{what: "ct state", field: conntrack}
	}
	p.put(a[1], r)
}

// bitwise masks a register; what it does beside that (xor, shifts) is only for marks.
func (p *parser) bitwise(a map[uint16][]byte) {
	if was := p.regs[slot(a[1])]; was != nil {
		r := *was
		r.mask = attributes(a[4])[dataValue]
		p.put(a[2], r)
	}
}

// signs are NFT_CMP_*.
var signs = [...]string{"", "!=", "<", "<=", ">", ">="}

func (p *parser) compare(a map[uint16][]byte) {
	r, v, op := p.regs[slot(a[1])], attributes(a[3])[dataValue], netlink.Net32(a[2])
	if r == nil || op >= uint32(len(signs)) {
		unread(p.r, "cmp")
		return
	}
	if r.field == conntrack && r.mask != nil { // a bit of the mask is set: != 0
		match(p.r, r.what, conntrackStates(r.mask))
		return
	}
	p.note(r, signs[op], op == 0, r.say(v, p.six), v)
}

// note notes what a register must be.
func (p *parser) note(r *register, sign string, equal bool, say string, v []byte) {
	words := strings.TrimSpace(sign + " " + say)
	switch {
	case r.field == layer3 && equal:
		p.six = p.six || say == "ipv6"
		match(p.r, r.what, say)
		return
	case r.field == layer4 && equal && len(v) == 1:
		p.r.Protocol = protocol(v[0])
		match(p.r, p.r.Protocol)
		return
	}
	match(p.r, r.what, words)
	if equal {
		p.keep(r.field, say)
	}
}

// keep keeps a word by what it is about.
func (p *parser) keep(f field, say string) {
	r := p.r
	add := func(to *[]string) {
		if len(*to) < maxElements {
			*to = append(*to, say)
		}
	}
	switch f {
	case source:
		add(&r.From)
	case dest:
		add(&r.Dest)
	case sourcePort:
		add(&r.FromPort)
	case destPort:
		add(&r.DestPort)
	case bothPorts:
		if s, d, ok := strings.Cut(say, " . "); ok {
			r.FromPort, r.DestPort = append(r.FromPort, s), append(r.DestPort, d)
		}
	case inName, inIndex:
		r.In = say
	case outName, outIndex:
		r.Out = say
	}
}

// say writes a value that a register is compared with.
func (r *register) say(v []byte, six bool) string {
	switch r.field {
	case source, dest:
		size := 4
		if strings.HasPrefix(r.what, "ip6") {
			size = 16
		}
		if len(v) > size {
			return fmt.Sprintf("%#x", v)
		}
		bits, ok := len(v)*8, true
		if r.mask != nil {
			if bits, ok = ones(r.mask); !ok || len(r.mask) > size {
				return fmt.Sprintf("%#x/%#x", v, r.mask)
			}
		}
		return prefix(append(append(make([]byte, 0, size), v...), make([]byte, size-len(v))...), bits)
	case sourcePort, destPort:
		if len(v) == 2 {
			return strconv.Itoa(int(v[0])<<8 | int(v[1]))
		}
	case bothPorts:
		if len(v) == 4 {
			return fmt.Sprintf("%d . %d", int(v[0])<<8|int(v[1]), int(v[2])<<8|int(v[3]))
		}
	case layer4:
		if len(v) == 1 {
			return protocol(v[0])
		}
	case layer3:
		n := 0
		for _, b := range v[:min(len(v), 2)] {
			n = n<<8 | int(b)
		}
		switch n {
		case 2, 0x0800: // NFPROTO_IPV4, ETH_P_IP
			return "ipv4"
		case 10, 0x86dd: // NFPROTO_IPV6, ETH_P_IPV6
			return "ipv6"
		}
		return strconv.Itoa(n)
	case inName, outName:
		s := name(v)
		if len(v) < 16 { // without its zero: only the beginning is compared
			if len(v) > 0 && v[len(v)-1] != 0 {
				s += "*"
			}
		}
		return s
	case inIndex, outIndex:
		if len(v) == 4 {
			return "interface " + strconv.FormatUint(uint64(native(v)), 10)
		}
	}
	if len(v) == 4 && r.what != "" && r.field == other {
		return fmt.Sprintf("%#x", native(v))
	}
	return fmt.Sprintf("%#x", v)
}

// conntrackStates names the bits of a connection's state: NF_CT_STATE_BIT of nf_conntrack_common.h.
func conntrackStates(mask []byte) string {
	var out []string
	for bit, word := range map[int]string{0: "invalid", 1: "established", 2: "related", 3: "new", 6: "untracked"} {
		if len(mask) >= 4 && native(mask)>>bit&1 == 1 {
			out = append(out, word)
		}
	}
	return strings.Join(sorted(out), ",")
}

func (p *parser) between(a map[uint16][]byte) {
	r, from, to := p.regs[slot(a[1])], attributes(a[3])[dataValue], attributes(a[4])[dataValue]
	if r == nil {
		unread(p.r, "range")
		return
	}
	sign, equal := "", netlink.Net32(a[2]) == 0
	if !equal {
		sign = "!="
	}
	p.note(r, sign, equal, r.say(from, p.six)+"-"+r.say(to, p.six), nil)
}

// lookup asks whether a register is in a set, or what a map has for it.
func (p *parser) lookup(a map[uint16][]byte) {
	r, called := p.regs[slot(a[2])], name(a[1])
	if r == nil {
		r = &register{what: "what was loaded"}
	}
	inverted := netlink.Net32(a[5])&1 == 1
	switch {
	case a[3] != nil && netlink.Net32(a[3]) == 0: // into the verdict's register
		match(p.r, r.what, "vmap @"+called)
		p.r.Verdict = "by the map @" + called
		return
	case a[3] != nil:
		match(p.r, r.what, "map @"+called)
		p.put(a[3], register{what: "@" + called})
		return
	}
	sign := ""
	if inverted {
		sign = "!="
	}
	s := p.set(called)
	if s == nil || s.more || !s.anonymous() {
		match(p.r, r.what, strings.TrimSpace(sign+" @"+called))
		return
	}
	var words []string
	for _, e := range s.elements {
		say := r.say(e.from, p.six)
		if e.to != nil {
			say += "-" + r.say(e.to, p.six)
		}
		words = append(words, say)
		if !inverted {
			p.keep(r.field, say)
		}
	}
	match(p.r, r.what, strings.TrimSpace(sign+" { "+strings.Join(words, ", ")+" }"))
}

// immediate is a constant: a verdict, or what an address is translated to.
func (p *parser) immediate(a map[uint16][]byte) {
	data := attributes(a[2])
	if v := data[dataVerdict]; v != nil {
		verdict := attributes(v)
		p.r.Verdict = verdictName(int32(netlink.Net32(verdict[verdictCode])), name(verdict[verdictChain]))
		return
	}
	p.put(a[1], register{what: "constant", value: data[dataValue]})
}

// verdictName names NF_* of include/uapi/linux/netfilter.h and NFT_* of nf_tables.h.
func verdictName(code int32, chain string) string {
	switch code {
	case 0:
		return "drop"
	case 1:
		return "accept"
	case 3:
		return "queue"
	case -1:
		return "continue"
	case -2:
		return "break"
	case -3:
		return "jump " + chain
	case -4:
		return "goto " + chain
	case -5:
		return "return"
	}
	return fmt.Sprintf("verdict %d", code)
}

// deed is what becomes of a packet beside a plain verdict.
func (p *parser) deed(what string, a map[uint16][]byte) {
	r := p.r
	constant := func(reg []byte) ([]byte, string) {
		if reg == nil {
			return nil, ""
		}
		if x := p.regs[slot(reg)]; x != nil {
			return x.value, x.what
		}
		return nil, ""
	}
	switch what {
	case "nat":
		r.Verdict = "snat"
		if netlink.Net32(a[1]) == 1 {
			r.Verdict = "dnat"
		}
		addr, by := constant(a[3])
		port, _ := constant(a[5])
		to, _ := netip.AddrFromSlice(addr)
		if r.To = address(to, portOf(port), portOf(port)); r.To == "" && strings.HasPrefix(by, "@") {
			r.To = "what the map " + by + " has"
		}
	case "redir":
		r.Verdict = "redirect"
		port, _ := constant(a[1])
		r.To = address(netip.Addr{}, portOf(port), portOf(port))
	case "masq":
		r.Verdict = "masquerade"
	case "tproxy":
		r.Verdict = "tproxy"
		addr, _ := constant(a[2])
		port, _ := constant(a[3])
		to, _ := netip.AddrFromSlice(addr)
		r.To = address(to, portOf(port), portOf(port))
	case "fwd":
		r.Verdict = "forward to another interface"
	case "dup":
		r.Verdict = "copy"
		addr, _ := constant(a[1])
		to, _ := netip.AddrFromSlice(addr)
		r.To = address(to, 0, 0)
	default:
		r.Verdict = what
	}
}

func portOf(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	return uint16(b[0])<<8 | uint16(b[1])
}
