package story

import (
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// identify adds to the actors what is known of them beside addresses and accounts: the networks, keys' comments, tools, and when they work.
func (b *builder) identify() {
	for i := range b.s.Actors {
		a := &b.s.Actors[i]
		b.networks(a)
		b.comments(a)
		a.Tools = b.tools(a)
		a.Hours, a.Zone = b.hours(a)
	}
}

// networks looks the addresses up in the databases that were given.
func (b *builder) networks(a *Actor) {
	if b.set.Network == nil {
		return
	}
	for _, ip := range a.Sources {
		n := b.set.Network(ip)
		words := strings.Join(slices.DeleteFunc([]string{n.Prefix, n.ASN, n.Holder, n.Country}, func(s string) bool { return s == "" }), " ")
		if words == "" {
			continue
		}
		if n.AsOf != "" { // networks change hands
			words += " (as of " + n.AsOf + ")"
		}
		a.Networks = ids(append(a.Networks, utf8(words))...)
		if a.ASN == "" {
			a.ASN = utf8(n.ASN)
		}
		if a.Country == "" {
			a.Country = utf8(n.Country)
		}
	}
}

// comments gives the comments of keys that an actor used or left: they are what he wrote, and may be a lie.
func (b *builder) comments(a *Actor) {
	for _, p := range b.by[detect.Persistence] {
		if p.Mechanism == "ssh-key" && p.Key != "" && p.Detail != "" && (contains(a.Keys, p.Key) || b.keys[p.Key] && len(b.s.Actors) == 1) {
			a.Comments = ids(append(a.Comments, utf8(p.Detail))...)
		}
	}
}

// knownTools are programs that name themselves, in a user agent, a command or a process.
var knownTools = []string{"sqlmap", "nikto", "nmap", "masscan", "zgrab", "hydra", "medusa", "ncrack", "wpscan", "gobuster", "dirbuster", "feroxbuster", "ffuf", "nuclei", "metasploit", "meterpreter", "commix", "xmrig", "python-requests", "python-urllib",
	"go-http-client", "curl", "wget", "libwww-perl", "httpie", "okhttp", "linpeas", "lse.sh", "pspy", "chisel", "frpc", "ngrok", "socat", "weevely", "b374k", "hashcat", "john"}

func (b *builder) tools(a *Actor) []string {
	out := []string{}
	look := func(s string) {
		s = strings.ToLower(s)
		for _, t := range knownTools {
			if i := strings.Index(s, t); i >= 0 && !letter(s, i-1) && !letter(s, i+len(t)) {
				out = ids(append(out, t)...)
			}
		}
	}
	for _, u := range a.UserAgents {
		look(u)
	}
	for _, w := range []detect.What{detect.WebScan, detect.WebAttack} {
		for _, f := range b.by[w] {
			if contains(a.Sources, f.Source) {
				look(f.Agent + " " + f.Detail)
			}
		}
	}
	for _, x := range b.s.Actions {
		if contains(a.Accounts, x.Account) {
			look(x.What)
		}
	}
	return out
}

func letter(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= 'a' && s[i] <= 'z' }

// To guess where somebody lives by his hours, he has to be seen on that many days, and to be still for that long each day.
const (
	daysSeen  = 5
	hoursRest = 7
)

// hours counts when an actor acted, by the hour of the day, and says what that tells of where he lives. Machines never rest, so that hours without a rest
// tell nothing; and whoever works at night is misjudged.
func (b *builder) hours(a *Actor) ([]int, string) {
	count, days := make([]int, 24), map[int64]bool{}
	n := 0
	note := func(t evidence.Time) {
		if t.Known() {
			count[t.Sec/3600%24]++
			days[t.Sec/86400] = true
			n++
		}
	}
	for _, l := range b.logins() {
		if contains(a.Sources, l.Source) && l.Access != nil {
			for _, s := range l.Access.Sessions {
				note(s.Start)
			}
		}
	}
	for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
		for _, f := range b.by[w] {
			if f.Level >= detect.High && len(f.Sources) > 0 && !slices.ContainsFunc(f.Sources, func(s string) bool { return !contains(a.Sources, s) }) {
				for _, t := range f.When {
					note(t)
				}
			}
		}
	}
	if n == 0 {
		return []int{}, ""
	}
	rest, from := longestRest(count)
	if len(days) < daysSeen || rest < hoursRest || rest > 16 {
		return count, ""
	}
	middle := (from + rest/2) % 24 // most people sleep around half past three
	offset := (27 - middle) % 24
	if offset > 12 {
		offset -= 24
	}
	return count, fmt.Sprintf("seen on %d days, never from %02d:00 to %02d:00 UTC; if that is the night, the clock there is near UTC%+d, give or take three hours (possible, no more: whoever works at night is misjudged)",
		len(days), from, (from+rest)%24, offset)
}

// longestRest gives how many hours in a row, around the clock, are empty, and where they begin.
func longestRest(count []int) (best, from int) {
	for i := range count {
		n := 0
		for n < len(count) && count[(i+n)%len(count)] == 0 {
			n++
		}
		if n > best {
			best, from = n, i
		}
	}
	return best, from
}
