package kernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"telltale/internal/procfs"
	"telltale/internal/state"
)

// Numbers of include/linux/socket.h, include/linux/net.h and include/uapi/linux/in.h.
const (
	familyInet    = 2
	familyInet6   = 10
	familyPacket  = 17
	typeStream    = 1
	typeRaw       = 3
	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoICMP6    = 58
	protoSCTP     = 132
	protoMPTCP    = 262
	timeWait      = 6
	newRequest    = 12 // TCP_NEW_SYN_RECV
	maxSockets    = 1 << 18
	maxBuckets    = 1 << 24
	socketsViewFD = "file-descriptor"
	socketsViewIn = "tcp-hash"
)

// held keeps a socket that a process has open.
func (k *Kernel) held(inode object, pid int, out *State) {
	sk := inode.container("socket_alloc", "vfs_inode").in("socket").to("sk")
	if !sk.there() {
		return
	}
	if s := out.sockets[sk.addr]; s != nil {
		if s.PIDs[len(s.PIDs)-1] != pid && len(s.PIDs) < maxOpen { // processes come one after the other
			s.PIDs = append(s.PIDs, pid)
		}
		return
	}
	if s := k.socket(sk); s != nil && len(out.sockets) < maxSockets {
		s.Inode, s.UID = inode.uint("i_ino"), inode.u32("i_uid.val")
		s.PIDs, s.Views = []int{pid}, []string{socketsViewFD}
		out.addSocket(sk.addr, s)
	}
}

// socket tells a socket of the network, nil for one of another kind.
func (k *Kernel) socket(sk object) *state.Socket {
	s := &state.Socket{At: k.place(sk.addr), NetNS: object{k, "net", sk.uint("__sk_common.skc_net.net")}.uint("ns.inum")}
	kind := uint32(0)
	switch family := sk.u32("__sk_common.skc_family"); family {
	case familyPacket:
		s.Protocol = "packet"
		if k.size("packet_sock") > 0 { // described where the kernel was built with it; else it is a module's
			x := k.object("packet_sock", sk.addr)
			s.Local, s.State = fmt.Sprintf("interface %d", x.u32("ifindex")), fmt.Sprintf("protocol %04x", swap16(x.u32("num")))
		}
	case familyInet, familyInet6:
		kind = sk.u32("sk_type")
		s.Protocol = protocolName(kind, sk.u32("sk_protocol"))
		k.ends(sk, family == familyInet6, s)
	default:
		return nil
	}
	if f := sk.to("sk_filter"); f.there() {
		s.Filter = int(f.to("prog").u32("len"))
	}
	return s
}

func swap16(v uint32) uint16 {
	return binary.BigEndian.Uint16(binary.LittleEndian.AppendUint16(nil, uint16(v)))
}

// seenBy notes a view that shows a socket.
func seenBy(s *state.Socket, view string) {
	if !slices.Contains(s.Views, view) {
		s.Views = append(s.Views, view)
	}
}

func protocolName(kind, proto uint32) string {
	if kind == typeRaw {
		return "raw"
	}
	switch proto {
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	case protoICMP, protoICMP6:
		return "icmp"
	case protoSCTP:
		return "sctp"
	case protoMPTCP:
		return "mptcp"
	}
	return fmt.Sprintf("protocol %d", proto)
}

// ends reads both ends and the state, which stand alike in all that begins with a struct sock_common.
func (k *Kernel) ends(sk object, six bool, s *state.Socket) {
	local, remote := k.address(sk, "skc_rcv_saddr", "skc_v6_rcv_saddr", six), k.address(sk, "skc_daddr", "skc_v6_daddr", six)
	s.Local = netip.AddrPortFrom(local, uint16(sk.u32("__sk_common.skc_num"))).String()
	s.Remote = netip.AddrPortFrom(remote, swap16(sk.u32("__sk_common.skc_dport"))).String()
	switch st := uint8(sk.u32("__sk_common.skc_state")); {
	case s.Protocol == "tcp" || s.Protocol == "mptcp":
		s.State = procfs.TCPState(st)
	case st == 1:
		s.State = "connected"
	}
}

