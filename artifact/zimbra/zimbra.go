// Package zimbra reads Zimbra's audit.log: who logged in to a mailbox or to the administration, by which protocol, from where, and who was
// refused. Its mailbox.log tells of the same refusals once more, its other logs are those of Postfix, nginx and Jetty, which have readers of
// their own. Times are those of the host's zone.
package zimbra

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "zimbra", Doc: "logins to mailboxes and to the administration of Zimbra", Spec: "zm-common ZimbraLog, zm-mailbox Account.authAccount (8.5 to 10): audit.log by log4j, %d %-5p [%t] [%z] %c{1} - %m",
		Files: []string{"/opt/zimbra/log/audit.log", "/opt/zimbra/log/audit.log.*", "/opt/zextras/log/audit.log"}, Log: true, Sniff: artifact.MostLines(line), Parse: artifact.StampedAbove("zimbra", artifact.ISOStamp, decode, below), Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

var service, password = []byte("zimbra"), []byte("password")

// line tells a line of the audit log.
func line(t []byte) bool {
	_, text, ok := artifact.ISOStamp(&logclock.Clock{}, t)
	_, _, about, ok2 := parts(text)
	return ok && ok2 && bytes.HasPrefix(about, []byte("security - "))
}

// below tells the lines of a Java exception.
func below(_ *artifact.Input, t []byte) bool {
	return t[0] == '\t' || t[0] == ' ' || said.BeginsAny(t, []string{"at ", "Caused by: "}) || bytes.Contains(t, []byte("Exception"))
}

// parts takes "LEVEL [thread] [context] category - message" apart. The thread holds the address that was asked for, the context what the
// client sent (its agent): both may hold brackets, so each ends where the next must begin.
func parts(t []byte) (thread, context, about []byte, ok bool) {
	level, rest := said.FirstWord(t)
	if string(level) != "INFO" && string(level) != "WARN" && string(level) != "ERROR" {
		return nil, nil, nil, false
	}
	rest, ok = said.Rest(bytes.TrimLeft(rest, " "), "[")
	thread, rest, ok2 := said.Cut(rest, "] [")
	i := bytes.LastIndex(rest, []byte("] security - "))
	if i < 0 {
		i = bytes.Index(rest, []byte("] "))
	}
	if !ok || !ok2 || i < 0 {
		return nil, nil, nil, false
	}
	return thread, rest[:i], rest[i+2:], true
}

// decode reads "security - cmd=Auth; account=NAME; protocol=soap; error=why;". Other commands are what administrators do.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	_, context, about, ok := parts(m.Text)
	if !ok {
		return false
	}
	cmd, ok := said.Rest(about, "security - cmd=")
	if !ok {
		return true // what the server did
	}
	cmd, rest, _ := said.Cut(cmd, ";")
	if string(cmd) != "Auth" && string(cmd) != "AdminAuth" {
		return true
	}
	account, rest, ok := said.Cut(bytes.TrimLeft(rest, " "), "; ")
	account, ok2 := said.Rest(account, "account=")
	if !ok || !ok2 {
		return false
	}
	k := event.AuthAccepted
	if bytes.Contains(rest, []byte("error=")) {
		k = event.AuthFailed
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, account)
	e.Add(event.SourceIP, client(context))
	if agent := value(context, "ua="); len(agent) > 0 {
		e.Add(event.UserAgent, agent)
	}
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}

// client gives who asked: what a trusted proxy says (oip) before the proxy (ip). A client's agent stands behind both.
func client(context []byte) []byte {
	context, _, _ = said.Cut(context, "ua=")
	if a := said.Address(value(context, "oip=")); a != nil {
		return a
	}
	return said.Address(value(context, "ip="))
}

// value gives the value of a key in "name=x;oip=y;ua=z;".
func value(context []byte, key string) []byte {
	for from := 0; from < len(context); {
		field := context[from:]
		if i := bytes.IndexByte(field, ';'); i >= 0 {
			field = field[:i]
		}
		if v, ok := said.Rest(field, key); ok {
			return v
		}
		from += len(field) + 1
	}
	return nil
}
