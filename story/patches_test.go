package story

import (
	"slices"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// fault is a version that has one.
func fault(name, service, how, cve string) detect.Finding {
	return detect.Finding{Detection: "D81", What: detect.Vulnerable, Title: name + " has a known fault", Package: name, Detail: "1.0", Service: service, As: how, Sources: []string{cve}, Method: "1.1", Mechanism: "known-exploited", Agent: "Product " + name, Runs: "run code", Count: 1,
		Accounts: []string{"DSA-1"}, For: quote("/var/lib/dpkg/status")}
}

// broke is a break-in through a script of the web: the request that asked for a fault, and the script that came of it.
func broke(mechanism string) []detect.Finding {
	script := detect.Finding{Detection: "D08", What: detect.WebUpload, Title: "a script", Path: "/var/www/html/wp-content/plugins/files/x.php", Level: detect.Critical, Rung: evidence.Effect, Service: "web", Source: "203.0.113.6", Sources: []string{"203.0.113.6"},
		First: at("03:04:05"), Last: at("03:05:00"), When: []evidence.Time{at("03:04:05")}, Count: 2, Detail: "born behind a request", For: quote("/var/log/apache2/access.log")}
	ask := detect.Finding{Detection: "D10", What: detect.WebAttack, Title: "tried", Mechanism: mechanism, Level: detect.High, Rung: evidence.Attempt, Service: "web", Source: "203.0.113.6", Sources: []string{"203.0.113.6"}, When: []evidence.Time{at("03:04:00")},
		First: at("03:04:00"), Last: at("03:04:00"), Count: 1, For: quote("/var/log/apache2/access.log")}
	return []detect.Finding{script, ask}
}

func TestPatches(t *testing.T) {
	web := fault("plugin", "web", "remote", "CVE-2020-25213")
	left := fault("plugin", "web", "remote", "CVE-2020-99999")
	left.Views = []string{"under:/plugins/files/"}
	before, after, inbetween := web, web, web
	before.Last, after.First, inbetween.Last = at("02:00:00"), at("05:00:00"), at("06:00:00")
	doubted := fault("exim4", "exim", "remote", "CVE-2019-10149")
	doubted.Explained = "distributions mend faults"
	idle := fault("libtiff", "", "", "CVE-2023-1")
	for _, c := range []struct {
		what    string
		events  []detect.Finding
		patches []string
		cve     string
	}{
		{"asked for by who came in", append(broke("the file manager plugin (CVE-2020-25213)"), web), []string{"plugin exploited"}, "CVE-2020-25213"},
		{"asked for another fault", append(broke("something else (CVE-2020-252130)"), web), []string{"plugin exposed"}, ""},
		{"left what its use leaves", append(broke("nothing"), left), []string{"plugin exploited"}, "CVE-2020-99999"},
		{"two were asked for", append(append(broke("(CVE-2020-25213)"), broke("(CVE-2020-77777)")[1]), web, fault("other", "web", "remote", "CVE-2020-77777")), []string{"plugin exposed", "other exposed"}, ""},
		{"two were asked for, and one left its marks", append(append(broke("(CVE-2020-25213)"), broke("(CVE-2020-77777)")[1]), left, fault("other", "web", "remote", "CVE-2020-77777")), []string{"plugin exploited", "other exposed"}, "CVE-2020-99999"},
		{"mended before", append(broke("(CVE-2020-25213)"), before), nil, ""},
		{"came after", append(broke("(CVE-2020-25213)"), after), nil, ""},
		{"mended after", append(broke("(CVE-2020-25213)"), inbetween), []string{"plugin exploited"}, "CVE-2020-25213"},
		{"it cannot be told", append(broke("nothing"), doubted), nil, ""},
		{"no way in", append(broke("nothing"), idle), nil, ""},
		{"remote ones first", append(broke("nothing"), fault("sudo", "", "local", "CVE-2021-3156"), web), []string{"plugin exposed", "sudo exposed"}, ""},
		{"nobody came in", []detect.Finding{web, inbetween}, []string{"plugin exposed"}, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			bare := Build(t.Context(), slices.DeleteFunc(slices.Clone(c.events), func(f detect.Finding) bool { return f.What == detect.Vulnerable }), full())
			s := Build(t.Context(), c.events, full())
			check(t, &s)
			var got []string
			for _, p := range s.Patches {
				got = append(got, p.Software+" "+p.Status)
				if len(p.Claims) == 0 {
					t.Errorf("%s rests on nothing", p.Software)
				}
			}
			if !slices.Equal(got, c.patches) {
				t.Errorf("got %q, want %q", got, c.patches)
			}
			if s.Verdict != bare.Verdict && (s.Verdict.Status != bare.Verdict.Status || s.Verdict.Summary != bare.Verdict.Summary) || len(s.Entry) != len(bare.Entry) {
				t.Errorf("a missing patch changed the verdict: %+v, without it %+v", s.Verdict, bare.Verdict)
			}
			if len(s.Entry) > 0 && (strings.Join(s.Entry[0].CVE, " ") != c.cve || s.Entry[0].Vector != bare.Entry[0].Vector || s.Entry[0].Status != bare.Entry[0].Status) {
				t.Errorf("the way in: %+v", s.Entry[0])
			}
		})
	}
}

// TestUndecided: what cannot be told is told as such, where somebody came in.
func TestUndecided(t *testing.T) {
	f := fault("exim4", "exim", "remote", "CVE-2019-10149")
	f.Explained = "distributions mend faults"
	s := Build(t.Context(), append(broke("nothing"), f), full())
	if !slices.ContainsFunc(s.Unknown, func(u string) bool { return strings.Contains(u, "exim4 1.0 (CVE-2019-10149): distributions") }) {
		t.Errorf("%q", s.Unknown)
	}
	if s = Build(t.Context(), []detect.Finding{f}, full()); slices.ContainsFunc(s.Unknown, func(u string) bool { return strings.Contains(u, "exim4") }) {
		t.Errorf("nobody came in, and yet %q", s.Unknown)
	}
}
