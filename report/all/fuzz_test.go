package all

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"telltale/report"
	"telltale/report/reporttest"
)

// FuzzWords puts the same words everywhere that evidence may put some, and looks whether they come to life in any format.
func FuzzWords(f *testing.F) {
	for _, s := range []string{reporttest.Words, "", "=1+1", "' OR '1'='1", "a\nb", "`|`", "]]>", "http://x/'", "203.0.113.6", "2001:db8::1", "tcp to 203.0.113.6:443 x", "T1059", "/tmp/x", "..", "/", "CVE-2021-1", "external", "account", "web-shell", "download", "\xff\xfe", "2024-01-02T03:04:05Z", "99999-01-01T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, words string) {
		if len(words) > 300 {
			return
		}
		d := reporttest.Compromised(words)
		d.Goal = report.Goals()[len(words)%len(report.Goals())]
		for _, x := range Formats() {
			var b bytes.Buffer
			if err := x.Write(&b, d); err != nil {
				t.Fatal(err)
			}
			alive(t, x.Name, b.String())
		}
	})
}

func alive(t *testing.T, format, out string) {
	if format != "json" && reporttest.Steers(out) {
		t.Errorf("%s steers a terminal", format)
	}
	switch format {
	case "json", "stix", "navigator":
		if !json.Valid([]byte(out)) {
			t.Errorf("%s is no JSON", format)
		}
	case "html":
		if low := strings.ToLower(out); strings.Contains(low, "<script") || strings.Contains(low, "<img") || strings.Contains(low, `href="j`) {
			t.Errorf("the page has come to life")
		}
	case "indicators":
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil {
			t.Error(err)
		}
		for _, r := range rows {
			for _, cell := range r {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					t.Errorf("the cell %q is a formula", cell)
				}
			}
		}
	}
}
