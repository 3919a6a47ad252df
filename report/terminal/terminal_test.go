package terminal

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"telltale/report"
	"telltale/story"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain äöü 日本":       "plain äöü 日本",
		"\x1b[31mred\x1b[0m": `\x1b[31mred\x1b[0m`,
		"a\rb\nc\td":         `a\x0db\nc d`,
		"\u202eevil":         `\u{202e}evil`,
		"\u009b31m":          `\x9b31m`,
		"\u200bzero\ufeff":   `\u{200b}zero\u{feff}`,
		"bad \xff\xfe utf-8": `bad \u{fffd}\u{fffd} utf-8`,
	} {
		if got := Escape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func document() *report.Document {
	yes := true
	d := &report.Document{}
	d.Verdict = story.Verdict{Status: story.Compromised, Confidence: story.Confirmed, Root: &yes, Summary: strings.Repeat("They got in and did a number of things. ", 5)}
	d.Entry = []story.Entry{{Vector: "ssh-password-guessed", Status: story.Confirmed, Account: "bob\x1b[2J", Sources: []string{"203.0.113.6"}, First: "2024-01-02T03:04:05.123Z", Claims: []string{"c1"}}}
	d.Claims = []story.Claim{{ID: "c1", Text: "claim", For: []story.Quotation{{Source: "s1", Path: "ext4:/var/log/auth.log", Line: 5, Quote: "Accepted password for bob\x1b]0;title\x07"}}}}
	for range 30 {
		d.Persistence = append(d.Persistence, story.Persistence{Mechanism: "cron", Path: "/etc/cron.d/" + strings.Repeat("x", 200), Runs: "y", As: "root"})
		d.DoNow = append(d.DoNow, story.Step{Step: "do something that takes a while to say in words", Order: 1})
		d.Unknown = append(d.Unknown, "something")
	}
	return d
}

func TestTheFirstScreenIsAScreen(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, document(), Options{Width: 80, Case: "case/report.html"}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	if len(lines) > 45 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if utf8.RuneCountInString(l) > 100 {
			t.Errorf("a line of %d characters: %s", utf8.RuneCountInString(l), l)
		}
	}
	if strings.ContainsAny(b.String(), "\x1b\x07") {
		t.Error("text from evidence steers the terminal")
	}
	if !strings.HasPrefix(b.String(), " COMPROMISED ") {
		t.Errorf("the verdict does not stand first: %q", lines[0])
	}
}

func TestColourIsOnlyOurs(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, document(), Options{Colour: true, Full: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[1;41;97m COMPROMISED \x1b[0m") {
		t.Error("the verdict has no colour")
	}
	if strings.Contains(b.String(), "\x1b[2J") || strings.Contains(b.String(), "\x1b]0") {
		t.Error("text from evidence steers the terminal")
	}
}
