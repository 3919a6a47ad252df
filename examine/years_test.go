package examine_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
)

// TestFiveYearsWithoutAYear reads a log of five years, rotated every month, whose stamps have no year. The day of each login is in its port.
func TestFiveYearsWithoutAYear(t *testing.T) {
	began := time.Date(2020, 3, 1, 6, 25, 0, 0, time.UTC)
	taken := time.Date(2025, 2, 20, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name          string
		mtimes, gzips bool // whether the files' times, and those in gzip's headers, were kept
		anchor        bool // another log of the host has years
		single        bool // never rotated
	}{
		{"times kept", true, true, false, false},
		{"copied without times", false, true, true, false},
		{"nothing but another log with years", false, false, true, false},
		{"one file, never rotated", true, true, false, true},
		{"one file, copied without times", false, false, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			put := func(name string, b []byte, last time.Time) {
				p := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, b, 0o600); err != nil {
					t.Fatal(err)
				}
				if tc.mtimes {
					if err := os.Chtimes(p, last, last); err != nil {
						t.Fatal(err)
					}
				}
			}
			put("etc/os-release", []byte("ID=debian\n"), began)
			put("etc/timezone", []byte("Europe/Berlin\n"), began)
			if tc.anchor {
				put("var/log/dpkg.log", []byte("2025-02-20 06:00:00 install nmap:amd64 <none> 7.93\n"), taken)
			}
			berlin, err := time.LoadLocation("Europe/Berlin")
			if err != nil {
				t.Skip(err)
			}
			var month strings.Builder
			var files []string
			var lasts []time.Time
			last := began
			day := 0
			for at := began; at.Before(taken); at, day = at.AddDate(0, 0, 1), day+1 {
				if at.Day() == 1 && day > 0 && !tc.single {
					files, lasts = append(files, month.String()), append(lasts, last)
					month.Reset()
				}
				last = at
				fmt.Fprintf(&month, "%s web1 sshd[%d]: Accepted password for amy from 198.51.100.2 port %d ssh2\n", at.In(berlin).Format("Jan _2 15:04:05"), 1000+day, 10000+day)
			}
			put("var/log/auth.log", []byte(month.String()), last)
			for i := range files {
				n := len(files) - i
				if n == 1 {
					put("var/log/auth.log.1", []byte(files[i]), lasts[i])
					continue
				}
				var z bytes.Buffer
				w := gzip.NewWriter(&z)
				if tc.gzips {
					w.ModTime = lasts[i]
				}
				if _, err := w.Write([]byte(files[i])); err != nil {
					t.Fatal(err)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				put(fmt.Sprintf("var/log/auth.log.%d.gz", n), z.Bytes(), lasts[i])
			}
			a := accepted{map[string]time.Time{}, map[string]time.Time{}}
			collect := &detect.Detection{ID: "collect", Wants: []event.Kind{event.AuthAccepted}, New: func(detect.Scene) detect.Fold { return &a }}
			if _, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}}); err != nil {
				t.Fatal(err)
			}
			if len(a.own) != day {
				t.Fatalf("%d logins of %d", len(a.own), day)
			}
			wrong := 0
			for n := range day {
				if got := a.own[fmt.Sprint(10000+n)]; !got.Equal(began.AddDate(0, 0, n)) {
					if wrong++; wrong < 4 {
						t.Errorf("day %d: got %s, want %s", n, got, began.AddDate(0, 0, n))
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d are wrong", wrong, day)
			}
		})
	}
}
