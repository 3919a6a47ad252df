package terminal

import (
	"bytes"
	"strings"
	"testing"

	"telltale/report"
	"telltale/report/reporttest"
	"telltale/story"
)

// TestFirstScreen: no line is longer than the terminal, none says "1 places", and what to do is not cut off.
func TestFirstScreen(t *testing.T) {
	d := reporttest.Example(t)
	d.Entry[0].ErrorSeconds = 14 * 3600
	for _, goal := range report.Goals() {
		d.Goal = goal
		for _, width := range []int{80, 100, 120} {
			var b bytes.Buffer
			if err := Write(&b, d, Options{Width: width}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimSuffix(line, "\n")
				if n := len([]rune(line)); n > width {
					t.Errorf("%s at %d: %d columns: %q", goal, width, n, line)
				}
				if strings.Contains(line, " 1 places") || strings.Contains(line, " 1 logs") || strings.HasSuffix(line, " ") {
					t.Errorf("%s at %d: %q", goal, width, line)
				}
			}
			if goal != report.Restart && !strings.Contains(b.String(), "± 14 hours") {
				t.Errorf("%s at %d: a time that may be off by 14 hours stands there as exact", goal, width)
			}
			for _, s := range d.DoNow[:min(3, len(d.DoNow))] {
				if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), Escape(s.Step)) {
					t.Errorf("%s at %d: %q is not there whole", goal, width, s.Step)
				}
			}
		}
	}
}

// TestActsInOrder: acts stand in the order of time, those without one last, and nothing is said twice in one line.
func TestActsInOrder(t *testing.T) {
	d := reporttest.Example(t)
	d.Actions = []story.Action{{What: "bob typed: id", Account: "bob", Path: "/home/bob/.bash_history"}, {What: "/tmp/.x hides", Account: "bob", Path: "/tmp/.x", Time: "2024-03-14T03:00:00Z"}, {What: "emptied a log", Path: "/var/log/btmp", Time: "2024-03-14T02:00:00Z"}}
	var b bytes.Buffer
	if err := Write(&b, d, Options{Full: true}); err != nil {
		t.Fatal(err)
	}
	if want := "  2024-03-14 02:00:00Z emptied a log /var/log/btmp\n  2024-03-14 03:00:00Z bob: /tmp/.x hides\n  time not known       bob typed: id (/home/bob/.bash_history)\n"; !strings.Contains(b.String(), want) {
		t.Error(b.String())
	}
}
