package mailrun_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/mailrun"
)

// TestFewMailsToMany: the recipients of an address are counted, not its mails alone; letters to a few people are no remark.
func TestFewMailsToMany(t *testing.T) {
	for each, want := range map[int]int{30: 1, 3: 0} {
		var events strings.Builder
		for i := range 6 {
			fmt.Fprintf(&events, "03:0%d:00 mail-received mail.queue_id=AB%dF0 user.name=bob source.ip=203.0.113.6\n03:0%d:01 mail-queued mail.queue_id=AB%dF0 mail.recipients=%d\n", i, i, i, i, each)
		}
		n := 0
		for _, f := range detecttest.Of(detecttest.Run(t, mailrun.New(), detecttest.Scene(), events.String()), detect.MailRun) {
			if f.Source == "203.0.113.6" && f.Told == 180 && f.Count == 6 && f.Title != "" && strings.Contains(f.Title, "180 recipients") {
				n++
			}
		}
		if n != want {
			t.Errorf("6 mails to %d each: %d", each, n)
		}
	}
}
