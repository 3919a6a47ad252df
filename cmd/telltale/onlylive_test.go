package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/lab"
	"telltale/lab/scenarios"
	"telltale/lab/score"
	"telltale/lab/tree"
	"telltale/report"
	"telltale/story"
)

// TestOnlyLive looks at every scenario's server while it runs, and has nothing else of it; and then what a log server kept besides. What is told is weaker
// than from a disk, and never wrong.
func TestOnlyLive(t *testing.T) {
	seeds := []uint64{11, 12, 21}
	if os.Getenv("TELLTALE_FULL") != "" {
		seeds = append(seeds, 13, 14, 15, 16, 17, 18, 19, 20)
	}
	for _, seed := range seeds {
		for _, lacks := range [][]string{{"disk", "remote"}, {"disk"}} {
			t.Run(fmt.Sprintf("%s-%d", strings.Join(lacks, "-"), seed), func(t *testing.T) {
				t.Parallel()
				ran, told := 0, 0
				for _, s := range scenarios.Played(lab.Tree) {
					truth, d := watched(t, s, seed, lacks)
					r := score.Of(truth, d)
					neverWrong(t, &r)
					notRuledOut(t, truth, d)
					if len(lacks) == 2 {
						onlyWeak(t, truth, d)
					}
					for _, a := range r.Answers {
						if a.Question == "runs" {
							ran++
							if a.Outcome == score.Found {
								told++
							}
						}
					}
				}
				if ran == 0 || told == 0 {
					t.Errorf("of %d programs that ran %d are told: the state was not read", ran, told)
				}
			})
		}
	}
}

// watched makes a case that has the state of a running machine in place of its disk, and examines it.
func watched(t *testing.T, s *lab.Scenario, seed uint64, lacks []string) (*lab.Truth, *report.Document) {
	t.Helper()
	m := tree.New(false)
	if err := m.Without(lacks...); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), s.Name)
	truth, err := lab.Make(t.Context(), s, m, seed, dir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := examineCase(t.Context(), dir, truth, io.Discard)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return truth, d
}

func neverWrong(t *testing.T, r *score.Result) {
	t.Helper()
	if r.WrongAccusation > 0 {
		t.Errorf("%s: accused: %v", r.Name, r.Accusations)
	}
	for _, a := range r.Answers {
		if a.Outcome == score.Wrong {
			t.Errorf("%s: %s: want %q, got %q", r.Name, a.Question, a.Want, a.Got)
		}
	}
}

// notRuledOut asks that the true way in is not ruled out.
func notRuledOut(t *testing.T, truth *lab.Truth, d *report.Document) {
	t.Helper()
	for _, e := range truth.Expect.Entry {
		for _, h := range d.Hypotheses {
			if h.Vector == e.Vector && h.Status == story.RuledOut {
				t.Errorf("%s: %s is ruled out: %s", truth.Name, h.Vector, h.Why)
			}
		}
	}
}

// onlyWeak asks that what ran, alone, gives no way in, no certainty, and never an acquittal; that nothing is found where nothing of an intruder's ran;
// and that root is not said to be out of reach where a program that is told is root's.
func onlyWeak(t *testing.T, truth *lab.Truth, d *report.Document) {
	t.Helper()
	v := d.Verdict
	if v.Status == story.Clean || v.Status == story.Attacked || v.Confidence == story.Confirmed {
		t.Errorf("%s: %s, %s: no log and no file was read", truth.Name, v.Status, v.Confidence)
	}
	for _, e := range d.Entry {
		if e.Vector != "unknown" {
			t.Errorf("%s: the way in is said to be %s", truth.Name, e.Vector)
		}
	}
	for _, h := range d.Hypotheses {
		if h.Status == story.RuledOut {
			t.Errorf("%s: %s is ruled out: %s", truth.Name, h.Vector, h.Why)
		}
	}
	for _, r := range d.Running {
		if v.Status == story.Compromised && r.User == "root" && strings.Contains(v.Summary, "No sign was found that root was reached") {
			t.Errorf("%s: %s runs as root: %s", truth.Name, r.Exe, v.Summary)
		}
	}
	if len(truth.Expect.Running) > 0 {
		return
	}
	if v.Status != string(story.CannotTell) || len(d.Running)+len(d.Hidden)+len(d.Actions)+len(d.Entry)+len(d.Claims) > 0 {
		t.Errorf("%s: nothing of an intruder's ran, and it says %s: %s", truth.Name, v.Status, v.Summary)
	}
	for _, f := range d.Findings {
		if f.Level != detect.Info.String() && f.Level != detect.Low.String() {
			t.Errorf("%s: found: %s", truth.Name, f.Title)
		}
	}
}

// stateOnly unpacks of a collection what a machine's state is, and leaves its files behind.
func stateOnly(t *testing.T, collection string) string {
	t.Helper()
	dir := t.TempDir()
	eachMember(t, collection, func(name string, r io.Reader) bool {
		top, _, _ := strings.Cut(name, "/")
		if top != "collection.json" && top != "state" {
			return true
		}
		b, err := io.ReadAll(r)
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(p), 0o755)
		}
		if err == nil {
			err = os.WriteFile(p, b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return true
	})
	return dir
}

// stillWeak examines the state alone of a real server that was looked at.
func stillWeak(t *testing.T, program, collection string, truth *lab.Truth) {
	b, err := elsewhere(t, program, stateOnly(t, collection))
	if err != nil {
		t.Fatal(err)
	}
	var d report.Document
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	r := score.Of(truth, &d)
	neverWrong(t, &r)
	onlyWeak(t, truth, &d)
	if d.Verdict.Status != story.Compromised || len(d.Running) < 3 || len(d.Hidden) == 0 {
		t.Errorf("%s: %d run, %d hidden", d.Verdict.Status, len(d.Running), len(d.Hidden))
	}
	if strings.Contains(d.Verdict.Summary, "mails") {
		t.Errorf("connections are no mails: %s", d.Verdict.Summary)
	}
}
