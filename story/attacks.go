package story

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// Behind an attempt, what it did appears soon; if the attempt names it, within behindNamed: whoever fetches a file often runs it by a
// second request.
const behindNamed = 10 * time.Minute

// behindTry gives how long behind an attempt something may appear that it does not name. Public servers see such attempts all day, so that the
// more there are, the more may be chance: the windows of all of them cover a small part of the time only. It is never where even short ones would cover more.
func (b *builder) behindTry() time.Duration {
	var untold int64 // not told one by one
	var at []int64   // seconds
	var first, last evidence.Time
	for _, w := range []detect.What{detect.Exploit, detect.WebAttack} {
		for _, f := range b.by[w] {
			if runsCommands(f) {
				untold += max(0, f.Count-int64(len(f.Tries)))
				for _, t := range f.Tries {
					at = append(at, t.At.Sec)
				}
				first, last = evidence.Min(first, f.First), evidence.Max(last, f.Last)
			}
		}
	}
	whole := max(last.Sub(first), 24*time.Hour)
	covered := func(window time.Duration) time.Duration { // who guesses at an overflow tries twenty times in a minute: their windows are one
		slots := map[int64]bool{}
		for _, s := range at {
			slots[s/int64(window/time.Second)] = true
		}
		return time.Duration(min(untold+int64(len(slots)), 1e6)) * window
	}
	switch {
	case covered(time.Minute)*100 <= whole:
		return time.Minute
	case covered(15*time.Second)*20 <= whole:
		return 15 * time.Second
	case covered(2*time.Second)*20 <= whole:
		return 2 * time.Second
	}
	return never
}

// never is how long behind an attempt nothing counts that it does not name.
const never = -time.Hour

// runsCommands tells attempts that, where they succeed, run commands or code.
func runsCommands(f *detect.Finding) bool {
	m := f.Mechanism
	return f.What == detect.Exploit || f.Service == "tomcat" || strings.Contains(m, "injection") && !strings.Contains(m, "SQL") || strings.Contains(m, "CVE") || strings.Contains(m, "including a file") || strings.Contains(m, "shell")
}

// consequence is something bad that appeared behind an attempt.
type consequence struct {
	by    *detect.Finding // the attempts
	try   detect.Try      // the one of them that it followed
	of    *detect.Finding
	named bool // the attempt names it
}

// maxCaused bounds how many addresses are suspected so.
const maxCaused = 100

// byAttack joins attempts to break in with what appeared behind them: files, jobs and programs of the account that the attacked service runs as.
// Once may be chance; what the attempt itself names is not, nor is more than one.
func (b *builder) byAttack() {
	soon := b.behindTry()
	tries := map[string][]consequence{} // by address
	var order []string
	for _, w := range []detect.What{detect.Exploit, detect.WebAttack} {
		for _, f := range b.by[w] {
			if !runsCommands(f) {
				continue
			}
			for _, c := range b.followed(f, soon) {
				if tries[c.try.Source] == nil {
					order = append(order, c.try.Source)
				}
				tries[c.try.Source] = append(tries[c.try.Source], c)
			}
		}
	}
	for _, source := range order[:min(len(order), maxCaused)] {
		b.caused(source, tries[source])
	}
}

// followed gives what appeared behind the attempts of one kind.
func (b *builder) followed(f *detect.Finding, soon time.Duration) (out []consequence) {
	all := attemptsOf(f)
	for _, w := range []detect.What{detect.OddFile, detect.Persistence, detect.WebExecution, detect.WebScript, detect.Process, detect.Command, detect.AccountMade, detect.AccountOdd} {
		for _, e := range b.by[w] {
			if (w == detect.AccountMade || w == detect.AccountOdd) && (!secondRoot(e) || b.otherChange(e)) || w == detect.Command && e.Mechanism != "cron-ran" && e.Mechanism != "audited" {
				continue
			}
			if e.Explained != "" || e.Level < detect.Medium || e.Mechanism == "dir" || b.made[e] || !b.answers(e) {
				continue
			}
			t, named, ok := b.tryFor(f, all, began(e), soon)
			if ok && !named && (fewCrashes(f, t.Source) || onlyAsks(f) || b.atWork(f, t)) {
				continue
			}
			if !ok || !named && !b.servedBy(f, e) || b.nearest(e) != nil {
				continue
			}
			if t.Source == "" {
				t.Source = soleSource(f, t.At)
			}
			if s, _ := b.actor(e); s == nil { // nobody who is known did it
				out = append(out, consequence{f, t, e, named})
			}
		}
	}
	return out
}

