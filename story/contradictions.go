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
	for where, list := range s.references() {
		for _, id := range list {
			if known[id] == nil {
				say("%s rests on %s, which is no claim", where, id)
			}
		}
	}
	s.againstVerdict(say)
	s.againstWays(say)
	s.againstInnocence(say)
	return out
}

// references gives all names of claims, by where they stand.
func (s *Story) references() map[string][]string {
	out := map[string][]string{}
	add := func(where string, i int, list ...string) {
		out[fmt.Sprintf("%s %d", where, i+1)] = slices.DeleteFunc(slices.Clone(list), func(id string) bool { return id == "" && where == "weight" })
	}
	for i, x := range s.Entry {
		add("entry", i, x.Claims...)
	}
	for i, x := range s.Hypotheses {
		add("hypothesis", i, append(slices.Clone(x.For), x.Against...)...)
		for j, w := range x.Weights {
			add("weight", i*100+j, w.Claim)
		}
	}
	for i, x := range s.Actors {
		add("actor", i, x.Claims...)
	}
	for i, x := range s.Actions {
		add("action", i, x.Claims...)
	}
	for i, x := range s.Persistence {
		add("persistence", i, x.Claims...)
	}
	for i, x := range s.Running {
		add("running", i, x.Claims...)
	}
	for i, x := range s.Hidden {
		add("hidden", i, x.Claims...)
	}
	for i, x := range s.Altered {
		add("altered", i, x.Claims...)
	}
	for i, x := range s.Impact {
		add("impact", i, x.Claims...)
	}
	for i, x := range s.Exposed {
		add("exposed", i, x.Claims...)
	}
	for i, x := range s.Contacted {
		add("contacted", i, x.Claims...)
	}
	for i, x := range s.Patches {
		add("patch", i, x.Claims...)
	}
	for i, x := range s.Complaints {
		add("complaint", i, x.Claims...)
	}
	for i, x := range s.Findings {
		add("finding", i, x.Claims...)
	}
	return out
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
	for _, x := range s.Innocent {
		for i := range s.Claims {
			if c := &s.Claims[i]; c.Text == x.What && (c.Status == Confirmed || c.Status == Likely) && s.held(c.ID) {
				say("%q is explained, and held against somebody", x.What)
			}
		}
	}
	for i := range s.Persistence {
		for j := range i {
			if s.Persistence[i].Mechanism == s.Persistence[j].Mechanism && s.Persistence[i].Path == s.Persistence[j].Path && s.Persistence[i].As == s.Persistence[j].As && s.Persistence[i].Runs == s.Persistence[j].Runs {
				say("%s %s is told twice", s.Persistence[i].Mechanism, s.Persistence[i].Path)
			}
		}
	}
}

// held tells whether a claim is held against somebody.
func (s *Story) held(id string) bool {
	for where, list := range s.references() {
		if contains(list, id) && len(where) > 6 && (where[:6] == "action" || where[:6] == "impact" || where[:6] == "persis") {
			return true
		}
	}
	return false
}
