package logclock_test

import (
	"testing"
	"time"

	"telltale/internal/logclock"
)

func TestStamps(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skipf("no zone database here: %v", err)
	}
	clock := func() *logclock.Clock { return &logclock.Clock{Zone: berlin, Year: 2024} }
	for _, tc := range []struct{ form, in, want string }{
		{"bsd", "Jul  9 01:02:03 host", "2024-07-08T23:02:03Z"},
		{"bsd", "Jan  9 01:02:03 host", "2024-01-09T00:02:03Z"},
		{"bsd", "Feb 29 01:02:03 host", "2024-02-29T00:02:03Z"},
		{"bsd", "Jan  9 01:02:03.250 host", "2024-01-09T00:02:03.250Z"},
		{"bsd", "Jan  9 2011 01:02:03 host", "2011-01-09T00:02:03Z"},
		{"bsd", "Jan  9 01:02:03 2011 host", "2011-01-09T00:02:03Z"},
		{"bsd", "Jan 39 01:02:03 host", ""},
		{"bsd", "Jam  9 01:02:03 host", ""},
		{"bsd", "Jan  9 25:02:03 host", ""},
		{"bsd", "Jan  9 01:02:0", ""},
		{"iso", "2024-07-09T01:02:03.123456+02:00 host", "2024-07-08T23:02:03.123456Z"},
		{"iso", "2024-07-09T01:02:03Z", "2024-07-09T01:02:03Z"},
		{"iso", "2024-07-09T01:02:03-0530 x", "2024-07-09T06:32:03Z"},
		{"iso", "2024-07-09 01:02:03,5 x", "2024-07-08T23:02:03.500Z"},
		{"iso", "2024-13-09 01:02:03", ""},
		{"clf", "09/Jul/2024:01:02:03 +0200] ", "2024-07-08T23:02:03Z"},
		{"clf", "09/Jul/2024:01:02:03", ""},
		{"asc", "Tue Jul  9 01:02:03 2024 [pid", "2024-07-08T23:02:03Z"},
		{"asc", "Tue Jul 09 01:02:03.000250 2024]", "2024-07-08T23:02:03.000250Z"},
		{"clf", "1/Apr/2014:00:00:01 -0500]", "2014-04-01T05:00:01Z"},
		{"clf", "1/Apr/2014:00:00:01", ""},
		{"asc", "Tue Jul 09 01:02:03.000250", ""},
	} {
		c := clock()
		var got string
		switch tc.form {
		case "bsd":
			v, n := c.BSD([]byte(tc.in))
			if got = v.String(); n == 0 {
				got = ""
			}
		case "iso":
			v, n := c.ISO([]byte(tc.in))
			if got = v.String(); n == 0 {
				got = ""
			}
		case "clf":
			v, _ := logclock.CLF([]byte(tc.in))
			got = v.String()
		case "asc":
			v, _ := c.Asctime([]byte(tc.in))
			got = v.String()
		}
		if got != tc.want {
			t.Errorf("%s %q: got %q, want %q", tc.form, tc.in, got, tc.want)
		}
	}
}

func TestTheYearCountsUpWhereMonthsFallBack(t *testing.T) {
	c := &logclock.Clock{Year: 2022}
	for _, s := range []struct {
		in   string
		year int
	}{{"Nov 30", 2022}, {"Dec 31", 2022}, {"Jan  1", 2023}, {"Dec 31", 2022}, {"Jan  2", 2023}, {"Apr  1", 2023}, {"Mar 31", 2023}, {"May  5", 2023}, {"Feb  1", 2024}} {
		v, n := c.BSD([]byte(s.in + " 00:00:00 host"))
		if n == 0 || v.Std().Year() != s.year {
			t.Errorf("%s: got %s, want the year %d", s.in, v, s.year)
		}
	}
}

func TestDays(t *testing.T) {
	for d := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2101; d = d.AddDate(0, 0, 1) {
		if got := logclock.Days(d.Year(), d.Month(), d.Day()); got != d.Unix()/86400 {
			t.Fatalf("%s: got %d, want %d", d, got, d.Unix()/86400)
		}
	}
}

func FuzzStamps(f *testing.F) {
	f.Add([]byte("Jul  9 01:02:03.5 2024 "))
	f.Add([]byte("2024-07-09T01:02:03.123456+02:00"))
	f.Add([]byte("09/Jul/2024:01:02:03 +0200"))
	f.Add([]byte("Tue Jul  9 01:02:03 2024"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &logclock.Clock{Year: 2024}
		_, n1 := c.BSD(b)
		_, n2 := c.ISO(b)
		_, n3 := logclock.CLF(b)
		_, n4 := c.Asctime(b)
		if max(n1, n2, n3, n4) > len(b) {
			t.Fatal("a stamp is longer than its bytes")
		}
	})
}
