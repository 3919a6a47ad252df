// Package postfix decodes Postfix's mail log. Every mail has a queue id, which joins who handed it in (a local
// uid, an authenticated account, a client's address) with where it went.
package postfix

import (
	"bytes"

	"telltale/artifact"
	"telltale/event"
	"telltale/internal/syslog"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "postfix", Doc: "mail: who handed it in, where it went", Spec: "Postfix 3.7 src/{smtpd,pickup,qmgr,smtp,local,bounce}; postlogd(8)",
		Programs: []string{"postfix/"}, Decode: decode,
		Kinds: []event.Kind{event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.MailRejected, event.MailRemoved, event.AuthFailed},
	}
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if i := bytes.Index(t, []byte("authentication failed")); i > 0 && bytes.Contains(t[:i], []byte("SASL ")) {
		return refused(m, t[:i], yield)
	}
	if rest, ok := bytes.CutPrefix(t, []byte("NOQUEUE: ")); ok {
		if bytes.HasPrefix(rest, []byte("reject")) {
			e := m.Event(event.MailRejected)
			addresses(e, rest)
			e.Add(event.MailReason, rest)
			yield(e)
		}
		return true
	}
	id, rest, ok := bytes.Cut(t, []byte(": "))
	if !ok || !queueID(id) {
		return true // connects, warnings, statistics
	}
	switch {
	case bytes.HasPrefix(rest, []byte("client=")):
		received(m, id, rest, yield)
	case bytes.HasPrefix(rest, []byte("uid=")):
		e := m.Event(event.MailSubmitted)
		e.Add(event.MailQueueID, id)
		e.Add(event.UserID, syslog.Value(rest, "uid="))
		e.Add(event.MailFrom, angle(rest, "from=<"))
		yield(e)
	case bytes.HasPrefix(rest, []byte("from=<")) && bytes.Contains(rest, []byte("nrcpt=")):
		e := m.Event(event.MailQueued)
		e.Add(event.MailQueueID, id)
		e.Add(event.MailFrom, angle(rest, "from=<"))
		e.Add(event.FileSize, syslog.Value(rest, "size="))
		e.Add(event.MailRecipients, syslog.Value(rest, "nrcpt="))
		yield(e)
	case bytes.HasPrefix(rest, []byte("to=<")):
		delivered(m, id, rest, yield)
	case bytes.HasPrefix(rest, []byte("removed")):
		e := m.Event(event.MailRemoved)
		e.Add(event.MailQueueID, id)
		yield(e)
	case bytes.HasPrefix(rest, []byte("reject")):
		e := m.Event(event.MailRejected)
		e.Add(event.MailQueueID, id)
		addresses(e, rest)
		e.Add(event.MailReason, rest)
		yield(e)
	}
	return true
}

// queueID tells a queue id: hexadecimal, or the long form of base 52 digits (postconf(5), enable_long_queue_ids).
func queueID(b []byte) bool {
	if len(b) < 5 || len(b) > 20 {
		return false
	}
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
			return false
		}
	}
	return true
}

// received reads "client=host[ip], sasl_method=PLAIN, sasl_username=u, sasl_sender=s".
func received(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	e := m.Event(event.MailReceived)
	e.Add(event.MailQueueID, id)
	head, _, _ := bytes.Cut(t[len("client="):], []byte(","))
	if i := bytes.LastIndexByte(head, '['); i >= 0 {
		e.Add(event.SourceHost, head[:i])
		ip, _, _ := bytes.Cut(head[i+1:], []byte("]"))
		e.Add(event.SourceIP, syslog.Address(ip))
	}
	e.Add(event.AuthMethod, syslog.Value(t, "sasl_method="))
	e.Add(event.UserName, syslog.Value(t, "sasl_username="))
	yield(e)
}

// delivered reads "to=<a>, orig_to=<b>, relay=host[ip]:25, delay=1, delays=a/b/c/d, dsn=2.0.0, status=sent (text)".
func delivered(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	e := m.Event(event.MailDelivered)
	e.Add(event.MailQueueID, id)
	e.Add(event.MailTo, angle(t, "to=<"))
	if i := bytes.Index(t, []byte(", relay=")); i >= 0 {
		relay, _, _ := bytes.Cut(t[i+len(", relay="):], []byte(","))
		e.Add(event.MailRelay, relay)
	}
	if i := bytes.Index(t, []byte(", status=")); i >= 0 {
		status, why, _ := bytes.Cut(t[i+len(", status="):], []byte(" "))
		e.Add(event.MailStatus, status)
		e.Add(event.MailReason, bytes.Trim(why, "()"))
	}
	yield(e)
}

// refused reads "warning: host[ip]: SASL LOGIN authentication failed: ..., sasl_username=u". The address stands in the last brackets before.
func refused(m *artifact.Message, head []byte, yield func(*event.Event)) bool {
	j := bytes.LastIndexByte(head, ']')
	if j < 0 {
		return false
	}
	i := bytes.LastIndexByte(head[:j], '[')
	if i < 0 {
		return false
	}
	e := m.Event(event.AuthFailed)
	e.AddText(event.ServiceName, "postfix")
	e.Add(event.SourceIP, syslog.Address(head[i+1:j]))
	e.Add(event.UserName, syslog.Value(m.Text, "sasl_username="))
	e.AddText(event.AuthMethod, "password")
	yield(e)
	return true
}

// addresses reads "... from host[ip]: ... from=<a> to=<b> ...".
func addresses(e *event.Event, t []byte) {
	if in, ok := syslog.Between(t, "[", "]"); ok {
		e.Add(event.SourceIP, syslog.Address(in))
	}
	e.Add(event.MailFrom, angle(t, "from=<"))
	e.Add(event.MailTo, angle(t, " to=<"))
}

func angle(t []byte, name string) []byte {
	v, _ := syslog.Between(t, name, ">")
	return v
}