func (k *Kernel) address(sk object, four, six string, is6 bool) netip.Addr {
	if !is6 {
		var b [4]byte
		if at := sk.at("__sk_common." + four); at != 0 {
			k.read(b[:], at)
		}
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	if at := sk.at("__sk_common." + six); at != 0 {
		k.read(b[:], at)
	}
	return netip.AddrFrom16(b).Unmap()
}

// hashed adds the connections and listeners of TCP that no process has open: those that end, and those whose process is hidden.
func (k *Kernel) hashed(out *State) {
	table := k.object("inet_hashinfo", k.symbols["tcp_hashinfo"])
	if first := k.object("task_struct", k.task).to("nsproxy").to("net_ns"); !table.there() && first.has("ipv4.tcp_death_row.hashinfo") { // since 6.1
		table.addr = first.uint("ipv4.tcp_death_row.hashinfo")
	}
	if !table.there() || k.size("inet_hashinfo") == 0 {
		out.view("port", socketsViewIn, 0, "the kernel's table of symbols does not tell where it is")
		return
	}
	n, lost := 0, k.lost
	each := func(at uint64) {
		n++
		if s := out.sockets[at]; s != nil {
			seenBy(s, socketsViewIn)
			return
		}
		k.orphan(k.object("sock", at), out)
	}
	k.buckets(table.uint("ehash"), uint64(table.u32("ehash_mask")), "inet_ehash_bucket", "chain", "skc_nulls_node", each)
	if table.has("lhash2") {
		k.buckets(table.uint("lhash2"), uint64(table.u32("lhash2_mask")), "inet_listen_hashbucket", k.object("inet_listen_hashbucket", highHalf).first("nulls_head", "head"), "skc_nulls_node", each)
	}
	blind := ""
	if lost = k.lost - lost; lost > 0 {
		blind = fmt.Sprintf("%d parts of it are not in the dump", lost)
	}
	out.view("port", socketsViewIn, n, blind)
}

// orphan adds a socket that no process has open, or the lower half of one that speaks Multipath TCP.
func (k *Kernel) orphan(sk object, out *State) {
	six := sk.u32("__sk_common.skc_family") == familyInet6
	if f := sk.u32("__sk_common.skc_family"); f != familyInet && !six || len(out.sockets) >= maxSockets {
		return
	}
	s := &state.Socket{At: k.place(sk.addr), Protocol: "tcp", Views: []string{socketsViewIn}, NetNS: object{k, "net", sk.uint("__sk_common.skc_net.net")}.uint("ns.inum")}
	k.ends(sk, six, s)
	if st := sk.u32("__sk_common.skc_state"); st != timeWait && st != newRequest { // those are no whole sockets
		if inode := sk.to("sk_socket"); inode.there() {
			s.Inode = inode.container("socket_alloc", "socket").in("vfs_inode").uint("i_ino")
		}
		if x := out.inodes[s.Inode]; x != nil { // both are one to whoever opened it, and /proc shows it as TCP
			x.Protocol = "tcp"
			seenBy(x, socketsViewIn)
			return
		}
	}
	out.addSocket(sk.addr, s)
}

// buckets walks a table of lists whose ends are odd numbers (include/linux/list_nulls.h).
func (k *Kernel) buckets(at, mask uint64, bucket, head, node string, each func(sk uint64)) {
	size := k.size(bucket)
	f, ok := k.object(bucket, highHalf).need(head)
	link, ok2 := k.object("sock", highHalf).need("__sk_common." + node)
	if !ok || !ok2 || size == 0 || mask >= maxBuckets {
		return
	}
	n := 0
	for i := uint64(0); i <= mask; i++ {
		next, ok := k.u64(at + i*size + uint64(f.Off))
		if !ok {
			i |= 4096/size - 1 // the whole page is not there
			continue
		}
		for n < maxSockets && next&1 == 0 && next >= highHalf {
			n++
			each(next - uint64(link.Off))
			if next, ok = k.u64(next); !ok {
				break
			}
		}
	}
}
