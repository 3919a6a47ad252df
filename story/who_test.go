package story

import (
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// TestWho: a network only of a database that was given, comments of keys that are the intruder's, tools that name themselves.
func TestWho(t *testing.T) {
	set := full()
	set.Network = func(ip string) Network {
		if ip == "203.0.113.6" {
			return Network{"203.0.113.0/24", "AS64500", "Example <Ltd>", "NL", "2024-01-01"}
		}
		return Network{}
	}
	mine := with(key("SHA256:new", "/home/bob/.ssh/authorized_keys", "bob", "03:02:00"), func(f *detect.Finding) { f.Level, f.Detail = detect.High, "me@laptop" })
	yours := with(key("SHA256:old", "/home/amy/.ssh/authorized_keys", "amy", "01:00:00"), func(f *detect.Finding) { f.Detail = "amy@work" })
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), mine, yours}, set)
	check(t, &s)
	if len(s.Actors) != 1 {
		t.Fatalf("%+v", s.Actors)
	}
	a := s.Actors[0]
	if a.ASN != "AS64500" || a.Country != "NL" || !slices.Equal(a.Networks, []string{"203.0.113.0/24 AS64500 Example <Ltd> NL (as of 2024-01-01)"}) || !slices.Equal(a.Comments, []string{"me@laptop"}) {
		t.Errorf("%+v", a)
	}
	if len(a.Hours) != 24 || a.Hours[3] != 1 || a.Zone != "" {
		t.Errorf("%v %q", a.Hours, a.Zone)
	}
}

// TestZone: where somebody lives is guessed only of hours seen on many days, with a rest in them.
func TestZone(t *testing.T) {
	logins := func(days int, hours ...int) *builder {
		f := detect.Finding{What: detect.Login, Source: "203.0.113.6", Access: &detect.Access{}}
		for d := range days {
			for _, h := range hours {
				f.Access.Sessions = append(f.Access.Sessions, detect.Span{Start: evidence.At(time.Date(2024, 1, 1+d, h, 0, 0, 0, time.UTC), time.Second)})
			}
		}
		return &builder{by: map[detect.What][]*detect.Finding{detect.Login: {&f}}}
	}
	always := make([]int, 24)
	for i := range always {
		always[i] = i
	}
	for _, tc := range []struct {
		name  string
		days  int
		hours []int
		want  string
	}{
		{"by day in Europe", 6, []int{7, 9, 12, 15, 18, 20}, "UTC+1"},
		{"by day in the far east", 6, []int{0, 2, 5, 8, 11, 23}, "UTC+10"},
		{"by day in America", 6, []int{14, 16, 19, 21, 23, 2, 4}, "UTC-6"},
		{"two days", 2, []int{7, 9, 12, 15, 18, 20}, ""},
		{"a machine", 6, always, ""},
		{"once a day, always at the same hour", 9, []int{3}, ""},
	} {
		count, zone := logins(tc.days, tc.hours...).hours(&Actor{Sources: []string{"203.0.113.6"}})
		if len(count) != 24 || (tc.want == "") != (zone == "") || !strings.Contains(zone, tc.want) {
			t.Errorf("%s: %q", tc.name, zone)
		}
	}
}
