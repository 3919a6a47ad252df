// Package logins folds all refused and accepted credentials of a server, whatever
// the service, into logins (who, from where, how often, how long) and guessing
// campaigns, and tells a login that guessing led to from a typing error. Counts
// are of lines in all witnesses but each login is counted once, though the syslog
// file, the journal and wtmp all tell of it.
package logins

import (
	"context"
	"iter"
	"sort"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "logins", Title: "Logins and password guessing", IDs: []string{"D05", "D06", "D07", "D13", "D14", "D15", "D16", "D17", "D18", "D20", "D34"},
		Doc:    "folds refused and accepted credentials into logins and guessing campaigns",
		Attack: []string{"T1110.001", "T1110.003", "T1078"},
		Wants: []event.Kind{event.AuthFailed, event.AuthAccepted, event.SessionOpened, event.SessionClosed, event.ConnectionSeen,
			event.LoginRecord, event.LogoutRecord, event.BadLoginRecord, event.MailReceived, event.FileUploaded, event.FileDownloaded},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, addr: map[string]*address{}, logins: map[loginKey]*login{}, pids: map[string]*session{}, account: map[string]*account{}, btmp: map[string]*badAddress{}, visits: map[comer]*visits{}}
		},
	}
}

// Bounds of what is kept: distinct actors beyond them are counted together.
const (
	maxAddresses = 200_000
	maxAccounts  = 50_000 // accounts tried, over all addresses
	maxFrom      = 1000   // addresses kept per account
	maxTried     = 64     // accounts kept per address
	maxLogins    = 50_000
	maxSessions  = 64 // per login
	maxQuotes    = 3
	maxTries     = 2 // quotations of an address's first tries
)

// guessed decides whether tries before a success were guessing and not typing errors: a person mistypes
// a few times, and one account only.
func guessed(a *detect.Access) bool {
	switch {
	case a.FailedHere >= 15, a.FailedHere >= 6 && a.Trying <= time.Hour:
		return true
	case a.FailedAddress >= 10 && a.FailedHere >= 1:
		return a.TriedInvalid > 0 || a.Trying <= 2*time.Hour
	}
	if a.Unfamiliar() && a.FailedHere == 0 && a.TriedAccounts >= 2 && a.FailedAddress >= 6 && a.Trying > 0 && a.Trying <= 10*time.Minute && a.FailedAddress*int64(30*time.Second) >= int64(a.Trying) {
		return true // name by name, without a pause, until one is taken: the names that makers give, with the passwords that they give
	}
	if a.Unfamiliar() && a.FailedAddress >= 100 && a.Trying > 0 && a.Trying <= 2*time.Hour {
		return true // a log that names no account where it refuses
	}
	// Several accounts are tried from an office too, each mistyped by its owner; those that do not exist are not.
	return a.TriedAccounts >= 3 && a.FailedAddress >= 3 && a.TriedInvalid > 0 && a.Trying <= time.Hour
}

type address struct {
	ip          string
	count       tally
	invalid     tally         // tries for accounts that do not exist
	tries       evidence.Time // the first refused try
	lastTry     evidence.Time // and the last one
	lastName    string        // for which it was
	otherTry    evidence.Time // the last one for another
	first, last evidence.Time
	tried       names // accounts, the first maxTried
	services    names
	probes      tally // connections without a credential, and unknown accounts on servers that take keys only
	quotes      []evidence.Quote
	lastQuote   evidence.Quote
}

type account struct {
	name  string
	count tally
	// the newest refused tries: a ring
	tries       []try
	next        int
	since, last evidence.Time   // of the first and the last one
	from        map[string]bool // addresses, bounded
}

// try is one refused try for an account.
type try struct {
	sec int64
	ip  string
}

// Tries that came so shortly before a login belong to one campaign with it.
const (
	recentTries   = 64
	recentSeconds = 6 * 3600
)

// recent counts the tries for an account shortly before a time, by addresses other than one, and those addresses.
func (u *account) recent(at evidence.Time, but string) (tries int64, addresses int) {
	seen := map[string]bool{}
	for _, t := range u.tries {
		if d := at.Sec - t.sec; t.ip != "" && t.ip != but && d >= 0 && d <= recentSeconds {
			tries++
			seen[t.ip] = true
		}
	}
	return tries, len(seen)
}

