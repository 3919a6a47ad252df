package privilege

import (
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// besides is how near to su's own words the line of PAM about the same session stands.
const besides = 5 * time.Second

// noteSwitch keeps when su itself told of a switch.
func (f *fold) noteSwitch(user, as string, at evidence.Time) {
	if k := user + "\x00" + as; len(f.switches) < maxCommands || f.switches[k].Known() {
		f.switches[k] = at
	}
}

// opened takes a session of su's, which is all that Red Hat's su leaves: "pam_unix(su-l:session): session opened for user root by paul(uid=501)". Elsewhere su says it in
// its own words just before.
func (f *fold) opened(e *event.Event) {
	service, user, as := e.Text(event.ServiceName), e.Text(event.UserBy), e.Text(event.UserName)
	if service != "su" && service != "su-l" || as != "root" || user == "" || user == "root" {
		return
	}
	if t, ok := f.switches[user+"\x00"+as]; ok && t.Known() && e.At.Known() && e.At.Sub(t).Abs() <= besides {
		return
	}
	key := user + "\x00" + as + "\x00\x00session"
	r := f.became[key]
	if r == nil {
		if len(f.order) >= maxCommands {
			return
		}
		r = &detect.Finding{Detection: "D40", What: detect.BecameRoot, Level: detect.Info, Rung: evidence.Effect, First: e.At, Account: user, As: as, Service: "su", Title: user + " became " + as, Attack: []string{"T1548.003"}}
		f.became[key] = r
		f.order = append(f.order, r)
	}
	r.Count++
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
	if len(r.For) < 4 {
		r.For = append(r.For, e.Quote())
	}
}
