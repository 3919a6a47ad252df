package postgresql

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// session is what earlier messages of a process told of its client (log_connections).
type session struct {
	host, port []byte
	method     []byte
	in         bool // the client was let in
}

// maxSessions bounds how many processes are known at a time.
const maxSessions = 1 << 14

// joined adds to a record what earlier ones of its process told, and tells it.
func (r *reader) joined(rec *record) {
	s := r.known[string(rec.pid)]
	if rest, ok := said.Rest(rec.text, "connection received: host="); ok && len(rec.pid) > 0 && !rec.unsure {
		host, port, _ := said.CutLast(rest, " port=")
		if s == nil && len(r.known) >= maxSessions {
			clear(r.known) // sessions whose end was not logged
		}
		r.known[string(rec.pid)] = &session{host: bytes.Clone(said.Address(host)), port: bytes.Clone(said.Number(port))}
		return
	}
	if s != nil {
		if rec.host == nil {
			rec.host, rec.port = s.host, s.port
		}
		rec.method = s.method
		if _, method, ok := said.CutLast(rec.text, `" method=`); ok && !rec.unsure && bytes.HasPrefix(rec.text, []byte("connection authenticated: ")) {
			method, _ = said.FirstWord(method)
			s.method = bytes.Clone(method)
		}
		if bytes.HasPrefix(rec.text, []byte("disconnection: ")) && !rec.unsure {
			delete(r.known, string(rec.pid))
		}
		// Who is in says what he likes, and is known for it.
		rec.unsure = rec.unsure && !s.in
		s.in = s.in || !rec.unsure && bytes.HasPrefix(rec.text, []byte("connection authorized: "))
	}
	tell(r.message(rec), rec, r.out)
}

// who adds the account and where it stands.
func who(e *event.Event, rec *record, user []byte) {
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, user)
	e.Add(event.SourceIP, rec.host)
	if rec.host != nil {
		e.Add(event.SourcePort, rec.port)
	}
}

// tell makes events of the messages that speak of strangers, of statements, or of the server's life. A message is unsure that
// holds another severity: a stranger's name may have made it up ("LOG:  connection authorized: user=root database=x"), and
// what the server itself said stands behind. Of such a one nothing is told but that somebody was refused.
func tell(m *artifact.Message, rec *record, yield func(*event.Event)) {
	t := rec.text
	if rec.unsure {
		line, _, _ := bytes.Cut(rec.raw, []byte("\n"))
		if _, name, ok := said.CutLast(line, refusedPassword); ok && bytes.HasSuffix(name, []byte(`"`)) {
			refused(m, rec, yield)
		}
		return
	}
	switch rec.severity {
	case "FATAL":
		refusal(m, rec, yield)
	case "LOG":
		if !life(m, rec, yield) && !login(m, rec, yield) {
			if stmt, ok := logged(t); ok {
				command(m, rec, stmt, yield)
			}
		}
	case "STATEMENT": // of the error before
		command(m, rec, t, yield)
	case "PANIC":
		say(m, rec, event.ProgramSaid, yield)
	}
	if len(rec.statement) > 0 {
		command(m, rec, rec.statement, yield)
	}
}

// refusedPassword is how the server says that a password was wrong, or an account unknown.
const refusedPassword = "FATAL:  password authentication failed for user "

// before reads an address, "1.2.3.4" (%h) or "1.2.3.4(5432)" (%r), that stands before the user in what log_line_prefix puts there. A stranger may call
// himself "9.9.9.9 x", and where the prefix has no address that looks the same; so it counts only if the whole name that the server refused follows.
func before(names, user []byte) (host, port []byte) {
	names = bytes.TrimLeft(names, " :,|-")
	end := bytes.IndexAny(names, " (,|")
	if end < 0 {
		return nil, nil
	}
	if host = said.Address(names[:end]); host == nil {
		if end = bytes.IndexByte(names, ':'); end < 0 { // "%h:%u"
			return nil, nil
		}
		host = said.Address(names[:end])
	}
	rest := names[end:]
	if after, ok := said.Rest(rest, "("); ok {
		port = said.Number(after)
		rest = bytes.TrimPrefix(after[len(port):], []byte(")"))
	}
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(rest, " :,|-"), user)
	if host == nil || len(user) == 0 || !ok || len(rest) == 0 || bytes.IndexByte([]byte("@ :,|/"), rest[0]) < 0 {
		return nil, nil
	}
	return host, port
}

// refused tells that somebody was refused, under a name that is not to be repeated.
func refused(m *artifact.Message, rec *record, yield func(*event.Event)) {
	e := m.Event(event.AuthFailed)
	who(e, rec, nil)
	yield(e)
}