// before is what one witness had told when it first told of a login.
type before struct {
	told                                         bool
	here, address, tried, invalid, account, from int64
	recent, recentFrom                           int64
	owners                                       int           // other accounts that had come from the address
	tries, lastTry, at                           evidence.Time // at is the login's own, as it was told: another witness's clock may be wrong
}

type loginKey struct{ service, user, source, method, key string }

type login struct {
	anonymous bool // nobody was asked for a password, so none was guessed
	unsaid    bool // no log tells of it: what was done in it does
	inside    bool // of a container, by what its own programs wrote
	loginKey
	count       int64
	first, last evidence.Time
	access      detect.Access
	sessions    []*session
	quotes      []evidence.Quote
	seen        map[string]bool // witnesses
	before      [witnesses]before
}

type session struct {
	login      *login
	start, end evidence.Time
	port, pid  string
}

type fold struct {
	scene   detect.Scene
	addr    map[string]*address
	account map[string]*account
	logins  map[loginKey]*login
	pids    map[string]*session // the newest session of a process id
	wtmp    []record
	visits  map[comer]*visits
	btmp    map[string]*badAddress
	badFor  map[string][]badTry // filled at the end
	lastIP  string

	lastService string
	last        *address
	others      int64 // attempts by addresses beyond maxAddresses
	owners      owners
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.AuthFailed:
		f.failed(e)
	case event.ConnectionSeen:
		if a := f.address(detect.From(e)); a != nil {
			a.probes[class(e)]++
			f.touch(a, e)
		}
	case event.AuthAccepted:
		f.accepted(e, e.Text(event.ServiceName))
	case event.MailReceived: // a mail that somebody handed in after a login
		if len(e.Get(event.UserName)) > 0 && e.At.Known() {
			f.accepted(e, "smtp")
		}
	case event.SessionClosed:
		f.closed(e)
	case event.LoginRecord:
		if byFTP(e) {
			f.transferred(e)
			return
		}
		f.record(e)
	case event.FileUploaded, event.FileDownloaded:
		if string(e.Get(event.ServiceName)) == "ftp" { // the transfer log, which has no logins
			f.transferred(e)
		}
	case event.BadLoginRecord:
		f.badRecord(e)
	}
}

// address gives what is kept of an address. One try leaves several lines in a row, so the last one is at hand.
func (f *fold) address(ip []byte) *address {
	if len(ip) == 0 {
		return nil
	}
	if string(ip) == f.lastIP {
		return f.last
	}
	a := f.addr[string(ip)]
	if a == nil {
		if len(f.addr) >= maxAddresses {
			f.others++
			return nil
		}
		a = &address{ip: string(ip), quotes: make([]evidence.Quote, 0, maxTries)}
		f.addr[a.ip] = a
	}
	f.lastIP, f.last = a.ip, a
	return a
}

func (f *fold) touch(a *address, e *event.Event) {
	a.first, a.last = evidence.Min(a.first, e.At), evidence.Max(a.last, e.At)
	if len(a.quotes) < maxTries {
		a.quotes = append(a.quotes, e.Quote())
		return
	}
	if a.lastQuote.Ref == (evidence.Ref{}) || a.count[0]%64 == 0 {
		a.lastQuote = e.Quote()
	}
}

func (f *fold) failed(e *event.Event) {
	n, ok := e.Int(event.EventCount)
	if !ok || n < 1 {
		n = 1
	}
	c := class(e)
	user, service, ip := accountOf(e), e.Get(event.ServiceName), detect.From(e)
	u := f.tried(user)
	if u != nil {
		u.count[c] += n
		u.since, u.last = evidence.Min(u.since, e.At), evidence.Max(u.last, e.At)
		if e.At.Known() && len(ip) > 0 {
			if len(u.tries) < recentTries {
				u.tries = append(u.tries, try{})
			}
			t := &u.tries[u.next]
			t.sec = e.At.Sec
			if t.ip != string(ip) {
				t.ip = string(ip)
			}
			u.next = (u.next + 1) % recentTries
		}
		if len(u.from) < maxFrom && !u.from[string(ip)] {
			u.from[string(ip)] = true
		}
	}
	a := f.address(ip)
	if a == nil {
		return
	}
	a.count[c] += n
	name := "" // of one that is not kept
	if u != nil {
		name = u.name
	}
	if name != a.lastName {
		a.lastName, a.otherTry = name, a.lastTry
	}
	a.tries, a.lastTry = evidence.Min(a.tries, e.At), evidence.Max(a.lastTry, e.At)
	if len(e.Get(event.UserInvalid)) > 0 {
		a.invalid[c] += n
	}
	f.touch(a, e)
	if u != nil {
		a.tried.add(u.name, c, n, maxTried)
	} else {
		a.tried.add(string(user), c, n, maxTried)
	}
	if string(service) != f.lastService {
		f.lastService = string(service)
	}
	a.services.add(f.lastService, c, n, 8)
}

