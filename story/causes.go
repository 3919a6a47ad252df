package story

import (
	"fmt"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// soonAfter is how long behind a request what its script did may appear: a download takes its time.
const soonAfter = 15 * time.Second

// causes joins scripts with what their requests did: when files, crontabs and hidden programs of the web server's
// account appear within seconds of requests to one script that hardly anybody asks for, the script made them. Once may
// be chance; twice, or once with something bad in itself, is not. So it is with a run of mail that only a script's requests explain.
func (b *builder) causes() {
	for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
		for _, f := range b.by[w] {
			if f.Level >= detect.Critical || len(f.When) == 0 || len(f.Sources) > 3 {
				continue
			}
			if f.First.Known() && f.When[0].Sub(f.First) > siteAge { // the site's own page, which may be the weak one
				continue
			}
			made, grave := b.madeBy(f)
			if len(made) == 0 || len(made) < 2 && !grave {
				continue
			}
			f.Level, f.Rung, f.As = detect.Critical, evidence.Effect, account(made[0])
			f.Detail += fmt.Sprintf("; within seconds of requests for it appeared %s", names3(made))
			for _, e := range made {
				f.For = append(f.For, e.For...)
				b.made[e] = true
			}
		}
	}
}

// madeBy gives what appeared behind a script's requests, and whether something of it is bad in itself.
func (b *builder) madeBy(f *detect.Finding) (made []*detect.Finding, grave bool) {
	for _, w := range []detect.What{detect.OddFile, detect.Persistence} {
		for _, e := range b.by[w] {
			if !runsFor(f, account(e)) || e.Path == f.Path || e.Package != "" {
				continue
			}
			if b.nearest(e) == f {
				made = append(made, e)
				grave = grave || e.Level >= detect.High
			}
		}
	}
	mails := len(made) // PHP and the mail server tell of the same mails: they are one thing
	for _, e := range b.by[detect.MailRun] {
		if len(made) > mails {
			break
		}
		if e.Mechanism == "script" && e.Level >= detect.Medium && e.Path == f.Path { // PHP itself says so
			made = append(made, e)
			grave = grave || f.Level >= detect.Medium
			continue
		}
		if e.Mechanism == "local" && e.Level >= detect.High && runsFor(f, e.Account) && b.sentBy(f, e) {
			made = append(made, e)
			grave = grave || f.Level >= detect.Medium // a page of the site may send a newsletter
		}
	}
	for _, e := range b.by[detect.WebExecution] {
		if e.Level >= detect.High && len(made) > 0 && spoke(f, e) {
			made = append(made, e)
		}
	}
	return made, grave
}

// runsFor tells whether a script's requests run as an account: that of the web server, or, where each site runs as its owner, the script's own.
func runsFor(script *detect.Finding, account string) bool {
	return webAccount(account) || account != "" && account != "root" && account == script.Account
}

// mostOf is the share of a run's mails that a script's requests have to explain.
const mostOf = 0.8

// sentBy tells whether a run of mail followed requests to one script, and hardly anything else.
func (b *builder) sentBy(f, run *detect.Finding) bool {
	n := 0
	for _, t := range run.When {
		if b.nearest(&detect.Finding{First: t}) == f {
			n++
		}
	}
	return n > 0 && float64(n) >= mostOf*float64(len(run.When))
}

// spoke tells whether shell commands that the web server ran spoke up at a script's requests. A child's words without a client have no time of
// their own: they lie within the step behind the line before them.
func spoke(f, e *detect.Finding) bool {
	if e.Source != "" {
		return contains(f.Sources, e.Source)
	}
	for _, t := range f.When {
		if soon(t, e.First) || e.First.Known() && !t.Before(e.First) && t.Sub(e.First) < e.First.Step {
			return true
		}
	}
	return false
}

// account gives as whom something was made.
func account(e *detect.Finding) string {
	if e.What == detect.Persistence {
		return e.As
	}
	return e.Account
}

// siteAge is how long a script may stand unasked for and still be called an intruder's by what its requests did.
const siteAge = 7 * 24 * time.Hour

// nearest gives the script whose request came last before something appeared: only that one may have made it.
func (b *builder) nearest(e *detect.Finding) (best *detect.Finding) {
	gap := soonAfter + time.Second
	for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
		for _, f := range b.by[w] {
			for _, t := range f.When {
				for _, at := range []evidence.Time{e.First, e.Last} {
					if d := at.Sub(t); soon(t, at) && max(d, 0) < gap {
						gap, best = max(d, 0), f
					}
				}
			}
		}
	}
	return best
}

func soon(request, effect evidence.Time) bool {
	if !effect.Known() {
		return false
	}
	d := effect.Sub(request)
	return d >= -2*time.Second && d <= soonAfter
}

func names3(fs []*detect.Finding) string {
	var out []string
	for _, f := range fs {
		out = ids(append(out, thing(f))...)
	}
	return list(out)
}
