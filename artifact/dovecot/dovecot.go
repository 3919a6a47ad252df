// Package dovecot decodes the logins that Dovecot's login processes tell: accepted and refused, by which method,
// from where. The user's name is the client's, and may hold the words of other fields: the address is the last one.
package dovecot

import (
	"bytes"
	"strconv"
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "dovecot", Doc: "logins to mailboxes by IMAP and POP3: accepted and refused, from where",
		Spec:     "Dovecot 1.2 to 2.4 src/login-common/{client-common.c,client-common-auth.c}; login_log_format_elements",
		Programs: []string{"dovecot", "imap-login", "pop3-login", "managesieve-login", "submission-login", "auth", "auth-worker", "dovecot-auth"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.ServiceStarted},
	}
}

var service = []byte("dovecot")

// processes are those that say nothing of logins that the login processes do not say, too.
var processes = []string{"auth", "imap", "pop3", "lda", "lmtp", "master", "config", "log", "anvil", "ssl-params", "stats", "doveadm", "indexer", "managesieve", "dict", "old-stats", "replicator", "submission", "Dovecot v", "dovecot:", "killed with signal "}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	name, t := m.Program, m.Text
	if string(name) == "dovecot" {
		if bytes.HasPrefix(t, []byte("Dovecot v")) {
			return started(m, t, yield)
		}
		var ok bool
		if name, t, ok = said.Cut(t, ": "); !ok {
			return said.BeginsAny(name, processes)
		}
	}
	if string(name) == "dovecot" { // of old releases under the name of their own
		name, t, _ = said.Cut(t, ": ")
	}
	for _, level := range [...]string{"Info: ", "Warning: ", "Error: "} { // of log files without syslog
		t, _ = said.Rest(t, level)
	}
	switch {
	case bytes.HasSuffix(name, []byte("-login")):
		return login(m, t, yield)
	case said.BeginsAny(name, []string{"auth", "dovecot-auth"}):
		return checkedSince24(m, name, t, yield) || checked(m, t, yield)
	case string(name) == "master" && bytes.HasPrefix(t, []byte("Dovecot v")):
		return started(m, t, yield)
	}
	return said.BeginsAny(name, processes)
}

func started(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	if bytes.Contains(t, []byte(" starting up")) {
		e := m.Event(event.ServiceStarted)
		e.Add(event.ServiceName, service)
		yield(e)
	}
	return true
}

// login reads "Login: user=<u>, method=PLAIN, rip=1.2.3.4, lip=..." and "Disconnected: why (auth failed, n attempts in s secs): user=<u>, ...".
func login(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	if rest, ok := said.Rest(t, "Login: "); ok {
		e := m.Event(event.AuthAccepted)
		if who(e, rest) {
			yield(e)
		}
		return true
	}
	if !said.BeginsAny(t, []string{"Disconnected", "Aborted login", "Login aborted", "Maximum number of connections"}) && !bytes.Contains(t, []byte(" (auth failed, ")) {
		return said.BeginsAny(t, []string{"proxy(", "TLS ", "SSL ", "Internal login failure", "Fatal: ", "Panic: ", "Warning: "})
	}
	why, rest, ok := said.Cut(t, ": user=<")
	if !ok { // no name was given, and none is logged
		if why, rest, ok = said.Cut(t, ": method="); !ok {
			why, rest, ok = said.Cut(t, ": rip=")
		}
		if ok {
			rest = t[len(why)+len(": "):]
		}
	} else {
		rest = t[len(why)+len(": "):]
	}
	if !ok {
		return false
	}
	_, tries, failed := said.Cut(why, "(auth failed, ")
	k := event.ConnectionSeen
	if failed {
		k = event.AuthFailed
	}
	e := m.Event(k)
	if n, err := strconv.ParseInt(string(said.Number(tries)), 10, 32); err == nil && n > 1 && m.Repeat <= 1 {
		e.AddInt(event.EventCount, n)
	}
	if who(e, rest) {
		e.Add(event.AuthReason, why)
		yield(e)
	}
	return true
}

