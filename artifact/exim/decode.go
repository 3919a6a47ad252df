package exim

import (
	"bytes"
	"strconv"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

var (
	service  = []byte("exim")
	password = []byte("password")
	sent     = []byte("sent")
	bounced  = []byte("bounced")
	deferred = []byte("deferred")
)

// routine are the beginnings of what tells nothing of its own.
var routine = []string{
	"Starting MTA:", "Stopping MTA:", "Restarting MTA:",
	"Start queue run", "End queue run", "SMTP ", "TLS ", "no host name found ", "no IP address found ", "unexpected disconnection ", "Warning: ", "H=", "Connection from ", "refused connection ",
	"host name alias ", "DKIM: ", "ident connection ", "pid ", "re-exec", "daemon ", "rejected ", "Failed ", "remote host address ", "list matching ", "no ", "lookup of ", "VRFY ", "sender verify ",
}

// decode reads the text of one line, its stamp taken off: "[[pid] ][message-id ]flag ...".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if m.Transport != "" { // syslog_timestamp
		_, t, _ = stamp(&logclock.Clock{}, t)
	}
	if rest, ok := said.Rest(t, "["); ok {
		pid := said.Number(rest)
		if rest, ok := said.Rest(rest[len(pid):], "] "); ok && len(pid) > 0 {
			m.PID, t = pid, rest
		}
	}
	id, rest := said.FirstWord(t)
	if !messageID(id) {
		return unbound(m, t, yield)
	}
	flag, args := said.FirstWord(rest)
	switch string(flag) {
	case "<=":
		arrived(m, id, args, yield)
	case "=>", "->", ">>", "*>":
		delivered(m, id, args, sent, yield)
	case "**":
		delivered(m, id, args, bounced, yield)
	case "==":
		delivered(m, id, args, deferred, yield)
	case "Completed":
		e := m.Event(event.MailRemoved)
		e.Add(event.MailQueueID, id)
		yield(e)
	default:
		if !rejected(m, id, rest, yield) {
			turnedAway(m, rest, yield)
		}
	}
	return true
}

// messageID tells "1sR0Ab-0001Xy-2Z" (6-6-2 digits of base 62) and, since 4.97, 6-11-4.
func messageID(b []byte) bool {
	if len(b) != 16 && len(b) != 23 {
		return false
	}
	second := len(b) - 3
	if len(b) == 23 {
		second = 18
	}
	for i, c := range b {
		if i == 6 || i == second {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
			return false
		}
	}
	return true
}

// address reads a mail address at the beginning of t; a quoted local part may hold blanks.
func address(t []byte) (a, rest []byte) {
	n := 0
	if len(t) > 0 && t[0] == '"' {
		for n = 1; n < len(t) && t[n] != '"'; n++ {
			if t[n] == '\\' {
				n++
			}
		}
		n = min(n, len(t))
	}
	i := bytes.IndexByte(t[n:], ' ')
	if i < 0 {
		return t, nil
	}
	return t[:n+i], bytes.TrimLeft(t[n+i:], " ")
}

// host reads "name (helo) [ip]:port I=[ip]:port": the last word in brackets is the client's address, for a HELO
// name stands before it.
func host(e *event.Event, t []byte) {
	for len(t) > 0 {
		before, w := said.LastWord(t)
		if w = bytes.TrimPrefix(w, []byte("H=")); len(w) > 0 && w[0] == '[' {
			i := bytes.IndexByte(w, ']')
			if i < 0 {
				return
			}
			e.Add(event.SourceIP, said.Address(w[1:i]))
			if port, ok := said.Rest(w[i+1:], ":"); ok {
				e.Add(event.SourcePort, said.Number(port))
			}
			if name, _ := said.FirstWord(bytes.TrimPrefix(before, []byte("H="))); len(name) > 0 && name[0] != '(' && name[0] != '[' {
				e.Add(event.SourceHost, name)
			}
			return
		}
		t = before
	}
}

// arrived reads "sender H=host U=ident P=protocol X=cipher A=method:user S=size id=... T="subject" for recipients"; the
// fields of interest stand before id.
func arrived(m *artifact.Message, id, t []byte, yield func(*event.Event)) {
	from, t := address(t)
	from = bytes.Trim(from, "<>")
	where, t, ok := said.Cut(t, " P=")
	if !ok {
		return
	}
	protocol, rest := said.FirstWord(t)
	method, user, size, rest := fields(rest)
	remote := bytes.HasPrefix(where, []byte("H=")) || bytes.Contains(where, []byte(" H="))
	local := !remote && bytes.HasPrefix(protocol, []byte("local"))
	k := event.MailReceived
	if local {
		k = event.MailSubmitted
	}
	e := m.Event(k)
	e.Add(event.MailQueueID, id)
	if local {
		if _, u, ok := said.Cut(where, "U="); ok {
			u, _ = said.FirstWord(u)
			e.Add(event.UserName, u)
		}
	} else {
		if i := bytes.Index(where, []byte(" U=")); i >= 0 {
			where = where[:i] // what the client's identd says
		}
		host(e, where)
		e.Add(event.AuthMethod, method)
		e.Add(event.UserName, user)
	}
	e.Add(event.MailFrom, from)
	yield(e)
	e = m.Event(event.MailQueued)
	e.Add(event.MailQueueID, id)
	e.Add(event.MailFrom, from)
	e.Add(event.FileSize, size)
	if _, list, ok := said.CutLast(rest, " for "); ok && !bytes.HasSuffix(rest, []byte(`"`)) { // log_selector received_recipients
		e.Add(event.MailRecipients, strconv.AppendInt(nil, int64(bytes.Count(list, []byte(" "))+1), 10))
	}
	yield(e)
}

