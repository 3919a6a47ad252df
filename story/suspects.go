package story

import (
	"fmt"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// openEnd is how long a session whose end was not seen is taken to last at most.
const openEnd = 4 * time.Hour

// grace is how long behind a session's end its effects may still appear: what was started goes on, and logs are late.
const grace = 2 * time.Minute

// suspect finds the addresses that acted as nobody entitled would, in rounds: proof first, then what
// hangs on it: other logins of the same address, and keys put in place in its sessions.
func (b *builder) suspect() {
	b.uploadedByGuessers()
	b.byGuesses()
	b.byEditing()
	b.afterAttempt()
	b.byScripts()
	b.byOrders()
	b.byWriting()
	b.byUpload()
	b.byShare()
	b.bySupply()
	b.byDatabase()
	b.byRansom()
	b.byDatabaseHands()
	b.byProcesses()
	b.byConnection()
	b.byEffects()
	b.byCampaign()
	b.byWideMail()
	b.byMail()
	b.byRewriting()
	b.byRemoving()
	b.byEscape()
	b.byUnproved()
	b.byHistory()
	b.byAttacker()
	b.followAll()
	b.byAttack()
	b.followAll()
	b.byWebHands()
	b.byGuessed()
	b.followAll()
}

// followAll follows what hangs on the suspects, in rounds: each may find a key, and with it an address.
func (b *builder) followAll() {
	for range 4 {
		n := len(b.suspects) + len(b.keys)
		b.follow()
		if len(b.suspects)+len(b.keys) == n {
			break
		}
	}
}

func tried(a *detect.Access) string {
	if a.TriedAccounts > 1 {
		return fmt.Sprintf("%d accounts", a.TriedAccounts)
	}
	return "it"
}

func webStatus(f *detect.Finding) Status {
	if f.Level == detect.Critical {
		return Confirmed
	}
	return Likely
}

func (b *builder) add(source, why string, strong bool) *suspect {
	if source == "" || b.cleared[source] {
		return &suspect{account: map[string]bool{}}
	}
	s := b.suspects[source]
	if s == nil {
		s = &suspect{source: source, account: map[string]bool{}}
		b.suspects[source] = s
	}
	s.strong, s.doubted = s.strong || strong, false
	s.why = ids(append(s.why, why)...)
	return s
}

// naming gives the quotes that name an address.
func naming(qs []evidence.Quote, address string) (out []evidence.Quote) {
	for _, q := range qs {
		if strings.Contains(q.Text, address) {
			out = append(out, q)
		}
	}
	return out
}

// web gives a suspect the time in which it acted as the web server's account.
func (b *builder) web(s *suspect, f *detect.Finding) {
	s.web = true
	account := b.runsAs(f)
	if account == "" {
		account = "www-data"
	}
	if f.Agent != "" && !contains(s.agents, f.Agent) {
		s.agents = append(s.agents, f.Agent)
	}
	from, to := f.First, evidence.Max(f.First, f.Last)
	if f.What == detect.WebScript && len(f.When) > 0 && f.When[0].Sub(from) > scriptLay {
		from = f.When[0] // it was there before; who uses it came then
	}
	s.spans = append(s.spans, span{from, to.Add(openEnd), account, true})
}

// scriptLay is how long a script has to lie there before somebody uses it, to be held for another's.
const scriptLay = 24 * time.Hour

func (b *builder) loggedIn(source string) bool {
	for _, w := range []detect.What{detect.Login, detect.GuessedIn} {
		for _, f := range b.by[w] {
			if f.Source == source {
				return true
			}
		}
	}
	return false
}

func (b *builder) attacked(source string) bool {
	for _, f := range b.by[detect.WebAttack] {
		if contains(f.Sources, source) {
			return true
		}
	}
	return false
}

// badScript gives the web finding about a file that an upload wrote, by its path as ftp names it:
// whole, or below the account's own directory.
func (b *builder) badScript(p string) *detect.Finding {
	if !strings.Contains(p, "/") {
		return nil
	}
	for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
		for _, f := range b.by[w] {
			if f.Level >= detect.High && (f.Path == p || strings.HasSuffix(f.Path, p) && strings.Count(p, "/") >= 2) {
				return f
			}
		}
	}
	return nil
}

