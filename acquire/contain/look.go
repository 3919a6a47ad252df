package contain

import (
	"net/netip"
	"strings"
)

// Situation is what the machine's network looks like to /proc and to the kernel's answers. A root-kit may hide a part of it.
type Situation struct {
	Tables      []string     `json:"tables"`               // of nf_tables, of others than us: "inet filter"
	FlowTables  []string     `json:"flowtables,omitempty"` // flow tables, whose packets pass the forward hook by
	Legacy      []string     `json:"legacy,omitempty"`     // tables of the older iptables: "filter"
	Connections []Connection `json:"connections"`
	Session     *Session     `json:"session,omitempty"`                 // the responder's; nil if none was found
	NotCovered  []string     `json:"not_covered"`                       // ways past our rules that were seen
	Unseen      []string     `json:"unseen,omitempty"`                  // what could not be looked at, with the reason
	OtherNet    bool         `json:"other_network_namespace,omitempty"` // we are not in the network namespace of PID 1: only ours is cut
}

// Connection is one socket that has a peer, or a row of /proc/net/tcp and its like.
type Connection struct {
	Protocol string         `json:"protocol"` // tcp, tcp6, udp, udp6
	Local    netip.AddrPort `json:"local"`
	Remote   netip.AddrPort `json:"remote"`
	State    string         `json:"state"`
	PID      int            `json:"pid,omitempty"`     // 0: no process that is seen holds it
	Program  string         `json:"program,omitempty"` // as the process calls itself
	Stays    bool           `json:"stays"`             // the plan lets it live

	inode uint64
}

// Session is the connection over which whoever runs us came.
type Session struct {
	Peer netip.Addr `json:"peer"`
	By   string     `json:"by"` // how it was found
}

// Judge marks which connections a plan lets live.
func (s *Situation) Judge(p Plan) {
	for i := range s.Connections {
		s.Connections[i].Stays = p.Allows(s.Connections[i].Remote.Addr())
	}
}

// covered names the kinds of interfaces whose packets pass the hooks of a namespace that we isolate, or go nowhere: the
// other end of a veth pair lies in another namespace and is judged there; tunnels send from where they were made.
const covered = " lo veth dummy bridge ifb tun wireguard sit ipip gre gretap erspan ip6gre ip6gretap ip6tnl vti vti6 nlmon vcan netdevsim xfrm "

// past tells whether an interface of another network namespace goes past our rules. A physical one has no kind.
func past(name, kind string, up bool) bool {
	return up && name != "lo" && !strings.Contains(covered, " "+kind+" ")
}
