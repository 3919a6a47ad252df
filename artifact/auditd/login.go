package auditd

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

// witness is who tells of a try to log in. Up to three records tell of one.
type witness uint8

const (
	byPAM   witness = iota // USER_AUTH op=PAM:authentication, of libpam
	bySSHD                 // USER_AUTH op=password, of sshd as Red Hat builds it
	byLogin                // USER_LOGIN, of sshd and login; sshd as others build it writes one for each refused key and password
	witnesses
)

const (
	maxPeers   = 4096 // pairs of service and address that are remembered; then all are forgotten
	quietTries = 600  // seconds after which tries are counted anew
	sameLogin  = 120  // seconds from the credential to the USER_LOGIN of the same login
)

// logins keeps what was told of each service and address lately, so that no try is told twice. Of refused tries there
// were as many as the most talkative witness tells of: a record is told if its witness gets ahead of the others. An
// accepted credential is told at once, and the USER_LOGIN that follows from there is not.
type logins struct {
	peers map[string]*peer
	key   []byte
}

type peer struct {
	refused  [witnesses]int64
	last     int64 // second of the last refusal
	accepted int64 // second of the last credential whose USER_LOGIN is awaited
}

func (l *logins) peer(service, from []byte) *peer {
	l.key = append(append(append(l.key[:0], service...), 0), from...)
	p := l.peers[string(l.key)]
	if p == nil {
		if l.peers == nil || len(l.peers) >= maxPeers {
			l.peers = map[string]*peer{}
		}
		p = &peer{}
		l.peers[string(l.key)] = p
	}
	return p
}

// refusal tells whether a refused try is a new one.
func (l *logins) refusal(service, from []byte, w witness, sec int64) bool {
	if l == nil {
		return w == byPAM
	}
	p := l.peer(service, from)
	if sec-p.last > quietTries || p.last-sec > quietTries {
		p.refused = [witnesses]int64{}
	}
	p.last = sec
	p.refused[w]++
	for other, n := range p.refused {
		if witness(other) != w && n >= p.refused[w] {
			return false
		}
	}
	return true
}

// acceptance tells whether an accepted login is a new one.
func (l *logins) acceptance(service, from []byte, w witness, sec int64) bool {
	if l == nil {
		return w != byLogin
	}
	p := l.peer(service, from)
	if w != byLogin {
		p.accepted = sec
		return true
	}
	told := p.accepted != 0 && sec-p.accepted <= sameLogin && p.accepted-sec <= sameLogin
	p.accepted = 0
	return !told
}

var yes, password, publickey = []byte("true"), []byte("password"), []byte("publickey")

// login reads USER_AUTH, USER_LOGIN and USER_ERR. For an account that does not exist, sshd writes one USER_LOGIN more than
// there were tries: that is left so, since nothing in it tells which. What is not counted, since it is no try or told elsewhere: op=pubkey
// (also written when a key is only asked about), op=pubkey_auth (op=key follows, with the fingerprint), op=success, op=none.
func (t *teller) login() {
	op, service := t.r.op(), t.service()
	w, method := byLogin, []byte(nil)
	switch string(t.r.kind) {
	case "USER_ERR": // PAM:bad_ident: a login program ended with no one named or nothing tried
		t.who(t.event(event.ConnectionSeen), service, nil)
		return
	case "USER_AUTH":
		switch {
		case same(op, "PAM:authentication"):
			w, method = byPAM, password
		case same(op, "password") || same(op, "challengeresponse") || same(op, "keyboardinteractive"):
			w, method = bySSHD, password
		case same(op, "key"):
			w, method = bySSHD, publickey
		default:
			return
		}
	}
	from := t.address()
	if len(from) == 0 && len(service) == 0 {
		return
	}
	if !t.r.done() {
		if !same(op, "key") && t.logins.refusal(service, from, w, t.r.at.Sec) {
			t.who(t.event(event.AuthFailed), service, method)
		}
		return
	}
	if w == bySSHD && !same(op, "key") || len(from) == 0 && string(service) != "login" && string(service) != "sshd" {
		return // sudo, su, cron, screen locks: nobody came in
	}
	if !t.logins.acceptance(service, from, w, t.r.at.Sec) {
		return
	}
	e := t.event(event.AuthAccepted)
	e.Add(event.KeyType, t.r.plain("algo"))
	e.Add(event.SourcePort, said.Number(t.r.plain("rport")))
	e.Add(event.KeyFingerprint, t.fingerprint())
	t.who(e, service, method)
}

