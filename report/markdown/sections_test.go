package markdown

import (
	"bytes"
	"strings"
	"testing"

	"telltale/internal/golden"
	"telltale/report"
	"telltale/report/reporttest"
)

func render(t testing.TB, d *report.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGoals holds each goal's page against its golden.
func TestGoals(t *testing.T) {
	for _, goal := range report.Goals() {
		d := reporttest.Example(t)
		d.Goal = goal
		golden.Equal(t, "testdata/"+goal+".md", []byte(render(t, d)))
		hostile := reporttest.Compromised(reporttest.Words + "| a \n# heading\n```")
		hostile.Goal = goal
		out := render(t, hostile)
		if reporttest.Steers(out) || strings.Contains(out, "\n# heading") {
			t.Errorf("%s: evidence steers a terminal or makes headings", goal)
		}
		for line := range strings.Lines(out) {
			if strings.Contains(line, "<script") && !strings.Contains(line, "`") && !strings.Contains(line, `\<script`) {
				t.Errorf("%s: evidence is alive: %s", goal, line)
			}
		}
	}
}

func TestTablesAreBounded(t *testing.T) {
	d := reporttest.Example(t)
	for range 12 {
		d.Exposed = append(d.Exposed, d.Exposed...)
	}
	if out := render(t, d); strings.Count(out, "/etc/shadow") > maxRows || !strings.Contains(out, "more are in report.json") {
		t.Error("the table is without end, or does not say what it leaves out")
	}
}
