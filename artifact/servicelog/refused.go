package servicelog

import (
	"bytes"

	"telltale/artifact"
	"telltale/event"
	"telltale/internal/multimatch"
)

// phrases are how services of any kind say that a name or password was wrong. Each stands for itself: words that are as well said of mails, files or
// machines ("unknown user", "access denied") are none of them.
var phrases = []string{
	"authentication fail", "authentication: failed", "failed md5 authentication", "tried to authenticate with nonexistent user", "authentication error", "authentication attempt failed", "failed authentication", "authentication was unsuccessful", "failed to authenticate", "fail to authenticate", "could not authenticate", "auth failure", "auth failed", "auth fail:", "failed auth", "auth error",
	"failed login", "login failed", "login failure", "login error", "login_error", "login denied", "login incorrect", "incorrect login", "invalid login", "bad login", "badlogin", "login fail:", "failed to login", "failed to log in", "failed log in", "failed logon", "logon failed", "login attempt failed", "unsuccessful login", "login excessive", "login disabled", "login not allowed", "autherr",
	"wrong password", "bad password", "invalid password", "incorrect password", "password incorrect", "password is incorrect", "password mismatch", "password check failed", "wrong username", "invalid username", "invalid credential", "bad credential", "wrong credential", "incorrect username", "unknown user name or bad password",
	"bad rcon", "username/auth name mismatch", "challengeresponsefailed", "\"invalidpassword\"", "\"failedacl\"", "invalidaccountid", "no matching endpoint found", "no matching peer found", "sip auth failure", "no registration for peer", "failed smtp login", "failed c2s", "failed to validate credentials", "accessing monit httpd", "might not have worked", "getting details for user with username input", "\"login_failed\"", "\"invalid_login\"", "invalid admin token", "invalid totp code", "token is invalid! ip", "couldn't find the pskey for",
	"login attempt or request with invalid authentication", "auth-failure", "login_failure", "failed connection attempt", "failed attempted login", "password supplied for ", "'s records in the system password file", "wrong certificate or password", "invalid server password", "disconnected: not authorised", "\"authentication_failed\"", "\"connection_failed\"", "[denied login]", "/_session 401 ", "login refused: user ", "username and password do not match",
	"can't find apop secret for user", "userinfo error - auth_", "status=\"failed", "error reading authentication information", "doesn't exist. attempt from ip address",
}

// split are phrases of two parts, between which a name or an address stands.
var split = [][2][]byte{
	{[]byte("authentication attempt from "), []byte(" failed")}, {[]byte("login with username "), []byte(" failed")}, {[]byte("login from "), []byte(" failed")}, {[]byte("registration from "), []byte(" failed for ")}, {[]byte("request from "), []byte(" failed for ")}, {[]byte("login into "), []byte(" failed")}, {[]byte("can't find user ["), []byte("] from ")},
	{[]byte("failed "), []byte(" override of user=")}, {[]byte("unsuccessful "), []byte(" authentication attempt by user")}, {[]byte("authentication request for "), []byte(" has been denied")}, {[]byte("login for user "), []byte(" failed from ")}, {[]byte("/login\" "), []byte(" httpstatus=401 ")},
}

// denials are how a service says that an address may not come at all.
var denials = []string{
	"is not allowed to talk to us", "access not allowed", "rejected connection", "client denied", "not allowed to connect", "failed to pass ip acl", "no acl matches", "no acl match", "rejected by acl", "refused connect", "connection refused from", "access denied -- client", "libwrap from=", "failedacl", "rejected because extension not found", "not found in context", "rejecting unknown sip connection", "relay attempt", "found in dns blacklist", "has no reverse dns entry", "spam attack detected", "tcp_denied/", "address from=", " on illegal port", "event=failed-command",
	"hacking attempt detected", "ssl negotiation with client failed", "peer did not return a certificate", "attempt to deliver to unknown recipient", "message from ip address", "rejected for policy reasons",
	"error:method-not-allowed", "ratelimit block ", ".org blocked ", ".com blocked ", "sip auth challenge", " tcp blocked", " udp blocked", "rblsmtpd: ", "badiprbl: ip ", "notexist - [",
}

// undone are words by which a line says that it went well after all.
var undone = []string{"0 failed", "failed=0", "failures=0", "failed: 0", "no failed login", "not failed", "succeeded", "successful login"}

// classes of what was found.
const (
	isPhrase = 1 << iota
	isDenial
	isUndone
	isLogin
)

// refusals finds lines that tell of somebody who was refused. It knows no service's grammar, so that it says only what a line says plainly: that its one address
// was refused, and by which name.
type refusals struct {
	set   *multimatch.Set
	class []uint8
}

