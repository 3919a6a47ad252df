package web

import (
	"fmt"
	"maps"
	"slices"
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
}

const (
	maxSenders   = 2000 // clients by script
	maxSent      = 200  // requests of one
	maxMailTimes = 5000

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
	slices.SortFunc(mails, order)
	mails = slices.Compact(mails) // told by two logs
	for _, k := range slices.Sorted(maps.Keys(f.senders)) {
		x := f.senders[k]
		slices.SortFunc(x.times, order)
		n := len(x.times)
		if n < minSent || !detect.Outside(x.ip) || x.times[n-1].Sub(x.times[0]) > time.Duration(n)*perMail {
			continue
		}
		from, _ := slices.BinarySearchFunc(mails, x.times[0], order)
		to, _ := slices.BinarySearchFunc(mails, x.times[n-1].Add(behindIt), order)
		followed, at := 0, from
		for _, t := range x.times {
			for at < to && mails[at].Before(t) {
				at++
			}
			if at < to && mails[at].Sub(t) <= behindIt {
				followed, at = followed+1, at+1
			}
		}
		if followed < minSent || followed*5 < n*4 || followed*5 < (to-from)*4 || len(out) >= maxForms {
			continue
		}
		out = append(out, detect.Finding{Detection: "D73", What: detect.Relayed, Level: detect.High, Rung: evidence.Effect, Service: "web", Path: x.path, Source: x.ip, Sources: []string{x.ip}, First: x.times[0], Last: x.times[n-1], Count: int64(followed), Attack: []string{"T1584"}, For: x.quotes,
			Title:  fmt.Sprintf("%s sent mail after mail by %s of the web site, %d times", x.ip, x.path, followed),
			Detail: "each of its requests was followed by a mail of the web server's account; if no service of yours does so, that form sends mail for anybody"})
	}
	return out
}

func order(x, y evidence.Time) int {
	switch {
	case x.Before(y):
		return -1
	case y.Before(x):
		return 1
	}
	return 0
}
