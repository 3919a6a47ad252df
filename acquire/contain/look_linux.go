package contain

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/acquire/internal/procread"
)

// lookTime is how long the looking may take in all.
const lookTime = 10 * time.Second

// firstPIDs is the machine's first PID namespace: PROC_PID_INIT_INO of linux/proc_ns.h, since 3.8.
const firstPIDs = "pid:[4026531836]"

// littleEndian says how /proc/net writes addresses.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Look gives the situation. words is SSH_CONNECTION of the environment. What cannot be looked at is told in Unseen.
func Look(ctx context.Context, words string) Situation {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	s := Situation{Tables: []string{}, NotCovered: []string{}} // none is not null in JSON
	s.Connections, s.Unseen = connections()
	if s.Connections == nil {
		s.Connections = []Connection{}
	}
	named := slices.Clone(s.Connections)
	if _, err := bounded.Within(lookTime, func() (bool, error) { return true, name(ctx, named) }); errors.Is(err, bounded.ErrLate) {
		s.Unseen = append(s.Unseen, "the programs of the connections: "+err.Error())
	} else {
		s.Connections = named
		if err != nil {
			s.Unseen = append(s.Unseen, "the programs of some connections: "+err.Error())
		}
	}
	var why string
	if s.Session, why = session(os.Getpid(), words, s.Connections); why != "" {
		s.Unseen = append(s.Unseen, why)
	}
	names, flows, more := tables()
	s.Tables, s.FlowTables = append(s.Tables, names...), flows
	s.Unseen = append(s.Unseen, more...)
	for _, f := range s.FlowTables {
		s.NotCovered = append(s.NotCovered, "the flow table "+f+" carries forwarded packets past our rules")
	}
	s.Legacy, more = legacy()
	s.Unseen = append(s.Unseen, more...)
	s.NotCovered = append(s.NotCovered, packetSockets()...)
	past, more := ways(ctx)
	s.NotCovered, s.Unseen = append(s.NotCovered, past...), append(s.Unseen, more...)
	s.where()
	return s
}

// where tells whether we stand where the machine's own network is.
func (s *Situation) where() {
	own, err := bounded.Link(self("ns/net"))
	first, e := bounded.Link("/proc/1/ns/net")
	if err = procread.Join(err, e); err != nil {
		s.Unseen = append(s.Unseen, "which network namespace we are in: "+err.Error())
	}
	s.OtherNet = err == nil && own != first
	if ns, err := bounded.Link(self("ns/pid")); err == nil && ns != firstPIDs {
		s.NotCovered = append(s.NotCovered, "this runs in a PID namespace of its own, as a container does: what else the machine runs, and by which interfaces, is not seen from here")
	}
}

// self gives a file of /proc that belongs to the calling thread: a namespace is a thread's, and /proc/self is that of the
// first one. Threads have no net there before 3.17.
func self(name string) string {
	dir := fmt.Sprintf("/proc/self/task/%d/", unix.Gettid())
	if err := unix.Access(dir+"net", unix.F_OK); err != nil {
		dir = "/proc/self/"
	}
	return dir + name
}

// tables lists the tables and flow tables of nf_tables that are not ours.
func tables() (names, flows, unseen []string) {
	c, err := dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, nil, []string{"tables of nf_tables: " + err.Error()}
	}
	defer c.close()
	l, err := list(c, unix.NFT_MSG_GETTABLE, unix.NFT_MSG_NEWTABLE, unix.NFPROTO_UNSPEC, nil, "list the tables")
	if err != nil {
		unseen = append(unseen, "tables of nf_tables: "+err.Error())
	}
	for _, t := range l {
		if n := str(find(t.attrs, unix.NFTA_TABLE_NAME)); n != Table {
			names = append(names, familyName(t.family)+" "+n)
		}
	}
	// Flow tables are known from 4.16 on: an older kernel refuses the question, and has none.
	l, err = list(c, unix.NFT_MSG_GETFLOWTABLE, unix.NFT_MSG_NEWFLOWTABLE, unix.NFPROTO_UNSPEC, nil, "list the flow tables")
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) {
		unseen = append(unseen, "flow tables of nf_tables: "+err.Error())
	}
	for _, t := range l {
		flows = append(flows, familyName(t.family)+" "+str(find(t.attrs, flowtableTable))+" "+str(find(t.attrs, flowtableName)))
	}
	return names, flows, unseen
}

// Attributes of a flow table: NFTA_FLOWTABLE_TABLE, NFTA_FLOWTABLE_NAME.
const flowtableTable, flowtableName = 1, 2

// legacy lists the tables that the older iptables has in use. Its rules stay in force beside ours.
func legacy() (names, unseen []string) {
	for _, f := range []string{"ip_tables_names", "ip6_tables_names"} {
		b, err := procread.File(self("net/"+f), procread.SmallFile)
		if err != nil && !errors.Is(err, unix.ENOENT) { // without the module there is no such file
			unseen = append(unseen, "tables of iptables: "+err.Error())
		}
		for _, n := range strings.Fields(string(b)) {
			names = append(names, strings.TrimSuffix(f, "_tables_names")+" "+n)
		}
	}
	return names, unseen
}

// packetSockets counts the sockets that send and receive beneath the hooks. DHCP clients and sniffers have them as well.
func packetSockets() []string {
	b, err := procread.File(self("net/packet"), procread.TableFile)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return []string{"packet sockets, which pass our rules by, could not be listed: " + err.Error()}
	}
	if n := strings.Count(string(b), "\n") - 1; n > 0 {
		return []string{fmt.Sprintf("%d packet sockets see and send packets past our rules (DHCP clients and sniffers have them, and some backdoors)", n)}
	}
	return nil
}
