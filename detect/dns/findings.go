package dns

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

const maxTold = 100

// mined gives who asked for names of mining pools. This host itself is another matter than a browser somewhere in the network.
func (f *fold) mined() (out []detect.Finding) {
	for _, p := range f.pools {
		own := p.client == "127.0.0.1" || p.client == "::1"
		if !own && detect.Outside(p.client) {
			continue
		}
		r := detect.Finding{Detection: "D71", What: detect.Beacon, Level: detect.Low, Rung: evidence.Accepted, Mechanism: "miner", Source: p.client, First: p.first, Last: p.last, Count: p.count, Attack: []string{"T1496"}, For: p.quotes,
			Title: fmt.Sprintf("%s asked for the name of a mining pool: %s", p.client, p.name), Detail: detect.Plural(p.count, "time", "times") + "; who reads a pool's pages asks for it, too"}
		if own {
			r.Level, r.Rung = detect.Medium, evidence.Effect
		} else if p.count >= 3 && p.last.Sub(p.first) > time.Hour {
			r.Level = detect.Medium
		}
		out = append(out, r)
	}
	return sorted(out)
}

// What makes a tunnel: long names, very many of them, hardly one asked for twice.
const (
	minLong     = 40 // characters before the registered domain
	minDistinct = 200
	fresh       = 0.7
)

func (d *domain) distinct() float64 {
	n := 0
	for _, w := range d.seen {
		n += bits.OnesCount64(w)
	}
	const all = 64 * 64
	return -all * math.Log(max(all-float64(n), 1)/all)
}

func (f *fold) tunnels() (out []detect.Finding) {
	for _, d := range f.domains {
		n := d.distinct()
		if n < minDistinct || n < 3000 && n < fresh*float64(d.count) {
			continue
		}
		r := detect.Finding{Detection: "D77", What: detect.NameServer, Level: detect.Low, Rung: evidence.Accepted, Source: d.client, First: d.first, Last: d.last, Count: d.count, Attack: []string{"T1572", "T1048"}, For: d.quotes,
			Title:  fmt.Sprintf("about %.0f long names below %s were asked for, hardly one twice", n, d.name),
			Detail: fmt.Sprintf("%d characters long in the middle, %d of %d for types that carry text; virus scanners and block lists ask so, too", d.length/d.count, d.odd, d.count)}
		if d.odd*2 > d.count && d.clients == 1 {
			r.Level = detect.Medium
		}
		if d.packed*2 > d.count && d.clients == 1 && !detect.Outside(d.client) {
			r.Level, r.Rung = detect.High, evidence.Effect
			r.Title = fmt.Sprintf("%s carried data out by questions for about %.0f names below %s", d.client, n, d.name)
			r.Detail = fmt.Sprintf("%d characters long in the middle, of labels that end in a hyphen, as no host's name does and DNSteal cuts files", d.length/d.count)
		}
		out = append(out, r)
	}
	return sorted(out)
}

// A secondary server comes again and again; a stranger takes the zones once.
const secondary = 48 * time.Hour

func (f *fold) copied() (out []detect.Finding) {
	denied := detect.Finding{Detection: "D04", What: detect.NameServer, Level: detect.Low, Rung: evidence.Attempt, Attack: []string{"T1590.002"}}
	for _, ip := range slices.Sorted(maps.Keys(f.zones)) {
		c := f.zones[ip]
		if c.refused > 0 {
			denied.Count += c.refused
			denied.First, denied.Last = evidence.Min(denied.First, c.ever[0]), evidence.Max(denied.Last, c.ever[1])
			if len(denied.Sources) < 200 {
				denied.Sources = append(denied.Sources, ip)
			}
			if len(denied.For) < 2*maxQuotes {
				denied.For = append(denied.For, c.quotes...)
			}
		}
		if c.got == 0 || c.last.Sub(c.first) >= secondary || len(out) >= maxTold {
			continue
		}
		r := detect.Finding{Detection: "D04", What: detect.NameServer, Level: detect.Low, Rung: evidence.Accepted, Source: ip, First: c.first, Last: c.last, Count: c.got, Attack: []string{"T1590.002"}, For: c.quotes,
			Title: fmt.Sprintf("%s copied %s", ip, detect.Plural(int64(len(c.zones)), "zone", "zones")), Detail: strings.Join(c.zones, ", ") + "; it did not come again, as a secondary server does"}
		if c.refused > 0 {
			r.Level = detect.Medium
			r.Detail += "; others were refused to it"
		}
		out = append(out, r)
	}
	if denied.Count > 0 {
		denied.Title = fmt.Sprintf("whole zones were refused to %s", detect.Plural(int64(len(denied.Sources)), "address", "addresses"))
		out = append(out, denied)
	}
	return out
}

// perMinute is how many questions for everything one address asks in a minute if it is the victim of forged senders.
const perMinute = 100

func (f *fold) flooded() (out []detect.Finding) {
	for ip, x := range f.floods {
		if x.most < perMinute || !detect.Outside(ip) {
			continue
		}
		r := detect.Finding{Detection: "D72", What: detect.NameServer, Level: detect.Medium, Rung: evidence.Accepted, Source: ip, First: x.first, Last: x.last, Count: x.count, Attack: []string{"T1498.002"}, For: x.quotes,
			Title:  fmt.Sprintf("the name server was asked for everything about %s %d times in the name of %s", x.name, x.count, ip),
			Detail: fmt.Sprintf("up to %d in a minute; so many are asked with a forged sender, whom the answers hit", x.most)}
		if x.refused*10 > x.count*9 {
			r.Level, r.Rung = detect.Low, evidence.Attempt
			r.Detail += "; it was refused"
		}
		out = append(out, r)
	}
	return sorted(out)
}

func sorted(out []detect.Finding) []detect.Finding {
	slices.SortFunc(out, func(a, b detect.Finding) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Title, b.Title))
	})
	return out[:min(len(out), maxTold)]
}
