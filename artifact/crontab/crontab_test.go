package crontab_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/crontab"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, crontab.New(), "system.txt", "/etc/cron.d/x", "")
	artifacttest.GoldenAs(t, crontab.New(), "user.txt", "/var/spool/cron/crontabs/alice", "")
	artifacttest.GoldenAs(t, crontab.New(), "anacron.txt", "/etc/anacrontab", "")
	artifacttest.GoldenAs(t, crontab.New(), "daily.txt", "/etc/cron.daily/logrotate", "")
	artifacttest.GoldenAs(t, crontab.New(), "at.txt", "/var/spool/cron/atjobs/a00001", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, crontab.New, "17 * * * * root run-parts /etc/cron.hourly\n@reboot x y\nA=b\n")
}
