package state

import (
	"fmt"
	"strings"
)

// Firewall is one rule of the kernel's packet filter, or a chain that the kernel asks by itself (Number 0).
type Firewall struct {
	NetNS    uint64 `json:"netns"`
	System   string `json:"system"` // "nftables"; "iptables" for the older tables that are not kept by nftables
	Family   string `json:"family"` // "ip", "ip6", "inet", "bridge", "netdev", "arp"
	Table    string `json:"table"`
	Chain    string `json:"chain"`
	Hook     string `json:"hook"` // where the kernel asks the chain: "prerouting", "input" ...; "" for one that others jump to
	Priority int    `json:"priority"`
	Policy   string `json:"policy"` // of the chain; "" for one that others jump to
	Number   int    `json:"number"` // of the rule in its chain, from 1

	Verdict  string   `json:"verdict"` // "accept", "drop", "reject", "jump ufw-user-input", "dnat", "redirect", "masquerade" ...; "" for a rule that only counts or marks
	To       string   `json:"to"`      // of dnat and redirect: "192.0.2.7:22", ":2222"
	Protocol string   `json:"protocol"`
	From     []string `json:"from"`       // networks that it is about, as source; not those that it excepts
	FromPort []string `json:"from_ports"` // "1024-65535"
	Dest     []string `json:"dest"`
	DestPort []string `json:"dest_ports"`
	In       string   `json:"in"`     // interface
	Out      string   `json:"out"`    // interface
	Match    []string `json:"match"`  // all that it asks for, in words like nft's
	Unread   []string `json:"unread"` // names of expressions that were not understood
	Comment  string   `json:"comment"`
	Packets  uint64   `json:"packets"` // that it counted
}

// Place names the chain.
func (f *Firewall) Place() string {
	return strings.Join([]string{f.Family, f.Table, f.Chain}, " ")
}

// String gives it in one line, much as nft(8) writes it.
func (f *Firewall) String() string {
	if f.Number == 0 {
		return fmt.Sprintf("hook %s priority %d policy %s", f.Hook, f.Priority, f.Policy)
	}
	words := append([]string{}, f.Match...)
	for _, u := range f.Unread {
		words = append(words, "["+u+"]")
	}
	words = append(words, f.Verdict)
	if f.To != "" {
		words = append(words, "to "+f.To)
	}
	if f.Comment != "" {
		words = append(words, fmt.Sprintf("(%q)", f.Comment))
	}
	return strings.TrimSpace(strings.Join(words, " "))
}
