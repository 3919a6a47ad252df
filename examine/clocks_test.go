package examine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"telltale/evidence"
)

func TestYears(t *testing.T) {
	mtime := func(s string) evidence.Time {
		at, err := time.Parse("2006-01-02", s)
		if err != nil {
			t.Fatal(err)
		}
		return evidence.At(at, time.Second)
	}
	for _, tc := range []struct {
		name, log, mtime string
		newer, latest    string
		year             int // of the first line
	}{
		{"one year", "Mar  3 00:00:00 h a: b\nMar  4 00:00:00 h a: b\n", "2023-03-05", "", "", 2023},
		{"written in January, read from December", "Dec 30 00:00:00 h a: b\nJan  2 00:00:00 h a: b\n", "2024-01-02", "", "", 2023},
		{"two New Years", "Dec 30 00:00:00 h a: b\nMar  2 00:00:00 h a: b\nDec  1 00:00:00 h a: b\nJan  9 00:00:00 h a: b\n", "2024-01-10", "", "", 2022},
		{"the file is much newer than its lines", "Nov 30 00:00:00 h a: b\n", "2024-03-01", "", "", 2023},
		{"a rotated file ends before the next begins", "Dec 30 00:00:00 h a: b\n", "2025-06-01", "2022-12-31", "", 2022},
		{"copied long afterwards, other logs have years", "May  3 00:00:00 h a: b\n", "2026-01-01", "", "2019-05-04", 2019},
		{"the 29th of February", "Feb 29 00:00:00 h a: b\n", "2023-03-01", "", "", 2020},
		{"many lines of one month", strings.Repeat("Mar  3 00:00:00 h a: b\n", 500) + "Mar  9 00:00:00 h a: b\n", "2023-03-10", "", "", 2023},
	} {
		t.Run(tc.name, func(t *testing.T) {
			y := scan(strings.NewReader(tc.log))
			if !y.ok {
				t.Fatal("no stamp was found")
			}
			var newer, latest time.Time
			if tc.newer != "" {
				newer = mtime(tc.newer).Std()
			}
			if tc.latest != "" {
				latest = mtime(tc.latest).Std()
			}
			c, _ := clockFor(y, time.UTC, "the test", mtime(tc.mtime), newer, latest)
			if c.Year != tc.year || c.Basis == "" {
				t.Errorf("year %d (%s), want %d", c.Year, c.Basis, tc.year)
			}
		})
	}
}

func TestLogsWithYearsAreNotGuessedAt(t *testing.T) {
	for _, log := range []string{"", "2024-01-02T03:04:05Z h a: b\n", "no stamp\nat all\n", "Jan  2 2024 03:04:05 h a: b\n"} {
		if y := scan(strings.NewReader(log)); y.ok {
			t.Errorf("%q is said to have no years", log)
		}
	}
}

// TestScanOfABusyLog: of a large log most lines of a day are passed over, and no year is lost by it, however the year's end falls.
func TestScanOfABusyLog(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 1))
		first := time.Date(2019, 1, 2, 3, 4, 5, 0, time.UTC)
		at, last := first, first
		var b strings.Builder
		for b.Len() < 6<<20 {
			last = at
			fmt.Fprintf(&b, "%s web1 sshd[%d]: Connection closed by 192.0.2.7 port %d [preauth]\n", at.Format(time.Stamp), r.IntN(30000), r.IntN(60000))
			at = at.Add(time.Duration(r.IntN(3000)+int(seed)) * time.Second)
			if r.IntN(20000) == 0 {
				at = at.AddDate(0, r.IntN(9), 0) // it was switched off
			}
		}
		of := func(t time.Time) monthDay { return monthDay{t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second()} }
		want := yearless{ok: true, first: of(first), last: of(last), turns: last.Year() - first.Year()}
		if y := scan(strings.NewReader(b.String())); y != want || y.turns < 2 {
			t.Errorf("seed %d: %+v, not %+v", seed, y, want)
		}
	}
}
