package all_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale/detect/all"
	"telltale/detect/sigma"
	"telltale/internal/golden"
	"telltale/rules"
)

// TestPage keeps docs/detections.md true to the code. Run with -update to write it.
func TestPage(t *testing.T) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# What is looked for\n\nWritten by `go test ./detect/all -update`. The rows are those of the project's catalogue of detections; a finding alone never means a compromise ([reasoning.md](reasoning.md)).\n\n| detection | rows | ATT&CK | what it does |\n|---|---|---|---|\n")
	rows := map[string]bool{}
	for _, d := range all.Detections() {
		ids := slices.Clone(d.IDs)
		slices.Sort(ids)
		for _, id := range ids {
			rows[id] = true
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", d.Title, strings.Join(ids, " "), strings.Join(d.Attack, " "), d.Doc)
	}
	list, err := sigma.Load(rules.Files)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "\n## Rules in Sigma's form\n\nFor what one event suffices, in [rules](../rules); `telltale rules` lists them, `telltale examine --rules FOLDER` adds others.\n\n| rule | level | looks at | ATT&CK | title |\n|---|---|---|---|---|\n")
	for _, r := range list.List {
		fmt.Fprintf(&b, "| [%s](../rules/%s) | %s | %s | %s | %s |\n", strings.TrimSuffix(r.File, ".yml"), r.File, r.Level, r.Source, strings.Join(r.Attack, " "), r.Title)
	}
	golden.Equal(t, "../../docs/detections.md", b.Bytes())
	if len(rows) < 40 {
		t.Errorf("only %d rows of the catalogue are covered", len(rows))
	}
}
