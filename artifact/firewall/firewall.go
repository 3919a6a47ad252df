// Package firewall reads the packets that the kernel's firewall logs: who knocked where, and what this host itself sent out. The rule's own words stand
// first; of the packet only its header is logged, so that nothing in the line is a sender's to choose but numbers.
package firewall

import (
	"bytes"
	"net/netip"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "firewall", Doc: "packets that the firewall logged: who knocked where, and what this host sent out",
		Spec:     "Linux 2.6 to 6.12 net/netfilter/nf_log_syslog.c (xt_LOG, nft log), net/ipv4/netfilter/ipt_LOG.c; ulogd 2 output/ulogd_output_LOGEMU.c; ufw, firewalld and shorewall by their rules' prefixes",
		Programs: []string{"kernel", "ulogd"}, Decode: decode, Kinds: []event.Kind{event.FirewallPacket},
	}
}

// decode reads "[uptime] PREFIX IN=eth0 OUT= MAC=.. SRC=a DST=b LEN=40 .. PROTO=TCP SPT=1 DPT=2 ..". An ICMP error quotes the packet that it is about in
// brackets, which is none of its own.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	in := bytes.Index(t, inKey)
	if in < 0 || in > 0 && t[in-1] != ' ' && t[in-1] != ']' && t[in-1] != ':' && t[in-1] != '-' && t[in-1] != '=' {
		return false
	}
	prefix, rest := t[:in], t[in:]
	if i := bytes.Index(rest, quoted); i >= 0 {
		rest = rest[:i]
	}
	var f [fields][]byte
	if !cut(rest, &f) {
		return false
	}
	src, dst := address(f[src]), address(f[dst])
	if src == nil || dst == nil {
		return false
	}
	e := m.Event(event.FirewallPacket)
	e.Add(event.SourceIP, src)
	e.Add(event.SourcePort, said.Number(f[spt]))
	e.Add(event.DestinationIP, dst)
	e.Add(event.DestinationPort, said.Number(f[dpt]))
	e.Add(event.NetworkTransport, transport(f[proto]))
	direction, link := inbound, f[dev]
	switch {
	case len(f[dev]) > 0 && len(f[out]) > 0:
		direction = forwarded
	case len(f[out]) > 0:
		direction, link = outbound, f[out]
	}
	e.Add(event.NetworkInterface, link)
	e.Add(event.NetworkDirection, direction)
	if len(f[out]) > 0 { // --log-uid
		e.Add(event.UserID, said.Number(f[uid]))
	}
	e.Add(event.Change, word(prefix))
	yield(e)
	return true
}

var (
	inKey, quoted                = []byte("IN="), []byte(" [SRC=")
	inbound, outbound, forwarded = []byte("inbound"), []byte("outbound"), []byte("forwarded")
	tcp, udp, icmp, icmp6        = []byte("tcp"), []byte("udp"), []byte("icmp"), []byte("ipv6-icmp")
)

// The fields of use.
const (
	dev = iota
	out
	src
	dst
	proto
	spt
	dpt
	uid
	fields
)

// cut finds the fields of a packet; each counts where it stands first.
func cut(t []byte, f *[fields][]byte) bool {
	for len(t) > 0 {
		w := t
		if i := bytes.IndexByte(t, ' '); i >= 0 {
			w, t = t[:i], t[i+1:]
		} else {
			t = nil
		}
		i := bytes.IndexByte(w, '=')
		if i < 2 {
			continue
		}
		k := -1
		switch string(w[:i]) {
		case "IN":
			k = dev
		case "OUT":
			k = out
		case "SRC":
			k = src
		case "DST":
			k = dst
		case "PROTO":
			k = proto
		case "SPT":
			k = spt
		case "DPT":
			k = dpt
		case "UID":
			k = uid
		}
		if k >= 0 && f[k] == nil {
			f[k] = w[i+1:]
		}
	}
	return f[src] != nil && f[dst] != nil && f[proto] != nil
}

// address gives an address as other logs write it: the kernel writes IPv6 in full.
func address(b []byte) []byte {
	if a := said.Address(b); a == nil || len(a) < 39 {
		return a
	}
	if a, err := netip.ParseAddr(string(b)); err == nil {
		return a.AppendTo(nil)
	}
	return b
}

func transport(p []byte) []byte {
	switch string(p) {
	case "TCP", "6":
		return tcp
	case "UDP", "17":
		return udp
	case "ICMP", "1":
		return icmp
	case "ICMPv6", "58":
		return icmp6
	}
	return p
}

// word takes the uptime and the brackets off a rule's prefix: "[UFW BLOCK] ", "FINAL_REJECT: ", "Shorewall:net2fw:DROP:".
func word(p []byte) []byte {
	if len(p) > 0 && p[0] == '[' {
		if i := bytes.IndexByte(p[:min(len(p), 24)], ']'); i > 0 && bytes.IndexByte(p[:i], '.') > 0 && len(bytes.Trim(p[1:i], " .0123456789")) == 0 {
			p = p[i+1:]
		}
	}
	return bytes.Trim(p, " []:-=")
}
