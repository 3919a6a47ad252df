// Package held lists what a story holds against somebody, as things that other tools can look for or block: addresses, accounts, keys,
// files, programs. What was explained, what only other victims are, and what every server has is not among them. Nothing here is
// escaped: each writer does that for its medium.
package held

import (
	"cmp"
	"net/netip"
	"path"
	"slices"
	"strings"

	"telltale/report"
	"telltale/story"
)

// Kind is what a thing is.
type Kind string

// The kinds.
const (
	Address Kind = "address"
	Account Kind = "account"
	Key     Kind = "key-fingerprint"
	Path    Kind = "path"
	Digest  Kind = "sha256"
	Agent   Kind = "user-agent"
	URL     Kind = "url"
	Domain  Kind = "domain"
	Queue   Kind = "queue-id"
	Process Kind = "process"
)

// What may be done with a thing elsewhere.
const (
	Yes = "yes"
	No  = "no"
	Ask = "ask" // whoever knows the network or the account has to say
)

// Max bounds the things of one document; each is a row or an object.
const Max = 5000

// Thing is one of them.
type Thing struct {
	Kind   Kind
	Value  string
	What   string // our words, which may hold words from evidence
	First  string // RFC 3339, "" if not known
	Last   string
	Status story.Status // confirmed, likely or possible
	Origin string       // of an address: external, internal, near, local
	Block  string       // yes, no, ask
	Own    bool         // of a path: the file itself is the intruder's, not one of the system that he changed
	Claims []string
}

// Things gives them in the order of the story, each once. A server that was only attacked gives the addresses of those who tried, as
// possible; one that is clean or of which nothing can be told gives nothing.
func Things(d *report.Document) []Thing {
	l := newList(d)
	switch d.Verdict.Status {
	case story.Compromised:
		l.entries()
		l.actors()
		l.files()
		l.processes()
		l.elsewhere()
	case story.Attacked:
		l.actors()
		l.out = slices.DeleteFunc(l.out, func(t Thing) bool { return t.Kind != Address })
		for i := range l.out {
			t := &l.out[i]
			t.Status, t.Block = story.Possible, weaker(t.Block)
		}
	}
	return l.out
}

type list struct {
	d      *report.Document
	out    []Thing
	at     map[[2]string]int
	status map[string]story.Status
	from   map[string]string // where addresses lie, as the first actor says who has them
}

func newList(d *report.Document) *list {
	l := &list{d: d, at: map[[2]string]int{}, status: map[string]story.Status{}, from: map[string]string{}}
	for i := range d.Claims {
		l.status[d.Claims[i].ID] = d.Claims[i].Status
	}
	for i := range d.Actors {
		for _, s := range d.Actors[i].Sources {
			if _, ok := l.from[s]; !ok {
				l.from[s] = d.Actors[i].Origin
			}
		}
	}
	return l
}

// add puts a thing in, or joins it with what is told of it already.
func (l *list) add(t Thing) {
	if t.Value == "" || rank(t.Status) == 0 {
		return
	}
	k := [2]string{string(t.Kind), t.Value}
	i, ok := l.at[k]
	if !ok {
		if len(l.out) < Max {
			l.at[k] = len(l.out)
			t.Claims = slices.Clone(t.Claims)
			l.out = append(l.out, t)
		}
		return
	}
	o := &l.out[i]
	if t.First != "" && (o.First == "" || t.First < o.First) {
		o.First = t.First
	}
	o.Last, o.Own = max(o.Last, t.Last), o.Own || t.Own
	if rank(t.Status) > rank(o.Status) {
		o.Status = t.Status
	}
	o.Origin, o.Block = cmp.Or(o.Origin, t.Origin), agree(o.Block, t.Block)
	for _, id := range t.Claims {
		if !slices.Contains(o.Claims, id) && len(o.Claims) < 100 {
			o.Claims = append(o.Claims, id)
		}
	}
}

// agree joins two answers: who says no is heard, and then who says yes, for he knew more than one that asks.
func agree(a, b string) string {
	if a == No || b == No {
		return No
	}
	if a == Yes || b == Yes {
		return Yes
	}
	return Ask
}

func weaker(block string) string {
	if block == Yes {
		return Ask
	}
	return block
}

// rank orders how sure something is; 0 is not held against anybody.
func rank(s story.Status) int {
	return slices.Index([]story.Status{story.Possible, story.Likely, story.Confirmed}, s) + 1
}

// Sure gives what tells the strongest status among claims of a document. One that it does not hold counts for possible, and where each is
// ruled out or cannot be told, the answer is "".
func Sure(d *report.Document) func(claims []string) story.Status { return newList(d).sure }

func (l *list) sure(claims []string) story.Status {
	if len(claims) == 0 {
		return story.Possible
	}
	best := story.Status("")
	for _, id := range claims {
		st, ok := l.status[id]
		if !ok {
			st = story.Possible
		}
		if rank(st) > rank(best) {
			best = st
		}
	}
	return best
}

func (l *list) entries() {
	for i := range l.d.Entry {
		e := &l.d.Entry[i]
		for _, s := range e.Sources {
			origin := l.origin(s)
			l.add(Thing{Kind: Address, Value: s, What: "came in by " + e.Vector, First: e.First, Last: e.Last, Status: e.Status, Origin: origin, Block: block(s, origin, e.Status), Claims: e.Claims})
		}
		l.add(Thing{Kind: Account, Value: e.Account, What: "was used to come in by " + e.Vector, First: e.First, Last: e.Last, Status: e.Status, Block: Ask, Claims: e.Claims})
	}
}

// origin gives where an address lies, as its actor says.
func (l *list) origin(address string) string { return l.from[address] }

