package story

import (
	"slices"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/complaint"
	"telltale/evidence"
)

// TestComplaints: the account and script are a fact; whose hand they were in is said only where a way in leads there.
func TestComplaints(t *testing.T) {
	mail := detect.Finding{Detection: "D80", What: detect.Traced, Key: "0", Mechanism: "mail", Method: "local", Rung: evidence.Effect, Account: "www-data", Count: 1, Views: []string{"AAAA1111BB"}, First: at("03:00:05"), Last: at("03:00:05"),
		When: []evidence.Time{at("03:00:04")}, For: quote("/var/log/mail.log")}
	shell := with(script("/var/www/html/uploads/x.php", "www-data", "203.0.113.6", "02:59:00", "03:00:00", "03:00:03"), func(f *detect.Finding) { f.Level = detect.Critical })
	page := script("/var/www/html/contact.php", "bob", "198.51.100.77", "02:00:00", "03:00:03")
	sasl := with(mail, func(f *detect.Finding) { f.Method, f.Account, f.Sources = "sasl", "bob", []string{"203.0.113.6"} })
	for _, tc := range []struct {
		name, asked   string
		status        Status
		account, path string
		entry         string
		says, saysNot string
		missing       bool
		findings      []detect.Finding
	}{
		{"by an intruder's script", "victim@example.com", Confirmed, "www-data", "/var/www/html/uploads/x.php", "web-exploit", "in the hand of whoever came in", "", false, []detect.Finding{mail, shell, page}},
		{"by a page of the site, once", "victim@example.com", Confirmed, "www-data", "", "", "before anybody is blamed", "198.51.100.77", false, []detect.Finding{mail, page}},
		{"by a script that the mail's own header names", "X-PHP-Originating-Script: 33:contact.php\nReceived: from web1\nTo: victim@example.com\nDate: Tue, 02 Jan 2024 03:00:04 +0000\nSubject: offer\n\nbuy", Confirmed, "www-data", "/var/www/html/contact.php", "", "as a header of the mail itself tells", "198.51.100.77", false, []detect.Finding{mail, page}},
		{"by an account that nobody else is seen to use", "victim@example.com", Confirmed, "bob", "", "", "before anybody is blamed", "came in before", false, []detect.Finding{sasl}},
		{"by two accounts, of which the complaint tells none", "victim@example.com", Possible, "bob", "", "", "Mail of amy fits as well", "came in before", true, []detect.Finding{sasl, with(sasl, func(f *detect.Finding) { f.Account, f.Sources = "amy", []string{"198.51.100.2"} })}},
		{"by the owner, from elsewhere than the intruder", "victim@example.com", Confirmed, "bob", "", "", "No way in", "in the hand of", false,
			[]detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), with(sasl, func(f *detect.Finding) { f.Sources = []string{"198.51.100.9"} })}},
		{"by the owner and by the intruder", "victim@example.com", Confirmed, "bob", "", "ssh-password-guessed", "what 198.51.100.9 handed in may be the owner's own", "in the hand of", false,
			[]detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), with(sasl, func(f *detect.Finding) { f.Sources = []string{"198.51.100.9", "203.0.113.6"} })}},
		{"a sender that may be forged", "bob@example.net", Possible, "bob", "", "", "names a sender", "came in before", true, []detect.Finding{with(sasl, func(f *detect.Finding) { f.Mechanism, f.Rung = "sender", evidence.Accepted })}},
		{"nothing fits", "victim@example.com", CannotTell, "", "", "", "Nothing that was read fits", "", true, nil},
		{"a run of mail at that time", "2024-01-02 03:00 +0000", Possible, "www-data", "", "", "no line says", "came in before", true, []detect.Finding{mailed("03:00:01", "03:00:02", "03:00:09")}},
		{"a run of mail at another time", "2024-01-02 08:00 +0000", CannotTell, "", "", "", "Nothing", "", true, []detect.Finding{mailed("03:00:01", "03:00:02", "03:00:09")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := complaint.Parse(tc.asked, nil)
			if err != nil {
				t.Fatal(err)
			}
			set := full()
			set.Complaints = []complaint.Complaint{c}
			s := Build(t.Context(), tc.findings, set)
			check(t, &s)
			if len(s.Complaints) != 1 {
				t.Fatalf("%+v", s.Complaints)
			}
			x := s.Complaints[0]
			if x.Status != tc.status || x.Account != tc.account || x.Script != tc.path || x.Entry != tc.entry || !strings.Contains(x.Answer, tc.says) || tc.saysNot != "" && strings.Contains(x.Answer, tc.saysNot) || (len(x.Missing) > 0) != tc.missing {
				t.Errorf("%+v", x)
			}
			if x.Status != CannotTell && len(x.Claims) == 0 {
				t.Error("an answer without a claim")
			}
			for _, id := range x.Claims {
				if !slices.ContainsFunc(s.Claims, func(c Claim) bool { return c.ID == id }) {
					t.Errorf("no claim %s", id)
				}
			}
		})
	}
}
