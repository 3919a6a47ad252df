package tamper_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/tamper"
)

func TestHoursWithoutAHeartbeat(t *testing.T) {
	const beat = "07:00:00 records-missing record.type=heartbeat event.count=4 change=\"another file goes on\" event.start=2024-01-02T03:00:00Z message=m file.path=/var/log/auth.log\n"
	for _, tc := range []struct {
		name, events string
		silent       int
	}{
		{"cron ran, and another file says so", beat, 1},
		{"no syslog file goes on", strings.Replace(beat, "another file", "no file", 1), 0},
		{"the machine started", beat + "06:59:00 boot @/var/log/wtmp", 0},
		{"the machine went down", beat + "02:30:00 shutdown @/var/log/wtmp", 0},
		{"the log daemon was started behind it", beat + "07:20:00 logging-changed service.name=rsyslogd change=started", 0},
		{"the clock was set", beat + "05:00:00 clock-changed change=x", 0},
		{"the machine started another time", beat + "12:00:00 boot @/var/log/wtmp", 1},
		{"the kernel lost audit records: another log", beat + "05:00:00 kernel-notice change=\"audit records were lost\"", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events)
			got := detecttest.Of(all, detect.LogSilent)
			if len(got) != tc.silent || tc.silent == 1 && (got[0].Detection != "D57" || got[0].Path != "/var/log/auth.log") || tc.silent == 0 && len(detecttest.Of(all, detect.RecordsLost)) != 1 {
				t.Errorf("%+v", all)
			}
		})
	}
}
