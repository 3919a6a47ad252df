package privilege_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/privilege"
)

func TestSessionOfSu(t *testing.T) {
	for name, tc := range map[string]struct {
		events string
		want   int
	}{
		"all that su leaves":         {"03:00:05 session-opened service.name=su-l user.name=root user.by=paul", 1},
		"behind su's own words":      {"03:00:04 switch-user service.name=su user.name=paul user.effective.name=root terminal=pts/0\n03:00:05 session-opened service.name=su-l user.name=root user.by=paul", 1},
		"a service's account":        {"03:00:05 session-opened service.name=su user.name=postgres user.by=paul", 0},
		"root becomes root":          {"03:00:05 session-opened service.name=su user.name=root user.by=root", 0},
		"nobody is told":             {"03:00:05 session-opened service.name=su user.name=root", 0},
		"root's session through ssh": {"03:00:05 session-opened service.name=sshd user.name=root user.by=paul", 0},
	} {
		got := detecttest.Of(detecttest.Run(t, privilege.New(), detecttest.Scene(), tc.events), detect.BecameRoot)
		if len(got) != tc.want || tc.want > 0 && (got[0].Account != "paul" || got[0].As != "root") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
