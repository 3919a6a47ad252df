// Package score compares a report with the truth of a practice case, question by question. What is wrongly held
// against somebody is counted apart and weighs most.
package score

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/lab"
	"telltale/report"
	"telltale/story"
)

// Outcome is how a question was answered.
type Outcome string

// The outcomes.
const (
	Found   Outcome = "found"
	Wrong   Outcome = "wrong"            // another answer was given
	Missed  Outcome = "missed"           // it was there to be seen
	Unknown Outcome = "honestly unknown" // it was destroyed, and the report claims nothing in its place
)

// Answer is one question with what was wanted and what was said.
type Answer struct {
	Question string  `json:"question"`
	Want     string  `json:"want"`
	Got      string  `json:"got"`
	Outcome  Outcome `json:"outcome"`
}

// Result is the score of one case.
type Result struct {
	Name            string   `json:"name"`
	Tier            lab.Tier `json:"tier"`
	Seed            uint64   `json:"seed"`
	Asked           int      `json:"asked"`
	Found           int      `json:"found"`
	Wrong           int      `json:"wrong"`
	Missed          int      `json:"missed"`
	HonestlyUnknown int      `json:"honestly_unknown"`
	WrongAccusation int      `json:"wrong_accusations"`
	TimeError       float64  `json:"time_error_seconds"` // the largest of the entries' first times, where the entry was found
	Score           float64  `json:"score"`              // 100 is all found; a wrong answer takes back one, a wrong accusation three
	Answers         []Answer `json:"answers,omitempty"`
	Accusations     []string `json:"accusations,omitempty"`
}

// Total is the sum over cases.
type Total struct {
	Asked           int     `json:"asked"`
	Found           int     `json:"found"`
	Wrong           int     `json:"wrong"`
	Missed          int     `json:"missed"`
	HonestlyUnknown int     `json:"honestly_unknown"`
	WrongAccusation int     `json:"wrong_accusations"`
	FoundShare      float64 `json:"found_share"` // of what could be found: asked without what was destroyed
	Score           float64 `json:"score"`       // the mean of the cases
}

// Sum adds up results.
func Sum(rs []Result) (t Total) {
	for _, r := range rs {
		t.Asked, t.Found, t.Wrong, t.Missed = t.Asked+r.Asked, t.Found+r.Found, t.Wrong+r.Wrong, t.Missed+r.Missed
		t.HonestlyUnknown, t.WrongAccusation, t.Score = t.HonestlyUnknown+r.HonestlyUnknown, t.WrongAccusation+r.WrongAccusation, t.Score+r.Score/float64(len(rs))
	}
	if n := t.Asked - t.HonestlyUnknown; n > 0 {
		t.FoundShare = float64(t.Found) / float64(n)
	}
	return t
}

type scorer struct {
	t *lab.Truth
	d *report.Document
	r Result
}

// Of scores a report.
func Of(t *lab.Truth, d *report.Document) Result {
	s := &scorer{t: t, d: d, r: Result{Name: t.Name, Tier: t.Tier, Seed: t.Seed}}
	s.verdict()
	s.entries()
	s.left()
	s.accusations()
	r := &s.r
	if len(d.Claims) > 0 { // a story, not only answers
		for _, c := range d.Contradictions() {
			s.answer("contradicts itself", "", c, Wrong)
		}
	}
	for _, a := range r.Answers {
		switch a.Outcome {
		case Found:
			r.Found++
		case Wrong:
			r.Wrong++
		case Missed:
			r.Missed++
		case Unknown:
			r.HonestlyUnknown++
		}
	}
	r.Asked = len(r.Answers)
	if n := r.Asked - r.HonestlyUnknown; n > 0 {
		r.Score = max(-100, 100*float64(r.Found-r.Wrong-3*r.WrongAccusation)/float64(n))
	}
	return *r
}

func (s *scorer) answer(question, want, got string, o Outcome) {
	s.r.Answers = append(s.r.Answers, Answer{question, want, got, o})
}

// ask judges an answer that is right or wrong, or none at all.
func (s *scorer) ask(question, want, got string, destroyed bool) {
	switch {
	case got == want:
		s.answer(question, want, got, Found)
	case got != "":
		s.answer(question, want, got, Wrong)
	case destroyed:
		s.answer(question, want, got, Unknown)
	default:
		s.answer(question, want, got, Missed)
	}
}

func (s *scorer) verdict() {
	x := &s.t.Expect
	want := x.StatusAny
	if x.Status != "" {
		want = []string{x.Status}
	}
	got := s.d.Verdict.Status
	switch {
	case slices.Contains(want, got):
		s.answer("verdict", strings.Join(want, " or "), got, Found)
	case got == string(story.CannotTell):
		s.answer("verdict", strings.Join(want, " or "), got, Missed)
	default:
		s.answer("verdict", strings.Join(want, " or "), got, Wrong)
	}
	s.ask("root reached", reached(x.Root), reached(s.d.Verdict.Root), false)
}

