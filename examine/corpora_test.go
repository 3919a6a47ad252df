package examine_test

import (
	"os"
	"testing"

	"telltale/lab/corpora"
)

// TestFail2banSamples reads the samples of fail2ban, which are labelled with the address and time of each failure. They are under the GPL
// and so not kept here: lab/fail2ban-logs.sh fetches them, TELLTALE_FAIL2BAN names their folder.
func TestFail2banSamples(t *testing.T) {
	dir := os.Getenv("TELLTALE_FAIL2BAN")
	if dir == "" {
		t.Skip("set TELLTALE_FAIL2BAN to the folder that lab/fail2ban-logs.sh filled")
	}
	samples, err := corpora.Read(corpora.Folders{Fail2ban: dir})
	if err != nil {
		t.Fatal(err)
	}
	vs, err := corpora.Measure(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vs {
		if v.Outcome != corpora.Right && v.Outcome != corpora.Apart {
			t.Logf("%s: %s: %s: %s", v.From, v.Outcome, v.Why, v.Text)
		}
	}
	rows, all, _ := corpora.Tabulate(vs)
	for _, r := range append(rows, all) {
		t.Logf("%-20s %d lines: %d right, %d wrong, %d missed; %d negatives: %d accused; %d apart", r.Service, r.Lines, r.Right, r.Wrong, r.Missed, r.Negatives, r.Accused, r.Apart)
	}
	if !all.Passes() || all.Lines < 450 {
		t.Errorf("%.1f %% of %d lines right, %d accused", 100*all.Share(), all.Lines, all.Accused)
	}
}
