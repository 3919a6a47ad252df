package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"telltale/lab"
	"telltale/lab/scenarios"
	"telltale/lab/score"
)

var updateScores = flag.Bool("update-scores", false, "take the scores of now as the least that later changes have to reach")

// gate is what the written tier has reached: a change may not find less, nor accuse more.
type gate struct {
	Found, Accusations int
}

// TestLab makes, examines and scores every scenario of the written tier by the three seeds of the README: none may be found less of or accuse
// more than before, and the tables that the README shows (a whole one, and the sums of two more seeds) have to be true.
func TestLab(t *testing.T) {
	const file = "testdata/scores.json"
	least, got := map[string]gate{}, map[string]gate{}
	if b, err := os.ReadFile(file); err != nil {
		t.Fatal(err)
	} else if err := json.Unmarshal(b, &least); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []string{"5", "6", "7"} {
		rs := labScores(t, seed)
		for i := range rs {
			name := fmt.Sprintf("%s-%d", rs[i].Name, rs[i].Seed)
			got[name] = gate{rs[i].Found, rs[i].WrongAccusation}
			if l, ok := least[name]; !*updateScores && (!ok || got[name].Found < l.Found || got[name].Accusations > l.Accusations) {
				fellBehind(t, name, &rs[i], l, ok)
			}
		}
		var out bytes.Buffer
		if err := tabulate(&out, rs, false); err != nil {
			t.Fatal(err)
		}
		shown := strings.Split(out.String(), "\n")[:len(rs)+2]
		if seed != "5" {
			shown = shown[len(rs)+1:]
		}
		for _, l := range shown {
			if !strings.Contains(string(readme), "    "+l+"\n") {
				t.Errorf("the README has not the line %q of seed %s", l, seed)
			}
		}
	}
	if *updateScores {
		b, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// labScores makes, examines and scores every scenario by one seed.
func labScores(t *testing.T, seed string) []score.Result {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"lab", "score", "--all", "--tier", "tree", "--json", "--seed", seed}, &out, &errs); code != exitOK {
		t.Fatalf("exit status %d: %s", code, errs.String())
	}
	var all struct {
		Scenarios []score.Result
		Total     score.Total
	}
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Scenarios) != len(scenarios.Played(lab.Tree)) || all.Total.FoundShare <= 0 {
		t.Fatalf("%d scenarios, %+v", len(all.Scenarios), all.Total)
	}
	return all.Scenarios
}

// fellBehind tells what a scenario lost.
func fellBehind(t *testing.T, name string, r *score.Result, l gate, known bool) {
	t.Helper()
	t.Errorf("%s: found %d with %d wrong accusations; it was %+v (known: %v)", name, r.Found, r.WrongAccusation, l, known)
	for _, a := range r.Answers {
		if a.Outcome != score.Found {
			t.Logf("%s: %s: %s: want %q, got %q", name, a.Question, a.Outcome, a.Want, a.Got)
		}
	}
	t.Log(r.Accusations)
}
