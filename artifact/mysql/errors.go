package mysql

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// errorHead reads what stands before a message of the error log:
//
//	2024-03-14T02:11:09.123456Z 8 [Note] [MY-010926] [Server] text    MySQL 8
//	2016-03-14T02:11:09.123456Z 8 [Note] text                         MySQL 5.7
//	2024-03-14  2:11:09 8 [Warning] text                              MariaDB; MySQL 5.6, with the process in the thread's place
//	240314  2:11:09 [Warning] text                                    MySQL 5.5
//	240314  2:11:09 InnoDB: text                                      MySQL 5.1: rest is nil
func errorHead(c *logclock.Clock, t []byte) (at evidence.Time, rest []byte, ok bool) {
	at, n := stamp(c, t)
	if n == 0 || len(t) <= n || t[n] != ' ' {
		return at, nil, false
	}
	return at, levelled(t[n:]), true
}

// levelled reads "8 [Note] [MY-010926] [Server] text", of which the level must be there.
func levelled(t []byte) []byte {
	t = bytes.TrimLeft(t, " ")
	t = bytes.TrimLeft(t[len(said.Number(t)):], " ")
	if !said.BeginsAny(t, []string{"[Note] ", "[Warning] ", "[ERROR] ", "[System] ", "[Error] "}) {
		return nil
	}
	_, t = said.FirstWord(t)
	if rest, ok := said.Rest(t, "[MY-"); ok {
		_, rest, _ = said.Cut(rest, "] ")
		if len(rest) > 0 && rest[0] == '[' {
			_, rest, _ = said.Cut(rest, "] ")
		}
		t = rest
	}
	return t
}

func (r *reader) errorLine(ref evidence.Ref, t []byte) {
	at, text, ok := errorHead(r.in.Clock, t)
	if !ok { // the rest of a message of several lines, "Version: ...", a backtrace
		return
	}
	if ref.Off < r.torn { // within the name of the line before, whatever it looks like
		if bytes.Contains(t, []byte(" (using password: ")) {
			r.torn = 0
		}
		return
	}
	r.in.Seen.Record(at)
	r.m.At, r.m.Ref, r.m.Raw, r.m.Text = at, ref, t, text
	if bytes.HasPrefix(text, []byte(refusal)) && !bytes.Contains(text, []byte("'@'")) {
		r.torn = ref.Off + maxName
	}
	tell(&r.m, r.out)
}

// maxName is how many bytes a client's name may have, and the line before it: 128 characters in MariaDB, 32 in MySQL.
const maxName = 500

// decode reads a message that syslog or the journal carries: MariaDB writes to its stderr, stamp and all.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	text := m.Text
	if _, n := stamp(&logclock.Clock{}, text); n > 0 {
		text = text[n:]
	}
	if text = levelled(text); text == nil {
		return said.BeginsAny(m.Text, []string{"Version: '", "mariadbd: ", "mysqld: ", "Can't create "}) // before its log is open it has no stamp
	}
	m.Text = text
	tell(m, yield)
	return true
}

// tell makes events of the messages of the error log that speak of strangers or of the server's life.
func tell(m *artifact.Message, yield func(*event.Event)) {
	t := m.Text
	switch {
	case len(t) == 0:
	case t[0] == 'A' && bytes.HasPrefix(t, []byte(refusal)):
		denied(m, yield)
	case t[0] == 'A' && bytes.HasPrefix(t, []byte("Aborted connection ")):
		aborted(m, yield)
	case t[0] == 'I' && bytes.HasPrefix(t, []byte("IP address '")):
		unresolved(m, yield)
	case t[0] == 'C' && said.BeginsAny(t, []string{"Could not use ", "Can't open shared library '"}):
		unwritten(m, yield)
	case bytes.Contains(t, []byte(": ready for connections.")):
		life(m, event.ServiceStarted, yield)
	case bytes.HasSuffix(t, []byte(": Shutdown complete")), bytes.Contains(t, []byte(": Shutdown complete (")):
		life(m, event.ServiceStopped, yield)
	case bytes.HasSuffix(t, []byte(": Normal shutdown")), bytes.HasPrefix(t, []byte("Received SHUTDOWN from user ")), bytes.Contains(t, []byte(" got signal ")):
		life(m, event.ProgramSaid, yield)
	}
}

