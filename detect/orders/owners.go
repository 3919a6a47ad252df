package orders

import (
	"cmp"
	"net/netip"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/internal/urls"
)

// maxLogs bounds the logs whose owners are kept.
const maxLogs = 20_000

// owns keeps as whom a service writes its log: what it was made to do, it did as the same account. That a log is root's says nothing, for who starts a service gives it its log.
func (f *fold) owns(e *event.Event) {
	p := e.Get(event.FilePath)
	s := string(p)
	if len(f.owners) >= maxLogs || !strings.HasSuffix(s, ".log") && !strings.HasSuffix(s, ".out") && !strings.HasPrefix(s, "/var/log/") {
		return
	}
	if uid := e.Text(event.FileUID); uid != "" && uid != "0" {
		f.owners[e.Ref.Source+"\x00"+s] = uid
	}
}

// runsAs gives the account that a finding's service runs as, "" where its logs do not tell.
func (f *fold) runsAs(r *detect.Finding) (account string) {
	for i, q := range r.For {
		uid := f.owners[q.Ref.Source+"\x00"+detect.HostPath(q.Ref.Path)]
		a := cmp.Or(f.scene.UserByUID(uid), uid) // a number that no list names is somebody all the same
		if a == "syslog" || a == "" || i > 0 && a != account {
			return ""
		}
		account = a
	}
	return account
}

// runners are services whose users have them run what they like, and which write down what it said.
var runners = map[string]bool{"airflow": true, "jenkins": true, "jupyter": true, "ray": true, "salt": true, "celery": true, "rundeck": true, "gitlab-runner": true}

// ownNetwork tells whether what a message fetches lies in the own networks, where installations get what they need.
func ownNetwork(s string) bool {
	return urls.EveryHost(s, "http://", "/:?'\" \t|;)", func(host string) bool {
		a, err := netip.ParseAddr(host)
		return err == nil && a.IsPrivate() || err != nil && host != "" && (!strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".lan") || strings.HasSuffix(host, ".intern"))
	})
}
