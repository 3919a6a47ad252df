package examine_test

import (
	"context"
	"fmt"
	"iter"
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

type missing struct{ told *[]string }

func (m missing) Observe(e *event.Event) {
	if string(e.Get(event.RecordType)) == "heartbeat" {
		*m.told = append(*m.told, fmt.Sprintf("%s %s to %s: %s", e.Text(event.FilePath), e.Text(event.EventStart), e.At, e.Text(event.Change)))
	}
}

func (missing) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

// cronLog is five days of what cron leaves every hour, of which the hours from, until to, are left out.
func cronLog(form string, from, to int) string {
	var b strings.Builder
	for h := range 120 {
		if h < from || h >= to {
			fmt.Fprintf(&b, form, began.Add(time.Duration(h)*time.Hour).Format("Jan _2 15:04:05"), h)
		}
	}
	return b.String()
}

func TestHeartbeats(t *testing.T) {
	const (
		auth   = "%s web1 CRON[%d]: pam_unix(cron:session): session opened for user root by (uid=0)\n"
		syslog = "%s web1 CRON[%d]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)\n"
		kernel = "%s web1 kernel: [%d.000000] device eth0: link\n"
	)
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"both tell all", map[string]string{"auth.log": cronLog(auth, 0, 0), "syslog": cronLog(syslog, 0, 0)}, ""},
		{"hours are cut out of one", map[string]string{"auth.log": cronLog(auth, 50, 55), "syslog": cronLog(syslog, 0, 0)}, "/var/log/auth.log 2024-06-03T10:00:00Z to 2024-06-03T15:00:00Z: another file goes on"},
		{"cron itself did not run", map[string]string{"auth.log": cronLog(auth, 50, 55), "syslog": cronLog(syslog, 50, 55), "kern.log": cronLog(kernel, 0, 0)}, ""},
		{"one hour", map[string]string{"auth.log": cronLog(auth, 50, 51), "syslog": cronLog(syslog, 0, 0)}, ""},
		{"the end is missing: that is another matter", map[string]string{"auth.log": cronLog(auth, 100, 120), "syslog": cronLog(syslog, 0, 0)}, ""},
		{"a rotation is missing", map[string]string{"auth.log.1": cronLog(auth, 50, 120), "auth.log": cronLog(auth, 0, 70), "syslog": cronLog(syslog, 0, 0)}, ""},
		{"a file in which cron is no habit", map[string]string{"auth.log": cronLog(auth, 2, 118), "syslog": cronLog(syslog, 0, 0)}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"etc/os-release": "ID=debian\n", "etc/timezone": "UTC\n"} {
				tc.files["../../"+name] = text
			}
			for name, text := range tc.files {
				p := filepath.Join(dir, "var/log", name)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(p, time.Time{}, began.AddDate(0, 0, 5)); err != nil {
					t.Fatal(err)
				}
			}
			var told []string
			collect := &detect.Detection{ID: "collect", Wants: []event.Kind{event.RecordsMissing}, New: func(detect.Scene) detect.Fold { told = nil; return missing{&told} }}
			if _, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(told, "; "); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestALogCutOffInTheMiddleOfALine: only of a file that nobody writes to any more, for a newer one follows.
func TestALogCutOffInTheMiddleOfALine(t *testing.T) {
	const line = "%s web1 CRON[%d]: (root) CMD (true)\n"
	whole := cronLog(line, 0, 0)
	for _, tc := range []struct {
		name       string
		older, now string
		want       bool
	}{
		{"whole", whole, whole, false},
		{"the older one is cut off", whole[:len(whole)-9], whole, true},
		{"the newest one is being written", whole, whole[:len(whole)-9], false},
		{"the only one", "", whole[:len(whole)-9], false},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"syslog.1": tc.older, "syslog": tc.now} {
			p := filepath.Join(dir, "var/log", name)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if text == "" {
				continue
			}
			if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts()})
		if err != nil {
			t.Fatal(err)
		}
		got := false
		for _, c := range res.Coverage {
			for _, g := range c.Gaps {
				got = got || strings.Contains(g.Why, "has no end") && strings.HasSuffix(c.Path, "syslog.1")
			}
		}
		if got != tc.want {
			t.Errorf("%s: %+v", tc.name, res.Coverage)
		}
	}
}