// fields reads "X=cipher DN="name" A=method:user S=size", in any order up to S.
func fields(t []byte) (method, user, size, rest []byte) {
	for len(t) > 0 {
		w, more := said.FirstWord(t)
		if i := bytes.Index(w, []byte(`="`)); i > 0 { // a certificate's name, a stranger's text in quotes
			j := bytes.IndexByte(t[i+2:], '"')
			if j < 0 {
				break
			}
			t = bytes.TrimLeft(t[i+2+j+1:], " ")
			continue
		}
		if v, ok := said.Rest(w, "A="); ok && method == nil {
			method, user, _ = said.Cut(v, ":")
		}
		if v, ok := said.Rest(w, "S="); ok {
			return method, user, said.Number(v), more
		}
		t = more
	}
	return method, user, nil, t
}

// delivered reads "to [<original>] R=router T=transport H=host [ip] ... C="answer"", and behind a failure ": why".
func delivered(m *artifact.Message, id, t, status []byte, yield func(*event.Event)) {
	to, rest := address(t)
	if len(rest) > 0 && rest[0] == '<' {
		if i := bytes.IndexByte(rest, '>'); i > 0 {
			to, rest = rest[1:i], rest[i+1:]
		}
	}
	e := m.Event(event.MailDelivered)
	e.Add(event.MailQueueID, id)
	e.Add(event.MailTo, bytes.TrimSuffix(to, []byte(":")))
	why := rest
	if _, h, ok := said.Cut(rest, " H="); ok {
		if i := bytes.IndexByte(h, ']'); i >= 0 {
			e.Add(event.MailRelay, h[:i+1])
			why = h[i+1:]
		}
	}
	e.Add(event.MailStatus, status)
	if string(status) == "sent" {
		_, answer, _ := said.Cut(why, ` C="`)
		answer, _, _ = said.Cut(answer, `"`)
		e.Add(event.MailReason, answer)
	} else if _, text, ok := said.Cut(why, ": "); ok {
		e.Add(event.MailReason, text)
	}
	yield(e)
}

// refused reads "host (helo) [ip]:port: 535 Incorrect authentication data (set_id=user)".
func refused(m *artifact.Message, t []byte, yield func(*event.Event)) {
	where, why, _ := said.Cut(t, ": ")
	if i := bytes.Index(where, []byte(" I=[")); i > 0 {
		where = where[:i]
	}
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	host(e, where)
	if _, user, ok := said.Cut(why, "(set_id="); ok {
		user, _, _ = said.CutLast(user, ")")
		e.Add(event.UserName, user)
	}
	e.Add(event.AuthMethod, password)
	e.Add(event.AuthReason, why)
	yield(e)
}

// rejected reads "H=host (helo) [ip]:port ... F=<a> rejected RCPT <b>: why", and what sa-exim's local_scan() wrote, with the sender first.
func rejected(m *artifact.Message, id, t []byte, yield func(*event.Event)) bool {
	if tossed(m, id, t, yield) {
		return true
	}
	where, why, ok := said.Cut(t, " rejected ")
	from := []byte(nil)
	if rest, first := said.Rest(where, "F="); first {
		var at int
		if at = bytes.Index(rest, []byte(" H=")); at < 0 {
			return false
		}
		from, where = bytes.Trim(rest[:at], "<>"), rest[at+1:]
		where, _, _ = said.Cut(where, " P=")
	}
	if !ok || !bytes.HasPrefix(where, []byte("H=")) {
		return false
	}
	e := m.Event(event.MailRejected)
	e.Add(event.MailQueueID, id)
	e.Add(event.MailFrom, from)
	for _, end := range [...]string{" F=<", " I=[", " X=", " U="} {
		before, rest, ok := said.Cut(where, end)
		if where = before; ok && end == " F=<" {
			from, _, _ := said.CutLast(rest, ">")
			e.Add(event.MailFrom, from)
		}
	}
	host(e, where)
	if to, ok := said.Rest(why, "RCPT <"); ok {
		to, _, _ = said.Cut(to, ">")
		e.Add(event.MailTo, to)
	}
	e.Add(event.MailReason, why)
	yield(e)
	return true
}

// tossed reads sa-exim's "SA: Action: silently tossed message: score=31.0 ... From <a> (host=name [ip]) for b".
func tossed(m *artifact.Message, id, t []byte, yield func(*event.Event)) bool {
	why, ok := said.Rest(t, "SA: Action: ")
	if !ok {
		return false
	}
	if !said.BeginsAny(why, []string{"silently tossed", "permanently rejected", "temporarily rejected"}) {
		return true
	}
	before, rest, ok := said.CutLast(why, "]) for ")
	_, address, ok2 := said.CutLast(before, " [")
	ip := said.Address(address)
	if !ok || !ok2 || ip == nil {
		return true
	}
	e := m.Event(event.MailRejected)
	e.Add(event.MailQueueID, id)
	e.Add(event.SourceIP, ip)
	e.Add(event.MailTo, rest)
	e.Add(event.MailReason, why)
	yield(e)
	return true
}
