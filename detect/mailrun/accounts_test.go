package mailrun_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/mailrun"
)

// days shows one table for each day, the first on day 0.
func days(t *testing.T, tables ...string) (out []detect.Finding) {
	t.Helper()
	f := mailrun.New().New(detecttest.Scene())
	for i, table := range tables {
		if table == "" {
			continue
		}
		for _, e := range detecttest.Events(t, table) {
			e.At = e.At.Add(time.Duration(i) * 24 * time.Hour)
			f.Observe(&e)
		}
	}
	for r := range f.Findings(t.Context()) {
		out = append(out, r)
	}
	return out
}

// from is one mail of bob's to so many recipients, from an address.
func from(hour int, ip string, recipients int) string {
	return fmt.Sprintf("%02d:00:00 mail-received mail.queue_id=Q%d%s user.name=bob source.ip=%s\n%02d:00:01 mail-queued mail.queue_id=Q%d%s mail.recipients=%d\n", hour, hour, ip, ip, hour, hour, ip, recipients)
}

func TestAnAccountUsedOtherwise(t *testing.T) {
	usual := from(9, "198.51.100.2", 2) + from(15, "198.51.100.2", 1)
	history := []string{usual, usual, usual, usual, usual, usual, usual, usual}
	abroad := from(3, "203.0.113.6", 1) + from(4, "203.0.114.6", 1) + from(5, "203.0.115.6", 1)
	phone := func(d int) string { return usual + from(12, fmt.Sprintf("203.%d.113.6", d), 1) }
	for _, tc := range []struct {
		name  string
		days  []string
		level detect.Level
		count int
	}{
		{"from three new networks", append(history, abroad), detect.Low, 1},
		{"from three new networks, to many", append(history, abroad+from(6, "203.0.116.6", 300)), detect.Medium, 1},
		{"from the usual place, to many", append(history, from(3, "198.51.100.2", 300)), detect.Low, 1},
		{"from one new place", append(history, from(3, "203.0.113.6", 1)), detect.Info, 0},
		{"a new account comes from everywhere", []string{abroad}, detect.Info, 0},
		{"on the way with a phone", []string{usual, phone(1), phone(2), phone(3), phone(4), phone(5), phone(6), phone(7), phone(8), phone(9) + from(13, "203.77.1.1", 1) + from(14, "203.78.1.1", 1)}, detect.Info, 0},
		{"on the way, four networks on one day", []string{usual, phone(1), phone(2), usual, phone(4), usual, usual, phone(7), phone(8), phone(9) + from(13, "203.77.1.1", 1) + from(14, "203.78.1.1", 1) + from(15, "203.79.1.1", 1), phone(10), phone(11)}, detect.Info, 0},
		{"who often writes to many", []string{from(1, "198.51.100.2", 200), from(2, "198.51.100.2", 200), from(3, "198.51.100.2", 200), from(4, "198.51.100.2", 200), usual, usual, usual, from(5, "198.51.100.2", 300)}, detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(days(t, tc.days...), detect.MailAccount)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}

// through is n mails of a client that did not log in, to so many domains, handed on to relay.
func through(ip string, n, domains int, relay string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "03:00:00 mail-received mail.queue_id=R%d%s source.ip=%s\n03:00:01 mail-delivered mail.queue_id=R%d%s mail.to=x@%s-%d.example mail.relay=%s mail.status=sent\n", i, ip, ip, i, ip, ip, i%domains, relay)
	}
	return b.String()
}

func TestRelay(t *testing.T) {
	const mx = "mx.example.net[203.0.113.99]:25"
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"a stranger's mail for strangers", through("203.0.113.6", 20, 20, mx), detect.Medium, 1},
		{"of strangers everywhere", through("203.0.113.6", 20, 20, mx) + through("203.0.114.6", 20, 20, mx) + through("203.0.115.6", 20, 20, mx), detect.High, 3},
		{"of the own network", through("10.0.0.6", 20, 20, mx), detect.Info, 0},
		{"forwarded to one's other address", through("203.0.113.6", 20, 1, mx), detect.Info, 0},
		{"for this server's users", through("203.0.113.6", 20, 20, "local"), detect.Info, 0},
		{"through a filter", through("203.0.113.6", 20, 20, "127.0.0.1[127.0.0.1]:10024"), detect.Info, 0},
		{"a gateway for others, whose senders are many", strings.ReplaceAll(through("203.0.113.6", 20, 6, mx), "x@203.0.113.6-", "x@d") + strings.ReplaceAll(through("203.0.114.6", 20, 6, mx), "x@203.0.114.6-", "x@d"), detect.Info, 0},
		{"refused", strings.Repeat(`03:00:00 mail-rejected source.ip=203.0.113.6 mail.to=x@y mail.reason="554 5.7.1 <x@y>: Relay access denied"`+"\n", 12), detect.Low, 1},
		{"refused once", `03:00:00 mail-rejected source.ip=203.0.113.6 mail.to=x@y mail.reason="554 5.7.1 <x@y>: Relay access denied"`, detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, mailrun.New(), detecttest.Scene(), tc.events), detect.Relayed)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestARunNamesWhoWasThere has a run, and a phone's network of an earlier day.
func TestARunNamesWhoWasThere(t *testing.T) {
	run := strings.ReplaceAll(strings.ReplaceAll(burst, "mail-submitted", "mail-received"), "user.id=33", "source.ip=203.0.113.6 user.name=bob")
	got := detecttest.Of(days(t, from(9, "198.51.100.2", 1), from(9, "203.0.200.7", 1), "", from(9, "198.51.100.2", 1)+run, from(9, "198.51.100.2", 1)), detect.MailRun)
	if len(got) != 1 || got[0].Level != detect.High || len(got[0].Sources) != 2 || got[0].Sources[0] != "203.0.113.6" || got[0].Sources[1] != "198.51.100.2" {
		t.Errorf("%+v", got)
	}
}
