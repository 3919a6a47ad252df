package corpora

import (
	"net/netip"
	"strings"
	"time"

	"telltale/event"
)

// failures are the kinds that tell of somebody who was refused or turned away.
var failures = map[event.Kind]bool{event.AuthFailed: true, event.ConnectionSeen: true, event.BadLoginRecord: true, event.MailRejected: true, event.HTTPError: true, event.HTTPRequest: true, event.AlarmRaised: true,
	event.DNSQuery: true, event.ProgramSaid: true, event.ChildOutput: true, event.SudoDenied: true, event.DatabaseCommand: true}

// refused are those that say so of an account: none of them may come of a negative.
var refused = map[event.Kind]bool{event.AuthFailed: true, event.BadLoginRecord: true}

// logins are the kinds that tell of somebody who was let in.
var logins = map[event.Kind]bool{event.AuthAccepted: true, event.SessionOpened: true, event.LoginRecord: true, event.SwitchUser: true, event.SudoCommand: true, event.MailReceived: true}

// judge holds what came of a sample against its label.
func judge(s *Sample, got *told) Verdict {
	v := Verdict{Sample: *s, Unparsed: got.unparsed, Outcome: Right}
	if why := ofTwoMinds(s); why != "" {
		v.Outcome, v.Why = Apart, why
		return v
	}
	if e, bad := accuses(s, got.events); bad {
		v.Outcome, v.Why = Accused, "it made "+e.String()
		return v
	}
	if s.Want == Nothing {
		return v
	}
	v.Outcome = Missed
	for _, e := range got.events {
		if !fits(s.Want, e.kind) || s.Host != "" && e.host == "" {
			continue
		}
		if (s.Host == "" || sameHost(e.host, s.Host)) && sameTime(e.at, s) {
			v.Outcome = Right
			return v
		}
		v.Outcome = Wrong
	}
	v.Why = "wanted " + strings.TrimSpace(string(s.Want)+" "+s.Host+" "+s.Time) + ", got " + words(got.events)
	return v
}

func fits(w Want, k event.Kind) bool {
	return w == Seen || w == Failure && failures[k] || w == Login && logins[k]
}

// accuses finds an event that a label forbids: a refusal or a login of a line that tells of none, or of the contrary.
func accuses(s *Sample, events []one) (one, bool) {
	for _, e := range events {
		login := e.kind == event.AuthAccepted
		refusal := refused[e.kind] && e.host != ""
		switch {
		case s.Want == Failure && login, s.Want == Login && refusal:
			return e, true
		case s.Want == Nothing && (refusal || login && s.NoLogin):
			return e, true
		case s.Want == Seen && s.NoLogin && (refusal || login):
			return e, true
		}
	}
	return one{}, false
}

// onlyAddress gives the address of a line in which there is but one, "" else.
func onlyAddress(line string) (found string) {
	for _, w := range strings.FieldsFunc(line, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF.:", r) }) {
		w = strings.Trim(w, ".:")
		a, err := netip.ParseAddr(w)
		if err != nil {
			p, err2 := netip.ParseAddrPort(w)
			if err2 != nil {
				continue
			}
			a = p.Addr()
		}
		if s := a.String(); found != "" && found != s {
			return ""
		} else {
			found = s
		}
	}
	return found
}

func sameHost(a, b string) bool {
	x, err1 := netip.ParseAddr(dequad(a))
	y, err2 := netip.ParseAddr(dequad(b))
	return a == b || err1 == nil && err2 == nil && x.Unmap() == y.Unmap()
}

// layouts are the forms in which labels give a time; those without a year come last.
var layouts = []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999 MST", "02/Jan/2006:15:04:05 -0700", "02/Jan/2006:15:04:05.999999999", "2006/01/02 15:04:05.999999999", "02/Jan/2006 15:04:05", "Mon Jan _2 15:04:05.999999999 2006", "02-Jan-2006 15:04:05.999999999", "2006-01-02  15:04:05", "Mon Jan 2 15:04:05.999999999 2006", "06-01-02 15:04:05.999999999"}

var yearlessLayouts = []string{"Jan _2 15:04:05.999999999", "Jan 2 15:04:05.999999999", "Jan  2 15:04:05"}

// stamp reads the time of a label.
func stamp(label string, zone *time.Location) (at time.Time, hasYear, ok bool) {
	label = strings.TrimSpace(label)
	for _, l := range layouts {
		if at, err := time.ParseInLocation(l, label, zone); err == nil {
			return at, true, true
		}
	}
	for _, l := range yearlessLayouts {
		if at, err := time.ParseInLocation(l, label, zone); err == nil {
			return at, false, true
		}
	}
	return time.Time{}, false, false
}

// sameTime holds an event's time against the label's, to the second. A label that is in no form known here is none.
func sameTime(at time.Time, s *Sample) bool {
	want, hasYear, ok := stamp(s.Time, s.Zone)
	if !ok {
		return true
	}
	if d := at.Truncate(time.Second).Sub(want.Truncate(time.Second)); hasYear && d == 0 {
		return true
	}
	const day = "01-02 15:04:05"
	return (s.Guessed || !hasYear) && at.In(s.Zone).Format(day) == want.In(s.Zone).Format(day)
}
