package score_test

import (
	"testing"

	"telltale/lab"
	"telltale/lab/score"
	"telltale/report"
	"telltale/story"
)

var yes, no = true, false

func truth() *lab.Truth {
	return &lab.Truth{Name: "x", Tier: lab.Tree, Seed: 3,
		Acts: []lab.Act{{By: lab.Intruder, What: "logs in", Start: "2024-01-02T03:00:00Z", End: "2024-01-02T03:10:00Z", Src: "203.0.113.9"}, {By: lab.Admin, What: "logs in", Src: "198.51.100.2", Start: "2024-01-01T00:00:00Z", End: "2024-01-01T00:00:00Z"}},
		Expect: lab.Expect{Status: "compromised", Root: &yes, Files: []string{"/tmp/.x"},
			Entry:       []lab.EntryTruth{{Vector: "ssh-key", Account: "bob", Sources: []string{"203.0.113.9"}, First: "2024-01-02T03:00:00Z", FirstAct: "logs in", Tolerance: 5}},
			Persistence: []lab.StayTruth{{Mechanism: "cron", Path: "/etc/cron.d/x", As: "root"}}, Altered: []lab.AlteredTruth{{Path: "/var/log/auth.log", Kind: "log-edited", Shown: lab.Shown{Destroyed: true}}}},
		MustNot: lab.MustNot{Accounts: []string{"amy"}, Addresses: []string{"198.51.100.2"}, Files: []string{"/etc/cron.d/ours"}}}
}

// right is a report that has everything.
func right() *report.Document {
	d := &report.Document{}
	d.Verdict = story.Verdict{Status: "compromised", Root: &yes}
	d.Entry = []story.Entry{{Vector: "ssh-key", Account: "bob", Sources: []string{"203.0.113.9"}, First: "2024-01-02T03:00:04Z"}}
	d.Persistence = []story.Persistence{{Mechanism: "cron", Path: "/etc/cron.d/x", As: "root"}}
	d.Altered = []story.Altered{{Path: "/var/log/auth.log", Kind: "log-edited"}}
	d.Actions = []story.Action{{Path: "/tmp/.x"}}
	return d
}

func TestScore(t *testing.T) {
	for _, c := range []struct {
		name                                       string
		change                                     func(*report.Document)
		found, wrong, missed, unknown, accusations int
	}{
		{"all right", func(*report.Document) {}, 9, 0, 0, 0, 0},
		{"nothing at all", func(d *report.Document) { *d = report.Document{} }, 0, 1, 7, 1, 0},
		{"cannot tell is not wrong", func(d *report.Document) {
			*d = report.Document{}
			d.Verdict.Status = "cannot-tell"
		}, 0, 0, 8, 1, 0},
		{"what was destroyed need not be found", func(d *report.Document) { d.Altered = nil }, 8, 0, 0, 1, 0},
		{"another vector", func(d *report.Document) { d.Entry[0].Vector = "ssh-password-known" }, 8, 1, 0, 0, 0},
		{"another account, who is innocent", func(d *report.Document) { d.Entry[0].Account = "amy" }, 8, 1, 0, 0, 1},
		{"by what he was let in was taken out of the log", func(d *report.Document) { d.Entry[0].Vector = "unknown" }, 8, 0, 0, 1, 0},
		{"and as whom is not told", func(d *report.Document) { d.Entry[0].Vector, d.Entry[0].Account = "unknown", "" }, 7, 0, 2, 0, 0},
		{"an hour late", func(d *report.Document) { d.Entry[0].First = "2024-01-02T04:10:00Z" }, 8, 1, 0, 0, 0},
		{"within the act", func(d *report.Document) { d.Entry[0].First = "2024-01-02T03:09:00Z" }, 9, 0, 0, 0, 0},
		{"root denied", func(d *report.Document) { d.Verdict.Root = &no }, 8, 1, 0, 0, 0},
		{"an innocent address among the sources", func(d *report.Document) { d.Entry[0].Sources = append(d.Entry[0].Sources, "198.51.100.2") }, 8, 1, 0, 0, 1},
		{"an innocent actor", func(d *report.Document) { d.Actors = []story.Actor{{Accounts: []string{"amy"}}} }, 9, 0, 0, 0, 1},
		{"a way back that is ours", func(d *report.Document) {
			d.Persistence = append(d.Persistence, story.Persistence{Mechanism: "cron", Path: "/etc/cron.d/ours"})
		}, 9, 0, 0, 0, 2},
		{"spam that nobody sent", func(d *report.Document) { d.Impact = []story.Impact{{What: "spam"}} }, 9, 0, 0, 0, 1},
		{"a second way in", func(d *report.Document) { d.Entry = append(d.Entry, story.Entry{Vector: "web-upload"}) }, 9, 0, 0, 0, 1},
		{"not known accuses nobody", func(d *report.Document) { d.Entry = append(d.Entry, story.Entry{Vector: "unknown"}) }, 9, 0, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := right()
			c.change(d)
			r := score.Of(truth(), d)
			if r.Asked != 9 || r.Found != c.found || r.Wrong != c.wrong || r.Missed != c.missed || r.HonestlyUnknown != c.unknown || r.WrongAccusation != c.accusations {
				t.Errorf("%+v", r)
			}
			if r.Found+r.Wrong+r.Missed+r.HonestlyUnknown != r.Asked {
				t.Errorf("the answers do not add up: %+v", r)
			}
		})
	}
}

func TestNothingHappened(t *testing.T) {
	w := &lab.Truth{Expect: lab.Expect{StatusAny: []string{"clean", "cannot-tell"}}}
	d := &report.Document{}
	d.Verdict.Status = "cannot-tell"
	if r := score.Of(w, d); r.Found != 3 || r.Score != 100 {
		t.Errorf("%+v", r)
	}
	d.Entry = []story.Entry{{Vector: "unknown"}}
	if r := score.Of(w, d); r.Wrong != 1 || r.WrongAccusation != 1 {
		t.Errorf("a way in where nobody came: %+v", r)
	}
}

func TestSum(t *testing.T) {
	s := score.Sum([]score.Result{{Asked: 10, Found: 5, HonestlyUnknown: 2, Score: 50}, {Asked: 2, Found: 1, WrongAccusation: 1, Score: -10}})
	if s.FoundShare != 0.6 || s.Score != 20 || s.WrongAccusation != 1 {
		t.Errorf("%+v", s)
	}
	if s := score.Sum(nil); s.FoundShare != 0 {
		t.Errorf("%+v", s)
	}
}
