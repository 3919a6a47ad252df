package campaigns_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/campaigns"
	"telltale/detect/detecttest"
)

// lines writes n lines; A is the number of an address, U that of an account.
func lines(n, perAddress, perAccount int, format string) string {
	var b strings.Builder
	for i := range n {
		a, u := i/perAddress, i/perAccount
		b.WriteString(strings.NewReplacer("SS", fmt.Sprintf("%02d", i%60), "ADDR", fmt.Sprintf("203.0.%d.%d", a/250, 1+a%250), "USER", fmt.Sprintf("user%d", u)).Replace(format) + "\n")
	}
	return b.String()
}

// everyHour puts a line into each of the day's hours.
func everyHour(format string) string {
	var b strings.Builder
	for h := range 24 {
		b.WriteString(fmt.Sprintf("%02d:10:00 ", h) + strings.ReplaceAll(format, "N", fmt.Sprint(h)) + "\n")
	}
	return b.String()
}

func TestCampaigns(t *testing.T) {
	const sasl = "03:00:SS auth-failed service.name=dovecot user.name=USER source.ip=ADDR"
	listed := func(addresses int, names ...string) string {
		var b strings.Builder
		for a := range addresses {
			for i, n := range names {
				fmt.Fprintf(&b, "%02d:%02d:00 auth-failed service.name=sshd user.name=%s source.ip=203.0.113.%d\n", 1+a, i, n, a+1)
			}
		}
		return b.String()
	}
	for _, tc := range []struct{ name, events, id string }{
		{"a list of passwords is tried", lines(80, 2, 1, sasl), "D08"},
		{"a list is tried beside everyday refusals", everyHour("auth-failed service.name=dovecot user.name=amy source.ip=198.51.100.N") + lines(80, 2, 1, sasl), "D08"},
		{"the service lets nobody in, its users neither", lines(80, 1, 1, "02:00:SS auth-accepted service.name=dovecot user.name=USER source.ip=ADDR") + lines(80, 2, 1, sasl), ""},
		{"one account, very often", lines(200, 2, 200, sasl), ""},
		{"a few accounts", lines(20, 2, 1, sasl), ""},
		{"a large server whose usual hours are so", manyHours(40) + lines(80, 2, 1, sasl), ""},
		{"one list, five addresses", listed(5, "root", "oracle", "test", "git", "admin", "x"), "D07"},
		{"one list, two addresses", listed(2, "root", "oracle", "test", "git", "admin", "x"), ""},
		{"one account, many addresses", listed(9, "root", "root", "root", "root", "root"), ""},
		{"asks for accounts", lines(6, 6, 1, "03:00:SS auth-failed service.name=sshd user.invalid=true user.name=USER source.ip=ADDR"), "D04"},
		{"mistypes his name", lines(6, 6, 6, "03:00:SS auth-failed service.name=sshd user.invalid=true user.name=USER source.ip=ADDR"), ""},
		{"asks for recipients", lines(12, 12, 1, `03:00:SS mail-rejected mail.to=USER@example.org source.ip=ADDR mail.reason="550 5.1.1 <x>: User unknown"`), "D04"},
		{"a provider that hands in much other mail", lines(20, 20, 1, "02:00:SS mail-received mail.queue_id=A source.ip=ADDR") + lines(12, 12, 1, `03:00:SS mail-rejected mail.to=USER@example.org source.ip=ADDR mail.reason="550 5.1.1 <x>: User unknown"`), ""},
		{"greylisted", lines(12, 12, 1, `03:00:SS mail-rejected mail.to=USER@example.org source.ip=ADDR mail.reason="450 4.2.0 Greylisted"`), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, campaigns.New(), detecttest.Scene(), tc.events)
			if tc.id == "" {
				if len(got) > 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Detection != tc.id || got[0].Level != detect.Low || got[0].Count == 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// manyHours has in each hour of the day refusals of so many accounts.
func manyHours(accounts int) string {
	var b strings.Builder
	for h := range 24 {
		for a := range accounts {
			fmt.Fprintf(&b, "%02d:20:00 auth-failed service.name=dovecot user.name=other%d-%d source.ip=198.51.100.%d\n", h, h, a, 1+a%200)
		}
	}
	return b.String()
}

func TestBounded(t *testing.T) {
	d := campaigns.New()
	f := d.New(detecttest.Scene())
	events := detecttest.Events(t, "03:00:00 auth-failed service.name=dovecot user.name=bob source.ip=203.0.113.6 user.invalid=true")
	f.Observe(&events[0])
	if n := testing.AllocsPerRun(1000, func() { f.Observe(&events[0]) }); n > 0 {
		t.Errorf("%v allocations for each event", n)
	}
}