// newRefusals gives the finder; the words are few, so that they always fit.
func newRefusals() *refusals {
	r := &refusals{}
	var words []string
	for _, l := range []struct {
		words []string
		class uint8
	}{{phrases, isPhrase}, {denials, isDenial}, {undone, isUndone}, {welcomes, isLogin}} {
		for _, w := range l.words {
			words, r.class = append(words, w), append(r.class, l.class)
		}
	}
	for _, s := range split {
		words, r.class = append(words, string(s[1])), append(r.class, 0)
	}
	set, err := multimatch.New(words)
	if err != nil {
		return r
	}
	r.set = set
	return r
}

// find tells whether a line is of a refusal or of a login, and from which address; ok is false where it is of neither.
func (r *refusals) find(t []byte) (kind event.Kind, from []byte, ok bool) {
	if r.set == nil || len(t) > maxRefusal {
		return 0, nil, false
	}
	seen, parted := r.look(t)
	switch {
	case seen&isUndone != 0 && seen&isLogin == 0 && !bytes.Contains(bytes.ToLower(t), []byte("unsuccessful login")):
		return 0, nil, false
	case seen&isUndone != 0 && seen&(isPhrase|isDenial) != 0 && !bytes.Contains(bytes.ToLower(t), []byte("unsuccessful login")):
		return 0, nil, false
	case seen&isPhrase != 0 || parted && between(t):
		kind = event.AuthFailed
	case seen&isDenial != 0:
		kind = event.ConnectionSeen
	case seen&isLogin != 0:
		from, ok = welcomed(t)
		return event.AuthAccepted, from, ok
	default:
		return 0, nil, false
	}
	from = peer(t)
	return kind, from, from != nil
}

// look tells of which classes a line's words are, and whether the second part of a phrase in two stands in it.
func (r *refusals) look(t []byte) (seen uint8, parted bool) {
	r.set.Find(t, func(w int32) {
		seen |= r.class[w]
		parted = parted || r.class[w] == 0
	})
	return seen, parted
}

// maxRefusal bounds the lines that are looked at: no refusal is longer.
const maxRefusal = 4096

// between tells whether both parts of a phrase stand in a line, in their order.
func between(t []byte) bool {
	low := bytes.ToLower(t)
	for _, s := range split {
		if i := bytes.Index(low, s[0]); i >= 0 && bytes.Contains(low[i+len(s[0]):], s[1]) {
			return true
		}
	}
	return false
}

// maxAddresses bounds the addresses that are looked at in a line.
const maxAddresses = 64

// keep notes an address; the second place holds one that differs.
func keep(found *[2][]byte, a []byte) {
	switch {
	case found[0] == nil:
		found[0] = a
	case !bytes.Equal(found[0], a):
		found[1] = a
	}
}

// next finds the next word of the letters of an address that begins at a word's beginning.
func next(t []byte, at int) (from, end int) {
	for i := at; i < len(t); i++ {
		if !ofAddress(t[i]) || i > 0 && letter(t[i-1]) {
			continue
		}
		end = i
		dots := 0
		for end < len(t) && ofAddress(t[end]) {
			if t[end] == '.' || t[end] == ':' {
				dots++
			}
			end++
		}
		if dots >= 2 {
			return i, end
		}
		i = end
	}
	return -1, len(t)
}

func ofAddress(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '.' || c == ':'
}

func letter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-'
}

// endsIn tells whether a text's last words are one of a list.
func endsIn(b []byte, words []string) bool {
	for _, w := range words {
		if rest, ok := bytes.CutSuffix(b, []byte(w)); ok && (len(rest) == 0 || !letter(rest[len(rest)-1])) {
			return true
		}
	}
	return false
}

// quoted gives what stands between quotes; one within a word, as in 'O'Leary', does not end it.
func quoted(t []byte) []byte {
	for i := 1; i < len(t) && i <= maxAccount+1; i++ {
		if t[i] == t[0] && (i+1 == len(t) || !letter(t[i+1])) {
			return t[1:i]
		}
	}
	return nil
}

// Said gives the artefact of the messages of programs that no other member knows.
func Said() *artifact.Artifact {
	return &artifact.Artifact{Name: "refused", Doc: "who was refused and let in by programs of any kind", Spec: "the words that such programs print", Programs: []string{"nobody's"}, Decode: newRefusals().decode, Kinds: []event.Kind{event.AuthFailed, event.ConnectionSeen, event.AuthAccepted}}
}

// decode tells of refusals in the messages of programs that nobody knows.
func (r *refusals) decode(m *artifact.Message, yield func(*event.Event)) bool {
	kind, from, ok := r.find(m.Text)
	if !ok {
		return false
	}
	e := m.Event(kind)
	describe(e, m.Program, m.Text, from)
	yield(e)
	return true
}

// describe fills what is told of a refusal.
func describe(e *event.Event, service, t, from []byte) {
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, account(t))
	e.Add(event.SourceIP, from)
	e.Add(event.Message, t[:min(len(t), maxMessage)])
}
