package story

import (
	"fmt"
	"testing"

	"telltale/detect"
)

// TestRewriting: pages that clients of many networks fetch and put back with one account are no person's work; a site that is deployed, or edited from one place, is.
func TestRewriting(t *testing.T) {
	put := func(ip, mechanism, when string) detect.Finding {
		return detect.Finding{Detection: "D28", What: detect.Upload, Level: detect.Low, Service: "vsftpd", Account: "bob", Source: ip, Path: "/www/index.html", Mechanism: mechanism, First: at(when), Last: at(when), Count: 1, Title: "bob wrote /www/index.html from " + ip, For: quote("/var/log/vsftpd.log")}
	}
	many := func(n int, mechanism string) (out []detect.Finding) {
		for i := range n {
			out = append(out, put(fmt.Sprintf("198.18.%d.7", i), mechanism, fmt.Sprintf("03:0%d:00", i)))
		}
		return out
	}
	for _, tc := range []struct {
		name     string
		findings []detect.Finding
		want     string
	}{
		{"many networks fetch and put back", many(6, "rewritten"), Compromised},
		{"a site is deployed from many machines", many(6, ""), Clean},
		{"from home and from the office", many(2, "rewritten"), Clean},
	} {
		s := Build(t.Context(), tc.findings, full())
		if s.Verdict.Status != tc.want || tc.want == Compromised && (len(s.Entry) != 1 || s.Entry[0].Vector != "ftp-password" || s.Entry[0].Account != "bob") {
			t.Errorf("%s: %s %+v", tc.name, s.Verdict.Status, s.Entry)
		}
	}
}
