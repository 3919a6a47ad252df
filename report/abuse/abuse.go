// Package abuse writes what can be sent to the networks that an intruder came from: one report for each, in plain words, with
// the fields that RFC 5965 and X-ARF ask for. It tells only what this server accepted or suffered, and how often it was tried; what stands in brackets is
// for the sender to fill in. Nobody's password is in it, and account names only where a quoted line of a log holds them.
package abuse

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"telltale/report"
	"telltale/report/internal/text"
	"telltale/story"
)

// What one report holds at most.
const (
	maxNetworks  = 200
	maxAddresses = 50
	maxFacts     = 10
	maxLines     = 8
	maxLine      = 500 // bytes of one quoted line
)

// New gives the format.
func New() report.Format {
	return report.Format{Name: "abuse", Doc: "reports to the networks that the intruder came from", File: "abuse.txt", Write: write}
}

// network is who one report goes to.
type network struct {
	name      string // as a database says, "" where none was given
	addresses []string
	actors    []*story.Actor
}

type printer struct {
	w     *bufio.Writer
	d     *report.Document
	names *strings.Replacer // account names out of our own sentences
}

func write(w io.Writer, d *report.Document) error {
	p := &printer{w: bufio.NewWriter(w), d: d, names: masks(d)}
	all := networks(d)
	for i := range all {
		if i == maxNetworks {
			p.line("%d more networks are not told here; report.json holds all.", len(all)-i)
			break
		}
		p.report(&all[i])
	}
	if len(all) == 0 {
		p.line("There is nobody to write to: no address from outside is held to have acted against this server (verdict: %s).", text.Escape(d.Verdict.Status))
	}
	return p.w.Flush()
}

func (p *printer) line(format string, a ...any) { fmt.Fprintf(p.w, format+"\n", a...) }

// networks gathers the addresses from outside by the network that the database names for each; without one, each address is its own.
func networks(d *report.Document) []network {
	var out []network
	at := map[string]int{}
	if d.Verdict.Status != story.Compromised && d.Verdict.Status != story.Attacked {
		return nil
	}
	for i := range d.Actors {
		a := &d.Actors[i]
		if a.Origin != "external" {
			continue
		}
		for _, s := range a.Sources {
			ip, err := netip.ParseAddr(s)
			if err != nil || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
				continue
			}
			name := of(ip, a.Networks)
			k := cmp.Or(name, s)
			n, ok := at[k]
			if !ok {
				n = len(out)
				at[k] = n
				out = append(out, network{name: name})
			}
			if x := &out[n]; !slices.Contains(x.addresses, s) {
				x.addresses = append(x.addresses, s)
				if !slices.Contains(x.actors, a) {
					x.actors = append(x.actors, a)
				}
			}
		}
	}
	return out
}

// of gives the network that holds an address: "203.0.113.0/24 AS64500 Example Ltd NL".
func of(ip netip.Addr, networks []string) string {
	for _, n := range networks {
		prefix, _, _ := strings.Cut(n, " ")
		if p, err := netip.ParsePrefix(prefix); err == nil && p.Contains(ip.Unmap()) {
			return n
		}
	}
	return ""
}

// nobodys are accounts that are no person's: every server has them.
var nobodys = []string{"root", "www-data", "apache", "nginx", "httpd", "nobody", "ftp", "mysql", "postgres", "redis", "mail", "postfix", "daemon", "bin"}

// masks takes the names of accounts out of sentences.
func masks(d *report.Document) *strings.Replacer {
	var pairs []string
	add := func(name string) {
		if len(name) < 2 || slices.Contains(nobodys, name) {
			return
		}
		for _, l := range []string{" ", "\"", "'", "("} {
			for _, r := range []string{" ", ".", ",", ":", ";", "'", "\"", ")"} {
				pairs = append(pairs, l+name+r, l+"[account]"+r)
			}
		}
	}
	for i := range d.Entry {
		add(d.Entry[i].Account)
	}
	for i := range d.Actors {
		for _, a := range d.Actors[i].Accounts[:min(len(d.Actors[i].Accounts), 50)] {
			add(a)
		}
	}
	return strings.NewReplacer(pairs...)
}

func (p *printer) report(n *network) {
	first, last := seen(n.actors)
	p.line("%s", strings.Repeat("=", 78))
	p.line("To: [abuse contact of the network]")
	p.line("From: [your name, organisation, address for answers, telephone]")
	what := "unauthorised access to a server"
	if p.d.Verdict.Status != story.Compromised {
		what = "attempts to break into a server"
	}
	p.line("Subject: Abuse from %s: %s", text.Escape(short(n.addresses)), what)
	p.line("")
	p.contact(n)
	p.line("")
	p.line("Report-Type: %s\nCategory: abuse\nSource-Type: ip-address", p.kind(n))
	for i, a := range n.addresses {
		if i == maxAddresses {
			p.line("(%d more addresses)", len(n.addresses)-i)
			break
		}
		p.line("Source: %s", text.Escape(a))
	}
	p.line("Destination: [address of your server]")
	p.line("Date: %s to %s", or(when(first)), or(when(last)))
	p.line("Times: UTC, %s. The quoted lines are as our logs hold them%s.", p.within(n), p.zone())
	p.line("")
	p.line("Good day,\n\nwe run the server above. From the network that you are responsible for, the following was done to it without our leave:")
	p.line("")
	for _, a := range n.addresses[:min(len(n.addresses), maxAddresses)] {
		p.facts(a, n.actors)
	}
	p.line("We ask you to\n  - look into who used these addresses at these times, and to stop it,\n  - tell your customer, whose own machine may have been broken into,")
	p.line("  - keep the logs of connections between these addresses and ours, for law enforcement may ask for them,\n  - tell us what you found, with our reference: [reference].")
	p.line("\nThe evidence was opened for reading only; a record of what was examined, and how, is kept and can be had.\n")
	p.line("[your name]\n")
}

