package calls

import (
	"fmt"
	"testing"

	"telltale/event"
	"telltale/evidence"
)

func TestGuessed(t *testing.T) {
	line := func(k event.Kind, at int64, ip, raw string) *event.Event {
		e := &event.Event{Kind: k, At: evidence.Time{Sec: at, Step: 1e9}, Raw: []byte(raw)}
		e.AddText(event.ServiceName, "asterisk")
		e.AddText(event.SourceIP, ip)
		return e
	}
	for name, tc := range map[string]struct {
		ip          string
		names       int
		before, let bool
		want        int
	}{
		"guessed":                          {"203.0.113.50", 20, false, true, 1},
		"never let in":                     {"203.0.113.50", 20, false, false, 0},
		"a telephone with an old password": {"203.0.113.50", 1, false, true, 0},
		"an office that had been let in":   {"203.0.113.50", 20, true, true, 0},
		"the own network":                  {"192.168.1.5", 20, false, true, 0},
	} {
		f := &fold{by: map[string]*caller{}}
		in := line(event.ProgramSaid, 900, tc.ip, "Registered SIP '104' at "+tc.ip+":5071")
		if tc.before {
			f.Observe(in)
		}
		for i := range 60 {
			f.Observe(line(event.AuthFailed, int64(1000+i), tc.ip, fmt.Sprintf(`Registration from '"%d" <sip:%d@192.0.2.1>' failed for '%s:5071' - Wrong password`, i%tc.names, i%tc.names, tc.ip)))
		}
		if tc.let {
			f.Observe(in)
		}
		n := 0
		for r := range f.Findings(t.Context()) {
			n++
			if r.Accounts[0] != "104" {
				t.Errorf("%s: %v", name, r.Accounts)
			}
		}
		if n != tc.want {
			t.Errorf("%s: %d", name, n)
		}
	}
}
