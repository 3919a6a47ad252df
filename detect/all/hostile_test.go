package all_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"telltale/detect"
	"telltale/detect/all"
	"telltale/detect/detecttest"
	"telltale/event"
	"telltale/evidence"
)

// odd are values that somebody may bring into a log, and the words that detections look for.
var odd = []string{"", "/", "//", ".", "..", ":", "[", "]", "@", "|", "-1", "0", "65536", "9223372036854775807", "99999999999999999999", "203.0.113.6", "10.0.0.1", "::1", "2001:db8::1", "a.b.co.uk", "xmr.nanopool.org", "AXFR", "ANY", "TXT", "200", "401", "302", "POST", "GET", "PUT",
	"/manager/html/upload", "/manager/", "/m", "/wp-login.php", "/x.sql", ".sql", "tomcat", "mongodb", "redis", "dovecot", "sshd", "fail2ban", "docker", "api.unprotected", "api.listen", "tcp://[::]:2375", "2375", ":2375", "security.authorization", "disabled", "net.bindIp", "*,", "banned", "infected", "file changed",
	"exec", "mounts / at /", "mounts ", "privileged; ", "dropDatabase ", "drop database", "create table `", "createCollection READ_ME_TO_RECOVER", "HTMLManager: deploy: ", "Deploying ", "Undeploying context ", "curl http:// | sh", "curl | sh", "nsenter -t", "chroot /", "outbound", "inbound", "sent", "x[203.0.113.9]", "[", "Relay access denied", "User unknown",
	"\x00\xff", "é", "remove", "install", "aide", "true", "password", "publickey", "root", "33", "<(", "$("}

// TestHostileEvents shows every detection events that no log should hold: of all kinds, with values that fit nothing, at times before and after all.
func TestHostileEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	kinds := []event.Kind{}
	for k := event.Kind(1); k.String() != event.Unknown.String(); k++ {
		kinds = append(kinds, k)
	}
	for _, d := range all.Detections() {
		t.Run(d.ID, func(t *testing.T) {
			wanted := kinds
			if len(d.Wants) > 0 {
				wanted = d.Wants
			}
			var last int64
			f := d.New(detecttest.Scene())
			for range 20_000 {
				e := event.Event{Kind: wanted[r.IntN(len(wanted))], Ref: evidence.Ref{Source: "s1", Path: "/var/log/x"}, Raw: []byte("x")}
				switch r.IntN(6) {
				case 0:
				case 1:
					e.At = evidence.Time{Sec: r.Int64N(1<<40) - 1<<39, Step: 1e9}
				case 2:
					e.At = evidence.Time{Sec: -1 << 62, Nsec: 999999999, Step: 1}
				default:
					last += r.Int64N(3000)
					e.At = evidence.Time{Sec: 1700000000 + last, Step: 1e9}
				}
				for k := event.Key(1); k.String() != ""; k++ {
					if r.IntN(2) == 0 {
						e.Attrs = append(e.Attrs, event.Attr{Key: k, Value: []byte(odd[r.IntN(len(odd))])})
					}
				}
				f.Observe(&e)
			}
			for x := range f.Findings(t.Context()) {
				if x.Title == "" || x.What == "" || x.Detection == "" || x.Level > detect.Critical {
					t.Errorf("%.300s", fmt.Sprintf("%+v", x))
				}
			}
		})
	}
}
