package complaint

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

func TestParse(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, text string
		zone       *time.Location
		from, to   string
		want       Complaint
	}{
		{"all of it", "2024-03-14 02:15 +0100, 192.0.2.7, victim@Example.com", nil, "2024-03-14T01:05:00Z", "2024-03-14T01:25:00Z", Complaint{Addresses: []string{"192.0.2.7"}, Mailboxes: []string{"victim@example.com"}}},
		{"as a mail writes it", "Thu, 14 Mar 2024 02:15:00 +0100 (CET); [192.0.2.7]:25", nil, "2024-03-14T01:05:00Z", "2024-03-14T01:25:00Z", Complaint{}},
		{"as a web server writes it", "14/Mar/2024:02:15:00 +0100 example.org", nil, "", "", Complaint{Domains: []string{"example.org"}}},
		{"no zone", "2024-03-14 02:15", nil, "2024-03-13T12:05:00Z", "2024-03-14T16:25:00Z", Complaint{Zoneless: true}},
		{"no zone, but one is given", "2024-03-14 02:15", berlin, "2024-03-14T01:05:00Z", "2024-03-14T01:25:00Z", Complaint{}},
		{"a day", "2024-03-14", time.UTC, "2024-03-14T00:00:00Z", "2024-03-15T00:00:00Z", Complaint{}},
		{"two times", "2024-03-14T02:00:00Z, 2024-03-14T03:00:00Z", nil, "2024-03-14T01:50:00Z", "2024-03-14T03:10:00Z", Complaint{}},
		{"a queue id and an address with a port", "3102B9C5AA, 203.0.113.9:25", nil, "", "", Complaint{Addresses: []string{"203.0.113.9"}, QueueIDs: []string{"3102B9C5AA"}}},
		{"Exim's queue id", "1abcDE-000123-AB", nil, "", "", Complaint{QueueIDs: []string{"1abcDE-000123-AB"}}},
		{"IPv6, mapped, with words between", "from ::ffff:203.0.113.9 to 2001:DB8::1 please stop", nil, "", "", Complaint{Addresses: []string{"203.0.113.9", "2001:db8::1"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Parse(tc.text, tc.zone)
			if err != nil {
				t.Fatal(err)
			}
			if tc.from != "" && (c.From.UTC().Format(time.RFC3339) != tc.from || c.To.UTC().Format(time.RFC3339) != tc.to) {
				t.Errorf("from %s to %s", c.From, c.To)
			}
			if tc.from == "" && tc.name != "as a web server writes it" && !c.From.IsZero() {
				t.Errorf("a time: %s", c.From)
			}
			w := tc.want
			if w.Addresses != nil && !slices.Equal(c.Addresses, w.Addresses) || !slices.Equal(c.Mailboxes, w.Mailboxes) || !slices.Equal(c.Domains, w.Domains) || !slices.Equal(c.QueueIDs, w.QueueIDs) || c.Zoneless != w.Zoneless {
				t.Errorf("%+v", c)
			}
		})
	}
	for _, nothing := range []string{"", "please stop", "yesterday, at night", "02:15"} {
		if _, err := Parse(nothing, nil); !errors.Is(err, ErrNothing) {
			t.Errorf("%q: %v", nothing, err)
		}
	}
}

func TestParseReport(t *testing.T) {
	b, err := os.ReadFile("testdata/arf.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(b), strings.ReplaceAll(string(b), "\n", "\r\n")} {
		c, err := Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.From.UTC().Format(time.RFC3339) != "2024-03-14T01:05:07Z" || c.Zoneless || !slices.Equal(c.Addresses, []string{"192.0.2.7"}) || !slices.Equal(c.Mailboxes, []string{"victim@example.com"}) ||
			!slices.Contains(c.QueueIDs, "3102B9C5AA") || !slices.Equal(c.Scripts, []string{"mailer.php"}) {
			t.Errorf("%+v", c)
		}
	}
}

func at(s string) evidence.Time {
	x, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return evidence.At(x, time.Second)
}

func ev(k event.Kind, when string, attrs ...any) *event.Event {
	e := &event.Event{Kind: k, Ref: evidence.Ref{Source: "s1", Path: "/var/log/x"}, Raw: []byte("the line")}
	if when != "" {
		e.At = at(when)
	}
	for i := 0; i < len(attrs); i += 2 {
		e.AddText(attrs[i].(event.Key), attrs[i+1].(string))
	}
	return e
}

