package logins

import (
	"maps"
	"slices"
	"sort"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// record is a login that wtmp or utmp tells.
type record struct {
	user, source, pid string
	at                evidence.Time
	quote             evidence.Quote
}

// badAddress is what btmp tells of an address: a witness of guessing that an edited auth.log does not touch.
type badAddress struct {
	times  []badTime // the first maxBad
	ssh    bool      // it tried ssh, whose server names no terminal
	total  int64
	last   evidence.Time
	quotes []evidence.Quote
}

type badTime struct {
	at   evidence.Time
	user string
}

// maxBad is how many refused logins of btmp are kept of one address.
const maxBad = 256

func (f *fold) record(e *event.Event) {
	user := e.Get(event.UserName)
	if e.Text(event.RecordType) == "lastlog" || len(f.wtmp) >= maxLogins || len(user) == 0 || !e.At.Known() {
		return
	}
	src := string(detect.From(e))
	switch string(user) {
	case "reboot", "shutdown", "runlevel":
		return
	}
	if src != "" {
		f.wtmp = append(f.wtmp, record{string(user), src, e.Text(event.ProcessPID), e.At, e.Quote()})
	}
}

func (f *fold) badRecord(e *event.Event) {
	ip := detect.From(e)
	if len(ip) == 0 || !e.At.Known() {
		return
	}
	b := f.btmp[string(ip)]
	if b == nil {
		if len(f.btmp) >= maxAddresses {
			return
		}
		b = &badAddress{}
		f.btmp[string(ip)] = b
	}
	b.total++
	b.ssh = b.ssh || string(e.Get(event.Terminal)) == "ssh:notty"
	b.last = evidence.Max(b.last, e.At)
	if len(b.times) < maxBad {
		name := string(e.Get(event.UserName))
		if u := f.account[name]; u != nil {
			name = u.name // one string for all
		}
		b.times = append(b.times, badTime{e.At, name})
	}
	if len(b.quotes) < maxTries {
		b.quotes = append(b.quotes, e.Quote())
	}
}

// fromBadRecords counts what btmp tells of a login's address before it. The log of the same tries counts, too: the
// larger number is the true one.
func (f *fold) fromBadRecords(l *login) {
	b := f.btmp[l.source]
	if b == nil {
		return
	}
	var tried names
	var before, here int64
	first := evidence.Time{}
	for _, t := range b.times {
		if t.at.Before(l.first) {
			before++
			first = evidence.Min(first, t.at)
			tried.add(t.user, 0, 1, maxTried)
			if t.user == l.user {
				here++
			}
		}
	}
	if b.last.Before(l.first) {
		before = b.total
	}
	a := &l.access
	a.FailedHere, a.FailedAddress, a.TriedAccounts = max(a.FailedHere, here), max(a.FailedAddress, before), max(a.TriedAccounts, len(tried))
	if first.Known() {
		a.Trying = max(a.Trying, l.first.Sub(first))
	}
	if before > 0 && f.addr[l.source] == nil {
		l.quotes = append(slices.Clone(b.quotes), l.quotes...)
	}
}

// badTry is one refused login of btmp, for an account.
type badTry struct {
	at     evidence.Time
	source string
}

// badByUser sorts what btmp tells by those accounts that somebody got in as.
func (f *fold) badByUser(all []*login) {
	f.badFor = map[string][]badTry{}
	for _, l := range all {
		f.badFor[l.user] = nil
	}
	for _, ip := range slices.Sorted(maps.Keys(f.btmp)) {
		for _, t := range f.btmp[ip].times {
			if list, entered := f.badFor[t.user]; entered && len(list) < maxBad {
				f.badFor[t.user] = append(list, badTry{t.at, ip})
			}
		}
	}
}

// fromOthersRecords counts, for a login that only a record tells of, what btmp tells of other addresses' tries for its account before it.
func (f *fold) fromOthersRecords(l *login) {
	if l.method != "record" {
		return // the log that tells of it tells of the tries, too
	}
	var before, recent int64
	from := map[string]bool{}
	for _, t := range f.badFor[l.user] {
		d := l.first.Sub(t.at)
		if t.source == l.source || d < 0 {
			continue
		}
		if before++; d <= recentSeconds*time.Second {
			recent++
			from[t.source] = true
		}
	}
	a := &l.access
	a.FailedAccount = max(a.FailedAccount, before)
	a.RecentTries, a.RecentAddresses = max(a.RecentTries, recent), max(a.RecentAddresses, len(from))
}

// slack is how far wtmp's time of a login may be from the log's.
const slack = 60 * time.Second

// fromRecords joins what wtmp tells with the logins of the logs; what no log tells is a login of its own.
func (f *fold) fromRecords() {
	byUser := map[string][]*session{}
	for _, l := range f.logins {
		if l.method == "record" {
			continue
		}
		byUser[l.user] = append(byUser[l.user], l.sessions...)
	}
	for _, list := range byUser {
		sort.Slice(list, func(i, j int) bool { return list[i].start.Before(list[j].start) })
	}
	for _, r := range f.wtmp {
		if told := nearest(byUser[r.user], r.at); told != nil {
			if l := told.login; len(l.quotes) < 2*maxQuotes+1 && !l.seen["wtmp"] {
				l.seen["wtmp"] = true
				l.quotes = append(l.quotes, r.quote)
			}
			continue
		}
		f.recorded(r)
	}
}

// nearest gives the session, of a list in order, that began within the slack of a time; nil if none did.
func nearest(list []*session, at evidence.Time) *session {
	i := sort.Search(len(list), func(i int) bool { return !list[i].start.Before(at) })
	for _, k := range []int{i - 1, i} {
		if k >= 0 && k < len(list) && list[k].start.Sub(at).Abs() < slack {
			return list[k]
		}
	}
	return nil
}

// recorded adds a login that only wtmp tells.
func (f *fold) recorded(r record) {
	k := loginKey{"login", r.user, r.source, "record", ""}
	if b := f.btmp[r.source]; b != nil && b.ssh {
		k.service = "sshd"
	}
	l := f.logins[k]
	if l == nil {
		if len(f.logins) >= maxLogins {
			return
		}
		l = &login{loginKey: k, seen: map[string]bool{"wtmp": true}}
		f.logins[k] = l
	}
	l.count++
	l.first, l.last = evidence.Min(l.first, r.at), evidence.Max(l.last, r.at)
	if len(l.sessions) < maxSessions {
		l.sessions = append(l.sessions, &session{login: l, start: r.at, pid: r.pid})
	}
	if len(l.quotes) < maxQuotes {
		l.quotes = append(l.quotes, r.quote)
	}
}
