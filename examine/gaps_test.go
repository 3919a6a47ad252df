package examine

import (
	"strings"
	"testing"
	"time"

	"telltale/artifact"
	"telltale/casefile"
	"telltale/event"
	"telltale/evidence"
	"telltale/host"
)

// firstHour is where the logs begin, in hours since 1970.
const firstHour = 474_000 / 24 * 24

// logOf gives what was seen of a log of so many days; perHour says how many records it has in an hour, counted from its beginning.
func logOf(days int, perHour func(h int) int) *artifact.Seen {
	s := &artifact.Seen{}
	for h := range days * 24 {
		n := perHour(h)
		for i := range n {
			s.Record(evidence.Time{Sec: int64(firstHour+h)*3600 + int64(i*3600/n), Step: time.Second})
		}
	}
	s.Flush()
	return s
}

func TestGaps(t *testing.T) {
	silent := func(from, to int, f func(h int) int) func(int) int {
		return func(h int) int {
			if h >= from && h < to {
				return 0
			}
			return f(h)
		}
	}
	hourly := func(int) int { return 1 }
	office := func(h int) int { // silent from eight in the evening until six
		if h%24 >= 6 && h%24 < 20 {
			return 4
		}
		return 0
	}
	weekdays := func(h int) int {
		if h/24%7 >= 5 {
			return 0
		}
		return office(h)
	}
	for _, tc := range []struct {
		name string
		seen *artifact.Seen
		want int
	}{
		{"one line an hour", logOf(10, hourly), 0},
		{"one line an hour, four of them gone", logOf(10, silent(100, 104, hourly)), 1},
		{"two gone", logOf(10, silent(100, 102, hourly)), 0},
		{"a young log, four hours gone", logOf(4, silent(50, 54, hourly)), 1},
		{"a small server sleeps at night", logOf(20, office), 0},
		{"and is silent one forenoon", logOf(20, silent(10*24+8, 10*24+13, office)), 1},
		{"and at night a little longer", logOf(20, silent(10*24+6, 10*24+8, office)), 0},
		{"nobody works at the weekend", logOf(40, weekdays), 0},
		{"a busy log", logOf(10, func(int) int { return 120 }), 0},
		{"a busy log is silent within the hours", shortSilence(10, 120, 100, 40), 1},
		{"a log with few lines is", shortSilence(10, 12, 100, 40), 0},
		{"a flood on one day is no rhythm", logOf(10, func(h int) int {
			if h/24 == 3 {
				return 900
			}
			return 2
		}), 0},
		{"too short to tell", logOf(1, hourly), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := gaps(tc.seen); len(got) != tc.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// shortSilence is a log with n records an hour that is silent for some minutes from the end of one hour into the next.
func shortSilence(days, n, hour, minutes int) *artifact.Seen {
	s := &artifact.Seen{}
	from := int64(firstHour+hour)*3600 + 2400
	for i := range days * 24 * n {
		if at := int64(firstHour)*3600 + int64(i*3600/n); at < from || at > from+int64(minutes*60) {
			s.Record(evidence.Time{Sec: at, Step: time.Second})
		}
	}
	s.Flush()
	return s
}

func TestWhatExplainsAGap(t *testing.T) {
	for _, tc := range []struct {
		name   string
		kind   event.Kind
		at     int64
		source string
		want   string
	}{
		{"a start behind it", event.Boot, 7300, "s1", "the machine started at"},
		{"the clock set before it", event.ClockChanged, 3000, "s1", "the clock was set at"},
		{"a start on another day", event.Boot, 90_000, "s1", ""},
		{"a start of another host", event.Boot, 5000, "s2", ""},
		{"a login", event.AuthAccepted, 5000, "s1", ""},
	} {
		r := &run{res: &Result{}}
		r.res.Coverage = []casefile.Coverage{{Source: "s1", Gaps: []casefile.Gap{gap(3600, 7200, "silent")}}}
		r.mark(&seenHost{Host: &host.Host{View: host.View{Source: tc.source}}}, &event.Event{Kind: tc.kind, At: evidence.Time{Sec: tc.at, Step: time.Second}})
		r.explainGaps()
		if why := r.res.Coverage[0].Gaps[0].Why; strings.Contains(why, "explains") != (tc.want != "") || !strings.Contains(why, tc.want) {
			t.Errorf("%s: %q", tc.name, why)
		}
	}
}
