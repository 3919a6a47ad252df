package auditd_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/auditd"
)

// log is an audit log of n events, a minute apart; each is told by line, which may give "" for one that is not there.
func auditLog(n int, line func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}

func auditLine(second int, serial int64) string {
	return fmt.Sprintf("type=CRED_REFR msg=audit(%d.500:%d): pid=1 uid=0\n", 1710381600+second, serial)
}

func TestSerials(t *testing.T) {
	whole := func(i int) string { return auditLine(i*60, int64(100+i)) }
	cut := func(from, to int) func(int) string {
		return func(i int) string {
			if i >= from && i < to {
				return ""
			}
			return whole(i)
		}
	}
	const daemon = "type=DAEMON_%s msg=audit(1710400000.100:7777): op=x res=success\n"
	for _, tc := range []struct {
		name, log     string
		silent, holes int
	}{
		{"whole", auditLog(600, whole), 0, 0},
		{"an hour cut out", auditLog(600, cut(300, 360)), 1, 60},
		{"single ones cut out", auditLog(600, func(i int) string {
			if i%50 == 7 {
				return ""
			}
			return whole(i)
		}), 0, 12},
		{"the daemon was stopped and started", auditLog(600, func(i int) string {
			if i == 300 {
				return fmt.Sprintf(daemon, "END") + fmt.Sprintf(daemon, "START")
			}
			return cut(300, 360)(i)
		}), 0, 0},
		{"the daemon was killed, then started", auditLog(600, func(i int) string {
			if i == 359 {
				return fmt.Sprintf(daemon, "START")
			}
			return cut(300, 360)(i)
		}), 0, 0},
		{"auditing was off", auditLog(600, func(i int) string {
			if i == 360 {
				return strings.Replace(strings.Replace(whole(i), "CRED_REFR", "CONFIG_CHANGE", 1), "pid=1 uid=0", "op=set audit_enabled=1 old=0 res=1", 1)
			}
			return cut(300, 360)(i)
		}), 0, 0},
		{"the machine started, and nobody says so", auditLog(600, func(i int) string {
			if i < 300 {
				return auditLine(i*60, int64(1000+i))
			}
			return auditLine(i*60+7200, int64(i-299))
		}), 0, 0},
		{"the server was quiet for hours: no serial was given", auditLog(600, func(i int) string { return auditLine(i*60+i/300*20000, int64(100+i)) }), 0, 0},
		{"a burst that was dropped", auditLog(600, func(i int) string { return auditLine(i*60, int64(100+i+i/300*5000)) }), 0, 5000},
		{"other processors' records come late", auditLog(600, func(i int) string { return auditLine(i, int64(100+i^3)) }), 0, 0},
		{"a log with long silences of its own", auditLog(600, func(i int) string { return auditLine(i*3600+i/300*3000, int64(100+i+i/300*50)) }), 0, 50},
		{"too few records for a rhythm", auditLog(100, cut(30, 60)), 0, 30},
		{"a serial out of all bounds", auditLog(300, func(i int) string {
			if i == 100 {
				return auditLine(i*60, 1<<33)
			}
			return whole(i)
		}), 0, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := artifacttest.Input([]byte(tc.log))
			in.Host = nil
			got, _, _ := strings.Cut(string(artifacttest.Run(t, auditd.New(), in)), "\nno frame: ") // what follows is of the same lines in syslog
			holes := "audit-holes file.path=/sample transport=audit event.count=" + fmt.Sprint(tc.holes) + " "
			if strings.Count(got, "record.type=audit ") != tc.silent || strings.Contains(got, "audit-holes") != (tc.holes > 0) || tc.holes > 0 && !strings.Contains(got, holes) {
				t.Errorf("%s", got[max(0, len(got)-900):])
			}
			if !strings.Contains(got, "record.type=audit-serials") {
				t.Errorf("where the serials begin and end is not told:\n%s", got)
			}
		})
	}
}