// reached gives "" for what is not known, if nobody knows it.
func reached(b *bool) string {
	if b == nil {
		return ""
	}
	return fmt.Sprint(*b)
}

func (s *scorer) entries() {
	if len(s.t.Expect.Entry) == 0 {
		got := ""
		for _, e := range s.d.Entry {
			got += e.Vector + " "
		}
		s.ask("nobody got in", "", strings.TrimSpace(got), false)
	}
	used := map[int]bool{}
	for i := range s.t.Expect.Entry {
		s.entry(&s.t.Expect.Entry[i], used)
	}
	for i, e := range s.d.Entry {
		if !used[i] && !s.returned(&e) && (e.Vector != "unknown" || len(s.t.Expect.Entry) == 0) { // to say that it is not known accuses nobody
			s.accuse("a way in that was none: " + e.Vector + " as " + e.Account)
		}
	}
}

// returned tells whether an entry is a later visit of the same story.
func (s *scorer) returned(e *story.Entry) bool {
	return slices.ContainsFunc(s.t.Expect.Returns, func(r lab.EntryTruth) bool { return r.Vector == e.Vector && r.Account == e.Account })
}

// entry asks four questions of a way in: how, as whom, from where, when.
func (s *scorer) entry(want *lab.EntryTruth, used map[int]bool) {
	best, points := -1, 0
	for i := range s.d.Entry {
		e, n := &s.d.Entry[i], 0
		if e.Vector == want.Vector {
			n += 4
		}
		if e.Account == want.Account {
			n++
		}
		if len(want.Sources) > 0 && overlap(e.Sources, want.Sources) {
			n += 2
		}
		if n > points && !used[i] {
			best, points = i, n
		}
	}
	got := story.Entry{}
	if best >= 0 {
		used[best] = true
		got = s.d.Entry[best]
	}
	vector := got.Vector
	if vector == "unknown" { // which says that it cannot be told
		vector = ""
	}
	s.ask("way in", want.Vector, vector, want.Destroyed || s.methodGone(want, &got))
	s.ask("as", want.Account, got.Account, want.Destroyed)
	if len(want.Sources) > 0 || len(got.Sources) > 0 {
		source := strings.Join(got.Sources, " ")
		if len(got.Sources) > 0 && subset(want.Sources, got.Sources) && subset(got.Sources, s.intruders()) {
			source = strings.Join(want.Sources, " ") // more of its addresses are no error
		}
		s.ask("from", strings.Join(want.Sources, " "), source, want.Destroyed)
	}
	s.when(want, got.First, got.ErrorSeconds)
}

// methodGone tells that the intruder took his lines out of the log that says by what a login was let in: the records of logins, which are left, tell who
// came and from where, and an answer that gives these and no method is all that there is. Where the lines come back, the method is found.
func (s *scorer) methodGone(want *lab.EntryTruth, got *story.Entry) bool {
	edited := slices.ContainsFunc(s.t.Expect.Altered, func(a lab.AlteredTruth) bool { return a.Kind == "log-edited" && a.Path == "/var/log/auth.log" })
	return edited && strings.HasPrefix(want.Vector, "ssh-") && got.Vector == "unknown" && got.Account == want.Account && overlap(got.Sources, want.Sources)
}

// when judges a time by what the truth allows, and by what the report itself says that it may be off.
func (s *scorer) when(want *lab.EntryTruth, got string, off float64) {
	from, err := time.Parse(time.RFC3339Nano, want.First)
	if err != nil {
		return // the truth does not say
	}
	to := from
	if want.FirstAct != "" {
		if a, b, err := s.t.ActOf(want.FirstAct); err == nil {
			from, to = a, b
		}
	}
	at, err := time.Parse(time.RFC3339Nano, got)
	slack := time.Duration(max(want.Tolerance, off) * float64(time.Second))
	switch {
	case got == "" || err != nil:
		o := Missed
		if want.Destroyed {
			o = Unknown
		}
		s.answer("first", want.First, got, o)
	case at.Before(from.Add(-slack)) || at.After(to.Add(slack)):
		s.answer("first", want.First, got, Wrong)
	default:
		s.answer("first", want.First, got, Found)
	}
	if err == nil {
		off := max(from.Sub(at), at.Sub(to), 0).Seconds()
		s.r.TimeError = max(s.r.TimeError, off)
	}
}

// there judges one of a list: found or not.
func (s *scorer) there(question, want string, found, destroyed bool) {
	got := ""
	if found {
		got = want
	}
	s.ask(question, want, got, destroyed)
}

