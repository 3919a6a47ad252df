package examine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/casefile"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
)

// TestAZoneByPairs reads an error log without offsets beside an access log with them, on a host in Berlin; the files' times tell nothing.
func TestAZoneByPairs(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	at := time.Date(2024, 7, 9, 3, 0, 0, 0, time.UTC)
	kolkata := time.FixedZone("", 5*3600+1800)
	for _, tc := range []struct {
		name  string
		zone  *time.Location // of the error log
		step  time.Duration
		pairs int
		alone bool // the access log has other addresses
		one   bool // all of it is of one address
		told  string
		right bool
	}{
		{"UTC", time.UTC, 127 * time.Second, 20, false, false, "UTC", true},
		{"the host's own", berlin, 127 * time.Second, 20, false, false, "", true},
		{"another", kolkata, 127 * time.Second, 20, false, false, "UTC+05:30", true},
		{"too few pairs", time.UTC, 127 * time.Second, 4, false, false, "", false},
		{"no pairs", time.UTC, 127 * time.Second, 20, true, false, "", false},
		{"a beat of a quarter of an hour fits everything", time.UTC, 15 * time.Minute, 60, false, false, "", false},
		{"one visitor, at hours of his choice", time.UTC, 127 * time.Second, 20, false, true, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var access, errors strings.Builder
			for i := range tc.pairs {
				x, ip := at.Add(time.Duration(i)*tc.step), fmt.Sprintf("198.51.100.%d", 1+i%7)
				if tc.one {
					ip = "198.51.100.1"
				}
				fmt.Fprintf(&errors, "[%s] [php:error] [pid 12] [client %s:40000] script '/var/www/html/x.php' not found or unable to stat\n", x.In(tc.zone).Format("Mon Jan 02 15:04:05.000000 2006"), ip)
				if tc.alone {
					ip = "203.0.113.9"
				}
				fmt.Fprintf(&access, "%s - - [%s] \"GET /x.php HTTP/1.1\" 404 196 \"-\" \"-\"\n", ip, x.Add(-time.Second).In(berlin).Format("02/Jan/2006:15:04:05 -0700"))
			}
			dir := t.TempDir()
			for name, text := range map[string]string{"etc/os-release": "ID=debian\n", "etc/timezone": "Europe/Berlin\n", "var/log/apache2/error.log": errors.String(), "var/log/apache2/access.log": access.String()} {
				p := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var got []time.Time
			collect := &detect.Detection{ID: "collect", Wants: []event.Kind{event.HTTPError}, New: func(detect.Scene) detect.Fold {
				got = nil
				return times{&got}
			}}
			res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}})
			if err != nil {
				t.Fatal(err)
			}
			told := ""
			for _, c := range res.Clocks {
				if c.From == casefile.PairedEvents {
					told = c.Zone
					if c.Pairs != tc.pairs || !strings.Contains(c.Words(), "error.log") {
						t.Errorf("%+v: %s", c, c.Words())
					}
				}
			}
			if told != tc.told || len(got) != tc.pairs || tc.right != got[0].Equal(at) {
				t.Errorf("zone %q, first error at %s of %d", told, got[0], len(got))
			}
		})
	}
}
