package story

import (
	"fmt"
	"slices"
)

// Contradictions tells where a story contradicts itself; none is right. It is held against every report that the practice cases lead to.
func (s *Story) Contradictions() (out []string) {
	say := func(form string, args ...any) { out = append(out, fmt.Sprintf(form, args...)) }
	known := map[string]*Claim{}
	for i := range s.Claims {
		c := &s.Claims[i]
		if known[c.ID] != nil {
			say("two claims are %s", c.ID)
		}
		if known[c.ID] = c; len(c.For) == 0 {
			say("claim %s has no evidence", c.ID)
		}
	}
	s.references(func(where string, i int, claims []string) {
		for _, id := range claims {
			if known[id] == nil {
				say("%s %d rests on %s, which is no claim", where, i+1, id)
			}
		}
	})
	for _, a := range s.Actors {
		if len(a.Claims) == 0 {
			say("nothing is claimed of %q, who is told of", a.Sources)
		}
	}
	s.againstVerdict(say)
	s.againstWays(say)
	s.againstInnocence(say)
	return out
}

// against visits all that a story holds against somebody: what it is, how many of its kind came before, and the claims that it rests on.
func (s *Story) against(visit func(where string, i int, claims []string)) {
	for i, x := range s.Entry {
		visit("entry", i, x.Claims)
	}
	for i, x := range s.Actors {
		visit("actor", i, x.Claims)
	}
	for i, x := range s.Actions {
		visit("action", i, x.Claims)
	}
	for i, x := range s.Persistence {
		visit("persistence", i, x.Claims)
	}
	for i, x := range s.Running {
		visit("running", i, x.Claims)
	}
	for i, x := range s.Hidden {
		visit("hidden", i, x.Claims)
	}
	for i, x := range s.Altered {
		visit("altered", i, x.Claims)
	}
	for i, x := range s.Impact {
		visit("impact", i, x.Claims)
	}
}

// Against gives the claims that the story holds against somebody.
func (s *Story) Against() map[string]bool {
	out := map[string]bool{}
	s.against(func(_ string, _ int, claims []string) {
		for _, id := range claims {
			out[id] = true
		}
	})
	return out
}

// references visits all names of claims, by where they stand.
func (s *Story) references(visit func(where string, i int, claims []string)) {
	s.against(visit)
	for i, x := range s.Hypotheses {
		visit("hypothesis", i, slices.Concat(x.For, x.Against))
		for _, w := range x.Weights {
			if w.Claim != "" { // of what is not there, no claim can tell
				visit("weight of hypothesis", i, []string{w.Claim})
			}
		}
	}
	for i, x := range s.Exposed {
		visit("exposed", i, x.Claims)
	}
	for i, x := range s.Contacted {
		visit("contacted", i, x.Claims)
	}
	for i, x := range s.Patches {
		visit("patch", i, x.Claims)
	}
	for i, x := range s.Complaints {
		visit("complaint", i, x.Claims)
	}
	for i, x := range s.Findings {
		visit("finding", i, x.Claims)
	}
}

// againstVerdict finds what a verdict does not allow.
func (s *Story) againstVerdict(say func(string, ...any)) {
	v := &s.Verdict
	held := len(s.Entry) + len(s.Actors) + len(s.Actions) + len(s.Persistence) + len(s.Impact) + len(s.Exposed) + len(s.Contacted)
	if v.Status != Compromised && held > 0 {
		say("the verdict is %s, and %d things are held against somebody", v.Status, held)
	}
	if v.Status == Compromised && len(s.Entry) == 0 {
		say("compromised, and not even an unknown way in")
	}
	if v.Status == Compromised && !slices.ContainsFunc(s.Claims, func(c Claim) bool { return c.Rung >= "c" || c.Rung == "b" && c.Status == Confirmed }) {
		say("compromised without an effect or a confirmed session")
	}
	if v.Root != nil && *v.Root && v.Status != Compromised {
		say("root is lost, and the verdict is %s", v.Status)
	}
	if lost := v.Root != nil && *v.Root; !lost && v.Status == Compromised {
		for i := range s.Persistence {
			if p := &s.Persistence[i]; p.asRoot() && s.sure(p.Claims) {
				say("no sign of root, and %s %s acts as root", p.Mechanism, p.Path)
			}
		}
		for _, e := range s.Entry {
			if e.Account == "root" && e.Vector != "mail-account" && (e.Status == Confirmed || e.Status == Likely) {
				say("no sign of root, and %s let somebody in as root", e.Vector)
			}
		}
	}
	if v.Confidence == Confirmed && v.Status == Compromised && !slices.ContainsFunc(s.Entry, func(e Entry) bool { return e.Status == Confirmed }) {
		say("confirmed, and no way in is")
	}
	if v.Status == Clean && slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Level == "critical" }) {
		say("clean, with a critical finding")
	}
	for i, d := range s.DoNow {
		if d.Order != i+1 {
			say("step %d has the order %d", i+1, d.Order)
		}
	}
}

