// Package sendmail decodes Sendmail's mail log: who handed a mail in (a local account, one that authenticated, a host), where it went, what was refused.
// Addresses of mails are strangers' words, and a refusal quotes them twice, before the relay and behind it: the relay is in the middle.
package sendmail

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "sendmail", Doc: "mail: who handed it in, where it went, who guessed passwords", Spec: "sendmail 8.12 to 8.18 sendmail/{deliver,envelope,srvrsmtp,savemail}.c, doc/op (LogLevel)",
		Programs: []string{"sendmail", "sm-*"}, Decode: decode,
		Kinds: []event.Kind{event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.MailRejected, event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.ServiceStarted}}
}

var service, password = []byte("sendmail"), []byte("password")

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if bytes.HasPrefix(t, []byte("starting daemon (")) {
		e := m.Event(event.ServiceStarted)
		e.Add(event.ServiceName, service)
		yield(e)
		return true
	}
	if rest, ok := said.Rest(t, "AUTH=server, relay="); ok {
		return authenticated(m, rest, yield)
	}
	id, rest, ok := said.Cut(t, ": ")
	if !ok || !queueID(id) {
		id, rest = nil, t
	}
	begins := func(p string) bool { return bytes.HasPrefix(rest, []byte(p)) }
	switch {
	case begins("from="):
		arrived(m, id, rest, yield)
	case begins("to="):
		delivered(m, id, rest, yield)
	case begins("AUTH=server, relay="):
		return authenticated(m, rest[len("AUTH=server, relay="):], yield)
	case begins("AUTH failure ("):
		return refused(m, rest, yield)
	case begins("ruleset="):
		return rejected(m, id, rest, yield)
	case begins("rejecting commands from "):
		return attack(m, rest[len("rejecting commands from "):], yield)
	case bytes.HasSuffix(rest, []byte(" [rejected]")):
		return attack(m, rest, yield)
	case bytes.Contains(rest, []byte(": possible SMTP attack: command=")):
		return attack(m, rest, yield)
	case bytes.Contains(rest, []byte(" did not issue MAIL/EXPN/VRFY/ETRN during connection to ")):
		return attack(m, rest, yield)
	}
	return id != nil || said.BeginsAny(t, routine)
}

// routine are the beginnings of what belongs to no mail.
var routine = []string{"STARTTLS", "NOQUEUE: ", "alias database ", "runqueue: ", "restarting ", "stopping daemon", "rejecting connections ", "accepting connections ", "grew WorkList ", "starting daemon ", "started as: ", "SYSERR", "timeout waiting for input ", "lost input channel ", "gethostbyaddr(", "My unqualified host name ",
	"error connecting to filter ", "Milter ", "/etc/mail/", "File descriptors ", "unable to qualify ", "DSN: ", "ruleset="}