func found(t *testing.T, text string, events ...*event.Event) (out []detect.Finding) {
	t.Helper()
	c, err := Parse(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := New([]Complaint{c}).New(detect.Scene{Users: []detect.User{{Name: "www-data", UID: 33}}})
	for _, e := range events {
		f.Observe(e)
	}
	for x := range f.Findings(t.Context()) {
		out = append(out, x)
	}
	return out
}

func TestMail(t *testing.T) {
	sent := []*event.Event{
		ev(event.MailSubmitted, "2024-03-14T01:15:00Z", event.MailQueueID, "AAAA1111BB", event.UserID, "33", event.MailFrom, "shop@example.net"),
		ev(event.MailReceived, "2024-03-14T01:15:01Z", event.MailQueueID, "CCCC1111BB", event.UserName, "bob", event.SourceIP, "203.0.113.6"),
		ev(event.MailDelivered, "2024-03-14T01:15:02Z", event.MailQueueID, "AAAA1111BB", event.MailTo, "Victim@example.com", event.MailRelay, "mx.example.com[198.51.100.3]:25"),
		ev(event.MailDelivered, "2024-03-14T01:15:02Z", event.MailQueueID, "AAAA1111BB", event.MailTo, "victim@example.com", event.MailRelay, "mx.example.com[198.51.100.3]:25"), // a second log
		ev(event.MailDelivered, "2024-03-14T01:15:03Z", event.MailQueueID, "CCCC1111BB", event.MailTo, "other@example.org", event.MailRelay, "mx.example.org[198.51.100.4]:25"),
	}
	php := ev(event.MailSubmitted, "2024-03-14T01:15:00Z", event.FilePath, "/var/www/html/x.php")
	for _, tc := range []struct {
		name, text, account, method string
		found                       bool
	}{
		{"by recipient and time", "2024-03-14 01:15 +0000, victim@example.com", "www-data", "local", true},
		{"by the machine that took it", "198.51.100.4", "bob", "sasl", true},
		{"by queue id alone", "CCCC1111BB", "bob", "sasl", true},
		{"by the recipient's domain", "example.org", "bob", "sasl", true},
		{"by sender", "shop@example.net", "www-data", "local", true},
		{"an hour off", "2024-03-14 02:15 +0000, victim@example.com", "", "", false},
		{"another recipient", "2024-03-14 01:15 +0000, somebody@example.com", "", "", false},
		{"only a time", "2024-03-14 01:15 +0000", "", "", false},
	} {
		fs := found(t, tc.text, append(sent, php)...)
		if len(fs) == 0 != !tc.found || tc.found && (fs[0].Account != tc.account || fs[0].Method != tc.method || fs[0].Count != 1 || len(fs[0].Views) != 1 || len(fs[0].For) == 0) {
			t.Errorf("%s: %+v", tc.name, fs)
		}
		if tc.account == "www-data" && (len(fs) != 1 || fs[0].Path != "/var/www/html/x.php") {
			t.Errorf("%s: no script: %+v", tc.name, fs)
		}
	}
	if fs := found(t, "victim@example.com", sent[2]); len(fs) != 1 || fs[0].Method != "unknown" || fs[0].Account != "" {
		t.Errorf("a mail whose beginning is not told: %+v", fs)
	}
}

func TestConnections(t *testing.T) {
	out := ev(event.FirewallPacket, "2024-03-14T01:15:00Z", event.DestinationIP, "203.0.113.9", event.DestinationPort, "22", event.UserID, "33", event.NetworkDirection, "outbound")
	in := ev(event.FirewallPacket, "2024-03-14T01:15:00Z", event.DestinationIP, "203.0.113.9", event.NetworkDirection, "inbound")
	socket := ev(event.SocketSeen, "", event.DestinationIP, "203.0.113.9", event.DestinationPort, "22", event.ProcessPID, "7")
	proc := ev(event.ProcessSeen, "", event.ProcessPID, "7", event.Executable, "/tmp/.x", event.UserID, "33")
	fs := found(t, "2024-03-14 01:15 +0000, 203.0.113.9", out, in, socket, proc)
	if len(fs) != 2 || fs[0].Account != "www-data" || fs[1].Account != "www-data" {
		t.Fatalf("%+v", fs)
	}
	if i := slices.IndexFunc(fs, func(f detect.Finding) bool { return f.Pid == "7" && f.Path == "/tmp/.x" }); i < 0 {
		t.Errorf("no process: %+v", fs)
	}
	if fs := found(t, "2024-03-14 09:15 +0000, 203.0.113.9", out, in); len(fs) != 0 {
		t.Errorf("at another time: %+v", fs)
	}
}

func TestMentioned(t *testing.T) {
	for _, tc := range []struct {
		words string
		found bool
	}{
		{"curl http://203.0.113.9/x", true}, {"ssh root@203.0.113.9", true}, {"ssh 203.0.113.91", false}, {"ssh 1203.0.113.9", false}, {"ping 203.0.113.9.", true}, {"", false},
	} {
		if fs := found(t, "203.0.113.9", ev(event.ShellCommand, "", event.UserName, "bob", event.CommandLine, tc.words)); len(fs) == 1 != tc.found {
			t.Errorf("%q: %+v", tc.words, fs)
		}
	}
	if fs := found(t, "203.0.113.9", ev(event.HTTPRequest, "2024-03-14T01:15:00Z", event.SourceIP, "203.0.113.9", event.URL, "/?u=203.0.113.9")); len(fs) != 0 {
		t.Errorf("the complainant's own visit: %+v", fs)
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("testdata/arf.eml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b))
	f.Add("2024-03-14 02:15 +0100, 192.0.2.7, victim@example.com")
	f.Add("Received: from a id AAAA1111BB for <x@y>;\n z\nDate: x")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse(s, nil)
		if err == nil && c.empty() {
			t.Error("nothing in it, and no error")
		}
		for _, list := range [][]string{c.Addresses, c.Mailboxes, c.Domains, c.QueueIDs, c.Scripts} {
			if len(list) > maxItems {
				t.Errorf("%d items", len(list))
			}
		}
		if !c.From.IsZero() && c.To.Before(c.From) {
			t.Errorf("from %s to %s", c.From, c.To)
		}
	})
}

// TestNobodyElse: what would blame somebody who has nothing to do with it.
func TestNobodyElse(t *testing.T) {
	handed := func(id, when, user string) *event.Event {
		return ev(event.MailReceived, when, event.MailQueueID, id, event.UserName, user, event.SourceIP, "203.0.113.6", event.MailFrom, user+"@example.net")
	}
	left := func(id, when, to, status, relay string) *event.Event {
		return ev(event.MailDelivered, when, event.MailQueueID, id, event.MailTo, to, event.MailStatus, status, event.MailRelay, relay)
	}
	const mx = "mx.example.com[198.51.100.3]:25"
	amy, bob := handed("AAAA1111BB", "2024-01-14T01:15:00Z", "amy"), handed("AAAA1111BB", "2024-03-14T01:15:00Z", "bob")
	for _, tc := range []struct {
		name, text string
		events     []*event.Event
		want       []string // mechanism and account
	}{
		{"a queue id that was given again two months later", "2024-03-14 01:15 +0000, AAAA1111BB", []*event.Event{amy, left("AAAA1111BB", "2024-01-14T01:15:01Z", "x@example.org", "sent", mx), bob, left("AAAA1111BB", "2024-03-14T01:15:01Z", "y@example.org", "sent", mx)}, []string{"mail bob"}},
		{"a queue id without a time", "AAAA1111BB", []*event.Event{amy, left("AAAA1111BB", "2024-01-14T01:15:01Z", "x@example.org", "sent", mx), bob, left("AAAA1111BB", "2024-03-14T01:15:01Z", "y@example.org", "sent", mx)}, []string{"mail amy", "mail bob"}},
		{"a mail that never arrived", "victim@example.com", []*event.Event{amy, left("AAAA1111BB", "2024-01-14T01:15:01Z", "victim@example.com", "bounced", mx)}, nil},
		{"a mail to our own people", "admin@example.net", []*event.Event{amy, left("AAAA1111BB", "2024-01-14T01:15:01Z", "admin@example.net", "sent", "local")}, nil},
		{"a sender that may be forged", "amy@example.net, victim@example.com", []*event.Event{amy, left("AAAA1111BB", "2024-01-14T01:15:01Z", "friend@example.org", "sent", mx)}, []string{"sender amy"}},
	} {
		var got []string
		for _, f := range found(t, tc.text, tc.events...) {
			got = append(got, f.Mechanism+" "+f.Account)
			if f.Mechanism == "sender" && f.Rung >= evidence.Effect {
				t.Errorf("%s: as sure as a recipient", tc.name)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestScriptOfMost: one mail of a page at the same second does not make it the script of all others.
func TestScriptOfMost(t *testing.T) {
	events := []*event.Event{ev(event.MailSubmitted, "2024-03-14T01:15:30Z", event.FilePath, "/var/www/html/contact.php")}
	for _, s := range []string{"00", "15", "30", "45"} {
		id := "AAAA1111" + s
		events = append(events, ev(event.MailSubmitted, "2024-03-14T01:15:"+s+"Z", event.MailQueueID, id, event.UserID, "33"), ev(event.MailDelivered, "2024-03-14T01:15:"+s+"Z", event.MailQueueID, id, event.MailTo, "v"+s+"@example.com"))
	}
	if fs := found(t, "example.com", events...); len(fs) != 1 || fs[0].Count != 4 || fs[0].Path != "" {
		t.Errorf("%+v", fs)
	}
}

func TestTooMuch(t *testing.T) {
	var b strings.Builder
	for i := range maxItems + 1 {
		fmt.Fprintf(&b, "u%d@example.com, ", i)
	}
	if c, err := Parse(b.String(), nil); err != nil || !c.Cut || len(c.Mailboxes) != maxItems {
		t.Errorf("%v %+v", err, c)
	}
}
