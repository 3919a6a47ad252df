package story

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
	"telltale/internal/cmdline"
	"telltale/internal/secrets"
)

// Bounds of what is told of other machines.
const (
	maxContacted = 50
	maxNext      = 20 // machines that ssh knows
	maxScanned   = 3  // machines of a scan that are named
)

// contacts tells which other machines the intruder reached from here, and where the keys that lay here lead. What an administrator did outside the
// intruder's sessions is nobody's business.
func (b *builder) contacts() {
	if b.s.Verdict.Status != Compromised {
		return
	}
	doubts := map[string][]string{} // machines, by the history that names them
	scans := map[string][]*detect.Finding{}
	for _, f := range b.by[detect.Outgoing] {
		s, words, st, doubt := b.acted(f)
		if foe := b.suspects[f.Source]; foe != nil && foe.strong && (s == nil || doubt) { // nobody else reaches for the intruder's own address
			s, words, st, doubt = foe, "the address is the one that the intruder came from", Likely, false
		}
		if p := b.fetched(f); doubt && p != "" {
			s, words, st, doubt = b.ordered()[0], "what it fetches, "+p+", is what the intruder's entry runs", Likely, false
		}
		switch {
		case doubt:
			doubts[f.Account] = ids(append(doubts[f.Account], f.Source)...)
		case s == nil || b.habit(f, s):
		case f.Mechanism == cmdline.Scan:
			scans[f.Account] = append(scans[f.Account], f)
		default:
			id := b.contactClaim(f, words, st)
			b.contact(f.Source, f.Mechanism, cmp.Or(f.As, f.Account), st, f.First, f.Last, id)
			b.sent(f, st, id)
		}
	}
	for _, a := range sortedKeys(scans) {
		b.scanned(scans[a])
	}
	b.fromPersistence()
	b.next()
	b.settle()
	slices.SortStableFunc(b.s.Contacted, func(x, y Contact) int {
		return cmp.Or(cmp.Compare(order(x.Status), order(y.Status)), cmp.Compare(truth(x.How == "known-host"), truth(y.How == "known-host")))
	})
	b.s.Contacted = b.s.Contacted[:min(len(b.s.Contacted), maxContacted)]
	for _, a := range sortedKeys(doubts) {
		b.s.Unknown = append(b.s.Unknown, utf8(fmt.Sprintf("Whether the intruder reached %s: the history of %s tells of it without times, and others used that account too.", list(doubts[a]), a)))
	}
}

// fetched gives the program that a line fetches, if it is one that something the intruder left runs; "" for none. Who sends it somewhere may be looking into the
// break-in, who fetches it to that very place is not.
func (b *builder) fetched(f *detect.Finding) string {
	if f.Mechanism != cmdline.Download || len(b.suspects) != 1 { // of two it cannot be told whose it is
		return ""
	}
	words := strings.Fields(f.Runs)
	for i := range b.s.Persistence {
		p := &b.s.Persistence[i]
		runs, _, _ := strings.Cut(p.Runs, " ")
		if strings.HasPrefix(runs, "/") && strings.Count(runs, "/") > 1 && slices.Contains(words, runs) && b.s.sure(p.Claims) {
			return runs
		}
	}
	return ""
}

// sent tells a dump of a database that was sent away, by the name of the file: other files may be the intruder's own tools.
func (b *builder) sent(f *detect.Finding, st Status, id string) {
	dump := secrets.New().ByID("dump")
	if f.Mechanism != cmdline.Upload || order(st) > order(Likely) {
		return
	}
	for _, p := range f.Views {
		if !dump.Named(path.Base(p)) || b.lay(p) {
			continue
		}
		b.s.Exposed = append(b.s.Exposed, Exposure{Kind: dump.Class, What: dump.Words, Path: utf8(p), As: utf8(cmp.Or(f.As, f.Account)), Status: st, Taken: true, Do: dump.Do, Claims: ids(id)})
		b.s.Impact = append(b.s.Impact, Impact{What: "exfiltration", Detail: utf8(p + " was sent to " + f.Source), Count: 1, First: f.First.String(), Last: f.Last.String(), By: utf8(f.Account), Claims: ids(id)})
	}
}

