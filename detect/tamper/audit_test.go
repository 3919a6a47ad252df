package tamper_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/tamper"
)

func TestSerialsOfTheAuditLog(t *testing.T) {
	const (
		log    = "/var/log/audit/audit.log"
		silent = "04:00:00 records-missing record.type=audit event.count=900 event.start=2024-01-02T02:00:00Z message=m file.path=" + log + " @" + log + "\n"
		few    = "06:00:00 records-missing record.type=audit-holes event.count=9 event.start=2024-01-02T01:00:00Z message=m file.path=" + log + " @" + log + "\n"
	)
	file := func(p, born string) string {
		return "- file file.type=file file.size=900 file.mtime=2024-01-02T06:00:00Z file.ctime=2024-01-02T06:00:00Z file.path=" + p + " file.created=2024-01-02T" + born + "Z\n"
	}
	reach := func(p, value, change string) string {
		return "- records-missing record.type=audit-serials event.count=0 setting.value=\"" + value + "\" change=\"" + change + "\" file.path=" + p + " @" + p + "\n"
	}
	for _, tc := range []struct {
		name, events string
		what         detect.What
		want         int
	}{
		{"hours are missing while numbers were given", silent, detect.LogEdited, 1},
		{"the machine started in it", silent + "03:00:00 boot @/var/log/wtmp", detect.LogEdited, 0},
		{"the machine went down before it", silent + "01:59:30 shutdown @/var/log/wtmp", detect.LogEdited, 0},
		{"auditd was stopped", silent + "02:00:01 logging-changed service.name=auditd change=stopped", detect.LogEdited, 0},
		{"the clock was set", silent + "03:59:59 clock-changed change=x", detect.LogEdited, 0},
		{"the kernel says that records were lost", silent + "04:30:00 kernel-notice change=\"audit records were lost\"", detect.LogEdited, 0},
		{"the kernel says something else", silent + "03:00:00 kernel-notice change=\"a program crashed\"", detect.LogEdited, 1},
		{"the machine started another day", silent + "23:00:00 boot @/var/log/wtmp", detect.LogEdited, 1},
		{"a limit of records is set", strings.Replace(silent, "message=m", "message=m setting.name=audit_rate_limit", 1), detect.LogEdited, 0},
		{"told, all the same", silent + "03:00:00 boot @/var/log/wtmp", detect.RecordsLost, 1},
		{"single ones", few, detect.LogEdited, 0},
		{"single ones are told", few, detect.RecordsLost, 1},
		{"single ones, in a file younger than its first record", few + file(log, "05:30:00"), detect.LogEdited, 1},
		{"in a file as old as its first record", few + file(log, "01:00:00"), detect.LogEdited, 0},
		{"in a file that was moved with its neighbours", few + file(log, "05:30:00") + file("/var/log/syslog", "05:30:01") + file("/var/log/kern.log", "05:30:02") + file("/var/log/mail.log", "05:30:03"), detect.LogEdited, 0},
		{"rotations that follow each other", reach(log+".1", "1-500 1000-5000", "") + reach(log, "501-900 5001-9000", ""), detect.LogEdited, 0},
		{"a rotation is gone", reach(log+".2", "1-500 1000-5000", "") + reach(log, "1501-1900 9001-9900", ""), detect.LogEdited, 1},
		{"auditd started between", reach(log+".2", "1-500 1000-5000", "ends") + reach(log, "1501-1900 9001-9900", "begins anew"), detect.LogEdited, 0},
		{"the machine started between", reach(log+".2", "1000-1500 1000-5000", "") + reach(log, "1-900 9001-9900", ""), detect.LogEdited, 0},
		{"records were lost while it rotated", reach(log+".1", "1-500 1000-5000", "") + reach(log, "1501-1900 5001-9900", ""), detect.LogEdited, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events)
			if got := detecttest.Of(all, tc.what); len(got) != tc.want {
				t.Errorf("%+v", all)
			}
		})
	}
}
