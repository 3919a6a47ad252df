// Package packetfilter judges the rules of the kernel's packet filter as they held when the state of a machine was taken: rules that turn the packets of
// one stranger to another port, as the door of a root-kit does; that let one stranger in where others are kept out by something else; that send on what was
// meant for this machine, or for another; and that cut the machine off from its log server. A rule is no proof of who laid it: what Docker, ufw,
// firewalld, fail2ban and their like lay is told apart by their chains, and what administrators do is named.
package packetfilter

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "packetfilter", Title: "Rules of the packet filter", IDs: []string{"D63", "D70"},
		Doc:    "judges rules of the kernel's packet filter that turn, let in or cut off what they should not, and tells those of Docker, ufw, firewalld, fail2ban and their like apart",
		Attack: []string{"T1205.001", "T1562.004", "T1090"},
		Wants:  []event.Kind{event.FilterRule},
		New:    func(detect.Scene) detect.Fold { return &fold{spaces: map[string]*space{}} },
	}
}

// Bounds.
const (
	maxRules  = 100_000
	maxSpaces = 2000
	maxTold   = 50
)

// rule is one rule.
type rule struct {
	chain, hook, verdict, to, text string
	protocol                       string
	from, dest, ports              []string
	quote                          evidence.Quote
}

// space is one network namespace.
type space struct {
	name     string
	rules    []*rule
	policies []string // of chains that the kernel asks by itself: "filter INPUT: drop"
	shut     bool     // what comes in is kept out unless a rule lets it
	bans     bool     // somebody bans addresses here
	keepers  map[string]bool
	quote    evidence.Quote
}

type fold struct {
	spaces map[string]*space
	count  int
	more   bool
}

func (f *fold) Observe(e *event.Event) {
	key := e.Ref.Source + "\x00" + e.Text(event.ContainerID)
	s := f.spaces[key]
	if s == nil {
		if len(f.spaces) >= maxSpaces {
			f.more = true
			return
		}
		s = &space{name: e.Text(event.ContainerID), keepers: map[string]bool{}, quote: e.Quote()}
		f.spaces[key] = s
	}
	chain, verdict := e.Text(event.FilePath), e.Text(event.SettingName)
	if k := keeper(chain + " " + strings.TrimPrefix(verdict, "jump ")); k != "" {
		s.keepers[k] = true
		s.bans = s.bans || k == "fail2ban" || k == "CrowdSec"
	}
	hook := e.Text(event.NetworkDirection)
	if verdict == "policy" {
		if hook != "" && len(s.policies) < maxTold {
			s.policies = append(s.policies, chain+" "+e.Text(event.SettingValue))
		}
		s.shut = s.shut || hook == "input" && e.Text(event.SettingValue) == "drop"
		return
	}
	if f.count++; f.count > maxRules {
		f.more = true
		return
	}
	r := &rule{chain: chain, hook: hook, verdict: verdict, to: e.Text(event.SettingValue), text: e.Text(event.Message), protocol: e.Text(event.NetworkTransport), from: e.All(event.SourceIP), dest: e.All(event.DestinationIP), ports: e.All(event.DestinationPort), quote: e.Quote()}
	refuses := verdict == "drop" || verdict == "reject"
	s.shut = s.shut || refuses && len(r.from) == 0 && incoming(r) && len(e.All(event.DestinationIP)) == 0
	s.rules = append(s.rules, r)
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		told := 0
		for _, key := range slices.Sorted(maps.Keys(f.spaces)) {
			s := f.spaces[key]
			for _, r := range s.rules {
				for _, x := range []*detect.Finding{s.turns(r), s.letsIn(r), s.cutsOff(r)} {
					if x == nil || told >= maxTold {
						continue
					}
					told++
					if ctx.Err() != nil || !yield(*x) {
						return
					}
				}
			}
			if !yield(s.sum(f.more)) {
				return
			}
		}
	}
}

// finding begins one of a rule. Who keeps the chain explains it.
func (s *space) finding(r *rule, mechanism string, level detect.Level, title, causes string) *detect.Finding {
	x := &detect.Finding{Detection: "D63", What: detect.Filtering, Level: level, Rung: evidence.Effect, Mechanism: mechanism, Path: r.chain, Title: title, Detail: "the rule in " + r.chain + ": " + r.text + "; " + causes, Count: 1, For: []evidence.Quote{r.quote}}
	if k := keeper(r.chain); k != "" {
		x.Level, x.Explained = detect.Info, "it stands in a chain of "+k+", which lays such rules"
	}
	return x
}

