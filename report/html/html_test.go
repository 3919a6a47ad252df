package html

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"telltale/internal/golden"
	"telltale/report"
	"telltale/report/reporttest"
	"telltale/story"
)

func render(t testing.TB, d *report.Document) string {
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHostileTextIsInert(t *testing.T) {
	d := *reporttest.Hostile()
	d.Verdict.Status, d.Claims[1].ID = story.Compromised, "c1"                           // so that the figures and a link are drawn
	d.Entry[0].First, d.Actions[0].Time = "2024-01-02T03:04:05Z", "2024-01-02T03:05:05Z" // so that the timeline is drawn
	page := render(t, &d)
	for _, bad := range []string{"<script", "<img", "onerror=1>", "href=\"javascript", "href=\"http", "\xff"} {
		if i := strings.Index(strings.ToLower(page), bad); i >= 0 {
			t.Errorf("the page holds %q: ...%s...", bad, page[max(0, i-80):min(len(page), i+80)])
		}
	}
	for i, r := range page {
		if unicode.IsControl(r) && r != '\n' || unicode.In(r, unicode.Cf) || r == utf8.RuneError {
			t.Fatalf("the page holds %U: ...%q...", r, page[max(0, i-80):min(len(page), i+80)])
		}
	}
	for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !regexp.MustCompile(`^#[a-z0-9]+$`).MatchString(m[1]) {
			t.Errorf("a link leads to %q", m[1])
		}
	}
	if n := strings.Count(page, "&lt;script&gt;"); n < 50 {
		t.Errorf("the text itself is shown only %d times", n)
	}
}

func TestThePolicyFitsTheStyleAndNothingComesFromElsewhere(t *testing.T) {
	var d report.Document
	page := render(t, &d)
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	if got := strings.ReplaceAll(page, "&#43;", "+"); !strings.Contains(got, want) {
		t.Errorf("the policy does not allow the page's own style (%s)", want)
	}
	for _, bad := range []string{"http://", "https://", " style=", " src=", "url(", "@import", "<script", "<link", "<iframe", "<object"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if !strings.Contains(page, "default-src &#39;none&#39;") && !strings.Contains(page, "default-src 'none'") {
		t.Error("the policy lets something in")
	}
}

// TestEveryLinkLeadsSomewhere also finds an id that stands twice.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	page := render(t, example())
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]]++; ids[m[1]] > 1 {
			t.Errorf("id %q stands twice", m[1])
		}
	}
	links := regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1)
	for _, m := range links {
		if ids[m[1]] == 0 {
			t.Errorf("a link leads to %q, which is not there", m[1])
		}
	}
	if len(links) < 20 {
		t.Errorf("only %d links", len(links))
	}
}

func TestProse(t *testing.T) {
	v := newView(&report.Document{Story: story.Story{Claims: []story.Claim{{ID: "c3"}, {ID: "c30"}, {ID: "x\" onclick=1"}}}})
	for in, want := range map[string]string{
		"":                    "",
		"c3":                  `<a href="#c3">c3</a>`,
		"as c3 and (c30) say": `as <a href="#c3">c3</a> and (<a href="#c30">c30</a>) say`,
		"c3, c30.":            `<a href="#c3">c3</a>, <a href="#c30">c30</a>.`,
		"c4 c c33 abc3 c3x":   "c4 c c33 abc3 c3x", // claims that are not there, and words
		"/tmp/c3":             "/tmp/c3",
		`<b> x" onclick=1 c3`: `&lt;b&gt; x&#34; onclick=1 <a href="#c3">c3</a>`,
		"\u202ec3\x1b[m":      `\u{202e}c3\x1b[m`,
	} {
		if got := string(v.prose(in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestWhatIsLeftOutIsTold fills the lists over what the page shows.
func TestWhatIsLeftOutIsTold(t *testing.T) {
	d := &report.Document{}
	d.Actions = make([]story.Action, maxActions+7)
	d.Findings = make([]story.Finding, maxFindings+9)
	d.Claims = []story.Claim{{ID: "c1", Text: strings.Repeat("é", maxText+5), For: make([]story.Quotation, maxQuotes+3)}}
	page := render(t, d)
	for _, want := range []string{"7 more are not shown here; report.json holds all 407", "9 more are not shown here; report.json holds all 2009", "3 more are not shown", "… (10 bytes more)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestNothingAtAll(t *testing.T) {
	page := render(t, &report.Document{})
	if !strings.HasSuffix(strings.TrimSpace(page), "</html>") || strings.Contains(page, "<svg") || strings.Contains(page, "How they got in") {
		t.Errorf("%s", page)
	}
}

func TestExample(t *testing.T) {
	d := example()
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/document.json", append(b, '\n'))
	golden.Equal(t, "testdata/report.html", []byte(render(t, d)))
}
