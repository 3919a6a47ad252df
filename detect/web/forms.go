package web

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// form is a login form of the site's own software, whoever used it.
type form struct {
	entered, denied int64            // answered by a redirection, by 401 or 403
	refused         map[string]int64 // by address
	in              map[string]bool  // addresses that entered
	ok              map[string]int64 // answered by 200 where panels give tickets, by address
	first, last     evidence.Time
	quotes          []evidence.Quote
}

const (
	maxForms       = 200
	maxFormClients = 5000

	minFormTries = 20 // by one address, all of them refused
	timesUsual   = 5  // as many as the median address has
)

// posted counts a POST to a login form.
func (f *fold) posted(ip, p []byte, status int64, e *event.Event) {
	x := f.forms[string(p)]
	if x == nil {
		if len(f.forms) >= maxForms {
			return
		}
		x = &form{refused: map[string]int64{}, in: map[string]bool{}, ok: map[string]int64{}}
		f.forms[string(p)] = x
	}
	switch status {
	case 302, 303:
		x.entered++
		if len(x.in) < maxFormClients && !x.in[string(ip)] {
			x.in[string(ip)] = true
		}
		return
	case 401, 403:
		x.denied++
	case 200:
	default:
		return
	}
	n, ok := x.refused[string(ip)]
	if !ok && len(x.refused) >= maxFormClients {
		return
	}
	x.refused[string(ip)] = n + 1
	if status == 200 && ticketForm(bytes.ToLower(p)) {
		x.ok[string(ip)]++
	}
	x.first, x.last = evidence.Min(x.first, e.At), evidence.Max(x.last, e.At)
	if n == minFormTries-1 && len(x.quotes) < 2*maxQuotes {
		x.quotes = append(x.quotes, e.Quote())
	}
}

// tells is whether 200 means a refusal: applications that answer each login with a page and a cookie cannot be read from outside.
func (x *form) tells(p string) bool {
	return x.entered > 0 || x.denied > 0 || bytes.HasSuffix(bytes.ToLower([]byte(p)), []byte("/wp-login.php"))
}

// guesses gives the login forms that addresses tried again and again without being let in.
func (f *fold) guesses() (out []detect.Finding) {
	paths := make([]string, 0, len(f.forms))
	for p := range f.forms {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		x := f.forms[p]
		if !x.tells(p) || len(x.quotes) == 0 {
			continue
		}
		least := max(minFormTries, timesUsual*x.usual())
		r := detect.Finding{Detection: "D08", What: detect.Guessing, Level: detect.Low, Rung: evidence.Attempt, Service: "web", Path: p, First: x.first, Last: x.last, For: x.quotes, Attack: []string{"T1110.004"}}
		for ip, n := range x.refused {
			if x.denied > 0 { // it refuses by a status, so that 200 lets in
				n -= x.ok[ip]
			}
			if n >= least && (x.denied == 0 || x.ok[ip] == 0) && !x.in[ip] && detect.Outside(ip) {
				r.Count += n
				r.Sources = append(r.Sources, ip)
			}
		}
		if len(r.Sources) == 0 {
			continue
		}
		slices.SortFunc(r.Sources, func(a, b string) int { return cmp.Or(cmp.Compare(x.refused[b], x.refused[a]), cmp.Compare(a, b)) })
		r.Source = r.Sources[0]
		r.Title = fmt.Sprintf("%d refused tries at %s, from %s", r.Count, p, detect.Plural(int64(len(r.Sources)), "address", "addresses"))
		r.Detail = fmt.Sprintf("none of them was let in; %s answered others by letting them in %d times", p, x.entered)
		r.Sources = r.Sources[:min(len(r.Sources), 200)]
		out = append(out, r)
	}
	return out
}

// usual is how many refusals the median of the addresses has that were let in, too: who types a password wrong.
func (x *form) usual() int64 {
	all := make([]int64, 0, len(x.in))
	for ip := range x.in {
		all = append(all, x.refused[ip])
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}
