// Package tamper compares witnesses: what the journal or a remote copy tells and a
// host's own syslog files do not, logs that end before their time, logs emptied or put
// in place anew, shell histories that are gone, and files whose times were set back.
package tamper

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "tamper", Title: "Logs, histories and times tampered with", IDs: []string{"D57", "D58", "D59", "D60", "D61", "D62", "D63"},
		Doc:    "compares the witnesses of the same events and looks for what was removed, emptied, replaced or set back",
		Attack: []string{"T1070.002", "T1070.003", "T1070.006"},
		Wants: []event.Kind{event.AuthFailed, event.AuthAccepted, event.SessionOpened, event.SessionClosed, event.SudoCommand, event.SwitchUser,
			event.AccountCreated, event.AccountChanged, event.GroupChanged, event.PasswordChanged, event.CronRan, event.File, event.LoginRecord, event.LogoutRecord, event.BadLoginRecord, event.LoggingChanged, event.ServiceStopped,
			event.RecordsMissing, event.Boot, event.Shutdown, event.ClockChanged, event.KernelNotice},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, told: map[string]*told{}, paths: map[string]*witness{}, active: map[int64]bool{}, failures: map[int64]*refusals{}, originals: map[twin]struct{}{}, born: map[int64]int{}}
		},
	}
}

// Bounds of what is kept.
const (
	maxAddresses = 100_000 // addresses compared between witnesses
	maxTimes     = 32      // logins and refusals kept of one address and witness, the first ones
	maxMinutes   = 500_000 // slots with refused logins
	slotSeconds  = 10
	maxTail      = 5000 // the newest events of the better witness
	maxFiles     = 100_000
	maxOriginals = 300_000
	maxBirths    = 300_000
	aDay         = 86400 // seconds
)

// times are when a witness told of an address, in seconds since 1970: the first maxTimes of them.
type times []int64

// between counts the times within a span.
func (t times) between(from, to int64) (n int64) {
	for _, x := range t {
		if x >= from && x <= to {
			n++
		}
	}
	return n
}

// told is what each witness tells of one address: syslog's files, the journal, a remote copy, the audit log, wtmp and btmp.
type told [5]times

// The witnesses. What two of them tell is one login, so they are never added up.
const (
	byFiles = iota
	byJournal
	byRemote
	byAudit
	byRecords
)

// best gives what the better witness that tells of most says: by how many, and its times.
func (t *told) best(count func(times) int64) (n int64, of times) {
	for _, x := range t[byJournal:] {
		if k := count(x); k > n {
			n, of = k, x
		}
	}
	return n, of
}

type file struct {
	path                      string
	size                      int64
	mtime, ctime, crtime      evidence.Time
	kind, target, owner, mode string
	quote                     evidence.Quote
}

type witness struct {
	first, last evidence.Time
	events      int64
	ssh         bool
}

// refusals counts refused logins, as syslog files and as better witnesses tell.
type refusals [4]int64

type fold struct {
	scene     detect.Scene
	originals map[twin]struct{}
	born      map[int64]int    // files by the ten seconds that they were born in
	told      map[string]*told // by address
	full      bool
	sample    map[string][]evidence.Quote // by address: what the better witness told
	paths     map[string]*witness         // the syslog files, by path
	active    map[int64]bool              // slots of ten seconds in which they tell anything
	slot      int64                       // the last one marked in active
	last      *witness                    // of lastPath: lines of one file come in a row
	lastPath  string
	auth      string // the one that tells of ssh logins, the newest
	better    witness
	files     []*file
	stopped   []detect.Finding
	failures  map[int64]*refusals // by slots of ten seconds
	failing   int64               // the slot before
	refusals  *refusals           // in it
	bad       witness             // btmp
	badQuote  evidence.Quote
	logins    witness // wtmp
	records   []record
	sessions  sessions
	rows      map[string]*row // of the journal's numbers, by their id
	pieces    int             // of all rows
	holes     []detect.Finding
	silent    []detect.Finding // of the audit log, with serials missing; judged at the end
	scattered []detect.Finding // serials missing from it here and there
	audit     []serials        // its files
	beats     []detect.Finding // hours without cron's lines; judged at the end
	breaks    []interruption
	lastIP    []byte
	lastTold  *told
	tail      []tailEvent // a ring once it is full
	tailNext  int
}