// refusal reads
//
//	password authentication failed for user "USER" (and Peer, Ident, PAM, LDAP, GSSAPI, RADIUS, certificate)
//	role "USER" does not exist
//	no pg_hba.conf entry for host "IP", user "USER", database "NAME", no encryption
//	pg_hba.conf rejects connection for host "IP", user "USER", database "NAME", no encryption
func refusal(m *artifact.Message, rec *record, yield func(*event.Event)) {
	t := rec.text
	head, user, ok := said.Cut(t, ` authentication failed for user "`)
	e := m.Event(event.AuthFailed)
	role, isRole := said.Rest(t, `role "`)
	if rec.host == nil && (ok || isRole) {
		name := bytes.TrimSuffix(user, []byte(`"`))
		if !ok {
			name = bytes.TrimSuffix(role, []byte(`" does not exist`))
		}
		rec.host, rec.port = before(rec.names, name)
	}
	switch {
	case ok && len(head) > 0 && bytes.IndexByte(head, '"') < 0:
		who(e, rec, bytes.TrimSuffix(user, []byte(`"`)))
		if string(head) == "password" {
			e.Add(event.AuthMethod, head)
		}
		e.Add(event.AuthReason, t[:len(head)+len(" authentication failed")])
	case bytes.HasPrefix(t, []byte(`role "`)) && bytes.HasSuffix(t, []byte(`" does not exist`)):
		who(e, rec, t[len(`role "`):len(t)-len(`" does not exist`)])
		e.Add(event.UserInvalid, []byte("true"))
	case said.BeginsAny(t, []string{"no pg_hba.conf entry for ", "pg_hba.conf rejects "}):
		_, rest, _ := said.Cut(t, `host "`)
		ip, rest, _ := said.Cut(rest, `", user "`)
		if a := said.Address(ip); a != nil {
			rec.host = a
		}
		user, _, _ := said.CutLast(rest, `", database "`)
		who(e, rec, user)
		e.Add(event.AuthReason, []byte("pg_hba.conf"))
	default:
		return
	}
	yield(e)
}

// login reads "connection authorized: user=USER database=NAME application_name=TEXT ..." and what a scanner leaves.
func login(m *artifact.Message, rec *record, yield func(*event.Event)) bool {
	t := rec.text
	if said.BeginsAny(t, []string{"invalid length of startup packet", "unsupported frontend protocol ", "SSL error: ", "could not accept SSL connection"}) {
		e := m.Event(event.ConnectionSeen)
		who(e, rec, nil)
		e.Add(event.AuthReason, t)
		yield(e)
		return true
	}
	rest, ok := said.Rest(t, "connection authorized: user=")
	if !ok {
		if rest, ok = said.Rest(t, "replication connection authorized: user="); !ok {
			return false
		}
	}
	user, _, _ := said.Cut(rest, " database=")
	user, _, _ = said.Cut(user, " application_name=")
	e := m.Event(event.AuthAccepted)
	who(e, rec, user)
	e.Add(event.AuthMethod, rec.method)
	yield(e)
	return true
}

// life reads what the server says of itself.
func life(m *artifact.Message, rec *record, yield func(*event.Event)) bool {
	t := rec.text
	switch {
	case string(t) == "database system is ready to accept connections":
		say(m, rec, event.ServiceStarted, yield)
	case string(t) == "database system is shut down":
		say(m, rec, event.ServiceStopped, yield)
	case bytes.HasPrefix(t, []byte("received ")) && bytes.HasSuffix(t, []byte(" shutdown request")), bytes.HasPrefix(t, []byte("server process (PID ")):
		say(m, rec, event.ProgramSaid, yield)
	case bytes.HasPrefix(t, []byte(`parameter "`)): // `parameter "archive_command" changed to "x"`: the files of settings were read again
		name, value, ok := said.Cut(t[len(`parameter "`):], `" changed to "`)
		if !ok {
			return false
		}
		e := m.Event(event.DatabaseCommand)
		e.Add(event.ServiceName, service)
		e.Add(event.Message, t)
		e.Add(event.SettingName, name)
		e.Add(event.SettingValue, bytes.TrimSuffix(value, []byte(`"`)))
		yield(e)
	default:
		return false
	}
	return true
}

func say(m *artifact.Message, rec *record, k event.Kind, yield func(*event.Event)) {
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, rec.text)
	yield(e)
}

// logged gives the statement of "statement: SQL", "execute NAME: SQL" and "duration: 0.236 ms  statement: SQL".
func logged(t []byte) ([]byte, bool) {
	if rest, ok := said.Rest(t, "duration: "); ok {
		if _, rest, ok = said.Cut(rest, " ms  "); !ok {
			return nil, false
		}
		t = rest
	}
	if rest, ok := said.Rest(t, "statement: "); ok {
		return rest, true
	}
	if rest, ok := said.Rest(t, "execute "); ok {
		_, stmt, ok := said.Cut(rest, ": ")
		return stmt, ok
	}
	return nil, false
}

// maxMessage is how much of a statement an event tells.
const maxMessage = 1000 // bytes

// command tells of a statement that reaches beyond its tables.
func command(m *artifact.Message, rec *record, stmt []byte, yield func(*event.Event)) {
	f := inspect(stmt, 0)
	if !f.telling {
		return
	}
	e := m.Event(event.DatabaseCommand)
	who(e, rec, rec.user)
	e.Add(event.Message, bytes.TrimSpace(stmt[:min(len(stmt), maxMessage)]))
	e.Add(event.FilePath, f.path)
	e.Add(event.SettingName, f.setting)
	e.Add(event.SettingValue, f.value)
	yield(e)
}