func (b *builder) ftpUpload(p string) *detect.Finding {
	for _, f := range b.by[detect.Upload] {
		if f.Path == p || strings.HasPrefix(f.Path, "/") && strings.HasSuffix(p, f.Path) && strings.Count(f.Path, "/") >= 2 {
			return f
		}
	}
	return nil
}

// byEffects finds logins with a password or key from a place that the account never came from, within which something
// happened that is bad in itself and that no other session explains.
func (b *builder) byEffects() {
	for _, e := range b.badByThemselves() {
		if b.made[e] { // it is explained
			continue
		}
		var fits []*detect.Finding
		for _, l := range b.logins() {
			if !shellService(l.Service) || l.Source == "" {
				continue
			}
			if during(l, e) && (b.mayWrite(l.Account, e) || rootkit(e) && b.broughtKit(l, e)) {
				fits = append(fits, l)
			}
		}
		if len(fits) != 1 || b.suspects[fits[0].Source] != nil {
			continue
		}
		l := fits[0]
		if o := b.origin(l.Source); o != "external" && o != "near" && o != "internal" {
			continue
		}
		if b.tamperedIn(l, e) { // whatever its address: who has nothing to hide leaves the logs alone
		} else if b.installedIn(l) {
			continue // what was installed has its own story
		} else if b.cameBefore(l, e.First) {
			b.there(l, e)
			continue
		} else if !l.Access.Unfamiliar() || b.origin(l.Source) == "internal" && e.Level < detect.Critical { // inside, people change their places; what is never innocent is not theirs
			continue
		}
		where := "an address that the account had not come from before"
		if b.cameBefore(l, e.First) {
			where = "an address that it had come from before"
		}
		text := fmt.Sprintf("While %s was logged in from %s, %s, this appeared: %s%s.", l.Account, l.Source, where, e.Title, detail(e))
		id := b.claim(text, evidence.Effect, e.First, Likely, append(append([]evidence.Quote{}, e.For...), l.For...), nil)
		b.add(l.Source, id, false)
		if rootkit(e) && !b.mayWrite(l.Account, e) {
			b.effect = ids(append(b.effect, id)...)
			b.becameRoot(id)
		}
	}
}

// shellService tells whether a login to a service gives a shell, or a panel with one, with which files can be changed anywhere; the account is one of the host.
func shellService(s string) bool {
	c := event.ClassOf(s)
	return c == event.ShellService || c == event.PanelService
}

func (b *builder) badByThemselves() (out []*detect.Finding) {
	for _, w := range []detect.What{detect.Persistence, detect.OddFile, detect.AccountOdd, detect.AccountMade, detect.Process} {
		for _, f := range b.by[w] {
			if f.Level >= detect.High && f.First.Known() && (f.Mechanism != "dir" || f.Level >= detect.Critical) && b.byPackage(f) == nil {
				out = append(out, f)
			}
		}
	}
	return out
}

func (b *builder) logins() []*detect.Finding {
	return append(append([]*detect.Finding{}, b.by[detect.GuessedIn]...), b.by[detect.Login]...)
}

func end(s detect.Span) evidence.Time {
	if s.End.Known() {
		return s.End.Add(grace)
	}
	return s.Start.Add(openEnd)
}

// tamperedIn tells whether, in the session of a login in which something bad appeared, logs were tampered with too.
func (b *builder) tamperedIn(l, e *detect.Finding) bool {
	for _, s := range l.Access.Sessions {
		x := span{s.Start, endOnly(s), l.Account, false}
		if !x.holds(e) {
			continue
		}
		for _, w := range []detect.What{detect.LogEdited, detect.LogCut, detect.LogSilent} {
			for _, f := range b.by[w] {
				if x.holds(&detect.Finding{First: f.First}) {
					return true
				}
			}
		}
	}
	return false
}