type tailEvent struct {
	at   evidence.Time
	ref  evidence.Ref
	text []byte
}

// better tells whether an event comes from a witness that is harder to edit than a syslog file: the journal, a
// remote copy, the audit log.
func better(e *event.Event) bool {
	t := string(e.Get(event.Transport))
	return t == "journal" || t == "remote" || t == "audit"
}

func (f *fold) Observe(e *event.Event) {
	if len(e.Get(event.LogRecovered)) > 0 {
		return // it stands in no log: package deleted tells of it
	}
	switch e.Kind {
	case event.BadLoginRecord:
		if f.bad.events == 0 {
			f.badQuote = e.Quote()
		}
		f.bad.add(e.At)
		f.recorded(e)
	case event.LoginRecord:
		f.loginRecord(e)
	case event.LogoutRecord:
		if e.At.Known() && strings.HasSuffix(detect.HostPath(e.Ref.Path), "wtmp") {
			f.logins.add(e.At)
		}
	case event.File:
		f.file(e)
	case event.Boot, event.Shutdown, event.ClockChanged, event.KernelNotice:
		f.interrupted(e)
	case event.LoggingChanged:
		f.interrupted(e)
		f.logging(e)
	case event.ServiceStopped:
		f.logging(e)
	case event.RecordsMissing:
		f.missing(e)
	default:
		if len(e.Get(event.ContainerID)) > 0 {
			return // another system's log: the host's own tell nothing of it, and are not longer for it
		}
		if e.Kind == event.AuthFailed && e.At.Known() {
			f.refuse(e)
		}
		f.session(e)
		f.compare(e)
	}
}

func (f *fold) refuse(e *event.Event) {
	m := e.At.Sec / slotSeconds
	if f.refusals == nil || m != f.failing {
		n := f.failures[m]
		if n == nil {
			if len(f.failures) >= maxMinutes {
				return
			}
			n = &refusals{}
			f.failures[m] = n
		}
		f.failing, f.refusals = m, n
	}
	f.refusals[witnessOf(e)]++
}

// witnessOf tells whose word an event is.
func witnessOf(e *event.Event) int {
	switch string(e.Get(event.Transport)) {
	case "journal":
		return byJournal
	case "remote":
		return byRemote
	case "audit":
		return byAudit
	}
	return byFiles
}

// refused counts the refused logins of whole slots within a span; the witness that tells of more is right.
func (f *fold) refused(from, to int64) (n int64) {
	for m, k := range f.failures {
		if m*slotSeconds >= from && (m+1)*slotSeconds <= to {
			n += slices.Max(k[:])
		}
	}
	return n
}

func (w *witness) add(t evidence.Time) {
	w.first, w.last = evidence.Min(w.first, t), evidence.Max(w.last, t)
	w.events++
}

func (f *fold) logging(e *event.Event) {
	s := strings.ToLower(e.Text(event.ServiceName) + " " + e.Text(event.Change))
	if e.Kind == event.ServiceStopped && !strings.Contains(s, "syslog") && !strings.Contains(s, "auditd") && !strings.Contains(s, "fail2ban") {
		return
	}
	if !strings.Contains(s, "exit") && !strings.Contains(s, "stop") && !strings.Contains(s, "lost") && e.Kind != event.ServiceStopped || len(f.stopped) >= 200 {
		return
	}
	f.stopped = append(f.stopped, detect.Finding{Detection: "D63", What: detect.LoggingStopped, Level: detect.Info, Rung: evidence.Effect, First: e.At, Last: e.At,
		Service: e.Text(event.ServiceName), Detail: e.Text(event.Change), Title: "logging was stopped: " + s, Attack: []string{"T1562.001"}, For: []evidence.Quote{e.Quote()}})
}

