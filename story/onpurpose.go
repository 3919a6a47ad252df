package story

import (
	"slices"
	"strings"

	"telltale/detect"
)

// onPurpose are what rules call requests by which the people of a server work, too: each runs code for whoever may ask.
var onPurpose = []string{"putting an application on Tomcat", "Jenkins consoles", "code given to the sampler of Druid", "code given to Kafka UI", "code that Langflow was to check"}

// Whoever works with such a program comes on many days, and finds it there each time; a scanner that comes again does not.
const (
	workdays       = 3
	workdaysWithin = 2 // from the server's own networks, or where who comes has been let in
)

// work tells attempts that are all of people at work: nothing came of them that is odd, else they are looked at as attempts are. It only keeps a
// server from being called attacked.
func (b *builder) work(f *detect.Finding) bool {
	if f.Level > detect.Medium || int64(len(f.Tries)) == 0 || len(b.suspects) > 0 || !meant(f) {
		return false
	}
	days := map[string]map[int64]bool{}
	for _, t := range f.Tries {
		if t.Absent || t.Source == "" || !t.At.Known() {
			return false
		}
		if days[t.Source] == nil {
			days[t.Source] = map[int64]bool{}
		}
		days[t.Source][t.At.Sec/86400] = true
	}
	for _, s := range f.Sources {
		if n := len(days[s]); n < workdaysWithin || n < workdays && b.origin(s) == "external" && !b.entitled(s) {
			return false
		}
	}
	return true
}

// meant tells requests by which the people of a server work, too.
func meant(f *detect.Finding) bool {
	return slices.ContainsFunc(onPurpose, func(w string) bool { return strings.HasPrefix(f.Mechanism, w) })
}

// atWork tells one of those of whoever came with an account of the server from there a day and more before: what appears behind it, and it does not name, is no proof.
func (b *builder) atWork(f *detect.Finding, t detect.Try) bool {
	return meant(f) && b.lodger(t.Source, t.At.Add(-longBefore)) != ""
}

// triedWeb tells whether a request to the web site was an attempt.
func (b *builder) triedWeb() bool {
	for _, f := range b.by[detect.WebAttack] {
		if !b.work(f) {
			return true
		}
	}
	return false
}
