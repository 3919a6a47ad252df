package markdown

import (
	"bytes"
	"strings"
	"testing"

	"telltale/report"
	"telltale/story"
)

func TestHostileTextIsInert(t *testing.T) {
	bad := "`` [click](http://203.0.113.6) ![x](y) <b>\n# heading | cell \x1b[31m"
	d := &report.Document{}
	d.Verdict.Status, d.Verdict.Summary = story.Compromised, bad
	d.Actions = []story.Action{{What: bad, Path: bad, Account: bad}}
	d.Claims = []story.Claim{{ID: "c1", Text: bad, For: []story.Quotation{{Source: "s1", Path: bad, Quote: bad}}}}
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	if strings.Contains(out, "\n# heading") || strings.Contains(out, "\x1b") {
		t.Errorf("evidence makes headings or steers a terminal:\n%s", out)
	}
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "``") && strings.Contains(strings.ReplaceAll(line, `\[`, ""), "[click](") {
			t.Errorf("evidence makes a link: %s", line)
		}
	}
}

func TestCode(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "`a`", "a`b": "``a`b``", "`": "`` ` ``", "a|b": "`a\\x7cb`"} {
		if got := code(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
