package samba

import (
	"bytes"
	"encoding/json"

	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
)

// verdict is what was decided of one try to log in.
type verdict struct {
	service, user, status, method, remote []byte
	at                                    evidence.Time
}

var accepted, yes = []byte("NT_STATUS_OK"), []byte("true")

// auth reads what auth_log.c says in words (debug class auth_audit, level 2 for refusals):
//
//	Auth: [SMB2,(null)] user [DOMAIN]\[USER] at [TIME] with [NTLMv2] status [NT_STATUS_OK] workstation [W] remote host [ipv4:A:P] became [..
//	Successful AuthZ: [SMB2,krb5] user [DOMAIN]\[USER] [SID] at [TIME] Remote host [ipv4:A:P] local host [ipv4:A:P]
//
// Domain, user and workstation are the client's words, and brackets in them are not escaped. Where one of the marks
// stands twice, nothing tells which is the server's: the line is kept as it stands.
func (t *teller) auth(b []byte) bool {
	if rest, ok := said.Rest(b, "Successful AuthZ: ["); ok {
		return t.authorized(b, rest)
	}
	rest, ok := said.Rest(b, "Auth: [")
	if !ok {
		return false
	}
	service, who, ok := said.Cut(rest, "] user [")
	const status, host = "] status [", "] remote host ["
	if !ok || bytes.Count(rest, []byte(status)) != 1 || bytes.Count(rest, []byte(host)) != 1 {
		t.doubt(b)
		return true
	}
	before, after, _ := said.Cut(who, status)
	before, method, _ := said.CutLast(before, "] with [")
	before, _, ok = said.CutLast(before, "] at [")
	_, user, ok2 := said.Cut(before, `]\[`)
	s, after, ok3 := said.Cut(after, "] workstation [")
	_, remote, _ := said.Cut(after, host)
	remote, _, ok4 := said.Cut(remote, "]")
	if !ok || !ok2 || !ok3 || !ok4 {
		t.doubt(b)
		return true
	}
	v := verdict{service: service, user: user, status: s, method: method, remote: remote}
	t.told(v)
	t.decide(v)
	return true
}

// authorized reads "Successful AuthZ". A ticket is checked without auth_log saying "Auth:"; all else has said it.
func (t *teller) authorized(b, rest []byte) bool {
	service, who, ok := said.Cut(rest, "] user [")
	const host = "] Remote host ["
	if !ok || bytes.Count(bytes.ToLower(b), []byte("] remote host [")) != 1 {
		t.doubt(b)
		return true
	}
	_, kind, _ := said.Cut(service, ",")
	if string(kind) != "krb5" {
		return true
	}
	before, remote, _ := said.Cut(who, host)
	remote, _, _ = said.Cut(remote, "]")
	before, _, _ = said.CutLast(before, "] at [")
	before, _, _ = said.CutLast(before, "] [")
	if _, user, ok := said.Cut(before, `]\[`); ok {
		t.decide(verdict{service: service, user: user, status: accepted, method: kind, remote: remote})
	}
	return true
}

func (t *teller) doubt(b []byte) {
	e := t.m.Event(event.ProgramSaid)
	e.Add(event.ServiceName, smbd)
	e.Add(event.Message, b)
	t.yield(e)
}

// told drops what is held if auth_log says the same, and remembers what it says: it may follow as JSON.
func (t *teller) told(v verdict) {
	if t.holding && bytes.Equal(t.held.Get(event.UserName), v.user) && (t.held.Kind == event.AuthAccepted) == bytes.Equal(v.status, accepted) {
		t.holding = false
	}
	if !t.file {
		return
	}
	t.last = verdict{user: bytes.Clone(v.user), status: bytes.Clone(v.status), remote: bytes.Clone(v.remote), at: t.m.At}
}

// record is what of auth_log's JSON is of use; the members of other types of records are absent.
type record struct {
	Type           string
	Authentication struct{ Status, RemoteAddress, ServiceDescription, ClientAccount, PasswordType string }
	Authorization  struct{ RemoteAddress, ServiceDescription, AuthType, Account string }
}

const maxJSON = 64 << 10 // bytes of a record that is read

// json reads the same as auth, `{"timestamp": ..., "type": "Authentication", ...}`, before 4.9 with "JSON Authentication: "
// before it. Where it follows the words, it is not told; in syslog each line stands alone, and both are.
func (t *teller) json(b []byte) bool {
	if i := bytes.IndexByte(b, '{'); i > 0 && bytes.HasPrefix(b, []byte("JSON ")) {
		b = b[i:]
	}
	if len(b) < 2 || len(b) > maxJSON || b[0] != '{' || !bytes.Contains(b[:min(len(b), 128)], []byte(`"type"`)) {
		return false
	}
	var r record
	if json.Unmarshal(b, &r) != nil {
		return false
	}
	a, z := &r.Authentication, &r.Authorization
	switch {
	case r.Type == "Authentication":
		v := verdict{service: []byte(a.ServiceDescription), user: []byte(a.ClientAccount), status: []byte(a.Status), method: []byte(a.PasswordType), remote: []byte(a.RemoteAddress)}
		l := &t.last
		same := l.at.Known() && t.m.At.Sec-l.at.Sec <= 1 && bytes.Equal(l.user, v.user) && bytes.Equal(l.status, v.status) && bytes.Equal(l.remote, v.remote)
		if *l = (verdict{}); same {
			return true
		}
		t.told(v)
		t.last = verdict{}
		t.decide(v)
	case r.Type == "Authorization" && z.AuthType == "krb5":
		t.decide(verdict{service: []byte(z.ServiceDescription), user: []byte(z.Account), status: accepted, method: []byte(z.AuthType), remote: []byte(z.RemoteAddress)})
	}
	return true
}

// decide tells a try.
func (t *teller) decide(v verdict) { t.yield(t.event(v)) }

func (t *teller) event(v verdict) *event.Event {
	k := event.AuthFailed
	if bytes.Equal(v.status, accepted) {
		k = event.AuthAccepted
	}
	e := t.m.Event(k)
	e.Add(event.ServiceName, service(v.service))
	e.Add(event.UserName, v.user)
	if k == event.AuthFailed {
		e.Add(event.AuthReason, v.status)
		if string(v.status) == "NT_STATUS_NO_SUCH_USER" {
			e.Add(event.UserInvalid, yes)
		}
	} else if len(v.user) == 0 || string(v.user) == "ANONYMOUS LOGON" {
		e.Add(event.AuthAnonymous, yes)
	}
	e.Add(event.AuthMethod, v.method)
	t.origin(e, v.remote)
	return e
}

// service gives "smbd" for what a client of shares reached; a domain controller also checks tickets and LDAP binds.
func service(b []byte) []byte {
	if name, _, _ := said.Cut(b, ","); len(name) > 0 && !bytes.HasPrefix(name, []byte("SMB")) {
		return name
	}
	return smbd
}

// hold keeps a verdict without an address until it is known whether auth_log says it with one: it does at once, if its
// debug class has that level. Messages of syslog are told at once.
func (t *teller) hold(v verdict) {
	if !t.file {
		t.decide(v)
		return
	}
	t.flush()
	t.held, t.holding = t.event(v).Clone(), true
}

// settle tells what is held when a second has passed.
func (t *teller) settle() {
	if t.holding && t.m.At.Sec-t.held.At.Sec > 1 {
		t.flush()
	}
}

func (t *teller) flush() {
	if t.holding {
		t.holding = false
		t.yield(&t.held)
	}
}
