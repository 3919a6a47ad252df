package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"telltale/report"
)

// truth is what practice/NAME/truth.json says of a case.
type truth struct {
	Acts []struct {
		Kind, Start, End, What, Account, Src, By string
	}
	Expect struct {
		Status    string
		StatusAny []string `json:"status_any"`
		Root      *bool
		Entry     []struct {
			Vector, Account string
			Sources         []string
			FirstAct        string  `json:"first_act"`
			Tolerance       float64 `json:"tolerance_seconds"`
		}
		Persistence []struct{ Mechanism, Path, As string }
		Altered     []struct{ Path, Kind string }
		Impact      []struct {
			What     string
			MinCount int64 `json:"min_count"`
			By       string
		}
		Files []string
	}
	MustNot struct {
		Accounts, Addresses, Files []string
	} `json:"must_not"`
}

// TestPractice examines each practice case as a user does and compares the report with the truth, question
// by question; wrong accusations count most.
func TestPractice(t *testing.T) {
	files, err := filepath.Glob("../../practice/*/truth.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d practice cases, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(filepath.Dir(f)), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var want truth
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			compare(t, examined(t, filepath.Dir(f)), &want)
		})
	}
}

// examined runs "telltale examine --json" over a case's evidence.
func examined(t *testing.T, dir string) *report.Document {
	t.Helper()
	evidence, err := filepath.Glob(filepath.Join(dir, "evidence.*"))
	if err != nil || len(evidence) == 0 {
		t.Fatalf("no evidence in %s: %v", dir, err)
	}
	var out, errs bytes.Buffer
	if got := run(t.Context(), append([]string{"examine", "--json", "--case", filepath.Join(t.TempDir(), "case")}, evidence...), &out, &errs); got != exitOK {
		t.Fatalf("exit status %d: %s", got, errs.String())
	}
	valid(t, out.Bytes())
	var d report.Document
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// valid checks a report against the schema that the repository publishes.
func valid(t *testing.T, b []byte) {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../report/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	x, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(x); err != nil {
		t.Errorf("the report does not fit its schema: %v", err)
	}
}

func compare(t *testing.T, d *report.Document, want *truth) {
	x := &want.Expect
	allowed := x.StatusAny
	if x.Status != "" {
		allowed = []string{x.Status}
	}
	if !has(allowed, d.Verdict.Status) {
		t.Errorf("verdict %q, want one of %v: %s", d.Verdict.Status, allowed, d.Verdict.Summary)
	}
	if x.Root != nil && (d.Verdict.Root == nil || *d.Verdict.Root != *x.Root) {
		t.Errorf("root %v, want %v", d.Verdict.Root, *x.Root)
	}
	if x.Root == nil && d.Verdict.Root != nil {
		t.Errorf("root %v is claimed, and cannot be known", *d.Verdict.Root)
	}
	entries(t, d, want)
	if len(x.Persistence) == 0 && len(d.Persistence) > 0 || len(x.Altered) == 0 && len(d.Altered) > 0 || len(x.Impact) == 0 && len(d.Impact) > 0 {
		t.Errorf("accused without a reason: %+v %+v %+v", d.Persistence, d.Altered, d.Impact)
	}
	for _, p := range x.Persistence {
		found := false
		for _, g := range d.Persistence {
			found = found || g.Mechanism == p.Mechanism && g.Path == p.Path && g.As == p.As
		}
		if !found {
			t.Errorf("persistence %+v is missing; there is %+v", p, d.Persistence)
		}
	}
	for _, a := range x.Altered {
		found := false
		for _, g := range d.Altered {
			found = found || g.Kind == a.Kind && g.Path == a.Path
		}
		if !found {
			t.Errorf("altered %+v is missing", a)
		}
	}
	for _, i := range x.Impact {
		found := false
		for _, g := range d.Impact {
			found = found || g.What == i.What && g.By == i.By && g.Count >= i.MinCount && g.Count <= i.MinCount*11/10
		}
		if !found {
			t.Errorf("impact %+v is missing; there is %+v", i, d.Impact)
		}
	}
	for _, f := range x.Files {
		found := false
		for _, g := range d.Actions {
			found = found || g.Path == f
		}
		if !found {
			t.Errorf("the file %s is not among what the intruder did", f)
		}
	}
	accusations(t, d, want)
	references(t, d)
}

func entries(t *testing.T, d *report.Document, want *truth) {
	if len(d.Entry) != len(want.Expect.Entry) {
		t.Errorf("%d ways in, want %d: %+v", len(d.Entry), len(want.Expect.Entry), d.Entry)
	}
	for _, e := range want.Expect.Entry {
		found := false
		for _, g := range d.Entry {
			if g.Vector != e.Vector {
				continue
			}
			found = true
			if g.Account != e.Account || strings.Join(g.Sources, " ") != strings.Join(e.Sources, " ") {
				t.Errorf("entry as %s from %v, want %s from %v", g.Account, g.Sources, e.Account, e.Sources)
			}
			at, err := time.Parse(time.RFC3339Nano, g.First)
			if err != nil {
				t.Errorf("entry has no time: %v", err)
			}
			slack := time.Duration(e.Tolerance * float64(time.Second))
			from, to := act(t, want, e.FirstAct)
			if at.Before(from.Add(-slack)) || at.After(to.Add(slack)) {
				t.Errorf("entry at %s, the act was from %s to %s", at, from, to)
			}
		}
		if !found {
			t.Errorf("the way in %s was not found", e.Vector)
		}
	}
}

// act gives the time of the intruder's act whose description holds what.
func act(t *testing.T, want *truth, what string) (from, to time.Time) {
	for _, a := range want.Acts {
		if a.By == "intruder" && strings.Contains(a.What, what) {
			from, err1 := time.Parse(time.RFC3339Nano, a.Start)
			to, err2 := time.Parse(time.RFC3339Nano, a.End)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			return from, to
		}
	}
	t.Fatalf("the truth knows no act %q", what)
	return from, to
}

// accusations looks for innocent accounts, addresses and files among what is held against somebody.
func accusations(t *testing.T, d *report.Document, want *truth) {
	accused := map[string]string{}
	for _, e := range d.Entry {
		accused[e.Account] = "entry"
		for _, s := range e.Sources {
			accused[s] = "entry"
		}
	}
	for _, a := range d.Actors {
		for _, s := range append(append([]string{}, a.Sources...), a.Accounts...) {
			accused[s] = "actor"
		}
	}
	for _, p := range d.Persistence {
		accused[p.Path] = "persistence"
	}
	for _, a := range d.Altered {
		accused[a.Path] = "altered"
	}
	for _, a := range d.Actions {
		if a.Path != "" {
			accused[a.Path] = "action"
		}
	}
	for _, x := range append(append(append([]string{}, want.MustNot.Accounts...), want.MustNot.Addresses...), want.MustNot.Files...) {
		if where := accused[x]; where != "" {
			t.Errorf("WRONG ACCUSATION: %s (%s)", x, where)
		}
	}
}

// references checks that no sentence stands without evidence: every claim that is named exists and quotes something.
func references(t *testing.T, d *report.Document) {
	known := map[string]bool{}
	for _, c := range d.Claims {
		known[c.ID] = true
		if len(c.For) == 0 {
			t.Errorf("claim %s rests on nothing", c.ID)
		}
		for _, q := range c.For {
			if q.Source == "" || q.Path == "" || q.Quote == "" {
				t.Errorf("claim %s quotes nothing: %+v", c.ID, q)
			}
		}
	}
	for what, list := range map[string][][]string{"entry": each(d.Entry, func(i int) []string { return d.Entry[i].Claims }), "action": each(d.Actions, func(i int) []string { return d.Actions[i].Claims }),
		"persistence": each(d.Persistence, func(i int) []string { return d.Persistence[i].Claims }), "altered": each(d.Altered, func(i int) []string { return d.Altered[i].Claims }),
		"impact": each(d.Impact, func(i int) []string { return d.Impact[i].Claims }), "actor": each(d.Actors, func(i int) []string { return d.Actors[i].Claims })} {
		for i, claims := range list {
			if len(claims) == 0 {
				t.Errorf("%s %d has no claim", what, i)
			}
			for _, id := range claims {
				if !known[id] {
					t.Errorf("%s %d names the claim %q, which is not there", what, i, id)
				}
			}
		}
	}
}

func each[T any](list []T, f func(int) []string) (out [][]string) {
	for i := range list {
		out = append(out, f(i))
	}
	return out
}

func has(list []string, s string) bool { return strings.Contains(fmt.Sprint(list), s) }
