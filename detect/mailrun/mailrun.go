// Package mailrun folds mail by who handed it in: a local account (the uid of the pickup
// service), an account that authenticated, or a client's address. A run is told from
// everyday mail by the submitter's own rate.
package mailrun

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"sort"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "mailrun", Title: "Who sends mail, and how much", IDs: []string{"D12", "D29", "D73"},
		Doc:    "joins mail by queue id from its submitter to its recipients and finds runs, accounts that are used otherwise than before, and mail of strangers for strangers",
		Attack: []string{"T1534"},
		Wants:  []event.Kind{event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.MailRemoved, event.MailRejected},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}, queue: map[string]*mail{}, by: map[string]*submitter{}, domains: map[uint32]*domain{}, denied: map[string]int64{}}
		},
	}
}

const (
	maxQueue      = 200_000 // mails under way
	maxSeen       = 1_000_000
	maxSubmitters = 50_000
	maxHours      = 5_000
	maxWhen       = 2_000 // times kept of one submitter's mails
	fewWhen       = 10    // of a client that did not log in
)

// bound gives how much is kept of a submitter: little of clients that did not log in, for every mail server on earth may be one.
func (s *submitter) bound(most, few int) int {
	if s.kind == "client" {
		return few
	}
	return most
}

type mail struct {
	by    *submitter
	at    evidence.Time
	local bool // handed in for a bounce or forwarded: not counted twice
	from  *place
}

type submitter struct {
	kind, name, account string // "local" uid, "sasl" account, "client" address, "script" path
	mails, recipients   int64
	outside             int64 // deliveries by SMTP, not to this host
	first, last         evidence.Time
	hours               map[int64]load
	when                []evidence.Time // bounded
	sources             map[string]*place
	quotes              []evidence.Quote
	sent                []evidence.Quote
	relayed             int64 // deliveries elsewhere, as a client that did not log in
	local               int64
	domains             []uint32 // of the recipients elsewhere
	relays              []evidence.Quote
}

// load is what one hour brought.
type load struct{ mails, recipients int64 }

// place is an address that an account's mail came from.
type place struct {
	mails       int64
	recipients  int64
	first, last evidence.Time
	quotes      []evidence.Quote
}

type fold struct {
	scene detect.Scene
	seed  maphash.Seed
	seen  map[uint64]struct{} // mails already counted, by queue id and minute: several logs and the journal tell of each
	queue map[string]*mail
	by    map[string]*submitter

	domains      map[uint32]*domain // that mail of clients went to
	denied       map[string]int64   // addresses that asked to relay, and were refused
	deniedTimes  [2]evidence.Time
	deniedCount  [2]int64 // as files and as the journal tell it
	deniedQuotes []evidence.Quote
}

func (f *fold) Observe(e *event.Event) {
	id := e.Get(event.MailQueueID)
	switch e.Kind {
	case event.MailSubmitted:
		if script := e.Text(event.FilePath); script != "" { // PHP's own word; the mail server tells the same mails by the uid
			f.enter(e, "", "script", script, "")
			return
		}
		uid := e.Text(event.UserID)
		name := e.Text(event.UserName)
		if name == "" {
			name = f.scene.UserByUID(uid)
		}
		if name == "" {
			name = "uid " + uid
		}
		f.enter(e, string(id), "local", name, name)
	case event.MailReceived:
		if u := e.Text(event.UserName); u != "" {
			f.enter(e, string(id), "sasl", u, u)
		} else if ip := e.Text(event.SourceIP); ip != "" {
			f.enter(e, string(id), "client", ip, "")
		}
	case event.MailQueued:
		if m := f.queue[string(id)]; m != nil {
			if n, ok := e.Int(event.MailRecipients); ok {
				m.by.recipients += n
				if m.from != nil {
					m.from.recipients += n
				}
				if h, ok := m.by.hours[m.at.Sec/3600]; ok {
					h.recipients += n
					m.by.hours[m.at.Sec/3600] = h
				}
			}
		}
	case event.MailDelivered:
		if m := f.queue[string(id)]; m != nil {
			if r := e.Text(event.MailRelay); r != "" && r != "local" && r != "none" {
				m.by.outside++
			}
			if m.by.kind == "client" {
				f.relayed(m.by, e)
			}
			if len(m.by.sent) < m.by.bound(3, 0) {
				m.by.sent = append(m.by.sent, e.Quote())
			}
		}
	case event.MailRemoved:
		delete(f.queue, string(id))
	case event.MailRejected:
		f.refused(e)
	}
}

// entry names one mail's entry into the queue. Short queue ids are used again, though not within a minute.
func (f *fold) entry(id string, minute int64) uint64 {
	return maphash.Comparable(f.seed, struct {
		id     string
		minute int64
	}{id, minute})
}

