package mailrun_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/mailrun"
)

const burst = `03:00:00 mail-submitted mail.queue_id=A user.id=33 mail.from=www-data x40
03:00:01 mail-queued mail.queue_id=A mail.from=www-data@web1 mail.recipients=1 x40
03:00:02 mail-delivered mail.queue_id=A mail.to=c@example.net mail.relay=mx.example.net[203.0.113.9]:25 mail.status=sent x40
03:00:03 mail-removed mail.queue_id=A x40
`

func TestARunByTheWebServer(t *testing.T) {
	got := detecttest.Run(t, mailrun.New(), detecttest.Scene(), burst)
	if len(got) != 1 || got[0].Account != "www-data" || got[0].Count != 40 || got[0].Level != detect.High {
		t.Errorf("%+v", got)
	}
}

func TestToldByThreeLogsCountsOnce(t *testing.T) {
	table := burst + strings.ReplaceAll(burst, "mail.queue_id", "@/var/log/syslog mail.queue_id") + strings.ReplaceAll(burst, "mail.queue_id", "transport=journal @/j mail.queue_id")
	got := detecttest.Run(t, mailrun.New(), detecttest.Scene(), table)
	if len(got) != 1 || got[0].Count != 40 {
		t.Errorf("%+v", got)
	}
}

func TestMailToThisHostIsNoRun(t *testing.T) {
	got := detecttest.Run(t, mailrun.New(), detecttest.Scene(), strings.ReplaceAll(burst, "mx.example.net[203.0.113.9]:25", "local"))
	for _, f := range got {
		if f.Level > detect.Info {
			t.Errorf("%+v", f)
		}
	}
}

func TestAFewMailsAreNothing(t *testing.T) {
	if got := detecttest.Run(t, mailrun.New(), detecttest.Scene(), strings.ReplaceAll(burst, "x40", "x4")); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAnAccountThatAuthenticated(t *testing.T) {
	got := detecttest.Run(t, mailrun.New(), detecttest.Scene(), strings.ReplaceAll(strings.ReplaceAll(burst, "mail-submitted", "mail-received"), "user.id=33", "source.ip=203.0.113.6 user.name=info@example.org"))
	if len(got) != 1 || got[0].Account != "info@example.org" || got[0].Source != "203.0.113.6" || got[0].Level != detect.High {
		t.Errorf("%+v", got)
	}
}