func (l *list) actors() {
	for i := range l.d.Actors {
		a := &l.d.Actors[i]
		st := l.sure(a.Claims)
		add := func(k Kind, values []string, what, block string) {
			for _, v := range values {
				l.add(Thing{Kind: k, Value: v, What: what, First: a.First, Last: a.Last, Status: st, Block: block, Claims: a.Claims})
			}
		}
		for _, s := range a.Sources {
			l.add(Thing{Kind: Address, Value: s, What: "acted against this server", First: a.First, Last: a.Last, Status: st, Origin: a.Origin, Block: block(s, a.Origin, st), Claims: a.Claims})
		}
		add(Account, a.Accounts, "was used by an intruder", Ask)
		add(Key, a.Keys, "a key that an intruder logged in with", Ask)
		add(Agent, a.UserAgents, "called itself so", Ask)
	}
}

// block tells whether an address may be blocked without asking: nobody is to cut off his own network by a list of ours.
func block(address, origin string, st story.Status) string {
	ip, err := netip.ParseAddr(address)
	if err == nil {
		ip = ip.Unmap().WithZone("")
	}
	switch {
	case origin == "internal" || origin == "near" || origin == "local":
		return No
	case err != nil:
		return Ask
	case ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || shared.Contains(ip):
		return No
	case origin == "external" && st == story.Confirmed:
		return Yes
	}
	return Ask
}

// shared is what carriers translate many customers behind, RFC 6598; it is nobody's address outside.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func (l *list) files() {
	for i := range l.d.Persistence {
		p := &l.d.Persistence[i]
		st := l.sure(p.Claims)
		if p.Mechanism == "account" {
			l.add(Thing{Kind: Account, Value: p.As, What: "was made as a way to come back", First: p.Since, Status: st, Block: Yes, Claims: p.Claims})
			continue
		}
		own := !p.OwnedByPackage && (p.Mechanism == "web-shell" || anybodys(p.Path))
		l.add(Thing{Kind: Path, Value: p.Path, What: "a way to come back: " + p.Mechanism, First: p.Since, Status: st, Block: No, Own: own, Claims: p.Claims})
		l.links(p.Runs, "a way to come back names it", p.Since, st, p.Claims)
	}
	for i := range l.d.Actions {
		a := l.d.Actions[i]
		st := l.sure(a.Claims)
		own := strings.HasPrefix(a.Attack, "T1105") || anybodys(a.Path) // Ingress Tool Transfer
		if strings.HasSuffix(a.Path, "_history") {                      // where it was read, not what he touched
			a.Path = ""
		}
		l.add(Thing{Kind: Path, Value: a.Path, What: a.What, First: a.Time, Last: a.Time, Status: st, Block: No, Own: own, Claims: a.Claims})
		l.links(a.What, "was typed or run", a.Time, st, a.Claims)
	}
	for i := range l.d.Altered {
		a := &l.d.Altered[i]
		l.add(Thing{Kind: Path, Value: a.Path, What: "was tampered with: " + a.Kind, Status: l.sure(a.Claims), Block: No, Claims: a.Claims})
	}
}

// anybodys tells whether a path lies where everybody may write, or memory is: a program of the system does not.
func anybodys(p string) bool {
	p = path.Clean("/" + p)
	for _, dir := range []string{"/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/", "/var/lock/"} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return false
}

func (l *list) processes() {
	for i := range l.d.Running {
		r := &l.d.Running[i]
		st := l.sure(r.Claims)
		l.add(Thing{Kind: Process, Value: r.Name, What: "ran when the machine was looked at: " + r.Why, First: r.Started, Status: st, Block: No, Claims: r.Claims})
		l.add(Thing{Kind: Path, Value: r.Exe, What: "the program of a process that does not belong", First: r.Started, Status: st, Block: No, Own: anybodys(r.Exe), Claims: r.Claims})
		for _, s := range r.Sockets {
			if to := Remote(s); to.IsValid() {
				ip := to.Addr().Unmap().String()
				l.add(Thing{Kind: Address, Value: ip, What: "a process that does not belong was connected to it", First: r.Started, Status: st, Origin: l.origin(ip), Block: block(ip, l.origin(ip), story.Possible), Claims: r.Claims})
			}
		}
	}
}

// elsewhere adds what was reached from here, as far as it serves the intruder. Who was scanned, logged in to or sent mail is a victim like
// this server and is not listed.
func (l *list) elsewhere() {
	for i := range l.d.Contacted {
		c := &l.d.Contacted[i]
		if c.How != "download" && c.How != "upload" && c.How != "connection" || c.Status == story.Possible {
			continue
		}
		kind := Domain
		if _, err := netip.ParseAddr(c.Host); err == nil {
			kind = Address
		}
		l.add(Thing{Kind: kind, Value: c.Host, What: "was reached from here: " + c.How, First: c.First, Last: c.Last, Status: c.Status, Origin: l.origin(c.Host), Block: block(c.Host, l.origin(c.Host), story.Possible), Claims: c.Claims})
	}
	for i := range l.d.Complaints {
		c := &l.d.Complaints[i]
		if c.Entry == "" { // what somebody complained of and no way in leads to may be the owner's own
			continue
		}
		for _, q := range c.QueueID {
			l.add(Thing{Kind: Queue, Value: q, What: "a mail that was complained of", Status: c.Status, Block: No, Claims: c.Claims})
		}
		l.add(Thing{Kind: Path, Value: c.Script, What: "the script behind a complaint", Status: c.Status, Block: No, Own: anybodys(c.Script), Claims: c.Claims})
		l.add(Thing{Kind: Process, Value: c.Process, What: "the process behind a complaint", Status: c.Status, Block: No, Claims: c.Claims})
	}
	l.digests()
}