// againstWays finds ways in that are told in two ways.
func (s *Story) againstWays(say func(string, ...any)) {
	for i, h := range s.Hypotheses {
		sum := 0.0
		for _, w := range h.Weights {
			sum += w.Points
		}
		if sum != h.Score {
			say("%s scores %g, and its points are %g", h.Vector, h.Score, sum)
		}
		if i > 0 && order(s.Hypotheses[i-1].Status) > order(h.Status) {
			say("%s, %s, stands behind %s", h.Vector, h.Status, s.Hypotheses[i-1].Status)
		}
		entered := slices.ContainsFunc(s.Entry, func(e Entry) bool { return e.Vector == h.Vector })
		if entered && (h.Status == RuledOut || h.Status == CannotTell) {
			say("%s is a way in, and %s", h.Vector, h.Status)
		}
		if !entered && (h.Status == Confirmed || h.Status == Likely) && s.Verdict.Status == Compromised {
			say("%s is %s, and no way in", h.Vector, h.Status)
		}
		for _, id := range h.For {
			if contains(h.Against, id) && h.Status == Confirmed {
				say("%s: %s speaks for and against it", h.Vector, id)
			}
		}
	}
	for _, e := range s.Entry {
		if e.First != "" && e.Last != "" && e.Last < e.First {
			say("%s ends before it begins", e.Vector)
		}
		for _, ip := range e.Sources {
			if s.Verdict.Status == Compromised && !slices.ContainsFunc(s.Actors, func(a Actor) bool { return contains(a.Sources, ip) }) {
				say("%s came in by %s and is no actor", ip, e.Vector)
			}
		}
	}
}

// againstInnocence finds what is explained and held against somebody at once.
func (s *Story) againstInnocence(say func(string, ...any)) {
	rests := map[string]bool{}
	s.against(func(where string, _ int, claims []string) {
		for _, id := range claims {
			rests[id] = rests[id] || where == "action" || where == "impact" || where == "persistence"
		}
	})
	held := map[string]bool{} // by text, what is more than possible
	for i := range s.Claims {
		if c := &s.Claims[i]; rests[c.ID] && (c.Status == Confirmed || c.Status == Likely) {
			held[c.Text] = true
		}
	}
	for _, x := range s.Innocent {
		if held[x.What] {
			say("%q is explained, and held against somebody", x.What)
		}
	}
	type act struct{ what, time, account, path string }
	seen := map[act]bool{}
	for _, a := range s.Actions {
		k := act{a.What, a.Time, a.Account, a.Path}
		if seen[k] && a.Time != "" {
			say("%q is told twice, %s", a.What, a.Time)
		}
		seen[k] = true
	}
	for i := range s.Persistence {
		for j := range i {
			if s.Persistence[i].Mechanism == s.Persistence[j].Mechanism && s.Persistence[i].Path == s.Persistence[j].Path && s.Persistence[i].As == s.Persistence[j].As && s.Persistence[i].Runs == s.Persistence[j].Runs {
				say("%s %s is told twice", s.Persistence[i].Mechanism, s.Persistence[i].Path)
			}
		}
	}
}
