package brief

import (
	"math"
	"strings"
	"testing"

	"telltale/report"
	"telltale/report/reporttest"
	"telltale/story"
)

// TestEachAnswerIsKnownOrSaysWhy goes through documents that lack one thing or another.
func TestEachAnswerIsKnownOrSaysWhy(t *testing.T) {
	yes, no := true, false
	compromised := func(f func(d *report.Document)) *report.Document {
		d := &report.Document{}
		d.Verdict.Status = story.Compromised
		f(d)
		return d
	}
	for name, d := range map[string]*report.Document{
		"example":      reporttest.Example(t),
		"nothing":      {},
		"no more than": compromised(func(*report.Document) {}),
		"unknown way": compromised(func(d *report.Document) {
			d.Entry = []story.Entry{{Vector: "unknown", Status: story.CannotTell}}
			d.Hypotheses = []story.Hypothesis{{Vector: "ftp-password", Status: story.CannotTell}}
			d.Verdict.Root = &no
		}),
		"no time": compromised(func(d *report.Document) {
			d.Entry = []story.Entry{{Vector: "ssh-key", Status: story.Likely}}
			d.Verdict.Root = &yes
		}),
		"attacked": {Story: story.Story{Verdict: story.Verdict{Status: story.Attacked}}},
		"clean":    {Story: story.Story{Verdict: story.Verdict{Status: story.Clean}}},
		"hostile":  reporttest.Hostile(),
	} {
		answers := Seven(d)
		if want := 7; d.Verdict.Status == story.Compromised && len(answers) != want {
			t.Errorf("%s: %d answers", name, len(answers))
		}
		for _, a := range answers {
			if a.Text == "" && a.Why == "" {
				t.Errorf("%s: %q has neither an answer nor a reason", name, a.Question)
			}
			if a.Text == "" && a.Status != "" {
				t.Errorf("%s: %q is not known, and that is %s", name, a.Question, a.Status)
			}
		}
		if p := Restart(d); p.Root == "" {
			t.Errorf("%s: nothing is said of root", name)
		} else {
			for _, o := range p.Doors {
				if o.Closed == "" || o.Close == "" {
					t.Errorf("%s: nothing is said of the door %q", name, o.Way)
				}
			}
		}
	}
}

func TestAMachineThatWasNotLookedAtIsNotFree(t *testing.T) {
	d := reporttest.Example(t)
	d.Running, d.Unknown = nil, []string{"What runs now: memory and running processes are not in this evidence."}
	if a := runs(d); a.Text != "" || !strings.Contains(a.Why, "not in this evidence") {
		t.Errorf("%+v", a)
	}
	d.Unknown = nil
	if a := runs(d); !strings.Contains(a.Text, "was seen") {
		t.Errorf("%+v", a)
	}
}

func TestEveryWayInHasWordsAndIsClosed(t *testing.T) {
	for v := range vectors {
		if v != "unknown" && v != "local-script" && closes[v] == "" {
			t.Errorf("nothing closes %s", v)
		}
	}
	for v := range closes {
		if vectors[v] == "" {
			t.Errorf("%s has no words", v)
		}
	}
}

func TestBars(t *testing.T) {
	if Bars(nil) != "" || Bars(make([]int, 24)) != "" || Bars([]int{1}) != "" {
		t.Error("something is drawn of nothing")
	}
	counts := make([]int, 24)
	counts[0], counts[1], counts[23] = 8, 1, -3
	if got := Bars(counts); got != "█▁......................" {
		t.Error(got)
	}
	counts[2] = math.MaxInt
	if got := []rune(Bars(counts)); len(got) != 24 || got[2] != '█' {
		t.Error(string(got))
	}
}

func TestWhatWasTakenComesFirst(t *testing.T) {
	p := Restart(reporttest.Example(t))
	var exposed []string
	for _, c := range p.Change {
		if c.Status != "" {
			exposed = append(exposed, c.What)
		}
	}
	if len(exposed) != 3 || !strings.HasPrefix(exposed[0], "The password of the shop") || !strings.HasPrefix(exposed[2], "The key of alice") {
		t.Errorf("%q", exposed)
	}
}

// TestNobodyIsToldToRemoveTheListOfAccounts takes an account that an intruder made.
func TestNobodyIsToldToRemoveTheListOfAccounts(t *testing.T) {
	d := &report.Document{}
	d.Verdict.Status = story.Compromised
	d.Persistence = []story.Persistence{{Mechanism: "account", Path: "/etc/passwd", As: "sysbak"}}
	if p := Restart(d); strings.Contains(p.Doors[0].Close, "/etc/passwd") || !strings.Contains(p.Doors[0].Close, "the account sysbak") {
		t.Error(p.Doors[0].Close)
	}
}
