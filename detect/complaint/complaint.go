// Package complaint looks for what somebody outside complains of: mail that came from here, a connection that was made from here. All that a victim knows is a
// time, addresses and a recipient; the fold holds every event against them and keeps those that fit, by who on this host did it. It accuses nobody: that
// a mail was handed in by an account says nothing yet of who had that account in hand.
package complaint

import (
	"bytes"
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
)

// New gives the detection of what fits complaints. Without one it wants nothing.
func New(cs []Complaint) *detect.Detection {
	d := &detect.Detection{
		ID: "complaint", Title: "What a complaint is about", IDs: []string{"D80"}, Attack: nil,
		Doc: "holds mail, connections, commands and requests against the time, addresses and recipients of a complaint (`--abuse`)",
		Wants: []event.Kind{event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.FirewallPacket, event.SocketSeen, event.ProcessSeen, event.ProcessStarted, event.SudoCommand,
			event.ShellCommand, event.CronRan, event.HTTPRequest, event.DNSQuery},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, asked: cs, traces: map[key]*trace{}, queue: map[string]*mail{}, processes: map[string]process{}, left: map[[2]string]bool{}}
		},
	}
	if len(cs) == 0 {
		d.Wants = nil
	}
	return d
}

// Bounds of what is kept.
const (
	maxQueue     = 200_000 // mails under way
	maxTraces    = 2_000   // what fits, by complaint and by who did it
	maxScripts   = 20_000  // mails that PHP tells of
	maxProcesses = 100_000
	maxLeft      = 20_000
	maxQuotes    = 6
	maxIDs       = 8
	maxSources   = 20
	maxWhen      = 200
)

// underWay is for how long a mail may lie in the queue before it is given up.
const underWay = 5 * 24 * time.Hour

type key struct {
	complaint             int
	mechanism, kind, name string
}

// trace is all that fits one complaint and was done by one submitter, account or process.
type trace struct {
	key
	account, path, pid string
	count              int64
	first, last        evidence.Time
	ids, sources       []string
	when               []evidence.Time
	quotes             []evidence.Quote
	exact              bool // by queue id or recipient and time
	detail             string
}

// mail is one that is under way: how it was handed in.
type mail struct {
	kind, name, account, source, from string
	at                                evidence.Time
	quotes                            []evidence.Quote
}

// scripted is a mail of which PHP itself tells by which script it was sent.
type scripted struct {
	at     evidence.Time
	script string
	quote  evidence.Quote
}

type process struct{ path, name, uid, unit string }

type fold struct {
	scene     detect.Scene
	asked     []Complaint
	traces    map[key]*trace
	queue     map[string]*mail
	scripts   []scripted
	processes map[string]process
	left      map[[2]string]bool // deliveries that fit, by complaint and queue id, and recipient
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.MailSubmitted, event.MailReceived:
		f.submitted(e)
	case event.MailQueued:
		if m := f.queue[string(e.Get(event.MailQueueID))]; m != nil {
			m.from = strings.ToLower(e.Text(event.MailFrom))
		}
	case event.MailDelivered:
		f.delivered(e)
	case event.ProcessSeen:
		if pid := e.Text(event.ProcessPID); pid != "" && len(f.processes) < maxProcesses {
			f.processes[pid] = process{e.Text(event.Executable), e.Text(event.ProcessName), e.Text(event.UserID), e.Text(event.UnitName)}
		}
	case event.FirewallPacket, event.SocketSeen:
		f.connected(e)
	default:
		f.mentioned(e)
	}
}

// submitted keeps how a mail was handed in.
func (f *fold) submitted(e *event.Event) {
	if script := e.Text(event.FilePath); script != "" { // PHP's own word
		if len(f.scripts) < maxScripts && f.about(e.At, underWay) {
			f.scripts = append(f.scripts, scripted{e.At, script, e.Quote()})
		}
		return
	}
	id := e.Text(event.MailQueueID)
	if id == "" || len(f.queue) >= maxQueue || !f.about(e.At, underWay) {
		return
	}
	m := &mail{at: e.At, from: strings.ToLower(e.Text(event.MailFrom)), source: e.Text(event.SourceIP), quotes: []evidence.Quote{e.Quote()}}
	switch user := e.Text(event.UserName); {
	case e.Kind == event.MailReceived && user != "":
		m.kind, m.name, m.account = "sasl", user, user
	case e.Kind == event.MailReceived:
		m.kind, m.name = "client", m.source
	default:
		uid := e.Text(event.UserID)
		if user == "" {
			user = f.scene.UserByUID(uid)
		}
		if user == "" && uid != "" {
			user = "uid " + uid
		}
		m.kind, m.name, m.account = "local", user, user
	}
	f.queue[id] = m
}