// compare takes down what each witness tells of ssh logins, and how far it reaches: every event of a syslog file
// shows that the file covers its time.
func (f *fold) compare(e *event.Event) {
	if !e.At.Known() {
		return
	}
	ssh := (e.Kind == event.AuthFailed || e.Kind == event.AuthAccepted) && string(e.Get(event.ServiceName)) == "sshd"
	class := witnessOf(e)
	if class == byFiles {
		if t := e.Get(event.Transport); len(t) > 0 && string(t) != "syslog" {
			return
		}
		w := f.last
		if e.Ref.Path != f.lastPath {
			w = f.paths[e.Ref.Path]
		}
		if w == nil {
			if len(f.paths) >= 10_000 {
				return
			}
			w = &witness{}
			f.paths[e.Ref.Path] = w
		}
		f.last, f.lastPath = w, e.Ref.Path
		w.add(e.At)
		w.ssh = w.ssh || ssh
		if slot := e.At.Sec / slotSeconds; slot != f.slot && len(f.active) < maxMinutes {
			f.slot = slot
			f.active[slot] = true
		}
		if ssh {
			f.auth = e.Ref.Path
		}
	}
	ip := e.Get(event.SourceIP)
	if !ssh || len(ip) == 0 {
		return
	}
	t := f.address(ip)
	if t == nil {
		return
	}
	if len(t[class]) < maxTimes {
		if t[class] == nil {
			t[class] = make(times, 0, 8)
		}
		t[class] = append(t[class], e.At.Sec)
	}
	if class != byFiles {
		f.knows(ip, e)
	}
}

// knows keeps what a better witness tells of an address.
func (f *fold) knows(ip []byte, e *event.Event) {
	f.better.add(e.At)
	if f.sample == nil {
		f.sample = map[string][]evidence.Quote{}
	}
	if q := f.sample[string(ip)]; len(q) < 4 && (len(q) > 0 || len(f.sample) < 20_000) {
		f.sample[string(ip)] = append(q, e.Quote())
	}
	f.keepTail(e)
}

// address gives what is kept of an address, nil where there are too many. One try leaves several lines in a row, so the
// last one is at hand.
func (f *fold) address(ip []byte) *told {
	if bytes.Equal(ip, f.lastIP) {
		return f.lastTold
	}
	t := f.told[string(ip)]
	if t == nil {
		if len(f.told) >= maxAddresses {
			f.full = true
			return nil
		}
		t = &told{}
		f.told[string(ip)] = t
	}
	f.lastIP, f.lastTold = append(f.lastIP[:0], ip...), t
	return t
}

// keepTail keeps the newest events of the better witness: a ring, whose texts keep their room.
func (f *fold) keepTail(e *event.Event) {
	if len(f.tail) < maxTail {
		f.tail = append(f.tail, tailEvent{})
	}
	t := &f.tail[f.tailNext]
	f.tailNext = (f.tailNext + 1) % maxTail
	t.at, t.ref, t.text = e.At, e.Ref, append(t.text[:0], e.Raw[:min(len(e.Raw), evidence.MaxQuote)]...)
}