// beside is how near a line that names somebody has to be to one of the same kind that does not.
const beside = 10 * time.Minute

// soleSource gives whom the attempts of one kind all name, where one that names him is near a time: it speaks for one beside it that names nobody. Who scanned days before
// is another.
func soleSource(f *detect.Finding, at evidence.Time) string {
	if len(f.Sources) != 1 {
		return ""
	}
	for _, t := range f.Tries {
		if t.Source == f.Sources[0] && t.At.Sub(at).Abs() <= beside {
			return t.Source
		}
	}
	return ""
}

// manyCrashes are more than a program's own faults bring about under one client: who guesses at an overflow crashes a session with each guess.
const manyCrashes = 5

func fewCrashes(f *detect.Finding, source string) bool {
	n := 0
	for _, t := range f.Tries {
		if t.Source == source {
			n++
		}
	}
	return strings.Contains(f.Mechanism, "crashed") && n < manyCrashes
}

// ownFault tells crashes of a service that are too few to have been brought about.
func ownFault(f *detect.Finding) bool {
	return f.Count < manyCrashes && strings.Contains(f.Mechanism, "crashed")
}

// servedBy tells whether what appeared can be of the attacked service: the account is one that services run as.
func (b *builder) servedBy(f, e *detect.Finding) bool {
	if e.What == detect.WebExecution {
		return f.Service == "web" && e.Source == "" && e.Level >= detect.High
	}
	if f.As != "" && f.What == detect.Exploit { // the log of the attacked service tells its account
		return account(e) == f.As
	}
	a, product := doer(e), strings.ToLower(f.Mechanism+" "+f.Service)
	asRoot := f.Service != "web" || slices.ContainsFunc(rootPanels, func(p string) bool { return strings.Contains(product, p) })
	return detect.ServiceAccount(a) || a == "root" && asRoot || len(a) > 2 && strings.Contains(product, a) // "git" of GitLab
}

// rootPanels are what serves the web as root, in lower case.
var rootPanels = []string{"webmin", "control web panel", "cyberpanel", "plesk"}

// attempt is a Try with its text decoded.
type attempt struct {
	detect.Try
	text string
}

// attemptsOf gives the attempts of one kind in the order of time.
func attemptsOf(f *detect.Finding) []attempt {
	out := make([]attempt, len(f.Tries))
	for i, t := range f.Tries {
		out[i] = attempt{t, decoded(t.Quote.Text)}
	}
	sortBy(out, func(x, y attempt) bool { return x.At.Before(y.At) })
	return out
}

// maxPairs bounds how many pairs of an attempt and something that appeared behind it are looked at.
const maxPairs = 2_000_000

// tryFor gives the attempt that came last before something appeared, the one that names it before all others.
func (b *builder) tryFor(f *detect.Finding, all []attempt, e *detect.Finding, soon time.Duration) (best detect.Try, byName, ok bool) {
	for _, at := range []evidence.Time{e.First, e.Last} {
		if !at.Known() {
			continue
		}
		from := sort.Search(len(all), func(i int) bool { return at.Sub(all[i].At) <= behindNamed+at.Step })
		for _, t := range all[from:] {
			d, known := gap(t.At, e)
			if b.pairs++; b.pairs > maxPairs || at.Sub(t.At) < -2*time.Second-at.Step {
				break
			}
			if !known || d < -2*time.Second {
				continue
			}
			names := !t.Absent && (e.Path != "" && named(t.text, e.Path) || namesProgram(t.text, e))
			if (t.Absent && !anywhere(f) || d > patience(soon, e)) && !(names && d <= behindNamed) || byName && !names {
				continue
			}
			if !ok || names && !byName || t.At.After(best.At) {
				best, byName, ok = t.Try, names, true
			}
		}
	}
	return best, byName, ok
}