// about tells whether a time lies near that of some complaint.
func (f *fold) about(t evidence.Time, before time.Duration) bool {
	return slices.ContainsFunc(f.asked, func(c Complaint) bool {
		return c.From.IsZero() || !t.Known() || !t.Std().Before(c.From.Add(-before)) && !t.Std().After(c.To)
	})
}

// delivered holds a mail that left against the complaints.
func (f *fold) delivered(e *event.Event) {
	if stayed(e) {
		return
	}
	id, to, relay := e.Text(event.MailQueueID), strings.ToLower(e.Text(event.MailTo)), e.Text(event.MailRelay)
	m := f.queue[id]
	for i := range f.asked {
		c := &f.asked[i]
		byID := slices.Contains(c.QueueIDs, id) && c.near(e.At)
		byTo := !byID && c.at(e.At) && c.mail(to, relay)
		if !byID && !byTo && !(c.at(e.At) && c.sender(m)) {
			continue
		}
		mechanism := "mail"
		if !byID && !byTo {
			mechanism = "sender"
		}
		if m == nil {
			m = &mail{kind: "unknown"}
		}
		if f.again(i, id, to) {
			continue
		}
		t := f.trace(key{i, mechanism, m.kind, m.name})
		if t == nil {
			continue
		}
		t.account, t.exact = m.account, t.exact || byID || byTo && len(c.Mailboxes) > 0
		if t.detail == "" {
			t.detail = "from " + m.from + " to " + to
		}
		t.add(e, m.at)
		for _, q := range m.quotes {
			t.quote(q)
		}
		if len(t.ids) < maxIDs && !slices.Contains(t.ids, id) {
			t.ids = append(t.ids, id)
		}
		t.from(m.source)
	}
}

// stayed tells a delivery that reached nobody, or somebody on this server itself: no complaint from outside is about it.
func stayed(e *event.Event) bool {
	switch string(e.Get(event.MailStatus)) {
	case "deferred", "bounced", "expired", "undeliverable", "undelivered":
		return true
	}
	switch string(e.Get(event.MailRelay)) {
	case "local", "virtual":
		return true
	}
	return false
}

// again tells whether a delivery was told already: several logs and the journal tell of each.
func (f *fold) again(complaint int, id, to string) bool {
	k := [2]string{strconv.Itoa(complaint) + " " + id, to}
	if f.left[k] || len(f.left) >= maxLeft {
		return f.left[k]
	}
	f.left[k] = true
	return false
}

func (f *fold) trace(k key) *trace {
	t := f.traces[k]
	if t == nil && len(f.traces) < maxTraces {
		t = &trace{key: k}
		f.traces[k] = t
	}
	return t
}

// add counts an event; its cause is when what led to it was, where that is known.
func (t *trace) add(e *event.Event, cause evidence.Time) {
	n, ok := e.Int(event.EventCount)
	if !ok || n < 1 || e.Kind == event.SocketSeen {
		n = 1
	}
	t.count += n
	t.first, t.last = evidence.Min(t.first, e.At), evidence.Max(t.last, e.At)
	if !cause.Known() {
		cause = e.At
	}
	if cause.Known() && len(t.when) < maxWhen {
		t.when = append(t.when, cause)
	}
	t.quote(e.Quote())
}

func (t *trace) quote(q evidence.Quote) {
	if len(t.quotes) < maxQuotes {
		t.quotes = append(t.quotes, q)
	}
}

func (t *trace) from(source string) {
	if source != "" && len(t.sources) < maxSources && !slices.Contains(t.sources, source) {
		t.sources = append(t.sources, source)
	}
}

// connected holds a connection that went out against the complaints. One that is still there when the machine is looked at fits whatever the complaint's time.
func (f *fold) connected(e *event.Event) {
	there := e.Text(event.DestinationIP)
	if there == "" || string(e.Get(event.NetworkDirection)) == "inbound" {
		return
	}
	for i := range f.asked {
		c := &f.asked[i]
		if !slices.Contains(c.Addresses, plain(there)) || e.Kind == event.FirewallPacket && !c.at(e.At) {
			continue
		}
		uid, pid := e.Text(event.UserID), e.Text(event.ProcessPID)
		t := f.trace(key{i, "connection", pid, uid})
		if t == nil {
			continue
		}
		if t.pid = pid; uid != "" {
			t.account = f.scene.UserByUID(uid)
			if t.account == "" {
				t.account = "uid " + uid
			}
		}
		t.detail = "to " + there + " port " + e.Text(event.DestinationPort)
		t.add(e, evidence.Time{})
	}
}

