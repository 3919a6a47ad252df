package story

import (
	"testing"

	"telltale/detect"
)

// TestContradictions: each kind of contradiction is found where it is made.
func TestContradictions(t *testing.T) {
	findings := []detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.High, "03:02:00")}
	for name, change := range map[string]func(*Story){
		"":                             func(*Story) {},
		"a verdict without a break-in": func(s *Story) { s.Verdict.Status = Attacked },
		"root, and attacked": func(s *Story) {
			s.Entry, s.Actors, s.Actions, s.Persistence, s.Impact, s.Verdict.Status = nil, nil, nil, nil, nil, Attacked
		},
		"no way in":                   func(s *Story) { s.Entry = nil },
		"a claim that is not there":   func(s *Story) { s.Actions[0].Claims = []string{"c99"} },
		"a claim without evidence":    func(s *Story) { s.Claims[0].For = nil },
		"a way in that is ruled out":  func(s *Story) { s.Hypotheses[0].Status = RuledOut },
		"a score that is no sum":      func(s *Story) { s.Hypotheses[0].Score++ },
		"a likely way that is none":   func(s *Story) { s.Hypotheses[len(s.Hypotheses)-1].Status = Likely },
		"an entry by nobody":          func(s *Story) { s.Actors = nil },
		"an end before the beginning": func(s *Story) { s.Entry[0].Last = "1999-01-01T00:00:00Z" },
		"explained, and held against him": func(s *Story) {
			s.Innocent = append(s.Innocent, Innocent{What: claimOf(s, s.Persistence[0].Claims[0])})
		},
		"steps out of order":                func(s *Story) { s.DoNow[0].Order = 7 },
		"an actor of whom nothing is known": func(s *Story) { s.Actors[0].Claims = nil },
		"done twice":                        func(s *Story) { s.Actions = append(s.Actions, s.Actions[len(s.Actions)-1]) },
		"told twice":                        func(s *Story) { s.Persistence = append(s.Persistence, s.Persistence[0]) },
	} {
		s := Build(t.Context(), findings, full())
		change(&s)
		if found := s.Contradictions(); (len(found) > 0) != (name != "") {
			t.Errorf("%q: %q", name, found)
		}
	}
}

func claimOf(s *Story, id string) string {
	for _, c := range s.Claims {
		if c.ID == id {
			return c.Text
		}
	}
	return ""
}
