package story

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"telltale/internal/golden"
)

// TestPage keeps docs/reasoning.md true to the code. Run with -update to write it; its words are in testdata/reasoning.md.
func TestPage(t *testing.T) {
	b, err := os.ReadFile("testdata/reasoning.md")
	if err != nil {
		t.Fatal(err)
	}
	var table, ways bytes.Buffer
	fmt.Fprintf(&table, "| rule | points | what is seen | why it weighs that much |\n|---|---|---|---|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&table, "| %s | %+g | %s | %s |\n", r.ID, r.Points, r.Text, r.Why)
	}
	fmt.Fprintf(&ways, "| way in | which is | what shows it | what would put it first | what would take it from there |\n|---|---|---|---|---|\n")
	for _, v := range vectors {
		shows := sources[v.log]
		if shows == "" {
			shows = "no one log"
		}
		fmt.Fprintf(&ways, "| %s | %s | %s | %s | %s |\n", v.name, v.words, shows, v.flip, v.fall)
	}
	page := strings.NewReplacer("{{rules}}", table.String(), "{{vectors}}", ways.String()).Replace(string(b))
	golden.Equal(t, "../docs/reasoning.md", []byte(page))
}

// TestRules: each row of the table is used, and nothing is weighed that is no row.
func TestRules(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, f := range files {
		if n := f.Name(); strings.HasSuffix(n, ".go") && !strings.HasSuffix(n, "_test.go") && n != "rules.go" {
			b, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(b)
		}
	}
	seen := map[string]bool{}
	for _, r := range Rules() {
		if r.Points == 0 || r.Text == "" || r.Why == "" || seen[r.ID] {
			t.Errorf("%+v", r)
		}
		if seen[r.ID] = true; !strings.Contains(code.String(), `"`+r.ID+`"`) {
			t.Errorf("nothing weighs %q", r.ID)
		}
	}
	for _, part := range strings.Split(code.String(), "weigh")[1:] {
		for _, open := range []string{`(h.Weights, "`, `(nil, "`, `("`, `s(h.Weights, "`, `s(nil, "`} {
			if rest, ok := strings.CutPrefix(part, open); ok {
				if id, _, _ := strings.Cut(rest, `"`); !seen[id] {
					t.Errorf("%q is no rule", id)
				}
			}
		}
	}
}
