package tamper_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/tamper"
)

// sessions are ordinary logins of a server, each with the line that accepts it.
const sessions = `
01:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 process.pid=11
01:00:00 session-opened service.name=sshd user.name=amy process.pid=11
02:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 process.pid=12
02:00:00 session-opened service.name=sshd user.name=amy process.pid=12
03:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 process.pid=13
03:00:01 session-opened service.name=sshd user.name=amy process.pid=13
`

func TestSessionsWithoutTheirLogin(t *testing.T) {
	const orphan = "04:00:00 session-opened service.name=sshd user.name=bob process.pid=14\n"
	const wtmp = "04:00:01 login-record user.name=bob source.ip=203.0.113.6 terminal=pts/0 @/var/log/wtmp\n"
	for _, tc := range []struct {
		name, events, source string
		want                 int
	}{
		{"the address was taken out, wtmp has it", sessions + orphan + wtmp, "203.0.113.6", 1},
		{"nobody has it", sessions + orphan, "", 1},
		{"all have their line", sessions, "", 0},
		{"a server that logs no logins", strings.ReplaceAll(sessions, "auth-accepted", "connection-seen") + orphan, "", 0},
		{"told by the journal alone", sessions + strings.TrimSpace(orphan) + " transport=journal @/j", "", 0},
		{"most lack it: the log's way, not somebody's", sessions + orphan + strings.ReplaceAll(orphan, "=14", "=15") + strings.ReplaceAll(orphan, "=14", "=16") + strings.ReplaceAll(orphan, "=14", "=17"), "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events), detect.LogEdited)
			if len(got) != tc.want || tc.want == 1 && (got[0].Source != tc.source || got[0].Path != "/var/log/auth.log") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestLogsWrittenAnew(t *testing.T) {
	file := func(p, born string) string {
		return "- file file.type=file file.size=900 file.mtime=2024-01-02T05:00:00Z file.ctime=2024-01-02T05:00:00Z file.path=" + p + " file.created=2024-01-02T" + born + "Z\n"
	}
	rotated := strings.ReplaceAll(strings.ReplaceAll(sessions, "pid=11\n", "pid=11 @/var/log/auth.log.1\n"), "pid=12\n", "pid=12 @/var/log/auth.log.1\n")
	for _, tc := range []struct {
		name, events string
		want         int
	}{
		{"born after its first line", sessions + file("/var/log/auth.log", "04:00:00"), 1},
		{"born with its first line", sessions + file("/var/log/auth.log", "00:59:59"), 0},
		{"born soon behind its first line", sessions + file("/var/log/auth.log", "01:05:00"), 0},
		{"born soon behind its last line", strings.ReplaceAll(strings.ReplaceAll(sessions, "02:00:00", "01:01:00"), "03:00:0", "01:02:0") + file("/var/log/auth.log", "01:05:00"), 1},
		{"moved with its neighbours", sessions + file("/var/log/auth.log", "04:00:00") + file("/var/log/syslog", "04:00:01") + file("/var/log/kern.log", "04:00:02") + file("/var/log/mail.log", "04:00:03"), 0},
		{"edited, then rotated by renaming", rotated + file("/var/log/auth.log.1", "02:30:00") + file("/var/log/auth.log", "02:59:00"), 1},
		{"copied and truncated by its rotation", rotated + file("/var/log/auth.log.1", "02:30:00") + file("/var/log/auth.log", "00:30:00"), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events), detect.LogEdited)
			if len(got) != tc.want || tc.want == 1 && (got[0].Path != "/var/log/auth.log" || got[0].Source != "") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestLogsCut(t *testing.T) {
	file := func(p, size string) string {
		return "- file file.type=file file.size=" + size + " file.mtime=2024-01-02T06:00:00Z file.ctime=2024-01-02T06:00:00Z file.path=" + p + " file.created=2024-01-02T00:00:00Z\n"
	}
	remote := strings.ReplaceAll(strings.TrimSpace(sessions), "\n", " transport=remote @/r\n") + " transport=remote @/r\n"
	late := "05:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 process.pid=19\n"
	for _, tc := range []struct {
		name, events, path string
		want               int
	}{
		{"auth.log begins late, a remote copy knows more", remote + late + file("/var/log/auth.log", "900"), "/var/log/auth.log", 1},
		{"auth.log begins late, nobody knows more", late + file("/var/log/auth.log", "900"), "", 0},
		{"auth.log has it all", remote + sessions + late + file("/var/log/auth.log", "900"), "", 0},
		{"auth.log is empty beside its rotation", remote + file("/var/log/auth.log", "0") + file("/var/log/auth.log.1", "0"), "/var/log/auth.log", 1},
		{"wtmp begins late", sessions + "05:00:00 logout-record terminal=pts/0 @/var/log/wtmp\n" + file("/var/log/wtmp", "384"), "/var/log/wtmp", 1},
		{"wtmp was rotated", sessions + "05:00:00 logout-record terminal=pts/0 @/var/log/wtmp\n" + file("/var/log/wtmp", "384") + file("/var/log/wtmp.1", "384"), "", 0},
		{"wtmp has them", sessions + "00:59:00 login-record user.name=amy source.ip=198.51.100.2 terminal=pts/0 @/var/log/wtmp\n" + file("/var/log/wtmp", "384"), "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events), detect.LogCut)
			if len(got) != tc.want || tc.want == 1 && got[0].Path != tc.path {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTimesSetBack(t *testing.T) {
	file := func(p, size, written, born, more string) string {
		return "- file file.type=file file.size=" + size + " file.mtime=" + written + "Z file.ctime=" + born + "Z file.created=" + born + "Z file.path=" + p + more + "\n"
	}
	const old, now = "2023-04-23T21:23:06", "2024-01-02T05:00:00"
	set := file("/home/eve/.x", "900", old, now+".5", "")
	for _, tc := range []struct {
		name, events string
		want         int
	}{
		{"older than its birth", set, 1},
		{"with a fraction, as copies have it", file("/home/eve/.x", "900", old+".25", now+".5", ""), 0},
		{"a package's file has its time and size: useradd copied it", set + file("/etc/skel/.bashrc", "900", old, "2023-11-01T00:00:00", " file.package=bash"), 0},
		{"its time was taken from another file", set + file("/bin/ls", "151344", old, "2023-11-01T00:00:00", " file.package=coreutils"), 1},
		{"its original is in order itself", set + file("/home/amy/x", "900", old, old+".5", ""), 0},
		{"two copies of one file, both set back", set + file("/home/eve/.y", "900", old, now+".7", ""), 2},
		{"an archive was unpacked", strings.Repeat(set, 13), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := detecttest.Scene()
			s.ChangeTimes = true
			if got := detecttest.Of(detecttest.Run(t, tamper.New(), s, tc.events), detect.Timestomped); len(got) != tc.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestManyWitnessesOfTheSameLogins: what the journal, the audit log, a remote copy and wtmp tell of a person who mistyped once is no more than the file has.
func TestManyWitnessesOfTheSameLogins(t *testing.T) {
	var b strings.Builder
	for h := 1; h <= 4; h++ {
		for _, from := range []string{"", " transport=journal @/j", " transport=audit @/var/log/audit/audit.log", " transport=remote @/r"} {
			for _, line := range []string{"auth-failed service.name=sshd user.name=amy source.ip=198.51.100.2 process.pid=11", "auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 process.pid=11"} {
				b.WriteString("0" + string(rune('0'+h)) + ":00:00 " + line + from + "\n")
			}
		}
		b.WriteString("0" + string(rune('0'+h)) + ":00:01 login-record user.name=amy source.ip=198.51.100.2 terminal=pts/0 @/var/log/wtmp\n")
		b.WriteString("0" + string(rune('0'+h)) + ":00:01 bad-login-record user.name=amy source.ip=198.51.100.2 terminal=ssh @/var/log/btmp\n")
	}
	whole := b.String()
	if got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), whole), detect.LogEdited); len(got) > 0 {
		t.Errorf("%+v", got)
	}
	var edited strings.Builder // the same without the file's own lines of that address, and with others
	for _, line := range strings.SplitAfter(whole, "\n") {
		if strings.Contains(line, "transport=") || strings.Contains(line, "-record") {
			edited.WriteString(line)
		} else {
			edited.WriteString(strings.ReplaceAll(line, "198.51.100.2", "198.51.100.9"))
		}
	}
	if got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), edited.String()), detect.LogEdited); len(got) != 1 || got[0].Source != "198.51.100.2" || got[0].Count != 6 {
		t.Errorf("%+v", got)
	}
}
