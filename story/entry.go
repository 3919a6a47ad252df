package story

import (
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// A campaign against one account, spread over addresses: fewer are what every exposed account sees.
const (
	campaignTries     = 5
	campaignAddresses = 3
)

// triesFor quotes the campaigns that tried an account.
func (b *builder) triesFor(account string) (qs []evidence.Quote) {
	for _, f := range b.by[detect.Guessing] {
		if contains(f.Accounts, account) && len(qs) < 6 && len(f.For) > 0 {
			qs = append(qs, f.For[0])
		}
	}
	return qs
}

// entries tells the ways in: the first access of each suspect.
func (b *builder) entries() {
	for _, s := range b.ordered() {
		if w, ok := b.wayOf(s); ok {
			b.merge(w)
		}
	}
	sortBy(b.entered, func(x, y way) bool {
		if x.first != y.first && x.first.Known() && y.first.Known() {
			return x.first.Before(y.first)
		}
		return total(x.weights) > total(y.weights)
	})
	for i := range b.entered {
		w := &b.entered[i]
		b.known(w)
		b.testimony(w)
		w.last = evidence.Max(w.first, w.last)
		from := w.first.String()
		if w.before {
			from = ""
		}
		b.s.Entry = append(b.s.Entry, Entry{Vector: w.vector, Status: w.status, Service: w.service, Account: utf8(w.account), Sources: w.sources, Product: w.product, CVE: ids(w.cve...),
			First: from, Last: w.last.String(), ErrorSeconds: w.first.Step.Seconds() + w.off, Claims: ids(w.claims...)})
	}
}

// merge joins the ways of one vector and account: a campaign has many addresses.
func (b *builder) merge(w way) {
	for i := range b.entered {
		x := &b.entered[i]
		if x.vector == w.vector && x.account == w.account {
			x.sources = ids(append(x.sources, w.sources...)...)
			x.first, x.last = evidence.Min(x.first, w.first), evidence.Max(x.last, w.last)
			x.claims = ids(append(x.claims, w.claims...)...)
			x.off = min(x.off, w.off)
			if w.status == Confirmed {
				x.status = Confirmed
			}
			if total(w.weights) > total(x.weights) {
				x.weights = w.weights
			}
			return
		}
	}
	b.entered = append(b.entered, w)
}

// wayOf tells how one suspect came in. Who came back with a key that the intruder had put there did not come
// in by it: that is persistence.
func (b *builder) wayOf(s *suspect) (way, bool) {
	w := way{sources: []string{s.source}, claims: s.why, status: Likely}
	if s.strong {
		w.status = Confirmed
	}
	if up := b.uploadBy(s); up != nil {
		w.vector, w.service, w.account, w.first, w.last = "ftp-password", up.Service, up.Account, up.First, up.Last
		w.off = b.errorOf(up)
		w.weigh("exact-upload", s.why[0])
		for _, l := range s.logins {
			if l.Account == up.Account {
				w.first = evidence.Min(l.First, w.first)
				w.entitled = w.entitled || l.Method != "none" && l.Method != "anonymous"
				w.guessed = w.guessed || l.What == detect.GuessedIn
			}
		}
		switch {
		case up.Method == "none": // a copy that the daemon made for a client that never logged in
			w.vector, w.product, w.cve = "daemon-exploit", "ProFTPD mod_copy", []string{"CVE-2015-3306"}
		case up.Service == "smbd", up.Service == rsyncd, up.Method == "anonymous":
			w.vector = "open-share"
		}
		return w, true
	}
	if s.daemon != nil {
		return b.daemonWay(s, w), true
	}
	l := b.acting(s, firstLogin(s))
	if s.web && (l == nil || l.First.After(s.first())) {
		return b.webWay(s, w)
	}
	if l == nil {
		return w, false
	}
	w.service, w.account, w.first, w.last, w.login, w.off = l.Service, l.Account, l.First, l.Last, l, b.errorOf(l)
	for _, x := range s.logins {
		w.last = evidence.Max(w.last, x.Last)
	}
	if b.keys[l.Key] && l.Key != "" {
		return w, false
	}
	accepted := b.claim(fmt.Sprintf("%s accepted %s from %s by %s %s (%s in all).", l.Service, l.Account, l.Source, method(l), clock(l.First), plural(l.Count, "login", "logins")),
		evidence.Accepted, l.First, Confirmed, b.acceptance(l), l.Against)
	if !b.byLogin(s, l, &w, accepted) {
		return w, false
	}
	w.entitled = l.Method != "none" && l.Method != "anonymous"
	b.byService(&w)
	if len(b.effect) > 0 {
		w.weigh("effect", b.effect[0])
	}
	for _, e := range b.by[detect.LogEdited] {
		if e.Source == s.source {
			w.weigh("lines-removed", b.told[e])
		}
	}
	for _, f := range b.by[detect.Process] {
		if f.Source == s.source && b.told[f] != "" {
			w.weigh("same-process", b.told[f])
		}
	}
	w.claims = ids(append(w.claims, accepted)...)
	return w, true
}

// byService names a way in by what the login opened; a fault that needs no password stays one, and so does somebody entitled.
func (b *builder) byService(w *way) {
	if w.vector == "daemon-exploit" || w.vector == "insider" {
		return
	}
	switch event.ClassOf(w.service) {
	case event.FileService:
		w.vector = "ftp-password"
		if w.service == "smbd" {
			w.vector = "open-share"
		}
	case event.MailService:
		w.vector = "mail-account"
	case event.DataService: // reached from outside, and its password guessed or known
		w.vector = "database-exposed"
		b.stoodOpen(w)
	case event.PanelService, event.SiteService:
		w.vector = "web-admin"
	}
}

// acceptance gives the quotes of a login that tell of it, without those of the refused tries before it.
func (b *builder) acceptance(l *detect.Finding) []evidence.Quote {
	refused := map[evidence.Ref]bool{}
	for _, f := range b.by[detect.Guessing] {
		for _, q := range f.For {
			refused[q.Ref] = true
		}
	}
	var out []evidence.Quote
	for _, q := range l.For {
		if !refused[q.Ref] {
			out = append(out, q)
		}
	}
	if len(out) == 0 { // whose tries are told of by the same lines
		return l.For
	}
	return out
}

// byLogin tells by what a login let the suspect in; false where he came back by what he had left.
func (b *builder) byLogin(s *suspect, l *detect.Finding, w *way, accepted string) bool {
	switch {
	case l.What == detect.GuessedIn:
		w.vector, w.guessed = "ssh-password-guessed", true
		w.weigh("guessed-then-in", b.told[l])
	case l.Service == "jupyter" && l.Method == "none":
		w.vector, w.product = "daemon-exploit", "Jupyter, which asked nobody for a password"
		w.weigh("accepted", accepted)
	case l.Method == "rhosts":
		w.vector, w.product = "daemon-exploit", "rsh and rlogin, which take the other host's word"
		w.weigh("accepted", accepted)
	case l.Service == "crushftp" && l.Method == "none":
		w.vector, w.product, w.cve = "daemon-exploit", "CrushFTP, which takes a name for its owner", []string{"CVE-2025-31161"}
		w.weigh("accepted", accepted)
	case b.usual(s, l):
		b.insider(s, l, w)
	case l.Method == "publickey" && b.strangeKey(l):
		w.vector, w.before = "unknown", true
		w.weigh("accepted", accepted)
	case l.Method == "publickey", l.Method == "record" && b.keysOnly(l.Account):
		w.vector = "ssh-key"
		w.weigh("by-key", accepted)
	case l.Access.RecentTries >= campaignTries && l.Access.RecentAddresses >= campaignAddresses:
		id := b.claim(fmt.Sprintf("Within six hours before the login, %s for %s came from %s: one campaign of many addresses may have guessed the password, and used it from another.",
			plural(l.Access.RecentTries, "refused try", "refused tries"), l.Account, plural(int64(l.Access.RecentAddresses), "other address", "other addresses")), evidence.Attempt, l.First, Possible, append(b.triesFor(l.Account), l.For...), nil)
		w.vector, w.claims = "ssh-password-guessed", ids(append(w.claims, id)...)
		w.weigh("campaign", id)
	case l.Method == "record" && b.keyLeftFor(l):
		return false
	case l.Method == "record" && !b.onlyByPassword(l): // which does not tell by what it was
		w.vector = "unknown"
		w.weigh("accepted", accepted)
	default:
		w.vector = "ssh-password-known"
		w.weigh("new-address", accepted)
		if l.Access.FailedHere == 0 && l.Access.FailedAccount == 0 {
			w.weigh("first-try", accepted)
		}
	}
	return true
}

// onlyByPassword tells whether a login of which only a record is left was by a password that was known: the account has no key, and nobody's try for it was refused
// shortly before.
func (b *builder) onlyByPassword(l *detect.Finding) bool {
	a := l.Access
	if !b.set.Tree || a.FailedHere+a.FailedAddress+a.RecentTries > 0 {
		return false
	}
	for _, p := range b.by[detect.Persistence] {
		if p.Mechanism == "ssh-key" && p.As == l.Account {
			return false
		}
	}
	return true
}

// keyLeftFor tells whether a key of the intruder's lay ready for a login's account when it came: then he came back by it.
func (b *builder) keyLeftFor(l *detect.Finding) bool {
	for _, p := range b.by[detect.Persistence] {
		if p.Mechanism == "ssh-key" && b.keys[p.Key] && p.As == l.Account && p.First.Known() && !l.First.Before(p.First) {
			return true
		}
	}
	return false
}

// keysOnly tells whether all other logins of an account were by key: then a login that only wtmp tells of was, too.
func (b *builder) keysOnly(account string) bool {
	n := 0
	for _, l := range b.logins() {
		if l.Account != account || l.Method == "record" {
			continue
		}
		if l.Method != "publickey" {
			return false
		}
		n++
	}
	return n > 0
}

// acting gives the login in whose session the first effect lies, in place of an earlier one that only a login record tells of.
func (b *builder) acting(s *suspect, l *detect.Finding) *detect.Finding {
	if l == nil || l.Method != "record" {
		return l
	}
	effect := b.firstEffect(s)
	for _, y := range s.logins {
		for _, x := range y.Access.Sessions {
			if y.Account == l.Account && y.Method != "record" && effect.Known() && !effect.Before(x.Start) && x.End.Known() && !effect.After(x.End) {
				return y
			}
		}
	}
	return l
}

// firstEffect gives the time of the first thing, bad in itself, within a suspect's sessions.
func (b *builder) firstEffect(s *suspect) (t evidence.Time) {
	for _, e := range b.badByThemselves() {
		for _, x := range s.spans {
			if x.holds(e) {
				t = evidence.Min(t, evidence.Max(e.First, x.from))
			}
		}
	}
	return t
}

func method(l *detect.Finding) string {
	if l.Key != "" {
		return l.Method + " " + l.Key
	}
	if l.Method == "record" {
		return "an unknown method (only a login record is left)"
	}
	return l.Method
}

func firstLogin(s *suspect) (first *detect.Finding) {
	for _, l := range s.logins {
		if first == nil || l.First.Before(first.First) {
			first = l
		}
	}
	return first
}

func (b *builder) uploadBy(s *suspect) *detect.Finding {
	for _, f := range b.by[detect.Upload] {
		if f.Source == s.source && (b.badScript(f.Path) != nil || b.sharedInto(f) != nil) {
			return f
		}
		if key, _ := b.sharedKey(f); key != nil && f.Source == s.source {
			return f
		}
	}
	return nil
}

// actors tells who, one line per linked identity: addresses that share a key or a script are one actor.
func (b *builder) actors() {
	byWay := map[string]*Actor{}
	var order []string
	for _, s := range b.ordered() {
		accounts := []string{}
		keys := []string{}
		var from, to evidence.Time
		for _, l := range s.logins {
			accounts = ids(append(accounts, l.Account)...)
			keys = ids(append(keys, l.Key)...)
			from, to = evidence.Min(from, l.First), evidence.Max(to, l.Last)
		}
		for _, x := range s.spans {
			accounts = ids(append(accounts, x.account)...)
			from, to = evidence.Min(from, x.from), evidence.Max(to, x.from)
		}
		a := &Actor{Sources: []string{s.source}, Accounts: accounts, Keys: keys, Origin: b.origin(s.source), UserAgents: ids(s.agents...), Comments: []string{}, Tools: []string{}, Networks: []string{}, Hours: []int{}, First: from.String(), Last: to.String(), Claims: ids(s.why...)}
		link := s.source
		for _, k := range keys {
			if b.keys[k] && len(order) > 0 {
				link = b.planter(k, order) // the key that he put there
			}
		}
		if x := byWay[link]; x != nil {
			x.Sources = ids(append(x.Sources, s.source)...)
			x.Accounts = ids(append(x.Accounts, accounts...)...)
			x.Keys = ids(append(x.Keys, keys...)...)
			x.UserAgents = ids(append(x.UserAgents, a.UserAgents...)...)
			x.Claims = ids(append(x.Claims, a.Claims...)...)
			x.Last = max(x.Last, a.Last)
			continue
		}
		byWay[link] = a
		order = append(order, link)
	}
	for _, k := range order {
		a := byWay[k]
		for i := range a.Accounts {
			a.Accounts[i] = utf8(a.Accounts[i])
		}
		for i := range a.UserAgents {
			a.UserAgents[i] = utf8(a.UserAgents[i])
		}
		b.s.Actors = append(b.s.Actors, *a)
	}
}

// innocents keeps the alarms that were looked at and explained.
func (b *builder) innocents() {
	for _, l := range b.by[detect.Login] {
		if b.suspects[l.Source] != nil || l.Access == nil || l.Source == "" {
			continue
		}
		if a := l.Access; a.FailedHere > 0 && a.FailedHere < 6 && l.Method != "publickey" {
			b.explain(fmt.Sprintf("%s before a login of %s from %s", plural(a.FailedHere, "refused try", "refused tries"), utf8(l.Account), l.Source),
				"a typing error: few tries, one account, and nothing that followed speaks of an intruder")
		}
	}
	b.newPlaces()
	for _, p := range b.by[detect.Persistence] {
		if p.Mechanism == "cron" && p.Package == "" && p.Level < detect.Medium && b.set.Packages && len(b.s.Innocent) < 60 && !b.accused(p.Path) {
			b.explain(fmt.Sprintf("the cron entry in %s runs %s as %s; no package owns it", utf8(p.Path), utf8(p.Runs), utf8(p.As)),
				"what it runs is ordinary and nobody who is suspected was there when the file changed")
		}
	}
}

// explain tells of an alarm that was explained, once.
func (b *builder) explain(what, why string) {
	if x := (Innocent{What: what, Why: why}); !slices.Contains(b.s.Innocent, x) {
		b.s.Innocent = append(b.s.Innocent, x)
	}
}

func (b *builder) accused(p string) bool {
	for _, x := range b.s.Persistence {
		if x.Path == utf8(p) {
			return true
		}
	}
	return false
}

func list(s []string) string {
	switch len(s) {
	case 0:
		return ""
	case 1:
		return s[0]
	}
	if len(s) > 5 {
		return strings.Join(s[:5], ", ") + fmt.Sprintf(" and %d more", len(s)-5)
	}
	return strings.Join(s[:len(s)-1], ", ") + " and " + s[len(s)-1]
}
