// Package mailqueue judges the mail that waits in a mail server's queue: how fast it grows, and who hands it in. It needs no log. On a running machine the
// queues were counted twice; of a disk there are the files of the queue, and when they were made. A queue that is long proves nothing: a newsletter, or a
// receiving server that is down, makes one, too.
package mailqueue

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/spool"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "mailqueue", Title: "Mail that waits", IDs: []string{"D73"},
		Doc:    "counts the files of mail queues by when they came and by who handed them in, and tells queues that grow",
		Attack: []string{"T1496.003"},
		Wants:  []event.Kind{event.QueueCounted, event.File},
		New:    func(s detect.Scene) detect.Fold { return &fold{scene: s, servers: map[string]*server{}} },
	}
}

// How much mail is more than a server has waiting by itself.
const (
	manyLately = 50  // that came within ten minutes, and still wait
	manyHour   = 200 // within an hour
	manyLying  = 500 // on a disk
	mostly     = 0.6 // of those whose sender is known
	maxHours   = 10_000
	maxSenders = 1000
)

// server is one mail server on one machine.
type server struct {
	source, name string
	counted      map[string]*count // by queue: what was counted on the running machine

	lying       int64 // files of mails
	first, last evidence.Time
	hours       map[int64]int64
	owners      map[string]int64 // who handed in those whose files tell
	quotes      []evidence.Quote
}

// count is what was counted of one queue, first and last.
type count struct {
	began, at      evidence.Time
	before, mails  int64
	lately, hour   int64
	senders        map[string]int64
	oldest         evidence.Time
	more           bool
	quote, earlier evidence.Quote
}

type fold struct {
	scene   detect.Scene
	servers map[string]*server
}

func (f *fold) server(source, queue string) *server {
	name, _, _ := strings.Cut(queue, " ")
	key := source + "\x00" + name
	s := f.servers[key]
	if s == nil {
		s = &server{source: source, name: name, counted: map[string]*count{}, hours: map[int64]int64{}, owners: map[string]int64{}}
		f.servers[key] = s
	}
	return s
}

func (f *fold) Observe(e *event.Event) {
	if e.Kind == event.QueueCounted {
		f.counted(e)
		return
	}
	m, ok := spool.Of(e.Text(event.FilePath))
	if !ok || e.Text(event.FileType) != "file" {
		return
	}
	s := f.server(e.Ref.Source, m.Queue)
	s.lying++
	at := made(e, m)
	if at.Known() {
		s.first, s.last = evidence.Min(s.first, at), evidence.Max(s.last, at)
		if h := at.Sec / 3600; s.hours[h] > 0 || len(s.hours) < maxHours {
			s.hours[h]++
		}
	}
	if m.OwnerSent {
		add(s.owners, e.Text(event.FileUID), 1)
	}
	if len(s.quotes) < 5 {
		s.quotes = append(s.quotes, e.Quote())
	}
}

// made tells when a file was made: by its name, by its birth, else by the earlier of its times, for Postfix sets the one of its content to when it will
// try again.
func made(e *event.Event, m spool.Mail) evidence.Time {
	if !m.Since.IsZero() {
		return evidence.At(m.Since, time.Second)
	}
	if born := detect.ParseTime(e.Text(event.FileCrtime)); born.Known() {
		return born
	}
	mtime, ctime := detect.ParseTime(e.Text(event.FileMtime)), detect.ParseTime(e.Text(event.FileCtime))
	return evidence.Min(mtime, ctime)
}

func add(to map[string]int64, who string, n int64) {
	if _, known := to[who]; known || len(to) < maxSenders {
		to[who] += n
	}
}

func (f *fold) counted(e *event.Event) {
	s := f.server(e.Ref.Source, e.Text(event.ServiceName))
	n, _ := e.Int(event.EventCount)
	c := s.counted[e.Text(event.ServiceName)]
	if c == nil {
		c = &count{began: e.At, before: n, earlier: e.Quote()}
		s.counted[e.Text(event.ServiceName)] = c
	}
	c.at, c.mails, c.quote, c.oldest = e.At, n, e.Quote(), detect.ParseTime(e.Text(event.EventStart))
	c.senders = map[string]int64{}
	for _, v := range e.All(event.Change) {
		key, digits, _ := strings.Cut(v, "=")
		n, err := strconv.ParseInt(digits, 10, 64)
		switch {
		case v == "more":
			c.more = true
		case err != nil:
		case key == "10m":
			c.lately = n
		case key == "1h":
			c.hour = n
		default:
			add(c.senders, key, n)
		}
	}
}

