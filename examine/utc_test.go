package examine_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
)

// TestADaemonThatWritesUTC reads vsftpd.log as vsftpd writes it without use_localtime, on a host in Berlin.
func TestADaemonThatWritesUTC(t *testing.T) {
	if _, err := time.LoadLocation("Europe/Berlin"); err != nil {
		t.Skip(err)
	}
	at := time.Date(2024, 7, 9, 3, 0, 0, 0, time.UTC)
	const line = "Tue Jul  9 03:00:00 2024 [pid 12] [amy] OK LOGIN: Client \"198.51.100.2\"\n"
	for _, tc := range []struct {
		name    string
		changed time.Time // the file
		want    time.Time // the login
	}{
		{"in UTC", at.Add(time.Second), at},
		{"in local time", at.Add(-2 * time.Hour), at.Add(-2 * time.Hour)},
		{"copied later, so that nothing is known", at.Add(50 * time.Hour), at.Add(-2 * time.Hour)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"etc/os-release": "ID=rhel\n", "etc/timezone": "Europe/Berlin\n", "var/log/vsftpd.log": line} {
				p := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(p, tc.changed, tc.changed); err != nil {
					t.Fatal(err)
				}
			}
			var got []time.Time
			collect := &detect.Detection{ID: "collect", Wants: []event.Kind{event.AuthAccepted}, New: func(detect.Scene) detect.Fold {
				got = nil // a second reading begins anew
				return times{&got}
			}}
			res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || !got[0].Equal(tc.want) {
				t.Errorf("got %s, want %s: %+v", got, tc.want, res.Coverage)
			}
		})
	}
}
