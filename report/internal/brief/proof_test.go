package brief

import (
	"strings"
	"testing"

	"telltale/report"
	"telltale/story"
)

// TestProof: what is shown for a way in names who came in, and is its own line, not that of what it led to.
func TestProof(t *testing.T) {
	quotes := func(list ...string) (out []story.Quotation) {
		for _, q := range list {
			out = append(out, story.Quotation{Quote: q})
		}
		return out
	}
	for name, tc := range map[string]struct {
		vector, source string
		quotes         []story.Quotation
		want           string
	}{
		"an upload by ftp":         {"ftp-password", "203.0.113.6", quotes(`OK UPLOAD: Client "::ffff:203.0.113.6", "/x.php"`, "inode 3 file", "203.0.113.6 GET /x.php", "*/9 * * * * /tmp/.x"), `OK UPLOAD: Client "::ffff:203.0.113.6", "/x.php"`},
		"a guessed password":       {"ssh-password-guessed", "203.0.113.6", quotes("Failed password for bob from 203.0.113.6 port 1", "Accepted password for bob from 203.0.113.6 port 2", `type 7 pid 1 user "bob"`), "Accepted password for bob from 203.0.113.6 port 2"},
		"used by another, too":     {"web-upload", "203.0.113.21", quotes("203.0.113.21 POST /upload.php", "203.0.113.210 GET /x.php"), "203.0.113.21 POST /upload.php"},
		"the beginning of another": {"ssh-key", "203.0.113.21", quotes("203.0.113.21 is in", "203.0.113.210 is in", "1203.0.113.21 is in"), "203.0.113.21 is in"},
		"by a package":             {"supply-chain", "", quotes("install x", "* * * * * root /tmp/.x"), "install x"},
		"only records":             {"ssh-key", "203.0.113.6", quotes("type 7 a", "type 7 b"), "type 7 b"},
	} {
		e := &story.Entry{Vector: tc.vector}
		if tc.source != "" {
			e.Sources = []string{tc.source}
		}
		if got := Proof(e, tc.quotes); got == nil || got.Quote != tc.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if Proof(&story.Entry{}, nil) != nil {
		t.Error("something speaks out of nothing")
	}
}

// TestCanItGoBack: the question is answered, whatever the verdict is.
func TestCanItGoBack(t *testing.T) {
	yes := true
	for want, v := range map[string]story.Verdict{
		"Yes, as far":          {Status: story.Clean},
		"That cannot be told":  {Status: string(story.CannotTell)},
		"Root is lost":         {Status: story.Compromised, Root: &yes, Confidence: story.Likely},
		"unless somebody":      {Status: story.Compromised, Root: &yes, Confidence: story.Possible},
		"Rebuild the machine":  {Status: story.Compromised},
		"no sign that anybody": {Status: story.Attacked},
	} {
		if got := rootWords(&report.Document{Story: story.Story{Verdict: v}}); !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", v, got, want)
		}
	}
}
