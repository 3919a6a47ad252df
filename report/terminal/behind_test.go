package terminal

import (
	"bytes"
	"strings"
	"testing"

	"telltale/internal/golden"
	"telltale/report"
	"telltale/report/reporttest"
)

func render(t testing.TB, d *report.Document, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGoals(t *testing.T) {
	for _, goal := range report.Goals() {
		d := reporttest.Example(t)
		d.Goal = goal
		golden.Equal(t, "testdata/"+goal+".txt", []byte(render(t, d, Options{})))
		golden.Equal(t, "testdata/"+goal+"-full.txt", []byte(render(t, d, Options{Full: true})))
		for _, full := range []bool{false, true} {
			hostile := reporttest.Compromised(reporttest.Words)
			hostile.Goal = goal
			if out := render(t, hostile, Options{Full: full}); reporttest.Steers(out) {
				t.Errorf("%s: text from evidence steers the terminal", goal)
			}
		}
	}
}

// TestTheScreenStaysOne holds the first screen, with and without what lies behind, against a terminal's height.
func TestTheScreenStaysOne(t *testing.T) {
	bare, full := document(), document()
	x := reporttest.Example(t)
	for range 6 {
		full.Exposed, full.Contacted, full.Complaints = append(full.Exposed, x.Exposed...), append(full.Contacted, x.Contacted...), append(full.Complaints, x.Complaints...)
	}
	a, b := strings.Count(render(t, bare, Options{Width: 80}), "\n"), strings.Count(render(t, full, Options{Width: 80}), "\n")
	if b-a > 6 {
		t.Errorf("what lies behind takes %d lines", b-a)
	}
	full.Goal = report.Restart
	if n := strings.Count(render(t, full, Options{Width: 80, Case: "x"}), "\n"); n > 40 {
		t.Errorf("the short answer takes %d lines", n)
	}
}
