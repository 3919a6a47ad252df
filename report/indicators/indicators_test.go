package indicators

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"telltale/internal/golden"
	"telltale/report"
	"telltale/report/internal/held"
	"telltale/report/reporttest"
	"telltale/story"
)

func render(t testing.TB, d *report.Document) ([]byte, [][]string) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), rows
}

func TestExample(t *testing.T) {
	raw, _ := render(t, reporttest.Example(t))
	golden.Equal(t, "testdata/indicators.csv", raw)
	for _, innocent := range []string{"backup-home", "backup.example", "db1.example", "10.0.0.9", "10.0.0.5"} {
		if bytes.Contains(raw, []byte(innocent)) {
			t.Errorf("%s is named, and nothing is held against it", innocent)
		}
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	for _, words := range []string{`=HYPERLINK("http://x","y")`, "+1", "-1+cmd|'/C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "a\",\"b\n=1", reporttest.Words} {
		raw, rows := render(t, reporttest.Compromised(words))
		if reporttest.Steers(string(raw)) {
			t.Errorf("%q: the table steers a terminal", words)
		}
		if len(rows) < 5 {
			t.Fatalf("%q: %d rows", words, len(rows))
		}
		for _, r := range rows {
			for _, cell := range r {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					t.Errorf("%q: the cell %q is a formula", words, cell)
				}
			}
		}
	}
}

func TestNobodyBlocksHisOwnNetwork(t *testing.T) {
	d := &report.Document{}
	d.Verdict.Status = story.Compromised
	d.Claims = []story.Claim{{ID: "c1", Status: story.Confirmed}, {ID: "c2", Status: story.Possible}, {ID: "c3", Status: story.RuledOut}}
	for i, a := range []story.Actor{
		{Sources: []string{"203.0.113.1"}, Origin: "external", Claims: []string{"c1"}},
		{Sources: []string{"203.0.113.2"}, Origin: "external", Claims: []string{"c2"}},
		{Sources: []string{"203.0.113.3"}, Origin: "near", Claims: []string{"c1"}},
		{Sources: []string{"10.0.0.4"}, Origin: "external", Claims: []string{"c1"}}, // whatever the story says
		{Sources: []string{"::ffff:192.168.0.5"}, Origin: "external", Claims: []string{"c1"}},
		{Sources: []string{"100.64.0.6"}, Origin: "external", Claims: []string{"c1"}},
		{Sources: []string{"host7.example"}, Origin: "external", Claims: []string{"c1"}},
		{Sources: []string{"203.0.113.8"}, Origin: "external", Claims: []string{"c3"}},
		{Sources: []string{"203.0.113.9"}, Claims: []string{"c1"}},
	} {
		d.Actors = append(d.Actors[:0], a)
		_, rows := render(t, d)
		got := ""
		if len(rows) == 2 {
			got = rows[1][7]
		}
		if want := []string{held.Yes, held.Ask, held.No, held.No, held.No, held.No, held.Ask, "", held.Ask}[i]; got != want {
			t.Errorf("%v: block %q, want %q", a.Sources, got, want)
		}
	}
}

func TestOnlyACompromiseAccuses(t *testing.T) {
	for status, want := range map[string]int{story.Attacked: 2, story.Clean: 0, string(story.CannotTell): 0} {
		d := reporttest.Example(t)
		d.Verdict.Status = status
		if _, rows := render(t, d); len(rows)-1 != want {
			t.Errorf("%s: %d rows, want %d", status, len(rows)-1, want)
		}
	}
}

// TestEachClaimIsThere follows what a row names.
func TestEachClaimIsThere(t *testing.T) {
	d := reporttest.Example(t)
	there := map[string]bool{}
	for _, c := range d.Claims {
		there[c.ID] = true
	}
	_, rows := render(t, d)
	for _, r := range rows[1:] {
		for _, id := range strings.Fields(r[8]) {
			if !there[id] {
				t.Errorf("%s rests on %s, which is not there", r[1], id)
			}
		}
	}
}
