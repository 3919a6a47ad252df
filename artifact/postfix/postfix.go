// Package postfix decodes Postfix's mail log. Every mail has a queue id, which joins who handed it in (a local
// uid, an authenticated account, a client's address) with where it went. Addresses of mails, HELO names and the
// answers of other servers are strangers' words: what Postfix adds itself is read from before them, or from where
// it follows them for the first time.
package postfix

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "postfix", Doc: "mail: who handed it in, where it went", Spec: "Postfix 2.3 to 3.9 src/{smtpd,pickup,qmgr,global/log_adhoc.c,postscreen,master}; postconf(5), enable_long_queue_ids",
		Programs: []string{"postfix/", "postfix-*"}, Decode: decode,
		Kinds: []event.Kind{event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.MailRejected, event.MailRemoved, event.AuthFailed, event.ConnectionSeen, event.ServiceStarted, event.ServiceStopped},
	}
}

var service, password = []byte("postfix"), []byte("password")

// routine are the beginnings of what tells nothing of its own.
var routine = []string{
	"connect from ", "disconnect from ", "lost connection ", "timeout after ", "too many errors after ", "warning: ", "error: ", "fatal: ", "panic: ", "info: ",
	"statistics: ", "Anonymous TLS connection ", "Trusted TLS connection ", "Untrusted TLS connection ", "Verified TLS connection ", "setting up TLS connection ",
	"SSL_accept", "SSL_connect", "improper command pipelining ", "CONNECT from ", "DISCONNECT ", "PASS NEW ", "PASS OLD ", "PREGREET ", "HANGUP ", "DNSBL rank ",
	"WHITELISTED ", "ALLOWLISTED ", "BLACKLISTED ", "DENYLISTED ", "NON-SMTP COMMAND ", "BARE NEWLINE ", "COMMAND ", "WHITELIST VETO ", "ALLOWLIST VETO ", "cache ", "close database ", "connect to ", "reload ",
	"starting the Postfix ", "stopping the Postfix ", "refreshing the Postfix ", "reloading ", "table ", "name_mask: ", "auto_clnt_", "the Postfix mail system ", "Postfix is ",
	"host ", "addr ", "bare <LF> received ", "certificate verification failed ", "proxy-accept: ", "proxy-reject: ", "Deleted: ", "Requeued: ", "Placed on hold: ", "Released from hold: ",
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if rest, ok := said.Rest(t, "warning: "); ok && refused(m, rest, yield) {
		return true
	}
	if bytes.HasSuffix(m.Program, []byte("/master")) && master(m, yield) {
		return true
	}
	id, rest, ok := said.Cut(t, ": ")
	if ok && string(id) == "NOQUEUE" {
		rejected(m, nil, rest, yield)
		return true
	}
	if !ok || !queueID(id) {
		return turnedAway(m, yield) || said.BeginsAny(t, routine)
	}
	begins := func(p string) bool { return bytes.HasPrefix(rest, []byte(p)) }
	switch {
	case begins("client="):
		received(m, id, rest, yield)
	case begins("uid="):
		submitted(m, id, rest, yield)
	case begins("from=<"):
		queued(m, id, rest, yield)
	case begins("to=<"):
		delivered(m, id, rest, yield)
	case begins("reject"), begins("milter-reject"):
		rejected(m, id, rest, yield)
	case string(rest) == "removed":
		e := m.Event(event.MailRemoved)
		e.Add(event.MailQueueID, id)
		yield(e)
	}
	return true
}

// rude are the beginnings of what is said of clients that break the rules; "from host[ip]" follows, with the server's words between. Who just breaks off
// may be anybody's mail server.
var rude = []string{"lost connection after AUTH ", "lost connection after UNKNOWN ", "too many errors after ", "improper command pipelining after ", "PREGREET ", "COMMAND TIME LIMIT ", "COMMAND COUNT LIMIT ", "COMMAND LENGTH LIMIT ", "COMMAND PIPELINING ", "NON-SMTP COMMAND ", "BARE NEWLINE "}

// turnedAway reads "lost connection after AUTH from host[ip]", "PREGREET 14 after 0.08 from [ip]:port: text", and "disconnect from host[ip] ehlo=1 auth=0/1 ...".
func turnedAway(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	var reason, peer []byte
	if rest, ok := said.Rest(t, "disconnect from "); ok {
		i := bytes.Index(rest, []byte("] ")) // behind it the server counts commands: those that it took, of how many
		if i < 0 || !bytes.Contains(rest[i:], []byte(" auth=0/")) {
			return false
		}
		reason, peer = []byte("no try to log in succeeded"), rest
	} else if said.BeginsAny(t, rude) {
		before, rest, ok := said.Cut(t, " from ")
		if !ok {
			before, rest, ok = said.Cut(t, "from ")
		}
		if !ok {
			return false
		}
		reason, peer = before, rest
	} else {
		return false
	}
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, service)
	if _, ok := endpoint(e, peer); !ok {
		return false
	}
	e.Add(event.AuthReason, reason)
	yield(e)
	return true
}

// master reads what the daemon that starts the others says.
func master(m *artifact.Message, yield func(*event.Event)) bool {
	k := event.Unknown
	if bytes.HasPrefix(m.Text, []byte("daemon started ")) {
		k = event.ServiceStarted
	} else if bytes.HasPrefix(m.Text, []byte("terminating on signal ")) {
		k = event.ServiceStopped
	} else {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	yield(e)
	return true
}

// queueID tells a queue id: five or more hexadecimal digits, or ten or more digits and letters, which the long
// form uses (src/global/mail_queue.h, MQID_LG_*). No word that stands before a colon has digits in it.
func queueID(b []byte) bool {
	if len(b) < 5 || len(b) > 30 {
		return false
	}
	hex, digits := true, 0
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'F':
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			hex = false
		default:
			return false
		}
	}
	return hex || len(b) >= 10 && digits > 0
}

