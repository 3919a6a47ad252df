// Package dovecot decodes the logins that Dovecot's login processes tell: accepted and refused, by which method,
// from where. The user's name is the client's, and may hold the words of other fields: the address is the last one.
package dovecot

import (
	"bytes"
	"strconv"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "dovecot", Doc: "logins to mailboxes by IMAP and POP3: accepted and refused, from where",
		Spec:     "Dovecot 1.2 to 2.4 src/login-common/{client-common.c,client-common-auth.c}; login_log_format_elements",
		Programs: []string{"dovecot", "imap-login", "pop3-login", "managesieve-login", "submission-login", "auth"}, Decode: decode,
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
	for _, level := range [...]string{"Info: ", "Warning: ", "Error: "} { // of log files without syslog
		t, _ = said.Rest(t, level)
	}
	switch {
	case bytes.HasSuffix(name, []byte("-login")):
		return login(m, t, yield)
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
	if !said.BeginsAny(t, []string{"Disconnected", "Aborted login", "Login aborted", "Maximum number of connections"}) {
		return said.BeginsAny(t, []string{"proxy(", "TLS ", "SSL ", "Internal login failure", "Fatal: ", "Panic: ", "Warning: "})
	}
	why, rest, ok := said.Cut(t, ": user=<")
	if !ok { // no name was given, and none is logged
		if why, rest, ok = said.Cut(t, ": rip="); ok {
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