// kind names what was done: an attack upon logins, upon a web site, or of another sort.
func (p *printer) kind(n *network) string {
	for i := range p.d.Entry {
		e := &p.d.Entry[i]
		if !slices.ContainsFunc(e.Sources, func(s string) bool { return slices.Contains(n.addresses, s) }) {
			continue
		}
		switch {
		case strings.HasPrefix(e.Vector, "ssh-"), e.Vector == "ftp-password", e.Vector == "mail-account":
			return "login-attack"
		case strings.HasPrefix(e.Vector, "web-"):
			return "web-attack"
		}
		return "intrusion"
	}
	return "login-attack, or another attempt (see below)"
}

// contact names the network, or tells how its contact is found.
func (p *printer) contact(n *network) {
	if n.name != "" {
		p.line("Network: %s", text.Escape(n.name))
	}
	p.line("(How to find the contact: ask the registry by RDAP, https://rdap.org/ip/%s, or by whois; the entity whose role is \"abuse\" names the address to write to. Take these lines out before sending.)", text.Escape(n.addresses[0]))
}

// facts tells what one address did.
func (p *printer) facts(address string, actors []*story.Actor) {
	p.line("%s", text.Escape(address))
	for i := range p.d.Entry {
		e := &p.d.Entry[i]
		if slices.Contains(e.Sources, address) && (e.Status == story.Confirmed || e.Status == story.Likely) && p.d.Verdict.Status == story.Compromised {
			p.line("  * entered the server (%s, service %s), first at %s, last at %s", text.Escape(strings.ReplaceAll(e.Vector, "-", " ")), or(text.Escape(e.Service)), or(when(e.First)), or(when(e.Last)))
		}
	}
	told, lines, shown := 0, 0, map[string]bool{}
	for _, c := range p.claims(actors) {
		quotes := slices.DeleteFunc(about(c, address), func(q string) bool { return shown[q] }) // several claims rest on the same lines
		if len(quotes) == 0 || told == maxFacts {
			continue
		}
		for _, q := range quotes {
			shown[q] = true
		}
		told++
		p.line("  * %s%s [%s]", text.Escape(p.names.Replace(c.Text)), at(c.Time), c.Standing())
		for _, q := range quotes {
			if lines++; lines <= maxLines {
				p.line("      %s", text.Escape(clip(strings.TrimSpace(q), maxLine)))
			}
		}
	}
	if told == 0 {
		p.line("  * was seen in our logs as part of the above; no line of a log that can be shown names it")
	}
	p.line("")
}

// claims gives what can be told to a stranger: what is confirmed or likely, and that the server accepted, suffered or counted it.
func (p *printer) claims(actors []*story.Actor) (out []*story.Claim) {
	wanted := map[string]bool{}
	for _, a := range actors {
		for _, id := range a.Claims {
			wanted[id] = true
		}
	}
	for i := range p.d.Entry {
		for _, id := range p.d.Entry[i].Claims {
			wanted[id] = true
		}
	}
	for i := range p.d.Claims {
		c := &p.d.Claims[i]
		if wanted[c.ID] && c.Rung != "" && (c.Status == story.Confirmed || c.Status == story.Likely) {
			out = append(out, c)
		}
	}
	return out
}

// within says how wrong the times may be: the entry's own error, and that of the clocks that were compared.
func (p *printer) within(n *network) string {
	worst, known := 0.0, len(p.d.Clocks) > 0
	for i := range p.d.Entry {
		if e := &p.d.Entry[i]; slices.ContainsFunc(e.Sources, func(s string) bool { return slices.Contains(n.addresses, s) }) {
			worst, known = max(worst, e.ErrorSeconds), true
		}
	}
	for i := range p.d.Clocks {
		worst = max(worst, p.d.Clocks[i].Error)
	}
	if !known {
		return "by our own clock, whose error is not known"
	}
	return fmt.Sprintf("right to within %g s as far as our clocks could be compared", max(worst, 1))
}

func (p *printer) zone() string {
	for _, h := range p.d.Hosts {
		if h.Zone != "" {
			return ", in the zone " + text.Escape(h.Zone)
		}
	}
	return ""
}

func seen(actors []*story.Actor) (first, last string) {
	for _, a := range actors {
		if a.First != "" && (first == "" || a.First < first) {
			first = a.First
		}
		last = max(last, a.Last)
	}
	return first, last
}

func short(s []string) string {
	if len(s) <= 3 {
		return strings.Join(s, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(s[:3], ", "), len(s)-3)
}

func when(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func at(s string) string {
	if w := when(s); w != "" {
		return " (" + w + ")"
	}
	return ""
}

func or(s string) string { return cmp.Or(s, "not known") }