// who adds the account and where it came from, and yields.
func (t *teller) who(e *event.Event, service, method []byte) {
	e.Add(event.ServiceName, service)
	if user := t.subject(); user != nil {
		e.Add(event.UserName, user)
	} else if e.Kind == event.AuthFailed {
		e.Add(event.UserInvalid, yes)
	}
	if e.Kind == event.SessionOpened || e.Kind == event.SessionClosed || string(service) == "su" || string(service) == "sudo" {
		if by := t.name("auid", "AUID"); !bytes.Equal(by, e.Get(event.UserName)) {
			e.Add(event.UserBy, by)
		}
	}
	e.Add(event.UserID, t.r.plain("id"))
	t.origin(e)
	e.Add(event.AuthMethod, method)
	t.yield(e)
}

// subject gives the account that a record of a program is about; nil where it says that there is none.
func (t *teller) subject() []byte {
	a := t.r.coded("acct")
	if len(a) == 0 {
		return t.name("id", "ID")
	}
	switch string(a) {
	case "?", "(unknown)", "(unknown user)", "(invalid user)":
		return nil
	}
	return a
}

// address gives the peer's address, which some programs write as its name.
func (t *teller) address() []byte {
	if a := said.Address(t.r.plain("addr")); a != nil {
		return a
	}
	return said.Address(t.r.plain("hostname"))
}

func (t *teller) origin(e *event.Event) {
	if a := t.address(); a != nil {
		e.Add(event.SourceIP, a)
	} else if h := t.r.plain("hostname"); h != nil && t.r.plain("addr") != nil {
		e.Add(event.SourceHost, h)
	}
	e.Add(event.Terminal, t.r.plain("terminal"))
}

// fingerprint reads fp=SHA256:aa:bb:.. of sshd as Red Hat builds it, which is in hex where ssh-keygen has base64, and
// fp=aa:bb:.. (MD5).
func (t *teller) fingerprint() []byte {
	fp := t.r.plain("fp")
	hex, ok := said.Rest(fp, "SHA256:")
	if !ok {
		return fp
	}
	const size = 32
	var sum [size]byte
	if len(hex) != size*3-1 {
		return fp
	}
	for i := range sum {
		hi, lo := lower(hex[i*3]), lower(hex[i*3+1])
		if hi > 15 || lo > 15 || i < size-1 && hex[i*3+2] != ':' {
			return fp
		}
		sum[i] = hi<<4 | lo
	}
	return base64Fingerprint(sum[:])
}

// session reads what PAM says of sessions. sshd and login write a second record for a terminal, op=login; cron opens
// one for every job, and systemd one for every login's own services.
func (t *teller) session(k event.Kind) {
	op, service := t.r.op(), t.service()
	if !t.r.done() || !same(op, "PAM:sessionopen") && !same(op, "PAM:sessionclose") {
		return
	}
	switch string(service) {
	case "cron", "crond", "atd", "systemd", "systemd-executor":
		return
	}
	t.who(t.event(k), service, nil)
}

// sudo reads USER_CMD: cwd, cmd and terminal. uid is who asked.
func (t *teller) sudo() {
	k := event.SudoCommand
	if !t.r.done() {
		k = event.SudoDenied
	}
	e := t.event(k)
	service := t.service()
	if service == nil {
		service = []byte("sudo")
	}
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, t.name("uid", "UID"))
	e.Add(event.UserID, t.r.plain("uid"))
	e.Add(event.Terminal, t.r.plain("terminal"))
	e.Add(event.WorkingDirectory, t.r.coded("cwd"))
	e.Add(event.CommandLine, t.r.coded("cmd"))
	t.yield(e)
}

// typed reads USER_TTY: a line that a shell built for it was given.
func (t *teller) typed() {
	e := t.event(event.ShellCommand)
	e.Add(event.UserName, t.name("uid", "UID"))
	e.Add(event.UserID, t.r.plain("uid"))
	e.Add(event.CommandLine, t.r.coded("data"))
	t.yield(e)
}