// refusals end what a password database says of a name that it does not know, or of a password that does not fit.
var refusals = []string{"unknown user", "Password mismatch", "password mismatch", "invalid credentials", "pam_authenticate() failed: "}

// checked reads "pam(user,1.2.3.4,<session>): unknown user" of the process that checks passwords; "conn unix:auth-worker (pid=..): auth-worker<55>: " may
// stand before. The name is the client's and may hold anything: the address is sought from the last "): " that one of the refusals follows. The login
// process tells of the same try, too, and is believed on how many there were; but other programs ask here as well.
func checked(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	at, why := -1, ""
	for _, r := range refusals {
		if i := bytes.LastIndex(t, []byte("): "+r)); i > at {
			at, why = i, r
		}
	}
	if at < 0 {
		return true
	}
	head := t[:at]
	if before, _, ok := said.CutLast(head, ",<"); ok && head[len(head)-1] == '>' { // the session
		head = before
	}
	who, ip, _ := said.CutLast(bytes.TrimSuffix(head, []byte(",")), ",")
	address := said.Address(ip)
	_, name, ok := said.Cut(who, "(")
	if bytes.HasPrefix(t, []byte("conn ")) { // steps over "(pid=..): auth-worker<55>: pam("
		_, name, ok = said.Cut(name, "(")
	}
	if address == nil || !ok {
		return true
	}
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, address)
	e.Add(event.AuthReason, []byte(strings.TrimSuffix(why, " failed: ")))
	yield(e)
	return true
}

// checkedSince24 reads what such a process says since 2.4: the name "auth(user,1.2.3.4,sasl:login)<session>" or "auth-worker(user,1.2.3.4)<pid><session>", and the text "[request [12]: ][Info: ]sql: unknown user".
func checkedSince24(m *artifact.Message, name, t []byte, yield func(*event.Event)) bool {
	_, who, ok := said.Cut(name, "(")
	who, _, ok2 := said.CutLast(who, ")")
	if !ok || !ok2 {
		return false
	}
	if rest, ok := said.Rest(t, "request ["); ok {
		_, t, _ = said.Cut(rest, "]: ")
	}
	t, _ = said.Rest(t, "Info: ")
	_, t, _ = said.Cut(t, ": ")
	if before, method, ok := said.CutLast(who, ",sasl:"); ok && bytes.IndexByte(method, ',') < 0 {
		who = before
	}
	user, ip, _ := said.CutLast(who, ",")
	address := said.Address(ip)
	for _, r := range refusals {
		if address == nil || !bytes.HasPrefix(t, []byte(r)) {
			continue
		}
		e := m.Event(event.ConnectionSeen)
		e.Add(event.ServiceName, service)
		e.Add(event.UserName, user)
		e.Add(event.SourceIP, address)
		e.Add(event.AuthReason, []byte(strings.TrimSuffix(r, " failed: ")))
		yield(e)
		return true
	}
	return false
}

// who reads "user=<u>, method=PLAIN, rip=1.2.3.4, lip=..." (login_log_format_elements); behind rip stands nothing of the client's.
func who(e *event.Event, t []byte) bool {
	before, rest, ok := said.CutLast(t, "rip=")
	rip, _, _ := said.Cut(rest, ",")
	ip := said.Address(rip)
	if !ok || ip == nil {
		return false
	}
	e.Add(event.ServiceName, service)
	before = bytes.TrimSuffix(before, []byte(", "))
	before, method, ok := said.CutLast(before, ">, method=")
	if !ok && bytes.HasPrefix(before, []byte("method=")) { // no name was given
		before, method, ok = nil, before[len("method="):], true
	}
	if ok {
		e.Add(event.AuthMethod, method)
	} else {
		before = bytes.TrimSuffix(before, []byte(">"))
	}
	user, _ := said.Rest(before, "user=<")
	e.Add(event.UserName, user)
	e.Add(event.SourceIP, ip)
	return true
}
