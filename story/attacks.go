package story

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// Behind an attempt, what it did appears within behindTry; if the attempt names it, within behindNamed: whoever fetches a file often runs it by a
// second request.
const (
	behindTry   = 15 * time.Second
	behindNamed = 10 * time.Minute
)

// runsCommands tells attempts that, where they succeed, run commands or code.
func runsCommands(f *detect.Finding) bool {
	m := f.Mechanism
	return f.What == detect.Exploit || strings.Contains(m, "injection") && !strings.Contains(m, "SQL") || strings.Contains(m, "CVE") || strings.Contains(m, "including a file") || strings.Contains(m, "shell")
}

// consequence is something bad that appeared behind an attempt.
type consequence struct {
	of    *detect.Finding
	try   detect.Try
	named bool // the attempt names it
}

// byAttack joins attempts to break in with what appeared behind them: files, jobs and programs of the account that the attacked service runs as.
// Once may be chance; what the attempt itself names is not, nor is more than one.
func (b *builder) byAttack() {
	tries := map[string][]consequence{} // by address
	var order []string
	for _, w := range []detect.What{detect.Exploit, detect.WebAttack} {
		for _, f := range b.by[w] {
			if !runsCommands(f) {
				continue
			}
			for _, c := range b.followed(f) {
				if tries[c.try.Source] == nil {
					order = append(order, c.try.Source)
				}
				tries[c.try.Source] = append(tries[c.try.Source], c)
			}
		}
	}
	for _, source := range order {
		b.caused(source, tries[source])
	}
}

// followed gives what appeared behind the attempts of one kind.
func (b *builder) followed(f *detect.Finding) (out []consequence) {
	for _, w := range []detect.What{detect.OddFile, detect.Persistence, detect.WebExecution, detect.Process} {
		for _, e := range b.by[w] {
			if e.Explained != "" || e.Level < detect.Medium || e.Mechanism == "dir" || !b.servedBy(f, e) {
				continue
			}
			if t, named, ok := b.tryFor(f, e); ok {
				out = append(out, consequence{e, t, named})
			}
		}
	}
	return out
}

// servedBy tells whether what appeared can be of the attacked service: the account is one that services run as.
func (b *builder) servedBy(f, e *detect.Finding) bool {
	if e.What == detect.WebExecution {
		return f.Service == "web" && e.Source == "" && e.Level >= detect.High
	}
	a := account(e)
	if f.Service == "web" {
		return webAccount(a) || detect.ServiceAccount(a)
	}
	return detect.ServiceAccount(a) || a == "root"
}

// tryFor gives the attempt that came last before something appeared, the one that names it before all others.
func (b *builder) tryFor(f, e *detect.Finding) (best detect.Try, named, ok bool) {
	base := path.Base(e.Path)
	for _, t := range f.Tries {
		d, known := gap(t.At, e)
		if !known || d < -2*time.Second {
			continue
		}
		names := len(base) >= 2 && strings.Contains(decoded(t.Quote.Text), "/"+base)
		if d > behindTry && !(names && d <= behindNamed) || named && !names {
			continue
		}
		if !ok || names && !named || t.At.After(best.At) {
			best, named, ok = t, names, true
		}
	}
	return best, named, ok
}

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

// caused suspects an address of what appeared behind its attempts.
func (b *builder) caused(source string, cs []consequence) {
	grave, named := false, false
	var what []string
	var quotes []evidence.Quote
	first := cs[0]
	for _, c := range cs {
		grave = grave || c.of.Level >= detect.High
		named = named || c.named
		what = ids(append(what, thing(c.of))...)
		quotes = append(append(quotes, c.try.Quote), c.of.For...)
		if c.try.At.Before(first.try.At) {
			first = c
		}
	}
	if !named && len(what) < 2 && !grave {
		return
	}
	strong := named || len(what) > 1 && grave
	st := Likely
	if strong {
		st = Confirmed
	}
	where := upper(source)
	if source == "" {
		where = "Somebody"
	}
	d, _ := gap(first.try.At, first.of)
	text := fmt.Sprintf("%s tried to make the server run commands %s, and within %s this appeared, as the account that the service runs as: %s.", where, clock(first.try.At), shortly(d), list(what))
	id := b.claim(text, evidence.Effect, first.try.At, st, quotes, nil)
	s := b.add(source, id, strong)
	s.attacked = true
	b.web(s, &detect.Finding{What: detect.WebScript, First: first.try.At, Last: first.try.At, Account: account(first.of), As: account(first.of)})
	for _, c := range cs {
		b.made[c.of] = true
	}
}

// thing names what appeared.
func thing(f *detect.Finding) string {
	if f.What == detect.WebExecution {
		return "words of a shell in the server's error log"
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
