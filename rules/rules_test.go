package rules_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	artifacts "telltale/artifact/all"
	"telltale/detect"
	"telltale/detect/sigma"
	"telltale/examine"
	"telltale/rules"
)

// TestRules reads the samples of each rule as the program reads evidence: every positive line must be a hit, no negative one.
func TestRules(t *testing.T) {
	all, err := sigma.Load(rules.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all.Refused {
		t.Errorf("%s: %s", x.File, x.Why)
	}
	for source, n := range all.Absent {
		t.Errorf("%d rules look at %s, which is not read", n, source)
	}
	if len(all.List) < 40 {
		t.Errorf("only %d rules", len(all.List))
	}
	if d := sigma.New(all); d.LinesOf == nil || d.SaidBy == nil { // a fifth of the time that a log takes
		t.Error("a rule looks at the lines of all programs: its log source has to name one")
	} else if slices.Contains(d.LinesOf, "sshd") || slices.Contains(d.SaidBy, "sshd") {
		t.Error("a rule looks at the lines of sshd, of which there are millions: its kinds have to be events that are made anyway")
	}
	ids := map[string]string{}
	for _, r := range all.List {
		t.Run(r.File, func(t *testing.T) {
			if r.ID == "" || r.Author == "" || len(r.Attack) == 0 || r.Samples.Path == "" || len(r.Samples.Positive) == 0 || len(r.Samples.Negative) == 0 {
				t.Fatalf("it needs an id, an author, an ATT&CK technique and samples of both kinds")
			}
			if other := ids[r.ID]; other != "" {
				t.Errorf("%s has the same id", other)
			}
			ids[r.ID] = r.File
			for _, line := range r.Samples.Positive {
				if n := hits(t, r, line); n != 1 {
					t.Errorf("%d hits, not 1, in %s", n, line)
				}
			}
			for _, line := range r.Samples.Negative {
				if n := hits(t, r, line); n != 0 {
					t.Errorf("%d hits in %s", n, line)
				}
			}
		})
	}
}

func hits(t *testing.T, r *sigma.Rule, line string) (n int64) {
	t.Helper()
	dir := t.TempDir()
	p := filepath.Join(dir, r.Samples.Path)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(line+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := sigma.New(&sigma.Rules{List: []*sigma.Rule{r}})
	made := d.New
	var fold detect.Fold
	d.New = func(s detect.Scene) detect.Fold { fold = made(s); return fold }
	if _, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{d}}); err != nil {
		t.Fatal(err)
	}
	for f := range fold.Findings(t.Context()) {
		n += f.Count
		if len(f.For) == 0 || !strings.Contains(f.For[0].Text, strings.TrimSpace(line)[:10]) {
			t.Errorf("the finding does not quote the line: %+v", f.For)
		}
	}
	return n
}