// stranger gives the one foreign address that a rule is for, "" where it is for more, or for a network.
func (r *rule) stranger() string {
	if len(r.from) == 1 && detect.Outside(r.from[0]) {
		return r.from[0]
	}
	return ""
}

// loginPorts are where people log in, or programs with a password.
var loginPorts = map[string]string{"22": "ssh", "23": "telnet", "513": "rlogin", "3389": "rdp", "5900": "vnc", "5985": "winrm", "10000": "webmin", "2222": "ssh"}

// turns judges a rule that sends packets elsewhere than they were meant for.
func (s *space) turns(r *rule) *detect.Finding {
	if r.verdict != "redirect" && r.verdict != "dnat" && r.verdict != "tproxy" {
		return nil
	}
	host, port := split(r.to)
	if r.verdict == "redirect" && port == "" {
		return nil // to the same port of this machine, whatever address was meant: a transparent proxy
	}
	asked := strings.Join(r.ports, ", ")
	from := r.stranger()
	var x *detect.Finding
	switch {
	case from != "" && r.verdict == "redirect" && !slices.Contains(r.ports, port):
		x = s.finding(r, "redirect", detect.High, fmt.Sprintf("packets of one foreign address, %s, to port %s are turned to port %s of this machine", from, cmp.Or(asked, "any"), cmp.Or(port, "?")),
			"a door that only its owner sees is made so; an administrator who moves one client to a test service does the same")
		x.Attack = []string{"T1205.001"}
	case from != "":
		x = s.finding(r, "redirect", detect.Medium, fmt.Sprintf("packets of one foreign address, %s, to port %s are sent on to %s", from, cmp.Or(asked, "any"), r.to),
			"a forwarding that is open to one partner looks the same")
		x.Attack = []string{"T1205.001", "T1090"}
	case detect.Outside(host):
		x = s.finding(r, "redirect", detect.Medium, fmt.Sprintf("what is meant for port %s is sent on to the foreign machine %s", cmp.Or(asked, "any"), r.to),
			"a relay hides who asks, or who answers; a service that was moved to another machine is forwarded in the same way")
		x.Attack = []string{"T1090"}
	case loginPorts[port] != "" && len(r.ports) > 0 && !slices.Contains(r.ports, port):
		x = s.finding(r, "redirect", detect.Low, fmt.Sprintf("port %s leads to the login port %s", asked, strings.TrimSpace(host+" "+port)), "administrators put ssh behind a second port, or forward to a machine or container behind this one")
	default:
		return nil
	}
	x.Source = from
	return x
}

// letsIn judges a rule that accepts what one foreign address sends. Where what comes in is kept out unless a rule lets it, that is what rules are for.
func (s *space) letsIn(r *rule) *detect.Finding {
	from := r.stranger()
	if from == "" || r.verdict != "accept" || !incoming(r) || s.shut {
		return nil
	}
	login := len(r.ports) == 0
	for _, p := range r.ports {
		login = login || loginPorts[p] != ""
	}
	if !login {
		return nil
	}
	x := s.finding(r, "let-in", detect.Low, fmt.Sprintf("a rule lets in the foreign address %s (port %s) by name, though no rule keeps others out", from, cmp.Or(strings.Join(r.ports, ", "), "any")), "who wants to get in past a later ban adds one; an administrator lays the same for himself")
	x.Attack, x.Source = []string{"T1562.004"}, from
	if s.bans {
		x.Level, x.Explained = detect.Info, "addresses are banned here, and an administrator excepts himself"
	}
	return x
}

// logPorts are where machines send their logs and agents their alarms: syslog, RELP, the journal, GELF, beats, fluentd, Splunk, Wazuh.
var logPorts = map[string]string{"514": "syslog", "601": "syslog", "6514": "syslog", "10514": "syslog", "20514": "relp", "2514": "relp", "19532": "the journal", "12201": "gelf", "5044": "beats", "24224": "fluentd", "9997": "splunk", "1514": "wazuh", "1515": "wazuh"}

// cutsOff judges a rule that keeps this machine from telling its log server, or from fetching updates.
func (s *space) cutsOff(r *rule) *detect.Finding {
	if r.verdict != "drop" && r.verdict != "reject" || !outgoing(r) {
		return nil
	}
	for _, p := range r.ports {
		if logs := logPorts[p]; logs != "" {
			x := s.finding(r, "cut-off", detect.Medium, fmt.Sprintf("what this machine would send to port %s (%s)%s is dropped", p, logs, toWhom(r.dest)), "logs do not reach their server so; on a machine that sends none it does nothing")
			x.Attack = []string{"T1562.006", "T1562.004"}
			return x
		}
	}
	web := len(r.ports) == 0 || slices.Contains(r.ports, "80") || slices.Contains(r.ports, "443")
	if len(r.dest) == 0 || !web || !single(r.dest) {
		return nil
	}
	x := s.finding(r, "cut-off", detect.Low, fmt.Sprintf("what this machine would send%s is dropped", toWhom(r.dest)), "whose address it is cannot be told from here: a server of updates or of a security tool, or one that an administrator cut off")
	x.Attack = []string{"T1562.004"}
	return x
}

