package samba

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// teller makes events of the lines of messages.
type teller struct {
	m     *artifact.Message
	yield func(*event.Event)
	file  bool   // reads a log of smbd's own, where headers say which function speaks
	place []byte // that of the message at hand
	line  int    // of the message, one-based
	peer  string // the client, from the file's name

	held    event.Event // a refusal or acceptance without an address, until it is known whether auth_log says the same
	holding bool
	last    verdict // what auth_log said last in words
}

// from tells whether the message may be that of a function. Names that clients choose may hold line ends, so that
// what begins a later line need not be smbd's own.
func (t *teller) from(place string) bool {
	return !t.file || t.place == nil || bytes.Contains(t.place, []byte(place))
}

// text reads one line of a message.
func (t *teller) text(b []byte) {
	first := t.line == 1
	if (t.from("auth_log") || t.from("audit_logging")) && (first || t.place != nil) && (t.auth(b) || t.json(b)) {
		return
	}
	if first && (t.checked(b) || t.connected(b) || t.from("full_audit") && t.audited(b)) {
		return
	}
	t.words(b)
}

// checked reads what the functions auth_check_ntlm_password (check_ntlm_password until 4.6) say:
//
//	check_ntlm_password:  Authentication for user [u] -> [u] FAILED with error NT_STATUS_WRONG_PASSWORD[, authoritative=1]
//	check_ntlm_password:  authentication for user [u] -> [u] -> [unix] succeeded
func (t *teller) checked(b []byte) bool {
	b, ok := said.Rest(b, "check_ntlm_password:")
	if !ok || !t.from("check_ntlm_password") {
		return false
	}
	b = bytes.TrimLeft(b, " ")
	if rest, ok := said.Rest(b, "Authentication for user ["); ok {
		names, status, ok := said.CutLast(rest, "] FAILED with error ")
		status, authority, newer := said.Cut(status, ",")
		if newer && !t.file && len(authority) > 0 { // auth_log tells it too, with the address
			return true
		}
		if ok {
			t.hold(verdict{user: half(names), status: status})
		}
		return true
	}
	if rest, ok := said.Rest(b, "authentication for user ["); ok {
		names, _, ok := said.CutLast(rest, "] succeeded")
		first, _, ok2 := said.CutLast(names, "] -> [")
		if ok && ok2 {
			t.hold(verdict{user: half(first), status: accepted})
		}
		return true
	}
	return true
}

// half gives the name of "NAME] -> [NAME": what the client said and what it was mapped to are mostly one.
func half(b []byte) []byte {
	const sep = "] -> ["
	if n := (len(b) - len(sep)) / 2; n > 0 && string(b[n:n+len(sep)]) == sep {
		return b[:n]
	}
	name, _, _ := said.Cut(b, sep)
	return name
}

// connected reads
//
//	HOST (ipv4:ADDRESS:PORT) [signed |encrypted ]connect to service SHARE initially as user USER (uid=N, gid=N) (pid N)
//	HOST (ipv4:ADDRESS:PORT) closed connection to service SHARE
func (t *teller) connected(b []byte) bool {
	if !t.from("make_connection") && !t.from("close_cnum") {
		return false
	}
	k := event.SessionOpened
	client, rest, ok := said.Cut(b, "connect to service ")
	if !ok {
		k = event.SessionClosed
		if client, rest, ok = said.Cut(b, "closed connection to service "); !ok {
			return false
		}
	}
	_, address, ok := said.Cut(client, "(")
	address, _, ok2 := said.CutLast(address, ") ")
	if !ok || !ok2 {
		return false
	}
	e := t.m.Event(k)
	e.Add(event.ServiceName, smbd)
	if _, user, ok := said.CutLast(rest, " initially as user "); ok {
		user, ids, _ := said.CutLast(user, " (uid=")
		e.Add(event.UserName, bytes.TrimSpace(user))
		e.Add(event.UserID, said.Number(ids))
		if _, pid, ok := said.CutLast(ids, "(pid "); ok && len(t.m.PID) == 0 {
			e.Add(event.ProcessPID, said.Number(pid))
		}
	}
	t.origin(e, address)
	e.Add(event.Message, b)
	t.yield(e)
	return true
}

// origin adds "ipv4:A:P", "ipv6:A:P" or an address alone; failing that, the client that the log's name says.
func (t *teller) origin(e *event.Event, b []byte) {
	ip, port := peer(b)
	e.Add(event.SourceIP, ip)
	e.Add(event.SourcePort, port)
	if ip != nil || t.peer == "" {
		return
	}
	if a := said.Address([]byte(t.peer)); a != nil {
		e.Add(event.SourceIP, a)
	} else {
		e.AddText(event.SourceHost, t.peer)
	}
}

func peer(b []byte) (ip, port []byte) {
	rest, ok := said.Rest(b, "ipv4:")
	if !ok {
		rest, ok = said.Rest(b, "ipv6:")
	}
	if !ok {
		return said.AddressPort(b)
	}
	i := bytes.LastIndexByte(rest, ':')
	if i < 0 || len(said.Number(rest[i+1:])) != len(rest)-i-1 {
		return said.Address(rest), nil
	}
	return said.Address(rest[:i]), rest[i+1:]
}

// telling are beginnings of lines that are kept. A pipe's name that is a path makes smbd load that file, which before
// 4.6.4 anybody who could write to a share could make use of; since then it refuses.
var telling = []string{
	"Refusing open on pipe ", "Error loading module '", "Error trying to resolve symbol 'init_samba_module'", "Error trying to resolve symbol 'samba_init_module'",
	"INTERNAL ERROR: ", "PANIC (pid ", "PANIC: ", "smb_panic(): ", "smb_panic: ", "load_module: ", "do_smb_load_module: ", "is_known_pipename: ",
}

// denied reads "Denied connection from NAME (ADDRESS)" and "Connection denied from ADDRESS[ to service S]", by which "hosts deny" turns away (lib/util/access.c, lib/access.c).
func (t *teller) denied(b []byte) bool {
	if t.line != 1 || !t.from("allow_access") && !t.from("check_access") {
		return false
	}
	rest, ok := said.Rest(b, "Denied connection from ")
	if ok {
		_, rest, _ = said.CutLast(rest, "(")
		rest = bytes.TrimRight(rest, " )")
	} else if rest, ok = said.Rest(b, "Connection denied from "); ok {
		rest, _ = said.FirstWord(rest)
	}
	address := said.Address(rest)
	if !ok || address == nil {
		return false
	}
	e := t.m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, smbd)
	e.Add(event.SourceIP, address)
	e.Add(event.AuthReason, []byte("connection denied"))
	t.yield(e)
	return true
}

func (t *teller) words(b []byte) {
	if t.denied(b) {
		return
	}
	k := event.ProgramSaid
	switch {
	case said.BeginsAny(b, telling):
	case bytes.HasPrefix(b, []byte("Module '")) && (bytes.HasSuffix(b, []byte("' loaded")) || bytes.Contains(b, []byte("' initialization failed"))):
	case bytes.Contains(b, []byte(" version ")) && (bytes.HasSuffix(b, []byte(" started.")) || bytes.HasSuffix(b, []byte(" started"))) && t.line == 1:
		k = event.ServiceStarted
	default:
		return
	}
	e := t.m.Event(k)
	if name, _ := said.FirstWord(b); k == event.ServiceStarted {
		e.Add(event.ServiceName, name)
	} else {
		e.Add(event.ServiceName, t.m.Program)
		t.origin(e, nil)
	}
	e.Add(event.Message, b)
	t.yield(e)
}
