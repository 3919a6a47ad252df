package deleted_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/deleted"
	"telltale/detect/detecttest"
)

func TestDeleted(t *testing.T) {
	line := `03:00:00 line-removed file.path=/var/log/auth.log message="sshd[1]: Accepted password for root from 203.0.113.66 port 4 ssh2" change="found in the deleted /var/log/auth.log"`
	for _, tc := range []struct {
		name, events string
		what         detect.What
		source       string
		count        int64
		findings     int
	}{
		{"lines about one address", line + " x7", detect.LogEdited, "203.0.113.66", 7, 1},
		{"lines that went with those of others", line + " record.type=mixed x7", detect.LogEdited, "", 7, 1},
		{"lines about nobody", `03:00:00 line-removed file.path=/var/log/syslog message="cron: x"`, detect.LogEdited, "", 1, 1},
		{"a history", `03:00:00 deleted-file file.path=/home/amy/.bash_history change="deleted; its content is whole"`, detect.HistoryGone, "", 1, 1},
		{"a script in /tmp", `03:00:00 deleted-file file.path=/tmp/x.sh file.content=script file.mode=644 change=deleted`, detect.OddFile, "", 1, 1},
		{"a program that runs on", `- deleted-file file.path=/dev/shm/kworker file.content=elf file.mode=755 change="deleted while a program held it open"`, detect.OddFile, "", 1, 1},
		{"a library that an update replaced while it was used", `- deleted-file file.path=/usr/lib/x86_64-linux-gnu/libssl.so.3 file.content=elf file.mode=644 change="deleted while a program held it open"`, "", "", 0, 0},
		{"a text in /tmp", `03:00:00 deleted-file file.path=/tmp/notes file.mode=644 change=deleted`, "", "", 0, 0},
		{"a package's file", `03:00:00 deleted-file file.path=/usr/bin/x file.content=elf file.mode=755 file.package=x change=deleted`, "", "", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, deleted.New(), detecttest.Scene(), tc.events)
			if len(got) != tc.findings || len(got) > 0 && (got[0].What != tc.what || got[0].Source != tc.source || got[0].Count != tc.count || len(got[0].For) == 0) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// The name of a library that an update replaced is lost soon; the services that hold it run on for months.
func TestUpdatesLeaveProgramsWithoutNames(t *testing.T) {
	for facts, want := range map[string]detect.Level{
		"file.uid=0 file.facts=\"elf64 shared stripped build-id=aa\"":        detect.Low,
		"file.uid=0 file.facts=\"elf64 exec static stripped\"":               detect.High,
		"file.uid=0 file.facts=\"elf64 exec packed(UPX) stripped\"":          detect.High,
		"file.uid=33 file.facts=\"elf64 shared stripped build-id=aa\"":       detect.High,
		"file.uid=0 file.path=/dev/shm/x file.facts=\"elf64 exec stripped\"": detect.High,
	} {
		got := detecttest.Run(t, deleted.New(), detecttest.Scene(), `- deleted-file file.content=elf file.mode=755 change="deleted while a program held it open" `+facts)
		if len(got) != 1 || got[0].Level != want {
			t.Errorf("%s: %+v", facts, got)
		}
	}
}

// A program in /tmp that went when its service ended is of the time when it was put there, not of whoever was logged in when it went.
func TestDeletedIsOfItsMaking(t *testing.T) {
	got := detecttest.Run(t, deleted.New(), detecttest.Scene(), `18:00:00 deleted-file file.path=/tmp/x.sh file.content=script file.mode=644 change=deleted file.created=2024-01-02T03:00:00Z`)
	if len(got) != 1 || got[0].First.String() != "2024-01-02T03:00:00.000000000Z" {
		t.Errorf("%+v", got)
	}
}