// reach gives from when to when the syslog files that tell of ssh logins reach, rotations joined.
func (f *fold) reach() (w witness) {
	for _, x := range f.paths {
		if x.ssh {
			w.first, w.last = evidence.Min(w.first, x.first), evidence.Max(w.last, x.last)
			w.events += x.events
		}
	}
	return w
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		var out []detect.Finding
		out = append(out, f.removed()...)
		out = append(out, f.orphans()...)
		out = append(out, f.ended()...)
		out = append(out, f.emptied()...)
		out = append(out, f.rewritten()...)
		out = append(out, f.histories()...)
		out = append(out, f.stamps()...)
		out = append(out, f.stopped...)
		out = append(out, f.until(append(f.holes, f.numbers()...))...)
		out = append(out, f.audited()...)
		out = append(out, f.heartbeats()...)
		for _, r := range out {
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}

// removed finds addresses of which a better witness tells and the syslog files do not, in the time that both cover.
func (f *fold) removed() (out []detect.Finding) {
	a := f.reach()
	if a.events == 0 || f.better.events == 0 {
		return nil
	}
	from, to := max(a.first.Sec, f.better.first.Sec), min(a.last.Sec, f.better.last.Sec)
	for _, ip := range slices.Sorted(maps.Keys(f.told)) {
		t := f.told[ip]
		told, by := t.best(func(x times) int64 { return f.whileActive(x, from+1, to-1, 60) })
		kept := t[byFiles].between(from, to)
		if told < 2 { // a quiet log: more has to be missing
			if told, by = t.best(func(x times) int64 { return f.whileActive(x, from+1, to-1, 600) }); told < 3 {
				continue
			}
		}
		// A lost line or two are no proof, nor is a part of many: a flood makes log daemons drop some.
		if told-kept < 2 || kept > 0 && (told-kept < 5 || kept*4 > told) || len(f.sample[ip]) == 0 {
			continue
		}
		first, last := by[0], by[len(by)-1]
		if kept == 0 && by.beats() {
			out = append(out, f.filtered(ip, told, by))
			continue
		}
		out = append(out, detect.Finding{Detection: "D60", What: detect.LogEdited, Level: detect.Critical, Rung: evidence.Witnessed, Source: ip, Path: f.current(f.auth), Count: told - kept,
			First: evidence.Unix(first, 0, time.Second), Last: evidence.Unix(last, 0, time.Second), Attack: []string{"T1070.002"}, For: f.sample[ip],
			Title:  fmt.Sprintf("%d lines about %s are missing from %s", told-kept, ip, f.current(f.auth)),
			Detail: fmt.Sprintf("another witness tells of at least %d logins or refusals of %s in a time that the file covers; the file has %d", told, ip, kept)})
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Count > out[j].Count || out[i].Count == out[j].Count && out[i].Source < out[j].Source
	})
	if len(out) > mostRemoved { // not an intruder's work: the file as a whole lacks what the other has
		return nil
	}
	return out
}

// mostRemoved is of how many addresses one intruder may have taken lines out.
const mostRemoved = 50

// whileActive counts the times within a span near which, within reach seconds, the syslog files tell of something: what was not written because no
// log daemon ran was not removed.
func (f *fold) whileActive(t times, from, to, reach int64) (n int64) {
	for _, x := range t {
		if x < from || x > to {
			continue
		}
		for s := (x - reach) / slotSeconds; s <= (x+reach)/slotSeconds; s++ {
			if f.active[s] {
				n++
				break
			}
		}
	}
	return n
}

// ended finds a syslog file that stops while a better witness goes on telling what belongs into it.
func (f *fold) ended() []detect.Finding {
	a := f.reach()
	if a.events == 0 || f.better.events == 0 {
		return nil
	}
	var after []evidence.Quote
	n := 0
	for i := range f.tail { // the oldest first
		if len(f.tail) == maxTail {
			i = (f.tailNext + i) % maxTail
		}
		if t := &f.tail[i]; t.at.Sec > a.last.Sec+3 {
			n++
			if len(after) < 4 {
				after = append(after, evidence.NewQuote(t.ref, t.text))
			}
		}
	}
	if n < 2 {
		return nil
	}
	level := detect.Medium
	if n >= 5 && f.better.last.Sec-a.last.Sec > 300 {
		level = detect.High
	}
	return []detect.Finding{{Detection: "D58", What: detect.LogSilent, Level: level, Rung: evidence.Witnessed, Path: f.current(f.auth), First: a.last, Last: f.better.last, Count: int64(n), For: after,
		Attack: []string{"T1070.002"}, Title: fmt.Sprintf("%s stops at %s, though logins went on", f.current(f.auth), a.last),
		Detail: fmt.Sprintf("%d later logins or refusals are told only by another witness, as when the file was replaced under a running log daemon", n)}}
}

// current gives the log that a rotation belongs to: the one that is written.
func (f *fold) current(p string) string {
	p = detect.HostPath(p)
	for _, z := range []string{".gz", ".xz", ".bz2", ".zst", ".lz4"} {
		p = strings.TrimSuffix(p, z)
	}
	if i := strings.LastIndexAny(p, ".-"); i > 0 && strings.Trim(p[i+1:], "0123456789") == "" && len(p) > i+1 {
		return p[:i]
	}
	return p
}