// single tells addresses that are no networks, all of them foreign.
func single(all []string) bool {
	return !slices.ContainsFunc(all, func(a string) bool { return !detect.Outside(a) })
}

func toWhom(dest []string) string {
	if len(dest) == 0 {
		return ""
	}
	return " of " + strings.Join(dest[:min(len(dest), 5)], ", ")
}

// sum tells what was read, so that a filter without a word of it does not look like one that nobody looked at.
func (s *space) sum(more bool) detect.Finding {
	x := detect.Finding{Detection: "D63", What: detect.Filtering, Level: detect.Info, Rung: evidence.Effect, Mechanism: "rules", Path: "network namespace " + s.name, Count: int64(len(s.rules)), For: []evidence.Quote{s.quote}}
	x.Title = fmt.Sprintf("the packet filter of network namespace %s: %s", s.name, detect.Plural(int64(len(s.rules)), "rule", "rules"))
	if len(s.policies) > 0 {
		x.Title += "; chains: " + strings.Join(s.policies[:min(len(s.policies), 8)], ", ")
	}
	x.Explained = "each rule was judged"
	if more {
		x.Explained = "there are more rules than are judged"
	}
	if len(s.keepers) > 0 {
		x.Explained += "; rules of " + strings.Join(slices.Sorted(maps.Keys(s.keepers)), ", ") + " are among them"
	}
	return x
}

// incoming and outgoing tell where the kernel asks for a rule, or the chain that leads to it, by its name.
func incoming(r *rule) bool {
	return r.hook == "input" || r.hook == "prerouting" || r.hook == "ingress" || r.hook == "" && strings.Contains(strings.ToLower(r.chain), "input")
}

func outgoing(r *rule) bool {
	return r.hook == "output" || r.hook == "postrouting" || r.hook == "" && strings.Contains(strings.ToLower(r.chain), "output")
}

// keepers are those who lay rules by themselves, by how their tables and chains are named.
var keepers = []struct{ prefix, name string }{
	{"docker", "Docker"}, {"br-nf", "Docker"}, {"netavark", "Podman"}, {"cni-", "a container network"}, {"kube-", "Kubernetes"}, {"cali-", "Calico"}, {"cilium", "Cilium"}, {"flannel", "flannel"}, {"weave", "Weave"}, {"istio", "Istio"}, {"f2b-", "fail2ban"}, {"fail2ban", "fail2ban"}, {"crowdsec", "CrowdSec"},
	{"ufw", "ufw"}, {"firewalld", "firewalld"}, {"in_", "firewalld"}, {"fwdi_", "firewalld"}, {"pre_", "firewalld"}, {"libvirt", "libvirt"}, {"lxc", "LXC"}, {"lxd", "LXD"}, {"incus", "Incus"}, {"ts-", "Tailscale"}, {"nixos-fw", "NixOS"}, {"shorewall", "Shorewall"}, {"sshuttle-", "sshuttle"},
	{"pve", "Proxmox"}, {"im360", "Imunify360"}, {"imunify", "Imunify360"}, {"localinput", "CSF"}, {"localoutput", "CSF"}, {"allowin", "CSF"}, {"allowout", "CSF"}, {"denyin", "CSF"}, {"denyout", "CSF"}, {"cp-firewall", "cPanel"}, {"plesk", "Plesk"}, {"telltale", "telltale isolate"},
}

// keeper tells who lays the rules of a chain, "" for nobody known. Anybody may name a chain so: what it explains is told with the reason.
func keeper(chain string) string {
	for w := range strings.FieldsSeq(strings.ToLower(chain)) {
		for _, k := range keepers {
			if strings.HasPrefix(w, k.prefix) {
				return k.name
			}
		}
	}
	return ""
}

// split takes "192.0.2.1:22", ":22" or "192.0.2.1" apart.
func split(to string) (host, port string) {
	if ap, err := netip.ParseAddrPort(to); err == nil {
		return ap.Addr().String(), fmt.Sprint(ap.Port())
	}
	if p, ok := strings.CutPrefix(to, ":"); ok {
		return "", p
	}
	return to, ""
}