// mentioned holds a command, request or look-up that names what is complained of against the complaints.
func (f *fold) mentioned(e *event.Event) {
	words, mechanism, account := e.Get(event.CommandLine), "command", e.Text(event.UserName)
	switch e.Kind {
	case event.HTTPRequest:
		words, mechanism, account = e.Get(event.URL), "request", ""
	case event.DNSQuery:
		words, mechanism, account = e.Get(event.DNSName), "lookup", ""
	}
	if len(words) == 0 {
		return
	}
	for i := range f.asked {
		c := &f.asked[i]
		if e.At.Known() && !c.at(e.At) || !c.named(words) {
			continue
		}
		source := e.Text(event.SourceIP)
		if mechanism == "request" && slices.Contains(c.Addresses, source) { // the complainant's own visit
			continue
		}
		name := account
		if name == "" {
			name = source
		}
		t := f.trace(key{i, mechanism, e.Kind.String(), name})
		if t == nil {
			continue
		}
		t.account = account
		if uid := e.Text(event.UserID); t.account == "" && uid != "" {
			t.account = f.scene.UserByUID(uid)
		}
		t.detail = clip(words)
		t.from(source)
		t.add(e, evidence.Time{})
	}
}

func clip(b []byte) string {
	const most = 200
	if len(b) > most {
		b = b[:most]
	}
	return string(bytes.ToValidUTF8(b, []byte("?")))
}

// together is how far, in time, PHP's own word of a mail and the mail server's may lie from each other.
const together = 2 * time.Second

// Findings gives what fits, by complaint.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		slices.SortStableFunc(f.scripts, func(a, b scripted) int { return a.at.Std().Compare(b.at.Std()) })
		keys := slices.SortedFunc(maps.Keys(f.traces), func(a, b key) int {
			return strings.Compare(fmt.Sprintf("%06d %s %s %s", a.complaint, a.mechanism, a.kind, a.name), fmt.Sprintf("%06d %s %s %s", b.complaint, b.mechanism, b.kind, b.name))
		})
		for _, k := range keys {
			if ctx.Err() != nil || !yield(f.finding(f.traces[k])) {
				return
			}
		}
	}
}

func (f *fold) finding(t *trace) detect.Finding {
	r := detect.Finding{Detection: "D80", What: detect.Traced, Level: detect.Info, Rung: evidence.Accepted, Key: strconv.Itoa(t.complaint), Mechanism: t.mechanism, Method: t.kind, Account: t.account, Pid: t.pid, Sources: t.sources,
		Views: t.ids, Count: t.count, First: t.first, Last: t.last, When: t.when, Detail: t.detail, For: t.quotes}
	if len(t.sources) == 1 {
		r.Source = t.sources[0]
	}
	if t.exact {
		r.Rung = evidence.Effect
	}
	if p, ok := f.processes[t.pid]; ok && t.pid != "" {
		if r.Path = p.path; r.Path == "" {
			r.Path = p.name
		}
		if r.Account == "" {
			r.Account = f.scene.UserByUID(p.uid)
		}
		r.Service = p.unit
	}
	if (t.mechanism == "mail" || t.mechanism == "sender") && t.kind == "local" {
		f.scriptOf(t, &r)
	}
	r.Title = fmt.Sprintf("%d fit the complaint: %s by %s", t.count, t.mechanism, t.name)
	return r
}

// scriptOf gives the script by which PHP says that most of the mails of the same moments were sent: with one alone, a page that sends at the same second as somebody else would be held for his.
func (f *fold) scriptOf(t *trace, r *detect.Finding) {
	fits, quotes, best := map[string]int{}, map[string]evidence.Quote{}, ""
	for _, at := range t.when {
		seen := map[string]bool{}
		i, _ := slices.BinarySearchFunc(f.scripts, at.Add(-together), func(s scripted, from evidence.Time) int { return s.at.Compare(from) })
		for ; i < len(f.scripts) && f.scripts[i].at.Sub(at) <= together; i++ {
			s := &f.scripts[i]
			if seen[s.script] {
				continue
			}
			seen[s.script] = true
			if fits[s.script]++; fits[s.script] == 1 {
				quotes[s.script] = s.quote
			}
			if best == "" || fits[s.script] > fits[best] {
				best = s.script
			}
		}
	}
	if best == "" || 2*fits[best] <= len(t.when) {
		return
	}
	r.Path = best
	r.For = append(r.For, quotes[best])
}