// Findings gives what was found.
func (f *fold) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, key := range slices.Sorted(maps.Keys(f.servers)) {
			s := f.servers[key]
			x, ok := f.grows(s)
			if !ok && len(s.counted) == 0 {
				x, ok = f.lies(s)
			}
			if ok && !yield(x) {
				return
			}
		}
	}
}

// grows tells a queue of the running machine that grows.
func (f *fold) grows(s *server) (x detect.Finding, ok bool) {
	var all count
	all.senders = map[string]int64{}
	for _, name := range slices.Sorted(maps.Keys(s.counted)) {
		c := s.counted[name]
		all.before, all.mails, all.lately, all.hour = all.before+c.before, all.mails+c.mails, all.lately+c.lately, all.hour+c.hour
		all.began, all.at = evidence.Min(all.began, c.began), evidence.Max(all.at, c.at)
		if c.mails > 0 {
			all.oldest = evidence.Min(all.oldest, c.oldest)
		}
		all.more = all.more || c.more
		for who, n := range c.senders {
			add(all.senders, who, n)
		}
		x.For = append(x.For, c.quote)
		if c.earlier.Ref != c.quote.Ref {
			x.For = append(x.For, c.earlier)
		}
	}
	if all.lately < manyLately && all.hour < manyHour {
		return x, false
	}
	x = f.finding(s, x.For, all.senders, detect.Medium)
	x.First, x.Last, x.Count = all.oldest, all.at, all.mails
	x.Title = fmt.Sprintf("the mail queue of %s grows by %d a minute%s", s.name, (all.lately+5)/10, by(x.Account))
	x.Detail = fmt.Sprintf("%s %d mails wait, %d of them came within the last hour, %d within ten minutes; %s", atLeast(all.more), all.mails, all.hour, all.lately, s.whose(all.senders))
	if d := all.at.Sub(all.began); d > 0 && all.mails != all.before {
		x.Detail += fmt.Sprintf("; while the state was taken, in %.1f s, they went from %d to %d", d.Seconds(), all.before, all.mails)
	}
	x.Detail = strings.TrimSpace(x.Detail)
	return x, true
}

func atLeast(more bool) string {
	if more {
		return "at least"
	}
	return ""
}

// lies tells how much mail lay in the queue of a disk.
func (f *fold) lies(s *server) (x detect.Finding, ok bool) {
	if s.lying < manyLying {
		return x, false
	}
	x = f.finding(s, s.quotes, s.owners, detect.Low)
	x.First, x.Last, x.Count = s.first, s.last, s.lying
	busiest, most := int64(0), int64(0)
	for h, n := range s.hours {
		if n > most || n == most && h < busiest {
			busiest, most = h, n
		}
	}
	x.Title = fmt.Sprintf("%d mails wait in the queue of %s%s", s.lying, s.name, by(x.Account))
	x.Detail = fmt.Sprintf("in their busiest hour, from %s on, %d of them came; %s", time.Unix(busiest*3600, 0).UTC().Format("2006-01-02 15:04"), most, s.whose(s.owners))
	return x, true
}

// finding makes one with the account that most of the mail is of, if there is one. An account of a daemon sends no newsletters by itself.
func (f *fold) finding(s *server, quotes []evidence.Quote, senders map[string]int64, level detect.Level) detect.Finding {
	x := detect.Finding{Detection: "D73", What: detect.MailRun, Level: level, Rung: evidence.Effect, Service: s.name, Mechanism: "queue", Attack: []string{"T1496.003"}, For: quotes}
	uid, n, all := busiest(senders)
	if n < manyLately || float64(n) < mostly*float64(all) {
		return x
	}
	x.Mechanism, x.Account = "local", cmp.Or(f.scene.UserByUID(uid), "user "+uid)
	for _, u := range f.scene.Users {
		if u.Name == x.Account && u.UID != 0 && (strings.HasSuffix(u.Shell, "/nologin") || strings.HasSuffix(u.Shell, "/false")) {
			x.Level++
		}
	}
	return x
}

func busiest(senders map[string]int64) (uid string, most, all int64) {
	for who, n := range senders {
		all += n
		if n > most || n == most && who < uid {
			uid, most = who, n
		}
	}
	return uid, most, all
}

func by(account string) string {
	if account == "" {
		return ""
	}
	return ", mostly by " + account
}

// whose tells who handed in how many.
func (s *server) whose(senders map[string]int64) string {
	uid, n, all := busiest(senders)
	if all == 0 {
		return "who handed them in does not show by their files"
	}
	return fmt.Sprintf("of %d whose files tell who handed them in, %d are of user %s", all, n, uid)
}