// tried gives what is kept of an account, nil where it has no name or there are too many.
func (f *fold) tried(user []byte) *account {
	if len(user) == 0 {
		return nil
	}
	u := f.account[string(user)]
	if u == nil && len(f.account) < maxAccounts {
		u = &account{name: string(user), from: map[string]bool{}}
		f.account[u.name] = u
	}
	return u
}

func (f *fold) accepted(e *event.Event, service string) {
	k := loginKey{service, string(accountOf(e)), string(detect.From(e)), e.Text(event.AuthMethod), e.Text(event.KeyFingerprint)}
	l := f.logins[k]
	if l == nil {
		if len(f.logins) >= maxLogins {
			return
		}
		l = &login{loginKey: k, seen: map[string]bool{}, inside: len(e.Get(event.ContainerID)) > 0}
		f.logins[k] = l
	}
	l.anonymous = l.anonymous || len(e.Get(event.AuthAnonymous)) > 0
	l.first = evidence.Min(l.first, e.At)
	f.remember(l, class(e), e.At)
	l.seen[e.Ref.Path] = true
	port, pid := e.Text(event.SourcePort), e.Text(event.ProcessPID)
	for i := len(l.sessions) - 1; i >= 0 && i >= len(l.sessions)-32; i-- { // the same login told by another witness
		s := l.sessions[i]
		if d := s.start.Sub(e.At); (s.port == port || s.port == "" || port == "") && s.pid == pid && d > -3*time.Second && d < 3*time.Second {
			if len(l.quotes) < 2*maxQuotes {
				l.quotes = append(l.quotes, e.Quote())
			}
			if e.At.Step < s.start.Step {
				s.start = e.At
			}
			return
		}
	}
	l.count++
	l.first, l.last = evidence.Min(l.first, e.At), evidence.Max(l.last, e.At)
	s := &session{login: l, start: e.At, port: port, pid: pid}
	if len(l.sessions) < maxSessions {
		l.sessions = append(l.sessions, s)
	} else {
		l.sessions[maxSessions-1] = s
	}
	if len(l.quotes) < 2*maxQuotes {
		l.quotes = append(l.quotes, e.Quote())
	}
	if len(f.pids) < 4*maxLogins {
		f.pids[k.service+"/"+pid] = s
	}
}

// remember takes down, when a witness first tells of a login, what it told before.
func (f *fold) remember(l *login, c int, at evidence.Time) {
	b := &l.before[c]
	if b.told {
		return
	}
	b.told, b.at = true, at
	if a := f.addr[l.source]; a != nil {
		b.address, b.tried, b.invalid, b.tries, b.lastTry = a.count[c], int64(len(a.tried)), a.invalid[c], a.tries, a.lastTry
		if a.lastName == l.user {
			b.lastTry = a.otherTry
		}
		b.here = a.tried.of(l.user)[c]
	}
	b.owners = f.owners.meet(l, b.here, b.tried)
	if u := f.account[l.user]; u != nil {
		b.account, b.from = u.count[c]-b.here, int64(len(u.from))
		n, from := u.recent(l.first, l.source)
		b.recent, b.recentFrom = n, int64(from)
		if b.here > 0 {
			b.from--
		}
	}
}

func (f *fold) closed(e *event.Event) {
	s := f.pids[e.Text(event.ServiceName)+"/"+e.Text(event.ProcessPID)]
	if s == nil || e.At.Before(s.start) {
		return
	}
	if u := accountOf(e); len(u) > 0 && string(u) != s.login.user {
		return
	}
	if !s.end.Known() {
		s.end = e.At
	}
}

