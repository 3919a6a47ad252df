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

// TestLabGate makes, examines and scores every scenario of the written tier by three seeds.
func TestLabGate(t *testing.T) {
	const file = "testdata/scores.json"
	least := map[string]gate{}
	if b, err := os.ReadFile(file); err != nil {
		t.Fatal(err)
	} else if err := json.Unmarshal(b, &least); err != nil {
		t.Fatal(err)
	}
	got := map[string]gate{}
	for seed := range uint64(3) {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"lab", "score", "--all", "--tier", "tree", "--json", "--seed", fmt.Sprint(seed + 1)}, &out, &errs); code != exitOK {
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
		for _, r := range all.Scenarios {
			name := fmt.Sprintf("%s-%d", r.Name, r.Seed)
			got[name] = gate{r.Found, r.WrongAccusation}
			if l, ok := least[name]; !*updateScores && (!ok || r.Found < l.Found || r.WrongAccusation > l.Accusations) {
				t.Errorf("%s: found %d with %d wrong accusations; it was %+v (known: %v)", name, r.Found, r.WrongAccusation, l, ok)
				for _, a := range r.Answers {
					if a.Outcome != score.Found {
						t.Logf("%s: %s: %s: want %q, got %q", name, a.Question, a.Outcome, a.Want, a.Got)
					}
				}
				t.Log(r.Accusations)
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

// TestReadmeTable makes the tables that the README shows, and compares: a whole one, and the sums of two more seeds.
func TestReadmeTable(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []string{"5", "6", "7"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"lab", "score", "--all", "--tier", "tree", "--seed", seed}, &out, &errs); code != exitOK {
			t.Fatalf("exit status %d: %s", code, errs.String())
		}
		n := len(scenarios.Played(lab.Tree))
		lines := strings.Split(out.String(), "\n")
		if len(lines) < n+2 {
			t.Fatalf("%s", out.String())
		}
		shown := lines[:n+2]
		if seed != "5" {
			shown = lines[n+1 : n+2]
		}
		for _, l := range shown {
			if !strings.Contains(string(readme), "    "+l+"\n") {
				t.Errorf("the README has not the line %q of seed %s", l, seed)
			}
		}
	}
}
