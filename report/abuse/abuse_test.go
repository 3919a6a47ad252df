package abuse

import (
	"bytes"
	"strings"
	"testing"

	"telltale/internal/golden"
	"telltale/report"
	"telltale/report/reporttest"
	"telltale/story"
)

func render(t testing.TB, d *report.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExample(t *testing.T) {
	golden.Equal(t, "testdata/abuse.txt", []byte(render(t, reporttest.Example(t))))
}

func TestHostileTextIsInert(t *testing.T) {
	for _, words := range []string{reporttest.Words, "a\n\nTo: somebody", "\r\nBcc: x"} {
		d := reporttest.Compromised(words)
		for i := range d.Actors {
			d.Actors[i].Origin, d.Actors[i].Sources = "external", []string{"203.0.113.6", words}
		}
		out := render(t, d)
		if reporttest.Steers(out) || strings.Contains(out, "\nTo: somebody") || strings.Contains(out, "\nBcc") {
			t.Errorf("%q: the report holds lines of the intruder's:\n%s", words, out)
		}
	}
}

func TestWhoIsWrittenTo(t *testing.T) {
	d := reporttest.Example(t)
	d.Actors[0].Sources = []string{"203.0.113.66", "203.0.113.67", "198.51.100.8"}
	d.Actors[1].Origin = "near"
	out := render(t, d)
	if n := strings.Count(out, "\nTo: "); n != 2 {
		t.Errorf("%d reports, want one for the network that is known and one for the address of which none is", n)
	}
	if strings.Contains(out, "198.51.100.7\n") {
		t.Error("a near address is reported to its network")
	}
	for _, status := range []string{story.Clean, string(story.CannotTell), ""} {
		d.Verdict.Status = status
		if out := render(t, d); !strings.HasPrefix(out, "There is nobody to write to") {
			t.Errorf("%q: %s", status, out)
		}
	}
}

func TestNames(t *testing.T) {
	for line, want := range map[string]bool{
		"from 203.0.113.6 port 1": true, "203.0.113.6": true, "[203.0.113.6]": true, "rhost=203.0.113.6.": true, "::ffff:203.0.113.6 x": true, "203.0.113.6:22": true,
		"from 203.0.113.66": false, "1203.0.113.6": false, "1.203.0.113.6": false, "203.0.113.6.5": false, "": false,
	} {
		if got := names(line, "203.0.113.6"); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestNoPasswordAndNoNameOfOurs(t *testing.T) {
	d := reporttest.Example(t)
	d.Claims[0].For[0].Quote = "203.0.113.66 POST /login?user=alice&password=hunter2"
	out := render(t, d)
	if strings.Contains(out, "hunter2") {
		t.Error("a password is sent to strangers")
	}
	if !strings.Contains(out, "accepted the password of [account] from 203.0.113.66") {
		t.Errorf("our own sentence names a user of ours:\n%s", out)
	}
}