// Findings gives the logins, then the campaigns.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		f.fromRecords()
		f.fromTransfers()
		all := make([]*login, 0, len(f.logins))
		for _, l := range f.logins {
			all = append(all, l)
		}
		sort.Slice(all, func(i, j int) bool {
			a, b := all[i], all[j]
			if a.first != b.first {
				return a.first.Before(b.first)
			}
			return a.user+a.source+a.method+a.key+a.service < b.user+b.source+b.method+b.key+b.service
		})
		known := history{}
		f.badByUser(all)
		for _, l := range all {
			f.measure(l, known)
			known.add(l)
			if l.untold() {
				continue
			}
			if !yield(l.finding(f)) {
				return
			}
		}
		for _, r := range append(f.odd(all), f.shared()...) {
			if !yield(r) {
				return
			}
		}
		f.campaigns(ctx, yield)
	}
}

// measure finds what was before the login's first success.
func (f *fold) measure(l *login, known history) {
	a := &l.access
	a.Longest = -1
	for _, b := range l.before {
		a.FailedHere, a.FailedAddress, a.TriedAccounts = max(a.FailedHere, b.here), max(a.FailedAddress, b.address), max(a.TriedAccounts, int(b.tried))
		a.TriedInvalid = max(a.TriedInvalid, b.invalid)
		if b.tries.Known() && b.lastTry.Known() {
			a.SinceTry = max(a.SinceTry, b.at.Sub(b.lastTry).Abs())
		}
		if b.tries.Known() {
			a.Trying = max(a.Trying, b.at.Sub(b.tries).Abs())
		}
		a.FailedAccount, a.OtherAddresses = max(a.FailedAccount, b.account), max(a.OtherAddresses, int(b.from))
		a.RecentTries, a.RecentAddresses = max(a.RecentTries, b.recent), max(a.RecentAddresses, int(b.recentFrom))
	}
	if u := f.account[l.user]; u != nil {
		for c, n := range u.count {
			a.UsualTries = max(a.UsualTries, usualTries(n-l.before[c].here, u.last.Sub(u.since)))
		}
	}
	f.fromBadRecords(l)
	f.fromOthersRecords(l)
	l.own()
	known.compare(l)
	for _, s := range l.sessions {
		a.Sessions = append(a.Sessions, detect.Span{Start: s.start, End: s.end})
		if s.end.Known() {
			a.Longest = max(a.Longest, s.end.Sub(s.start))
			l.last = evidence.Max(l.last, s.end)
		}
	}
}

func (l *login) finding(f *fold) detect.Finding {
	r := detect.Finding{
		Detection: "D14", What: detect.Login, Level: detect.Info, Rung: evidence.Accepted, First: l.first, Last: l.last, Count: l.count,
		Service: l.service, Account: l.user, Source: l.source, Method: l.method, Key: l.key, For: l.quotes, Access: &l.access,
		Title: "login of " + l.user + " by " + l.service + " from " + l.source, Attack: []string{"T1078"},
	}
	if !l.anonymous && l.method != "publickey" && l.source != "" && guessed(&l.access) && (l.method != "record" || l.access.FailedHere > 0) {
		r.What, r.Detection, r.Level, r.Attack = detect.GuessedIn, "D13", detect.High, []string{"T1110.001", "T1078"}
		r.Title = "password of " + l.user + " was guessed by " + l.source
		if l.inside { // whatever runs there writes that log: it is no word about an account of this host
			r.What, r.Level, r.Detail = detect.Login, detect.Medium, "as the container's own output tells, which every program in it can write to"
		}
		if x := f.addr[l.source]; x != nil {
			r.For = append(append([]evidence.Quote{}, x.quotes...), r.For...)
		}
	} else if u, ok := f.scene.User(l.user); ok && u.UID > 0 && u.UID < 1000 && l.service == "sshd" && serviceAccount(u) {
		r.Detection, r.Level, r.Title = "D15", detect.High, "login of the service account "+l.user+" from "+l.source
	}
	return r
}

// serviceAccount tells whether an account is meant for a daemon: a low uid and a home or shell that no person has.
func serviceAccount(u detect.User) bool {
	switch u.Name {
	case "www-data", "apache", "nginx", "httpd", "mysql", "postgres", "nobody", "daemon", "bin", "sys", "mail", "news", "uucp", "proxy", "backup",
		"list", "irc", "gnats", "games", "man", "lp", "sync", "postfix", "ftp", "sshd", "redis", "tomcat", "named", "ntp":
		return true
	}
	return false
}
