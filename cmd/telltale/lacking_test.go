package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"telltale/lab/score"
	"telltale/lab/tree"
)

// TestLackingSources makes every scenario without one kind of source after the other: what is told becomes weaker then, and never wrong.
func TestLackingSources(t *testing.T) {
	seeds := []uint64{11}
	if os.Getenv("TELLTALE_FULL") != "" {
		seeds = []uint64{11, 12, 13, 14, 15}
	}
	for _, seed := range seeds {
		whole := lacking(t, seed, "")
		for _, kind := range slices.DeleteFunc(tree.Lacks(), func(k string) bool { return k == "disk" }) { // without a disk it is another case: TestOnlyLive
			t.Run(fmt.Sprintf("%s-%d", kind, seed), func(t *testing.T) {
				t.Parallel()
				found, asked := 0, 0
				for i, r := range lacking(t, seed, kind) {
					if r.Wrong > 0 || r.WrongAccusation > 0 {
						t.Errorf("%s: %d wrong answers, accused: %v", r.Name, r.Wrong, r.Accusations)
						for _, a := range r.Answers {
							if a.Outcome == score.Wrong {
								t.Logf("%s: want %q, got %q", a.Question, a.Want, a.Got)
							}
						}
					}
					found, asked = found+r.Found, asked+r.Asked
					if r.Found > whole[i].Found {
						t.Errorf("%s: found %d, and with all sources %d", r.Name, r.Found, whole[i].Found)
					}
				}
				t.Logf("without %s: found %d of %d", kind, found, asked)
			})
		}
	}
}

// lacking scores every scenario of the written tier without a kind of source.
func lacking(t *testing.T, seed uint64, kind string) []score.Result {
	t.Helper()
	var out, errs bytes.Buffer
	args := []string{"lab", "score", "--all", "--tier", "tree", "--json", "--seed", fmt.Sprint(seed)}
	if kind != "" {
		args = append(args, "--without", kind)
	}
	if code := run(t.Context(), args, &out, &errs); code != exitOK {
		t.Fatalf("exit status %d: %s", code, errs.String())
	}
	var all struct{ Scenarios []score.Result }
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	return all.Scenarios
}
