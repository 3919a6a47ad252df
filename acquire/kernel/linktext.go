package kernel

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"telltale/acquire/netlink"
	"telltale/internal/state"
)

// linkFlags are the flags of netdevice(7) that tell something, include/uapi/linux/if.h.
var linkFlags = []struct {
	bit  uint32
	name string
}{{1 << 0, "up"}, {1 << 3, "loopback"}, {1 << 4, "point-to-point"}, {1 << 7, "noarp"}, {1 << 8, "promisc"}, {1 << 9, "allmulti"}}

// Attributes of include/uapi/linux/if_link.h, if_addr.h and rtnetlink.h.
const (
	iflaAddress     = 1
	iflaName        = 3
	iflaXDP         = 43
	iflaPromiscuity = 30
	xdpProgID       = 4
	xdpDrvProgID    = 5
	xdpSkbProgID    = 6
	xdpHwProgID     = 7
	ifaAddress      = 1
	ifaLocal        = 2
	tcaKind         = 1
	tcaOptions      = 2
	tcaBPFName      = 7
	tcaBPFID        = 11
	ifInfoSize      = 16 // sizeof(struct ifinfomsg)
	ifAddrSize      = 8  // sizeof(struct ifaddrmsg)
	tcMsgSize       = 20 // sizeof(struct tcmsg)
)

// carrier is a filter or program on an interface.
type carrier struct {
	kind   string // "xdp", "tc"
	index  int
	link   string // its name
	where  string // "ingress"
	detail string
	prog   uint32 // 0 where it is not of BPF
}

// text tells of it in the form of state.Link.Carries and state.BPF.Attach.
func (c carrier) text() string {
	s := c.kind + " " + c.link + " " + c.where
	if c.prog != 0 {
		s += fmt.Sprintf(" program %d", c.prog)
	}
	return s + " " + c.detail
}

// parseLink reads an RTM_NEWLINK.
func parseLink(b []byte) (*state.Link, []carrier) {
	if len(b) < ifInfoSize {
		return nil, nil
	}
	l := &state.Link{Index: int(int32(binary.NativeEndian.Uint32(b[4:])))}
	flags := binary.NativeEndian.Uint32(b[8:])
	for _, f := range linkFlags {
		if flags&f.bit != 0 {
			l.Flags = append(l.Flags, f.name)
		}
	}
	var all []carrier
	netlink.Attrs(b[ifInfoSize:], func(typ uint16, v []byte) {
		switch typ {
		case iflaName:
			l.Name = netlink.Text(v)
		case iflaAddress:
			l.MAC = net.HardwareAddr(v[:min(len(v), 32)]).String()
		case iflaPromiscuity:
			if n := netlink.U32(v); n > 0 && flags&(1<<8) == 0 { // by a packet socket: the flag shows only what was set by hand
				l.Flags = append(l.Flags, "promisc", "promiscuity "+strconv.Itoa(int(n)))
			}
		case iflaXDP:
			all = append(all, parseXDP(v)...)
		}
	})
	for i := range all {
		all[i].index, all[i].link = l.Index, l.Name
	}
	return l, all
}

// parseXDP reads the nested attributes of IFLA_XDP. The id without a mode repeats one of the others where there is one.
func parseXDP(v []byte) []carrier {
	var all []carrier
	netlink.Attrs(v, func(typ uint16, v []byte) {
		where := map[uint16]string{xdpProgID: "", xdpDrvProgID: "driver", xdpSkbProgID: "generic", xdpHwProgID: "hardware"}
		mode, known := where[typ]
		id := netlink.U32(v)
		if !known || id == 0 {
			return
		}
		for i := range all {
			if all[i].prog == id {
				all[i].where = mode + all[i].where
				return
			}
		}
		all = append(all, carrier{kind: "xdp", where: mode, prog: id})
	})
	return all
}

// parseAddr reads an RTM_NEWADDR.
func parseAddr(b []byte) (index int, addr string) {
	if len(b) < ifAddrSize {
		return 0, ""
	}
	bits := int(b[1])
	index = int(int32(binary.NativeEndian.Uint32(b[4:])))
	local := false
	netlink.Attrs(b[ifAddrSize:], func(typ uint16, v []byte) {
		ip, ok := netip.AddrFromSlice(v)
		if !ok || typ != ifaLocal && (typ != ifaAddress || local) {
			return
		}
		local = typ == ifaLocal // of a point-to-point link the other attribute is the other end
		addr = netip.PrefixFrom(ip, bits).String()
	})
	return index, addr
}

// parseFilter reads an RTM_NEWTFILTER.
func parseFilter(b []byte) (carrier, bool) {
	if len(b) < tcMsgSize {
		return carrier{}, false
	}
	c := carrier{kind: "tc", index: int(int32(binary.NativeEndian.Uint32(b[4:])))}
	kind, name := "", ""
	netlink.Attrs(b[tcMsgSize:], func(typ uint16, v []byte) {
		switch typ {
		case tcaKind:
			kind = netlink.Text(v)
		case tcaOptions:
			netlink.Attrs(v, func(typ uint16, v []byte) {
				switch typ {
				case tcaBPFID:
					c.prog = netlink.U32(v)
				case tcaBPFName:
					name = netlink.Text(v)
				}
			})
		}
	})
	if kind != "bpf" { // the numbers of attributes mean other things in other kinds
		c.prog, name = 0, ""
	}
	c.detail = kind
	if name != "" {
		c.detail += " " + name
	}
	return c, kind != ""
}
