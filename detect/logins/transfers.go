package logins

import (
	"bytes"
	"slices"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// ProFTPD, as distributions set it up, logs refused passwords and no accepted ones: who was let in is told by the transfer log and by wtmp alone.

// comer is an account that used the ftp server from an address.
type comer struct{ user, source string }

// visits are when it did.
type visits struct {
	first, last evidence.Time
	sessions    []detect.Span
	quotes      []evidence.Quote
}

// apart is how much later what an account does belongs to another visit.
const apart = 10 * time.Minute

// transferred keeps that an account used the ftp server.
func (f *fold) transferred(e *event.Event) {
	k := comer{e.Text(event.UserName), string(detect.From(e))}
	if k.user == "" || k.source == "" || !e.At.Known() || len(e.Get(event.AuthAnonymous)) > 0 {
		return
	}
	v := f.visits[k]
	if v == nil {
		if len(f.visits) >= maxLogins {
			return
		}
		v = &visits{}
		f.visits[k] = v
	}
	v.first, v.last = evidence.Min(v.first, e.At), evidence.Max(v.last, e.At)
	if n := len(v.sessions); n > 0 && e.At.Sub(v.sessions[n-1].End).Abs() < apart {
		s := &v.sessions[n-1]
		s.Start, s.End = evidence.Min(s.Start, e.At), evidence.Max(s.End, e.At)
	} else if n < maxSessions {
		v.sessions = append(v.sessions, detect.Span{Start: e.At, End: e.At})
	}
	if len(v.quotes) < maxQuotes {
		v.quotes = append(v.quotes, e.Quote())
	}
}

// byFTP tells wtmp's record of an ftp login by its line, "ftpd507".
func byFTP(e *event.Event) bool { return bytes.HasPrefix(e.Get(event.Terminal), []byte("ftp")) }

// fromTransfers makes logins of the visits of which no log tells the login.
func (f *fold) fromTransfers() {
	told := map[comer]bool{}
	for k := range f.logins {
		told[comer{k.user, k.source}] = true
	}
	for k, v := range f.visits {
		if told[k] || len(f.logins) >= maxLogins {
			continue
		}
		l := &login{loginKey: loginKey{"ftp", k.user, k.source, "password", ""}, unsaid: true, count: int64(len(v.sessions)), first: v.first, last: v.last, quotes: v.quotes, seen: map[string]bool{}}
		for _, s := range v.sessions {
			l.sessions = append(l.sessions, &session{login: l, start: s.Start, end: s.End})
		}
		l.before[0] = f.triedBefore(k, v.first)
		f.logins[l.loginKey] = l
	}
}

// triedBefore counts an address's refused tries before it was let in. The tries of an account are kept as they came, by all witnesses: each tells the same.
func (f *fold) triedBefore(k comer, at evidence.Time) before {
	b := before{told: true, at: at}
	a, u := f.addr[k.source], f.account[k.user]
	if a == nil || u == nil {
		return b
	}
	for _, t := range u.tries {
		if t.ip == k.source && t.sec <= at.Sec {
			b.here++
		}
	}
	witnesses := int64(0)
	for _, n := range a.tried.of(k.user) {
		if n > 0 {
			witnesses++
		}
	}
	b.here /= max(witnesses, 1)
	if b.address, b.tries = b.here, a.tries; b.here == 0 {
		return b
	}
	b.tried = 1
	if !a.last.After(at) {
		b.address, b.tried = max(b.here, slices.Max(a.count[:])), int64(len(a.tried))
		b.invalid = slices.Max(a.invalid[:])
	}
	return b
}

// untold tells a login that only what was done in it tells, and that no guessing led to: it is known, and is no news.
func (l *login) untold() bool { return l.unsaid && !guessed(&l.access) }