// endOnly is a session's end without the grace for what it started: to accuse, being there is needed.
func endOnly(s detect.Span) evidence.Time {
	if s.End.Known() {
		return s.End.Add(2 * time.Second)
	}
	return end(s)
}

// mayWrite tells whether an account had the rights for something: it is its own or lies in its home, or the account is root or has become root. What the
// web server's account owns came by the site, to which visitors hand things in day and night, and is laid to nobody for being logged in then.
func (b *builder) mayWrite(account string, e *detect.Finding) bool {
	if e.What == detect.OddFile && webAccount(e.Account) && !webAccount(account) {
		return false
	}
	for _, u := range b.set.Users {
		if u.Name == account && len(u.Home) > 1 && strings.HasPrefix(e.Path, u.Home+"/") {
			return true
		}
	}
	return account == "root" || b.sudoes(account) || b.could(&suspect{account: map[string]bool{}}, span{account: account}, e)
}

// holds tells whether a finding's time, its birth or its last change, lies within the span.
func (s span) holds(f *detect.Finding) bool {
	in := func(t evidence.Time) bool {
		return t.Known() && !t.Before(s.from.Add(-2*time.Second)) && !t.After(s.to)
	}
	return in(f.First) || in(f.Last)
}

// follow adds what hangs on the suspects known so far.
func (b *builder) follow() {
	for _, l := range b.logins() {
		if b.keys[l.Key] && l.Key != "" && b.suspects[l.Source] == nil {
			text := fmt.Sprintf("%s logged in as %s %s with the key %s, which the intruder had put there.", l.Source, l.Account, clock(l.First), l.Key)
			b.add(l.Source, b.claim(text, evidence.Accepted, l.First, Confirmed, l.For, nil), true)
		}
		s := b.suspects[l.Source]
		if s == nil || hasFinding(s.logins, l) {
			continue
		}
		s.logins = append(s.logins, l)
		s.account[l.Account] = true
		for _, x := range l.Access.Sessions {
			s.spans = append(s.spans, span{x.Start, end(x), l.Account, !x.End.Known()})
		}
	}
	for _, p := range b.by[detect.Persistence] {
		if p.Mechanism != "ssh-key" || p.Key == "" || b.keys[p.Key] {
			continue
		}
		if s, _ := b.actor(p); s != nil && b.newKey(p, s) {
			b.keys[p.Key] = true
		}
	}
}

// newKey tells whether a key in a file that changed in a suspect's session came with that change: it was not used before, and it is
// the file's last, where keys are appended, unless the whole file is new.
func (b *builder) newKey(p *detect.Finding, s *suspect) bool {
	for _, l := range b.logins() {
		if l.Key == p.Key && l.First.Before(s.first()) {
			return false
		}
	}
	for _, x := range s.spans {
		if p.First != p.Last && !p.First.Before(x.from) && !p.First.After(x.to) {
			return true // the file was born in the session
		}
	}
	for _, q := range b.by[detect.Persistence] {
		if q.Mechanism == "ssh-key" && q.Path == p.Path && len(q.For) > 0 && len(p.For) > 0 && q.For[0].Ref.Line > p.For[0].Ref.Line {
			return false
		}
	}
	return true
}

func (s *suspect) first() (t evidence.Time) {
	for _, x := range s.spans {
		t = evidence.Min(t, x.from)
	}
	return t
}

func hasFinding(list []*detect.Finding, f *detect.Finding) bool {
	for _, x := range list {
		if x == f {
			return true
		}
	}
	return false
}

func (b *builder) sudoes(account string) bool {
	for _, r := range b.by[detect.BecameRoot] {
		if r.Account == account {
			return true
		}
	}
	return false
}

// ordered gives the suspects in the order of their first act.
func (b *builder) ordered() []*suspect {
	out := make([]*suspect, 0, len(b.suspects))
	for _, s := range b.suspects {
		out = append(out, s)
	}
	sortBy(out, func(x, y *suspect) bool {
		fx, fy := x.first(), y.first()
		if fx != fy {
			return fy.Known() && (!fx.Known() || fx.Before(fy)) && fx.Known()
		}
		return x.source < y.source
	})
	return out
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
