package tamper_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/tamper"
)

func TestLinesRemoved(t *testing.T) {
	// The file goes on telling of other things meanwhile: sudo, cron.
	busy := "04:00:02 sudo-command user.name=amy process.command_line=/bin/ls\n"
	around := busy + "03:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2\n05:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2\n"
	journal := strings.ReplaceAll(strings.ReplaceAll(around, busy, ""), "service.name", "transport=journal @/j service.name")
	for _, tc := range []struct {
		name, events string
		want         int
	}{
		{"gone from the file", around + journal + "04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=journal @/j x9", 1},
		{"in both", around + journal + "04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=journal @/j x9\n04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 x9", 0},
		{"one line lost", around + journal + "04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=journal @/j", 0},
		{"before the file begins", around + journal + "01:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=journal @/j x9", 0},
		{"behind the file's end", around + journal + "06:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=journal @/j x9", 0},
		{"no log daemon ran then", strings.ReplaceAll(around, busy, "") + journal[strings.Index(journal, "03:00"):] + "04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=journal @/j x9", 0},
		{"a flood, some lines dropped", around + journal + "04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=journal @/j x20\n04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 x14", 0},
		{"no better witness", around + "04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 x9", 0},
		{"a remote copy tells", around + "03:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 transport=remote\n05:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 transport=remote\n04:00:00 auth-failed service.name=sshd user.name=bob source.ip=203.0.113.6 transport=remote x9", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events), detect.LogEdited)
			if len(got) != tc.want || tc.want == 1 && (got[0].Source != "203.0.113.6" || got[0].Path != "/var/log/auth.log") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestALogThatStops(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), `
03:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2
03:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 transport=journal @/j
04:00:00 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.2 transport=journal @/j x6`), detect.LogSilent)
	if len(got) != 1 || got[0].Level != detect.High {
		t.Errorf("%+v", got)
	}
}

func TestFiles(t *testing.T) {
	file := "- file file.type=file file.size=0 file.mtime=2024-01-02T05:00:00Z file.ctime=2024-01-02T05:00:00Z file.crtime=x"
	file = strings.ReplaceAll(file, " file.crtime=x", " file.created=2024-01-01T00:00:00Z")
	failures := "03:00:00 auth-failed service.name=sshd user.name=root source.ip=203.0.113.6 x120\n"
	for _, tc := range []struct {
		name, events string
		what         detect.What
		want         int
	}{
		{"btmp empty though logins were refused", failures + file + " file.path=/var/log/btmp", detect.LogCut, 1},
		{"btmp empty and nothing was refused", file + " file.path=/var/log/btmp", detect.LogCut, 0},
		{"btmp empty because it was rotated", failures + file + " file.path=/var/log/btmp\n" + file + " file.path=/var/log/btmp.1", detect.LogCut, 0},
		{"btmp begins late", failures + "04:00:00 bad-login-record user.name=root source.ip=203.0.113.6\n" + strings.Replace(file, "file.size=0", "file.size=384", 1) + " file.path=/var/log/btmp", detect.LogCut, 1},
		{"wtmp is a link to nowhere", "- file file.type=symlink file.target_path=/dev/null file.size=9 file.path=/var/log/wtmp", detect.LogCut, 1},
		{"history is a link to nowhere", "- file file.type=symlink file.target_path=/dev/null file.size=9 file.path=/root/.bash_history", detect.HistoryGone, 1},
		{"history is there", "- file file.type=file file.size=77 file.path=/root/.bash_history", detect.HistoryGone, 0},
		{"times set back", "- file file.type=file file.size=9 file.path=/usr/bin/x file.mtime=2020-01-01T00:00:00Z file.ctime=2024-01-02T05:00:00.5Z file.created=2024-01-02T05:00:00.25Z", detect.Timestomped, 1},
		{"copied with its times, which have fractions", "- file file.type=file file.size=9 file.path=/usr/bin/x file.mtime=2020-01-01T00:00:00.123Z file.ctime=2024-01-02T05:00:00.5Z file.created=2024-01-02T05:00:00.25Z", detect.Timestomped, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), tc.events), tc.what); len(got) != tc.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAnArchiveThatWasUnpackedIsNotSetBack(t *testing.T) {
	var table strings.Builder
	for _, n := range strings.Fields("a b c d e f g h i j k l m n") {
		table.WriteString("- file file.type=file file.size=9 file.path=/opt/app/" + n + " file.mtime=2020-01-01T00:00:00Z file.ctime=2024-01-02T05:00:00.5Z file.created=2024-01-02T05:00:00.25Z\n")
	}
	if got := detecttest.Of(detecttest.Run(t, tamper.New(), detecttest.Scene(), table.String()), detect.Timestomped); len(got) != 0 {
		t.Errorf("%d files of an archive are held against somebody", len(got))
	}
}
