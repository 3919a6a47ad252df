package web

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// sender is one client's use of one script.
type sender struct {
	ip, path string
	times    []evidence.Time
	quotes   []evidence.Quote
	agents   []string // the programs that asked, as they call themselves
}

const (
	maxSenders   = 2000 // clients by script
	maxSent      = 200  // requests of one
	maxMailTimes = 5000
	maxAgents    = 4 // of one client: who has as many is many people behind one address, or hides

	minSent  = 20              // mails behind one client's requests to one script
	behindIt = 3 * time.Second // how long behind a request its mail is handed in
	perMail  = 30 * time.Second
)

// submits keeps a POST to a script that was taken: it may be a form that sends mail.
func (f *fold) submits(ip, p []byte, e *event.Event) {
	k := string(ip) + "\x00" + string(p)
	x := f.senders[k]
	if x == nil {
		if len(f.senders) >= maxSenders {
			return
		}
		x = &sender{ip: string(ip), path: string(p)}
		f.senders[k] = x
	}
	if a := e.Text(event.UserAgent); len(x.agents) < maxAgents && !slices.Contains(x.agents, a) {
		x.agents = append(x.agents, a)
	}
	if len(x.times) < maxSent && e.At.Known() {
		x.times = append(x.times, e.At)
	}
	if len(x.quotes) < maxQuotes {
		x.quotes = append(x.quotes, e.Quote())
	}
}

// mailed keeps when the web server's account handed in a mail.
func (f *fold) mailed(e *event.Event) {
	if len(f.mails) < maxMailTimes && e.At.Known() && (webAccounts[e.Text(event.UserName)] || webAccounts[f.scene.UserByUID(e.Text(event.UserID))]) {
		f.mails = append(f.mails, e.At)
	}
}

// mailForms finds forms by which one client sends mail after mail: there each of its requests, in quick succession, is followed by a mail, and no other mail is handed in meanwhile.
func (f *fold) mailForms() (out []detect.Finding) {
	mails := slices.Clone(f.mails)
	slices.SortFunc(mails, evidence.Time.Compare)
	mails = slices.Compact(mails) // told by two logs
	for _, k := range slices.Sorted(maps.Keys(f.senders)) {
		x := f.senders[k]
		slices.SortFunc(x.times, evidence.Time.Compare)
		n := len(x.times)
		if n < minSent || !detect.Outside(x.ip) || x.times[n-1].Sub(x.times[0]) > time.Duration(n)*perMail {
			continue
		}
		from, _ := slices.BinarySearchFunc(mails, x.times[0], evidence.Time.Compare)
		to, _ := slices.BinarySearchFunc(mails, x.times[n-1].Add(behindIt), evidence.Time.Compare)
		followed, at := 0, from
		for _, t := range x.times {
			for at < to && mails[at].Before(t) {
				at++
			}
			if at < to && mails[at].Sub(t) <= behindIt {
				followed, at = followed+1, at+1
			}
		}
		if followed < minSent || followed*5 < n*4 || followed*5 < (to-from)*4 || f.toOwner(x, followed) || len(out) >= maxForms {
			continue
		}
		level := detect.High
		if ownSender(x, f.clients[x.ip]) {
			level = detect.Medium
		}
		out = append(out, detect.Finding{Detection: "D73", What: detect.Relayed, Level: level, Rung: evidence.Effect, Service: "web", Path: x.path, Source: x.ip, Sources: []string{x.ip}, First: x.times[0], Last: x.times[n-1], Count: int64(followed), Attack: []string{"T1584"}, For: x.quotes,
			Title:  fmt.Sprintf("%s sent mail after mail by %s of the web site, %d times", x.ip, x.path, followed),
			Detail: "each of its requests was followed by a mail of the web server's account; if no service of yours does so, that form sends mail for anybody"})
	}
	return out
}

// ownSender tells mails that a site sends for its own: visitors behind one address, as of a network that stands before it, each of whom orders something; whoever works in
// the administration, which sends its newsletters bit by bit; and services that tell a shop by a program of their own that somebody paid.
func ownSender(x *sender, c *client) bool {
	if len(x.agents) >= maxAgents || c != nil && c.administers && strings.Contains(x.path, "admin") {
		return true
	}
	for _, a := range x.agents {
		if !strings.Contains(a, "(+https://") && !strings.Contains(a, "Hookshot") && !strings.Contains(a, "Webhook") && !strings.Contains(a, "webhook") {
			return false
		}
	}
	return len(x.agents) > 0
}

// administration tells pages of WordPress's administration that only who has logged in is shown.
func administration(p []byte) bool {
	_, page, ok := bytes.Cut(p, []byte("/wp-admin/"))
	if !ok || bytes.IndexByte(page, '/') >= 0 {
		return false
	}
	switch string(page) {
	case "admin-ajax.php", "admin-post.php", "load-styles.php", "load-scripts.php", "install.php", "upgrade.php", "setup-config.php":
		return false
	}
	return len(page) == 0 || bytes.HasSuffix(page, []byte(".php"))
}