// patience is how long behind an attempt something counts: what is bad in itself, longer, where attempts are few.
func patience(soon time.Duration, e *detect.Finding) time.Duration {
	if soon >= time.Minute && (secondRoot(e) || e.Level == detect.Critical) {
		return behindNamed
	}
	return soon
}

// doer gives the account that something was done by, or runs as: what makes a second root is root.
func doer(e *detect.Finding) string {
	if secondRoot(e) {
		return "root"
	}
	return account(e)
}

// otherChange tells whether the list of accounts was written at that time for another account: then it says nothing of when this one came.
func (b *builder) otherChange(e *detect.Finding) bool {
	return e.What == detect.AccountOdd && slices.ContainsFunc(b.by[detect.AccountMade], func(m *detect.Finding) bool {
		return m.Account != "" && m.Account != e.Account && m.First.Known() && m.First.Sub(e.First).Abs() <= 2*time.Minute
	})
}

// secondRoot tells an account that is root under another name.
func secondRoot(f *detect.Finding) bool {
	return f.What == detect.AccountMade && f.Level >= detect.High || f.What == detect.AccountOdd && f.As == "0"
}

// named tells whether an attempt's text names a file, or an archive that was unpacked into a folder of that name.
func named(text, p string) bool {
	if base := path.Base(p); len(base) >= 2 && namesFile(text, p, base) {
		return true
	}
	dir := path.Base(path.Dir(p))
	return strings.HasSuffix(dir, ".war") && strings.Contains(text, dir)
}

// anywhere tells attempts that work by being logged or looked at, whether or not what they ask for is there.
func anywhere(f *detect.Finding) bool { return strings.Contains(f.Mechanism, "log4j") }

// decoded undoes the coding of a URL, where it is whole.
func decoded(s string) string {
	if t, err := url.PathUnescape(s); err == nil {
		return t
	}
	return s
}

// gap gives how long behind t something was born or changed, the shorter that is not before.
func gap(t evidence.Time, e *detect.Finding) (d time.Duration, known bool) {
	for _, at := range []evidence.Time{e.First, e.Last} {
		if !at.Known() {
			continue
		}
		x := at.Sub(t)
		if x < 0 && x >= -at.Step { // words without a time of their own lie within the step behind the line before
			x = 0
		}
		if !known || d < -2*time.Second || x >= -2*time.Second && x < d {
			d, known = x, true
		}
	}
	return d, known
}

// sequel is what all the attempts of one address led to.
type sequel struct {
	first  consequence // of the earliest attempt
	named  bool        // an attempt names something of it
	grave  bool        // something of it is bad in itself
	what   []string
	quotes []evidence.Quote // the attempts' last: where one stands for all, it is theirs
}

func sequelOf(cs []consequence) (q sequel) {
	q.first = cs[0]
	var effects, tries []evidence.Quote
	for _, c := range cs {
		q.grave = q.grave || c.of.Level >= detect.High
		q.named = q.named || c.named
		q.what = ids(append(q.what, thing(c.of))...)
		effects, tries = append(effects, c.of.For...), append(tries, c.try.Quote)
		if c.try.At.Before(q.first.try.At) {
			q.first = c
		}
	}
	q.quotes = append(effects[:min(len(effects), maxFor/2)], tries...)
	return q
}

// caused suspects an address of what appeared behind its attempts.
func (b *builder) caused(source string, cs []consequence) {
	q := sequelOf(cs)
	if !q.named && !q.grave && (len(q.what) < 2 || onlyFetches(cs)) {
		return
	}
	st := Likely
	if q.named {
		st = Confirmed
	}
	for _, c := range cs {
		b.made[c.of] = true
	}
	first := q.first
	d, _ := gap(first.try.At, first.of)
	text := fmt.Sprintf("%s tried %s %s, and within %s this appeared, of the account that the service runs as: %s.", cmp.Or(upper(source), "Somebody"), first.by.Mechanism, clock(first.try.At), shortly(d), list(q.what))
	id := b.claim(text, evidence.Effect, first.try.At, st, q.quotes, nil)
	if doer(first.of) == "root" { // as which the attacked service runs, then
		b.becameRoot(id)
	}
	if source == "" { // the log names nobody
		b.effect = ids(append(b.effect, id)...)
		w := b.daemonWay(&suspect{daemon: first.by, why: ids(id), spans: []span{{from: first.try.At, account: doer(first.of)}}}, way{sources: []string{}, claims: ids(id), status: st})
		if first.by.What == detect.WebAttack {
			w.vector, w.service = "web-exploit", "web"
		}
		b.entered = append(b.entered, w)
		return
	}
	s := b.add(source, id, q.named)
	s.attacked, s.cve = true, cvesIn(first.by.Mechanism)
	if first.by.What == detect.Exploit {
		s.daemon = first.by
		s.spans = append(s.spans, span{first.try.At, first.try.At.Add(openEnd), doer(first.of), true})
		return
	}
	b.web(s, &detect.Finding{What: detect.WebScript, First: first.try.At, Last: first.try.At, Account: doer(first.of), As: doer(first.of)})
}