// queueID tells "s1GNXHYB005133": 14 letters and digits, of which the last six or seven are a process id.
func queueID(b []byte) bool {
	if len(b) < 12 || len(b) > 20 {
		return false
	}
	for i, c := range b {
		if !(c >= '0' && c <= '9' || i < 8 && (c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z')) {
			return false
		}
	}
	return true
}

// relay reads "host [ip] (may be forged)", "[ip]", "user@localhost".
func relay(e *event.Event, t []byte) bool {
	t = bytes.TrimSuffix(t, []byte(" (may be forged)"))
	i := bytes.LastIndexByte(t, '[')
	if i < 0 || len(t) == 0 || t[len(t)-1] != ']' {
		return false
	}
	ip := said.Address(bytes.TrimPrefix(t[i+1:len(t)-1], []byte("IPv6:")))
	e.Add(event.SourceIP, ip)
	e.Add(event.SourceHost, bytes.TrimRight(t[:i], " "))
	return ip != nil
}

// arrived reads "from=<a>, size=1, class=0, nrcpts=1, msgid=<..>, proto=ESMTP, daemon=MTA, relay=host [ip]". The relay is the last field; nrcpts stands
// before the message's own id.
func arrived(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	from, rest, _ := said.Cut(t[len("from="):], ", size=")
	from = bytes.Trim(from, "<>")
	size := said.Number(rest)
	_, count, _ := said.Cut(rest, ", nrcpts=")
	_, peer, _ := said.CutLast(t, ", relay=")
	local := bytes.HasSuffix(peer, []byte("@localhost")) || bytes.HasSuffix(peer, []byte("@localhost [127.0.0.1]"))
	k := event.MailReceived
	if local {
		k = event.MailSubmitted
	}
	e := m.Event(k)
	e.Add(event.MailQueueID, id)
	if local {
		name, _, _ := said.Cut(peer, "@")
		e.Add(event.UserName, name)
	} else {
		relay(e, peer)
		if before, _, ok := said.CutLast(t, ", relay="); ok {
			if _, user, ok := said.CutLast(before, ", authid="); ok {
				user, _, _ = said.Cut(user, ",")
				e.Add(event.UserName, user)
			}
		}
	}
	e.Add(event.MailFrom, from)
	yield(e)
	e = m.Event(event.MailQueued)
	e.Add(event.MailQueueID, id)
	e.Add(event.MailFrom, from)
	e.Add(event.FileSize, size)
	e.Add(event.MailRecipients, said.Number(count))
	yield(e)
}

// delivered reads "to=<b>, ctladdr=<a> (48/48), delay=.., mailer=esmtp, relay=host [ip], dsn=2.0.0, stat=Sent (text)". ctladdr names the local account
// that handed the mail in, by its uid.
func delivered(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	to, rest, _ := said.Cut(t[len("to="):], ", ")
	if account, after, ok := said.Cut(rest, ", delay="); ok {
		if who, ok := said.Rest(account, "ctladdr="); ok {
			rest = after
			if _, ids, ok := said.CutLast(who, " ("); ok {
				if uid := said.Number(ids); len(uid) > 0 {
					e := m.Event(event.MailSubmitted)
					e.Add(event.MailQueueID, id)
					e.Add(event.UserID, uid)
					who, _, _ = said.CutLast(who, " (")
					e.Add(event.MailFrom, bytes.Trim(who, "<>"))
					yield(e)
				}
			}
		}
	}
	e := m.Event(event.MailDelivered)
	e.Add(event.MailQueueID, id)
	e.Add(event.MailTo, bytes.Trim(to, "<>"))
	if _, peer, ok := said.Cut(rest, ", relay="); ok {
		peer, _, _ = said.Cut(peer, ", ")
		e.Add(event.MailRelay, peer)
	}
	if _, status, ok := said.Cut(rest, ", stat="); ok {
		status, why, _ := said.Cut(status, " ")
		e.Add(event.MailStatus, bytes.ToLower(bytes.TrimRight(status, ":")))
		e.Add(event.MailReason, why)
	}
	yield(e)
}

// authenticated reads "host [ip], authid=u, mech=LOGIN, bits=0".
func authenticated(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	peer, rest, ok := said.Cut(t, ", authid=")
	user, rest, ok2 := said.CutLast(rest, ", mech=")
	e := m.Event(event.AuthAccepted)
	e.Add(event.ServiceName, service)
	if !ok || !ok2 || !relay(e, peer) {
		return false
	}
	e.Add(event.UserName, user)
	mech, _, _ := said.Cut(rest, ",")
	e.Add(event.AuthMethod, mech)
	yield(e)
	return true
}

// refused reads "AUTH failure (LOGIN): why SASL(-13): why, user=u, relay=host [ip]".
func refused(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	before, peer, ok := said.CutLast(t, ", relay=")
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	if !ok || !relay(e, peer) {
		return false
	}
	if _, user, ok := said.Cut(before, ", user="); ok {
		e.Add(event.UserName, user)
	}
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}

// rejected reads "ruleset=check_rcpt, arg1=<b>, relay=host [ip], reject=550 5.7.1 <b>... why". Whatever the address holds stands in it twice.
func rejected(m *artifact.Message, id, t []byte, yield func(*event.Event)) bool {
	const mark = ", relay="
	n := bytes.Count(t, []byte(mark))
	rest := t
	for range n/2 + 1 {
		var ok bool
		if _, rest, ok = said.Cut(rest, mark); !ok {
			return true // without a relay: local
		}
	}
	peer, why, ok := said.Cut(rest, ", reject=")
	e := m.Event(event.MailRejected)
	e.Add(event.MailQueueID, id)
	if !ok || !relay(e, peer) {
		return true // the host itself
	}
	if _, to, ok := said.Cut(t, ", arg1=<"); ok && bytes.HasPrefix(t, []byte("ruleset=check_rcpt")) {
		to, _, _ = said.Cut(to, ">")
		e.Add(event.MailTo, to)
	}
	e.Add(event.MailReason, why)
	yield(e)
	return true
}

// attack reads "host [ip]: possible SMTP attack: command=AUTH, count=5" and "host [ip] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA".
func attack(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	var peer, why []byte
	ok := false
	for _, end := range [...]string{" due to pre-greeting traffic ", ": possible ", " did not issue ", "]: "} {
		if peer, why, ok = said.Cut(t, end); ok {
			if end == "]: " { // "[ip]: VRFY root [rejected]"
				peer = t[:len(peer)+1]
			}
			break
		}
	}
	if !ok {
		return false
	}
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, service)
	if !relay(e, peer) {
		return true
	}
	e.Add(event.AuthReason, why)
	yield(e)
	return true
}
