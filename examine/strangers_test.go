package examine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/examine"
)

// TestTwoMachinesAreNotOneClock: two servers whose jobs of cron have the same words, minutes and pids, months apart, have nothing to compare clocks by.
func TestTwoMachinesAreNotOneClock(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]time.Time{"web1": began, "db1": began.AddDate(0, -5, 0)} {
		var log strings.Builder
		for n := range 200 {
			fmt.Fprintf(&log, "%s %s CRON[%d]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)\n", iso(from.Add(time.Duration(n)*time.Hour)), name, 700+3*n)
		}
		for p, text := range map[string]string{"etc/os-release": "ID=debian\n", "etc/hostname": name + "\n", "etc/timezone": "UTC\n", "var/log/syslog": log.String()} {
			p = filepath.Join(dir, name, p)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{filepath.Join(dir, "web1"), filepath.Join(dir, "db1")}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range res.Clocks {
		if c.Skew != 0 {
			t.Errorf("%+v", c)
		}
	}
}
