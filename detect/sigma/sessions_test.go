package sigma

import (
	"testing"

	"telltale/event"
)

func TestSessions(t *testing.T) {
	var s sessions
	line := func(text string) *event.Event {
		e := &event.Event{Kind: event.LogLine}
		e.AddText(event.ServiceName, "smtpd")
		e.AddText(event.Message, text)
		return e
	}
	mail := func(k event.Kind, id, ip string) *event.Event {
		e := &event.Event{Kind: k}
		e.AddText(event.MailQueueID, id)
		e.AddText(event.SourceIP, ip)
		return e
	}
	for _, e := range []*event.Event{line("4d2b4aa1f1d4c7a1 smtp connected address=203.0.113.50 host=<unknown>"), line("4d2b4aa1f1d4c7a1 smtp message msgid=1f2ab4c6 size=10 nrcpt=1 proto=SMTP"),
		line("4d2b4aa1f1d4c7a2 smtp connected address=local host=x"), line("4d2b4aa1f1d4c7a2 smtp message msgid=2f2ab4c6 size=10"), mail(event.MailReceived, "1hXyzA-0001ab-Cd", "203.0.113.51"), mail(event.MailReceived, "1hXyzB-0001ab-Cd", "127.0.0.1")} {
		s.saw(e)
	}
	for _, tc := range []struct {
		e    *event.Event
		want string
	}{
		{line("4d2b4aa7a0e42b55 mda delivery evpid=1f2ab4c6d8a5bb5c from=<;sh;> to=<root@x>"), "203.0.113.50"},
		{line("4d2b4aa7a0e42b55 mda delivery evpid=2f2ab4c6d8a5bb5c from=<;sh;> to=<root@x>"), ""},
		{line("4d2b4aa7a0e42b55 mda delivery evpid=1 from=<;sh;> to=<root@x>"), ""},
		{mail(event.MailRejected, "1hXyzA-0001ab-Cd", ""), "203.0.113.51"},
		{mail(event.MailRejected, "1hXyzB-0001ab-Cd", ""), ""},
	} {
		if got := s.of(tc.e); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.e.Text(event.Message), got, tc.want)
		}
	}
}