// left asks for what was left behind, tampered with, done to others, and what runs.
func (s *scorer) left() {
	x := &s.t.Expect
	for _, p := range x.Persistence {
		s.there("way back", p.Mechanism+" "+p.Path+" as "+p.As, slices.ContainsFunc(s.d.Persistence, func(g story.Persistence) bool {
			return g.Mechanism == p.Mechanism && g.Path == p.Path && g.As == p.As
		}), p.Destroyed)
	}
	for _, a := range x.Altered {
		s.there("tampered", a.Kind+" "+a.Path, slices.ContainsFunc(s.d.Altered, func(g story.Altered) bool { return g.Kind == a.Kind && g.Path == a.Path }), a.Destroyed)
	}
	for _, i := range x.Impact {
		s.there("used for", fmt.Sprintf("%s by %s, %d or a few more", i.What, i.By, i.MinCount), slices.ContainsFunc(s.d.Impact, func(g story.Impact) bool {
			return g.What == i.What && g.By == i.By && g.Count >= i.MinCount && (i.MinCount == 0 || g.Count <= i.MinCount*11/10)
		}), i.Destroyed)
	}
	for _, f := range x.Files {
		s.there("file", f, slices.ContainsFunc(s.d.Actions, func(g story.Action) bool { return g.Path == f }) || slices.ContainsFunc(s.d.Persistence, func(g story.Persistence) bool { return g.Path == f }), false)
	}
	for _, h := range x.Hidden {
		s.there("hidden", h, slices.ContainsFunc(s.d.Hidden, func(g story.Hidden) bool { return g.What == h }), false)
	}
	for _, r := range x.Running {
		s.there("runs", r.Exe+" as "+r.User, slices.ContainsFunc(s.d.Running, func(g story.Running) bool { return g.Exe == r.Exe && g.User == r.User }), r.Destroyed)
	}
}

// asked tells whether a path is a file's as a client asks for it, where no web root is known.
func asked(file, url string) bool {
	return strings.Count(url, "/") >= 2 && strings.HasSuffix(file, url)
}

func (s *scorer) accuse(what string) {
	s.r.WrongAccusation++
	s.r.Accusations = append(s.r.Accusations, what)
}

// accusations looks for innocents among what is held against somebody, and for things told that did not happen.
func (s *scorer) accusations() {
	x := &s.t.Expect
	accused := map[string]string{}
	note := func(where string, names ...string) {
		for _, n := range names {
			if accused[n] == "" {
				accused[n] = where
			}
		}
	}
	for _, e := range s.d.Entry {
		note("way in", append([]string{e.Account}, e.Sources...)...)
	}
	for _, a := range s.d.Actors {
		note("actor", append(slices.Clone(a.Sources), a.Accounts...)...)
	}
	for _, a := range s.d.Actions {
		note("act", a.Path)
	}
	for _, p := range s.d.Persistence {
		note("way back", p.Path)
		if !slices.ContainsFunc(x.Persistence, func(w lab.StayTruth) bool {
			return w.Path == p.Path || p.Mechanism == "web-shell" && asked(w.Path, p.Path)
		}) && !slices.Contains(x.May, p.Path) {
			s.accuse("a way back that is none: " + p.Mechanism + " " + p.Path)
		}
	}
	for _, a := range s.d.Altered {
		if !slices.ContainsFunc(x.Altered, func(w lab.AlteredTruth) bool { return w.Path == a.Path }) && !slices.Contains(x.May, a.Path) && !slices.Contains(x.Gone, a.Path) && !slices.Contains(x.Files, a.Path) {
			s.accuse("tampering that was none: " + a.Kind + " " + a.Path)
		}
	}
	for _, i := range s.d.Impact {
		if !slices.ContainsFunc(x.Impact, func(w lab.ImpactTruth) bool { return w.What == i.What }) {
			s.accuse("a use that was none: " + i.What + " by " + i.By)
		}
	}
	for _, n := range slices.Concat(s.t.MustNot.Accounts, s.t.MustNot.Addresses, s.t.MustNot.Files) {
		if where := accused[n]; where != "" && n != "" {
			s.accuse("an innocent: " + n + " (" + where + ")")
		}
	}
}

// intruders are all addresses that belong to whoever broke in or tried.
func (s *scorer) intruders() []string {
	out := slices.Clone(s.t.Expect.Attackers)
	for _, a := range s.t.Acts {
		if a.By == lab.Intruder && a.Src != "" {
			out = append(out, a.Src)
		}
	}
	return out
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// subset tells whether all of a are among b.
func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(x string) bool { return !slices.Contains(b, x) })
}