// endpoint reads "host[ip]" or "host[ip]:port" at the beginning of t and adds it; rest is behind it.
func endpoint(e *event.Event, t []byte) (rest []byte, ok bool) {
	i := bytes.IndexByte(t, '[')
	if i < 0 {
		return t, false
	}
	j := bytes.IndexByte(t[i:], ']')
	if j < 0 {
		return t, false
	}
	ip := said.Address(t[i+1 : i+j])
	e.Add(event.SourceIP, ip)
	if string(t[:i]) != "unknown" {
		e.Add(event.SourceHost, t[:i])
	}
	rest = t[i+j+1:]
	if len(rest) > 0 && rest[0] == ':' { // smtpd_client_port_logging, postscreen
		port := said.Number(rest[1:])
		e.Add(event.SourcePort, port)
		if len(port) > 0 {
			rest = rest[1+len(port):]
		}
	}
	return rest, ip != nil
}

// received reads "client=host[ip], sasl_method=PLAIN, sasl_username=u, sasl_sender=s, orig_queue_id=...".
func received(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	e := m.Event(event.MailReceived)
	e.Add(event.MailQueueID, id)
	t, _ = endpoint(e, t[len("client="):])
	if rest, ok := said.Rest(t, ", sasl_method="); ok {
		method, rest, _ := said.Cut(rest, ", ")
		e.Add(event.AuthMethod, method)
		t = rest
		if name, ok := said.Rest(t, "sasl_username="); ok {
			for _, end := range [...]string{", sasl_sender=", ", orig_queue_id=", ", orig_client="} {
				name, _, _ = said.Cut(name, end)
			}
			e.Add(event.UserName, name)
		}
	}
	yield(e)
}

// submitted reads "uid=33 from=<www-data>".
func submitted(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	e := m.Event(event.MailSubmitted)
	e.Add(event.MailQueueID, id)
	uid, rest := said.FirstWord(t[len("uid="):])
	e.Add(event.UserID, said.Number(uid))
	if from, ok := said.Rest(rest, "from=<"); ok {
		from, _, _ = said.CutLast(from, ">")
		e.Add(event.MailFrom, from)
	}
	yield(e)
}

// queued reads "from=<a>, size=n, nrcpt=n (queue active)"; "status=expired" there tells nothing new.
func queued(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	from, rest, ok := said.CutLast(t[len("from=<"):], ">, size=")
	size := said.Number(rest)
	count, more := said.Rest(rest[len(size):], ", nrcpt=")
	if !ok || !more {
		return
	}
	e := m.Event(event.MailQueued)
	e.Add(event.MailQueueID, id)
	e.Add(event.MailFrom, from)
	e.Add(event.FileSize, size)
	e.Add(event.MailRecipients, said.Number(count))
	yield(e)
}

// delivered reads "to=<a>, orig_to=<b>, relay=host[ip]:25, delay=1, delays=a/b/c/d, dsn=2.0.0, status=sent (text)".
func delivered(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	to, rest, ok := said.Cut(t[len("to=<"):], ">, relay=")
	if !ok {
		return
	}
	to, _, _ = said.Cut(to, ">, orig_to=<")
	relay, rest, _ := said.Cut(rest, ", ")
	_, rest, _ = said.Cut(rest, "status=")
	status, why, _ := said.Cut(rest, " ")
	e := m.Event(event.MailDelivered)
	e.Add(event.MailQueueID, id)
	e.Add(event.MailTo, to)
	e.Add(event.MailRelay, relay)
	e.Add(event.MailStatus, status)
	e.Add(event.MailReason, bytes.TrimSuffix(bytes.TrimPrefix(why, []byte("(")), []byte(")")))
	yield(e)
}

// refused reads "host[ip]: SASL LOGIN authentication failed: reason, sasl_username=u".
func refused(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	rest, ok := endpoint(e, t)
	rest, sasl := said.Rest(rest, ": SASL ")
	method, reason, failed := said.Cut(rest, " authentication failed")
	if !ok || !sasl || !failed || bytes.IndexByte(method, ' ') >= 0 {
		return false
	}
	if before, name, ok := said.Cut(reason, ", sasl_username="); ok {
		e.Add(event.UserName, name)
		reason = before
	}
	reason = bytes.TrimPrefix(reason, []byte(": "))
	if said.BeginsAny(reason, []string{"Connection lost to authentication server", "Invalid authentication mechanism", "no mechanism available", "Temporary authentication failure"}) {
		return true // no password was looked at
	}
	e.Add(event.AuthMethod, password)
	e.Add(event.AuthReason, reason)
	yield(e)
	return true
}

// rejected reads "reject: RCPT from host[ip]: 554 5.7.1 <b>: why; from=<a> to=<b> proto=ESMTP helo=<h>".
func rejected(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	what, rest, ok := said.Cut(t, ": ")
	if !ok || string(what) != "reject" && string(what) != "milter-reject" {
		return // warnings, holds, discards
	}
	e := m.Event(event.MailRejected)
	e.Add(event.MailQueueID, id)
	if _, peer, ok := said.Cut(rest, " from "); ok {
		rest, _ = endpoint(e, peer)
		rest = bytes.TrimPrefix(rest, []byte(": "))
	}
	e.Add(event.MailFrom, angle(rest, "; from=<"))
	e.Add(event.MailTo, angle(rest, " to=<"))
	e.Add(event.MailReason, rest)
	yield(e)
}

func angle(t []byte, name string) []byte {
	_, v, _ := said.Cut(t, name)
	v, _, _ = said.Cut(v, ">")
	return v
}
