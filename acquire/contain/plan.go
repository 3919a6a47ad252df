package contain

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Table is the name of our tables.
const Table = "telltale"

// The bounds of a plan.
const (
	MaxAllowed = 128                 // addresses that may be allowed: a transaction has to fit the socket
	MinFor     = time.Second         // shortest life
	MaxFor     = 90 * 24 * time.Hour // longest, but for Until released
)

var (
	// ErrInForce says that the machine is isolated already.
	ErrInForce = errors.New("it is isolated already")
	// ErrNotInForce says that there is nothing to confirm: it was never isolated, or the time is over.
	ErrNotInForce = errors.New("it is not isolated")
	// ErrForeign says that a table of our name is there which is not as we lay it.
	ErrForeign = errors.New("a table named " + Table + " is there that is not as telltale lays it")
	// ErrNoFilter says that this kernel has no nf_tables, or none that can do it.
	ErrNoFilter = errors.New("this kernel's nf_tables cannot do it")
	// ErrRights says that CAP_NET_ADMIN is missing.
	ErrRights = errors.New("it needs CAP_NET_ADMIN")
	// ErrUnsure says that the table read back from the kernel is not what was asked for.
	ErrUnsure = errors.New("what the kernel shows is not what was asked for")
)

// Plan is what is allowed and for how long all else is cut.
type Plan struct {
	Allow []netip.Prefix // addresses that stay in reach, in both directions, in every protocol
	DNS   []netip.Addr   // resolvers: port 53 of these
	DHCP  bool           // leases may be renewed
	For   time.Duration  // after which it ends by itself; 0: until released
}

// Check tells whether a plan can be laid.
func (p Plan) Check() error {
	if n := len(p.Allow) + len(p.DNS); n > MaxAllowed {
		return fmt.Errorf("%d addresses are to be allowed, at most %d can be", n, MaxAllowed)
	}
	if p.For != 0 && (p.For < MinFor || p.For > MaxFor) {
		return fmt.Errorf("a life of %v: it must be between %v and %v", p.For, MinFor, MaxFor)
	}
	for _, a := range p.Allow {
		if !a.IsValid() {
			return errors.New("an address to allow is not valid")
		}
	}
	return nil
}

// tidy gives the plan with each address once.
func (p Plan) tidy() Plan {
	var q Plan
	for _, n := range p.Allow {
		q.learn(sayAllow + n.Masked().String())
	}
	for _, a := range p.DNS {
		q.learn(sayDNS + a.Unmap().String())
	}
	q.DHCP, q.For = p.DHCP, p.For
	return q
}

// Allows tells whether an address stays in reach.
func (p Plan) Allows(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsLoopback() || slices.ContainsFunc(p.Allow, func(n netip.Prefix) bool { return n.Contains(a) })
}

// ParseAllow reads an address or a network. An address of IPv4 in IPv6's clothes is taken as the IPv4 address that it is
// on the wire, and the bits behind a network's mask are cleared.
func ParseAllow(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("address %q: leave out the zone", s)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return n, fmt.Errorf("%q is neither an address nor a network", s)
	}
	if n.Addr().Is4In6() {
		if n.Bits() < 96 {
			return n, fmt.Errorf("network %q holds more than IPv4", s)
		}
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n.Masked(), nil
}

// The comments that our rules bear. They say in the kernel, for nft(8) and for us, what a rule does: a table is read back
// by making the rules of its comments anew and comparing.
const (
	sayLoopback = "loopback"
	sayAllow    = "allow "
	sayDNS      = "dns "
	sayDHCP     = "dhcp"
	sayNDP      = "ipv6 neighbour discovery"
	sayMLD      = "ipv6 multicast listeners"
	sayDrop     = "drop all else"
)

// learn adds to a plan what a comment says. A rule whose comment is not ours is found out by the comparison that follows.
func (p *Plan) learn(comment string) {
	if s, ok := strings.CutPrefix(comment, sayAllow); ok {
		if n, err := netip.ParsePrefix(s); err == nil && len(p.Allow) <= MaxAllowed && !slices.Contains(p.Allow, n) {
			p.Allow = append(p.Allow, n)
		}
	}
	if s, ok := strings.CutPrefix(comment, sayDNS); ok {
		if a, err := netip.ParseAddr(s); err == nil && len(p.DNS) <= MaxAllowed && !slices.Contains(p.DNS, a) {
			p.DNS = append(p.DNS, a)
		}
	}
	p.DHCP = p.DHCP || comment == sayDHCP
}

// State is what of ours is in the kernel.
type State struct {
	Present bool          // our table is there
	Armed   bool          // and cuts
	For     bool          // it ends by itself
	Left    time.Duration // after this
	Bridge  bool          // frames between the ports of bridges are dropped, too
	Plan    Plan          // what is allowed; For is not set
	Dropped uint64        // packets that were dropped
	Rules   []RuleText    // as read from the kernel
	Wrong   []string      // where it is not as we lay it
}

// RuleText is one rule, for people.
type RuleText struct {
	Family string `json:"family"`
	Chain  string `json:"chain"`
	Text   string `json:"rule"`
}