// daemonWay tells how a suspect came in through a fault of a network service that is no web site.
func (b *builder) daemonWay(s *suspect, w way) way {
	w.vector, w.service, w.product = "daemon-exploit", s.daemon.Service, s.daemon.Mechanism
	w.cve = cvesIn(s.daemon.Mechanism)
	for _, x := range s.spans {
		if x.from == s.first() {
			w.account = x.account
		}
	}
	w.first, w.last, w.off = s.first(), s.first(), b.errorOf(s.daemon)
	w.weigh("attack-before", first(s.why))
	w.weigh("written-by", first(s.why))
	return w
}

// cvesIn gives the numbers in the name of a fault.
func cvesIn(s string) (out []string) {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == '(' || r == ')' || r == ' ' || r == ',' }) {
		if strings.HasPrefix(w, "CVE-") {
			out = append(out, w)
		}
	}
	return out
}

// thing names what appeared.
func thing(f *detect.Finding) string {
	switch f.What {
	case detect.MailRun:
		return plural(f.Count, "mail", "mails")
	case detect.WebExecution:
		return "words of a shell in the server's error log"
	case detect.Command:
		if f.Mechanism == "audited" {
			return "a program: " + utf8(f.Runs)
		}
		return "a job: " + utf8(f.Runs)
	case detect.AccountMade, detect.AccountOdd:
		return "account " + utf8(f.Account) + ", which is root under another name"
	}
	return utf8(f.Path)
}

// shortly words a short time.
func shortly(d time.Duration) string {
	if d <= time.Second {
		return "a second"
	}
	if d < 2*time.Minute {
		return plural(int64(d.Round(time.Second)/time.Second), "second", "seconds")
	}
	return plural(int64(d.Round(time.Minute)/time.Minute), "minute", "minutes")
}

// byAttacker finds logins to a shell from an address that had tried to run commands or to read files here before, to accounts that never came from there.
func (b *builder) byAttacker() {
	for _, w := range []detect.What{detect.Exploit, detect.WebAttack} {
		for _, f := range b.by[w] {
			if !runsCommands(f) && !strings.Contains(f.Mechanism, "reading files") { // passwords stand in files
				continue
			}
			for _, l := range b.logins() {
				if !shellService(l.Service) || !contains(f.Sources, l.Source) || b.suspects[l.Source] != nil || !l.Access.Unfamiliar() || b.origin(l.Source) != "external" {
					continue
				}
				t, ok := triedBefore(f, l)
				if !ok {
					continue
				}
				text := fmt.Sprintf("%s, which had tried %s %s, logged in as %s %s, an account that had not come from there before.", l.Source, f.Mechanism, clock(t.At), l.Account, clock(l.First))
				b.doubt(l.Source, b.claim(text, evidence.Accepted, l.First, Likely, append([]evidence.Quote{t.Quote}, l.For...), nil)) // owners look for holes in their own sites, and share lines with those who do
			}
		}
	}
}

// triedBefore gives the attempt of a login's address that came last before it.
func triedBefore(f, l *detect.Finding) (best detect.Try, ok bool) {
	for _, t := range f.Tries {
		if t.Source == l.Source && t.At.Before(l.First) && (!ok || t.At.After(best.At)) {
			best, ok = t, true
		}
	}
	return best, ok
}