func (f *fold) enter(e *event.Event, id, kind, name, account string) {
	if id != "" {
		now, before := f.entry(id, e.At.Sec/60), f.entry(id, e.At.Sec/60-1)
		if _, ok := f.seen[now]; ok {
			return
		}
		if _, ok := f.seen[before]; ok {
			return
		}
		if len(f.seen) < maxSeen {
			f.seen[now] = struct{}{}
		}
	}
	s := f.by[kind+"/"+name]
	if s == nil {
		if len(f.by) >= maxSubmitters {
			return
		}
		s = &submitter{kind: kind, name: name, account: account, hours: map[int64]load{}, sources: map[string]*place{}}
		f.by[kind+"/"+name] = s
	}
	s.mails++
	s.first, s.last = evidence.Min(s.first, e.At), evidence.Max(s.last, e.At)
	if h, ok := s.hours[e.At.Sec/3600]; ok || len(s.hours) < maxHours {
		h.mails++
		s.hours[e.At.Sec/3600] = h
	}
	if len(s.when) < s.bound(maxWhen, fewWhen) {
		s.when = append(s.when, e.At)
	}
	var p *place
	if ip := e.Get(event.SourceIP); len(ip) > 0 && kind != "client" { // which is its own name
		p = s.sources[string(ip)]
		if p == nil && len(s.sources) < 256 {
			p = &place{first: e.At}
			s.sources[string(ip)] = p
		}
		if p != nil {
			p.mails++
			p.first, p.last = evidence.Min(p.first, e.At), evidence.Max(p.last, e.At)
			if kind == "sasl" && len(p.quotes) < 2 {
				p.quotes = append(p.quotes, e.Quote())
			}
		}
	}
	if len(s.quotes) < s.bound(3, 1) {
		s.quotes = append(s.quotes, e.Quote())
	}
	if id != "" && len(f.queue) < maxQueue {
		f.queue[id] = &mail{by: s, at: e.At, from: p}
	}
}

// burst is the most mails of a submitter in one hour, and in the median of its hours.
func (s *submitter) burst() (most, median int64) {
	all := make([]int64, 0, len(s.hours))
	for _, h := range s.hours {
		all = append(all, h.mails)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	if len(all) == 0 {
		return 0, 0
	}
	return all[len(all)-1], all[len(all)/2]
}

// Findings gives a finding per submitter that handed in more than a few mails.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		keys := make([]string, 0, len(f.by))
		for k := range f.by {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			s := f.by[k]
			if s.mails >= 5 && (ctx.Err() != nil || !yield(s.finding())) {
				return
			}
			if r, ok := s.unusual(); ok && !yield(r) {
				return
			}
			for _, r := range s.wide() {
				if !yield(r) {
					return
				}
			}
		}
		for _, r := range f.relays(keys) {
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}

func (s *submitter) finding() detect.Finding {
	most, median := s.burst()
	r := detect.Finding{Detection: "D73", What: detect.MailRun, Level: detect.Info, Rung: evidence.Effect, First: s.first, Last: s.last, Count: s.mails, Told: s.recipients, Account: s.account, Service: "mail",
		Mechanism: s.kind, When: s.when, Attack: []string{"T1534"}, For: append(append([]evidence.Quote{}, s.quotes...), s.sent...)}
	for ip := range s.sources {
		r.Sources = append(r.Sources, ip)
	}
	sort.Slice(r.Sources, func(i, j int) bool { // who handed in the most first
		a, b := r.Sources[i], r.Sources[j]
		return s.sources[a].mails > s.sources[b].mails || s.sources[a].mails == s.sources[b].mails && a < b
	})
	if s.kind == "client" {
		r.Source, r.Sources = s.name, []string{s.name}
	} else if len(r.Sources) == 1 {
		r.Source = r.Sources[0]
	}
	r.Title = fmt.Sprintf("%d mails were handed in by %s (%s)", s.mails, s.name, s.kind)
	r.Detail = fmt.Sprintf("at most %d in an hour, %d in a usual one; %d deliveries left this host", most, median, s.outside)
	// A run: twenty in an hour at least, and far more than usual or with no usual day at all.
	if s.kind == "script" {
		r.Path, r.Detail = s.name, fmt.Sprintf("at most %d in an hour, %d in a usual one", most, median)
	}
	if most >= 20 && (len(s.hours) <= 3 || most >= 10*max(median, 1)) && (s.outside >= 10 || s.kind == "script") && s.kind != "client" {
		r.Level = detect.Medium
		if s.kind == "local" && s.account != "root" || s.kind == "sasl" {
			r.Level = detect.High
		}
		r.Sources = slices.DeleteFunc(r.Sources, func(ip string) bool { return !s.ran(ip, most) })
	}
	return r
}