func sortedKeys[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// habit tells a connection that was made before the intruder came: the server's own.
func (b *builder) habit(f *detect.Finding, s *suspect) bool {
	return (f.Method == "packet" || f.Method == "socket") && f.First.Before(s.first())
}

func (b *builder) contactClaim(f *detect.Finding, words string, st Status) string {
	when := ""
	if f.First.Known() {
		when = " " + clock(f.First)
	}
	text := fmt.Sprintf("%s reached for %s by %s%s (%s)", f.Account, f.Source, f.Service, when, words)
	if f.Runs != "" {
		text += ": " + f.Runs
	}
	id := b.claim(text, f.Rung, f.First, st, f.For, nil)
	b.told[f] = id
	return id
}

// contact adds a machine, or joins it with what is told of it.
func (b *builder) contact(host, how, account string, st Status, from, to evidence.Time, claims ...string) {
	host = utf8(host)
	for i := range b.s.Contacted {
		c := &b.s.Contacted[i]
		if c.Host != host || c.How != how || c.Account != utf8(account) {
			continue
		}
		if order(st) < order(c.Status) {
			c.Status = st
		}
		if from.Known() && (c.First == "" || from.String() < c.First) {
			c.First = from.String()
		}
		if to.String() > c.Last {
			c.Last = to.String()
		}
		if len(c.Claims) < maxFor {
			c.Claims = ids(append(c.Claims, claims...)...)
		}
		return
	}
	b.s.Contacted = append(b.s.Contacted, Contact{Host: host, How: how, Account: utf8(account), Status: st, First: from.String(), Last: to.String(), Claims: ids(claims...)})
}

// scanned tells the machines of a scan: a few by name, else their number.
func (b *builder) scanned(fs []*detect.Finding) {
	var hosts []string
	for _, f := range fs {
		hosts = ids(append(hosts, f.Source)...)
	}
	_, words, st, _ := b.acted(fs[0])
	if len(hosts) > maxScanned {
		hosts = []string{fmt.Sprintf("%s and %d more", hosts[0], len(hosts)-1)}
	}
	for _, h := range hosts {
		b.contact(h, cmdline.Scan, fs[0].Account, st, fs[0].First, fs[len(fs)-1].Last, b.contactClaim(fs[0], words, st))
	}
}

// fromPersistence tells the machines that what the intruder left behind calls.
func (b *builder) fromPersistence() {
	for _, p := range b.s.Persistence {
		for _, t := range cmdline.Targets(p.Runs) {
			b.contact(t.Host, t.How, p.As, Likely, evidence.Time{}, evidence.Time{}, p.Claims...)
		}
	}
}

// next tells where the intruder could go with keys that lay here without a passphrase: to the machines that their owners' ssh knows.
func (b *builder) next() {
	n, hashed := 0, int64(0)
	lines := map[evidence.Ref]bool{} // one line names one machine, by several names
	for _, k := range b.by[detect.Secret] {
		if k.Mechanism != "ssh-key" || k.Detail != secrets.Open || !b.lay(k.Path) {
			continue
		}
		for _, h := range b.by[detect.KnownHost] {
			switch {
			case h.Account != k.Account:
			case h.Source == "":
				hashed += h.Count
			case n < maxNext && len(h.For) > 0 && !lines[h.For[0].Ref] && !b.reachedBefore(h.Source):
				n++
				lines[h.For[0].Ref] = true
				text := fmt.Sprintf("The ssh of %s knows %s, and the key %s of that account needs no passphrase: the intruder could go there.", h.Account, h.Source, k.Path)
				b.contact(h.Source, "known-host", h.Account, Possible, evidence.Time{}, evidence.Time{}, b.claim(text, evidence.None, evidence.Time{}, Possible, append(slices.Clone(h.For), k.For...), nil))
			}
		}
	}
	if hashed > 0 {
		b.s.Unknown = append(b.s.Unknown, fmt.Sprintf("Which machines the keys that were exposed open: %s in known_hosts can be tested, but not read.", plural(hashed, "hashed name", "hashed names")))
	}
}

// lay tells whether a file is among what was exposed.
func (b *builder) lay(p string) bool {
	return slices.ContainsFunc(b.s.Exposed, func(x Exposure) bool { return x.Path == utf8(p) })
}

func (b *builder) reachedBefore(host string) bool {
	return slices.ContainsFunc(b.s.Contacted, func(c Contact) bool { return c.Host == host })
}

// replace tells which secrets have to be replaced, by name.
func (b *builder) replace() {
	var order []string
	paths := map[string][]string{}
	for _, x := range b.s.Exposed {
		if x.Kind == secrets.Data {
			continue
		}
		k := x.What
		if i := strings.IndexAny(k, "(;"); i > 0 {
			k = strings.TrimSpace(k[:i])
		}
		if paths[k] == nil {
			order = append(order, k)
		}
		paths[k] = append(paths[k], x.Path)
	}
	if len(order) == 0 {
		if b.root && len(b.by[detect.Secret]) == 0 {
			b.step("Replace every secret that was on the server: host keys, TLS keys, database and mail passwords, tokens.", "Root could read them all.")
		}
		return
	}
	var parts []string
	for _, k := range order[:min(len(order), maxNamedSecrets)] {
		s := k + " in " + paths[k][0]
		if n := len(paths[k]); n > 1 {
			s += fmt.Sprintf(" and %s", plural(int64(n-1), "other", "others"))
		}
		parts = append(parts, s)
	}
	if n := len(order) - len(parts); n > 0 {
		parts = append(parts, plural(int64(n), "kind more", "kinds more"))
	}
	b.step("Replace what the intruder could read: "+strings.Join(parts, "; ")+".", "He may have copied it; with it he comes back, here and elsewhere. The list of what was exposed says how to replace each.")
}

// maxNamedSecrets bounds the kinds of secrets that a step names.
const maxNamedSecrets = 8

// watch says what to watch: the machines that were reached, and where the keys lead.
func (b *builder) watch() {
	if b.s.Verdict.Status != Compromised {
		return
	}
	if !b.root {
		b.replace()
	}
	reached, next, since := b.reachedHosts()
	if len(reached) > 0 {
		when := ""
		if since != "" {
			when = " since " + since
		}
		b.step("Look for logins from this server"+when+" on "+list(reached)+", and examine them too.", "The intruder reached for them from here.")
	}
	if len(next) > 0 {
		b.step("Watch for logins with the keys of this server's accounts on "+list(next)+".", "The keys needed no passphrase, and these machines are known to their owners' ssh.")
	}
}

// reachedHosts gives the machines that were reached for, those where the keys lead, and since when.
func (b *builder) reachedHosts() (reached, next []string, since string) {
	for _, c := range b.s.Contacted {
		switch c.How {
		case cmdline.SSH, cmdline.Connection, cmdline.Scan:
			if c.How != cmdline.SSH && b.outside(c.Host) { // which are strangers' to examine
				continue
			}
			reached = ids(append(reached, c.Host)...)
			if c.First != "" && (since == "" || c.First < since) {
				since = c.First
			}
		case "known-host":
			next = ids(append(next, c.Host)...)
		}
	}
	return reached, next, since
}