func life(m *artifact.Message, k event.Kind, yield func(*event.Event)) {
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, m.Text)
	yield(e)
}

const refusal = "Access denied for user '"

// denied reads
//
//	Access denied for user 'USER'@'HOST' (using password: YES)
//	Access denied for user 'USER'@'HOST'
//	Access denied for user 'USER'@'HOST' to database 'NAME'
//
// USER and NAME are any text of the client's, quotes and all. The first form ends as no other does, and what a database is
// called stands behind the address: so where it might hold one too, none is taken.
func denied(m *artifact.Message, yield func(*event.Event)) {
	rest, ok := said.Rest(m.Text, refusal)
	if !ok {
		return
	}
	const mark = "'@'"
	subject, reason, closed := said.CutLast(rest, " (using password: ")
	reason, ended := bytes.CutSuffix(reason, []byte(")"))
	if answer := string(reason); !closed || !ended || answer != "YES" && answer != "NO" {
		subject, reason = rest, nil
		if before, _, ok := said.CutLast(rest, " to database '"); ok {
			subject = before
			if bytes.Count(rest, []byte(mark)) > 1 {
				subject = nil
			}
		}
	}
	user, host, ok := said.CutLast(bytes.TrimSuffix(subject, []byte("'")), mark)
	if !ok || bytes.ContainsAny(host, " '(") { // no host's name: the line is not the server's own form
		user, host = nil, nil
	}
	k := event.AuthFailed
	if bytes.IndexByte(host, '%') >= 0 { // the account's pattern in place of the client: it has logged in and may not use the database
		k, host = event.ProgramSaid, nil
	}
	e := m.Event(k)
	who(e, user, host)
	if k == event.ProgramSaid {
		e.Add(event.Message, m.Text)
	} else {
		e.Add(event.AuthMethod, password)
	}
	if len(reason) > 0 {
		e.Add(event.AuthReason, rest[len(subject)+2:len(rest)-1])
	}
	yield(e)
}

var password = []byte("password")

// aborted reads "Aborted connection 12 to db: 'unconnected' user: 'unauthenticated' host: 'HOST' (REASON)": who looked and did not
// log in. Who did log in is told by name, and may have chosen the database's so that it looks like this.
func aborted(m *artifact.Message, yield func(*event.Event)) {
	rest := m.Text[len("Aborted connection "):]
	rest, ok := said.Rest(rest[len(said.Number(rest)):], " to db: 'unconnected' user: 'unauthenticated' host: '")
	host, reason, ok2 := said.Cut(rest, "' (")
	if !ok || !ok2 || bytes.Contains(reason, []byte(" host: '")) {
		return
	}
	e := m.Event(event.ConnectionSeen)
	who(e, nil, host)
	e.Add(event.AuthReason, bytes.TrimRight(reason, ")."))
	yield(e)
}

// unresolved reads "IP address '203.0.113.5' could not be resolved: Name or service not known", which is said of a stranger's
// first visit.
func unresolved(m *artifact.Message, yield func(*event.Event)) {
	ip, _, ok := said.Cut(m.Text[len("IP address '"):], "'")
	if ip = said.Address(ip); !ok || ip == nil {
		return
	}
	e := m.Event(event.ConnectionSeen)
	who(e, nil, ip)
	yield(e)
}

// unwritten reads "Could not use PATH for logging (error 13 ...). Turning logging off ..." and "Can't open shared library 'PATH' (...)":
// a statement tried to have a log written, or a library loaded, where the server could not.
func unwritten(m *artifact.Message, yield func(*event.Event)) {
	e := m.Event(event.DatabaseCommand)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, m.Text)
	if rest, ok := said.Rest(m.Text, "Could not use "); ok {
		p, _, ok := said.CutLast(rest, " for logging (")
		if !ok {
			return
		}
		e.Add(event.FilePath, p)
	} else if p, _, ok := said.CutLast(m.Text[len("Can't open shared library '"):], "' ("); ok {
		e.Add(event.FilePath, p)
	}
	yield(e)
}
