package tamper

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// record is a login of wtmp.
type record struct {
	user, source string
	at           evidence.Time
	quote        evidence.Quote
}

// sessions are what PAM tells of sshd's sessions in syslog files, and which of them have the line of their login.
type sessions struct {
	opened   []opened
	accepted map[string]evidence.Time // by process id, the newest
}

type opened struct {
	user, pid string
	path      string
	at        evidence.Time
	quote     evidence.Quote
	remote    bool // by sshd
	told      bool // its login's line was seen before
}

const maxOpened = 20_000

// loginRecord takes a record of wtmp: a witness of its own.
func (f *fold) loginRecord(e *event.Event) {
	if e.Text(event.RecordType) == "lastlog" || !e.At.Known() || !strings.HasSuffix(detect.HostPath(e.Ref.Path), "wtmp") {
		return
	}
	f.logins.add(e.At)
	ip := e.Get(event.SourceIP)
	if len(ip) == 0 || len(e.Get(event.UserName)) == 0 || !strings.HasPrefix(e.Text(event.Terminal), "pts/") {
		return
	}
	if len(f.records) < maxOpened {
		f.records = append(f.records, record{e.Text(event.UserName), string(ip), e.At, e.Quote()})
	}
	f.recorded(e)
}

// recorded counts a login or refusal of wtmp and btmp, which no edit of a syslog file touches, as told by a better witness.
func (f *fold) recorded(e *event.Event) {
	ip := e.Get(event.SourceIP)
	if len(ip) == 0 || !e.At.Known() {
		return
	}
	if t := f.address(ip); t != nil && len(t[byRecords]) < maxTimes {
		t[byRecords] = append(t[byRecords], e.At.Sec)
	}
	if f.sample == nil {
		f.sample = map[string][]evidence.Quote{}
	}
	if q := f.sample[string(ip)]; len(q) < 4 && (len(q) > 0 || len(f.sample) < 20_000) {
		f.sample[string(ip)] = append(q, e.Quote())
	}
	f.better.add(e.At)
}

// session takes what syslog files tell of sshd's sessions.
func (f *fold) session(e *event.Event) {
	if e.Kind != event.SessionOpened && e.Kind != event.AuthAccepted || string(e.Get(event.ServiceName)) != "sshd" || !e.At.Known() {
		return
	}
	pid := e.Text(event.ProcessPID)
	switch {
	case pid == "":
	case better(e): // tells of sessions, but its own lines are not what is doubted
		if e.Kind == event.SessionOpened && len(f.sessions.opened) < maxOpened {
			f.sessions.opened = append(f.sessions.opened, opened{e.Text(event.UserName), pid, e.Ref.Path, e.At, e.Quote(), true, true})
		}
	case e.Kind == event.AuthAccepted:
		if f.sessions.accepted == nil {
			f.sessions.accepted = map[string]evidence.Time{}
		}
		if len(f.sessions.accepted) < maxOpened {
			f.sessions.accepted[pid] = e.At
		}
	case e.Kind == event.SessionOpened && len(f.sessions.opened) < maxOpened:
		at, ok := f.sessions.accepted[pid]
		d := e.At.Sub(at)
		f.sessions.opened = append(f.sessions.opened, opened{e.Text(event.UserName), pid, e.Ref.Path, e.At, e.Quote(), true, ok && d > -2*time.Second && d < 2*time.Minute})
	}
}

// orphans finds sessions of sshd without the line that accepted their login: somebody took the lines with an address
// out, and those without it stayed.
func (f *fold) orphans() (out []detect.Finding) {
	told := 0
	bySource := map[string]*detect.Finding{}
	for _, s := range f.sessions.opened {
		if s.told {
			told++
			continue
		}
		source := f.sourceOf(s)
		r := bySource[source.source]
		if r == nil {
			r = &detect.Finding{Detection: "D60", What: detect.LogEdited, Level: detect.High, Rung: evidence.Effect, Source: source.source, Path: f.current(s.path), Attack: []string{"T1070.002"},
				Detail: "sshd's sessions have no line that accepts their login, though others have"}
			if source.source != "" {
				r.Detail += "; wtmp names the address"
				r.For = append(r.For, source.quote)
			}
			bySource[source.source] = r
		}
		r.Count++
		r.Account = s.user
		r.First, r.Last = evidence.Min(r.First, s.at), evidence.Max(r.Last, s.at)
		if len(r.For) < 6 {
			r.For = append(r.For, s.quote)
		}
	}
	for _, r := range bySource {
		r.Title = fmt.Sprintf("%d sessions in %s lack the line of their login", r.Count, r.Path)
		out = append(out, *r)
	}
	// A server that logs little has such lines nowhere; and a few at a log's beginning belong to what was rotated away.
	if n := len(f.sessions.opened) - told; n == 0 || told < 3 || n*2 > told || len(out) > 20 {
		return nil
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Source < out[j].Source })
	return out
}

// sourceOf gives wtmp's record of a session.
func (f *fold) sourceOf(s opened) (best record) {
	for _, r := range f.records {
		if d := r.at.Sub(s.at); r.user == s.user && d > -5*time.Second && d < 30*time.Second {
			return r
		}
	}
	return best
}
