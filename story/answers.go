package story

import (
	"sort"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// answered is how soon behind an attempt a child of the web server speaks up that it began, and oftenSpoken how often one does so of itself, whatever is asked.
const (
	answered    = time.Minute
	oftenSpoken = 3
)

// answers tells whether what children of the web server wrote can be the answer to attempts: a site's own script that calls a program that is missing says so at each of its
// requests, and on a public server attempts are never far. Words that come in many minutes have to come behind attempts for the most part, and not because those come all the time.
func (b *builder) answers(e *detect.Finding) bool {
	known, ok := b.answered[e]
	if !ok {
		known = b.answersTries(e)
		b.answered[e] = known
	}
	return known
}

func (b *builder) answersTries(e *detect.Finding) bool {
	minutes := map[int64]bool{}
	for _, at := range e.When {
		minutes[at.Sec/60] = true
	}
	if e.What != detect.WebExecution || len(minutes) < oftenSpoken {
		return true
	}
	tries := b.orders(e.Source)
	behind, step := 0, time.Duration(0)
	var from, to evidence.Time
	for _, at := range e.When {
		from, to, step = evidence.Min(from, at), evidence.Max(to, at), max(step, at.Step)
		i := sort.Search(len(tries), func(i int) bool { return at.Sub(tries[i]) <= answered+at.Step })
		if i < len(tries) && at.Sub(tries[i]) >= -2*time.Second-at.Step {
			behind++
		}
	}
	n := 0
	for _, t := range tries {
		if !t.Before(from.Add(-answered)) && !t.After(to) {
			n++
		}
	}
	chance := time.Duration(n)*(answered+step) > to.Sub(from)/2
	return 2*behind > len(e.When) && !chance
}

// maxOrders bounds the attempts that words are held against.
const maxOrders = 20_000

// orders gives when an address, or anybody, tried to run commands or used an odd script.
func (b *builder) orders(source string) (out []evidence.Time) {
	for _, w := range []detect.What{detect.Exploit, detect.WebAttack, detect.WebScript, detect.WebUpload} {
		for _, f := range b.by[w] {
			script := w == detect.WebScript || w == detect.WebUpload
			if w == detect.WebAttack && !runsCommands(f) || script && f.Level < detect.Medium || len(out) > maxOrders {
				continue
			}
			for _, t := range f.Tries {
				if source == "" || t.Source == source {
					out = append(out, t.At)
				}
			}
			if script {
				out = append(out, f.When...)
			}
		}
	}
	sortBy(out, func(x, y evidence.Time) bool { return x.Before(y) })
	return out
}
