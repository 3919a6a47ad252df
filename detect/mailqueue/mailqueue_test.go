package mailqueue_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/mailqueue"
)

func files(n int, folder, uid string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "- file file.type=file file.path=/var/spool/postfix/%s/A1B2C%05d file.uid=%s file.mtime=2024-01-02T04:00:00Z file.ctime=2024-01-02T03:%02d:00Z\n", folder, i, uid, i%60)
	}
	return b.String()
}

func TestQueues(t *testing.T) {
	for _, tc := range []struct {
		name, events  string
		level         detect.Level
		says, account string
	}{
		{"nothing to tell", `03:00:00 queue-counted service.name="postfix deferred" event.count=20 change=10m=1 change=1h=9`, detect.Info, "", ""},
		{"it grows, by the web server", `03:00:00 queue-counted service.name="postfix maildrop" event.count=300 change=10m=280 change=1h=300 change=33=290 change=1000=10
			03:00:03 queue-counted service.name="postfix maildrop" event.count=312 change=10m=290 change=1h=312 change=33=302 change=1000=10
			03:00:03 queue-counted service.name="postfix active" event.count=90 change=10m=10 change=1h=90`, detect.High, "grows by 30 a minute, mostly by www-data", "www-data"},
		{"it grows, by a person", `03:00:00 queue-counted service.name=exim4 event.count=300 change=10m=280 change=1h=300 change=1000=300`, detect.Medium, "mostly by amy", "amy"},
		{"it grows, by whom is not known", `03:00:00 queue-counted service.name="sendmail mqueue" event.count=300 change=10m=280 change=1h=300`, detect.Medium, "grows by 28 a minute", ""},
		{"on a disk, by the web server", files(600, "maildrop", "33"), detect.Medium, "600 mails wait", "www-data"},
		{"on a disk", files(600, "deferred/A", "110"), detect.Low, "600 mails wait", ""},
		{"few on a disk", files(60, "maildrop", "33"), detect.Info, "", ""},
		{"a folder that only looks like it", strings.ReplaceAll(files(600, "maildrop", "33"), "/var/spool/postfix", "/srv/var/spool/postfix"), detect.Info, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fs := detecttest.Run(t, mailqueue.New(), detecttest.Scene(), tc.events)
			if tc.level == detect.Info {
				if len(fs) != 0 {
					t.Fatalf("%+v", fs)
				}
				return
			}
			if len(fs) != 1 || fs[0].Level != tc.level || !strings.Contains(fs[0].Title, tc.says) || fs[0].Account != tc.account || !fs[0].Last.Known() {
				t.Fatalf("%+v", fs)
			}
			t.Log(fs[0].Title, fs[0].Detail)
		})
	}
}
