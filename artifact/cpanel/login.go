package cpanel

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// login reads what follows "IP": ` - NAME "REQUEST" FAILED LOGIN service: reason` and ` - NAME (possessor: OTHER) - SUCCESS LOGIN service`. A success quotes no
// request, so that a line with a quote or the other words in it is none, whatever name a client gave itself.
func login(m *artifact.Message, program, ip, t []byte, yield func(*event.Event)) bool {
	rest, ok := said.Rest(t, "- ")
	if !ok {
		return false
	}
	if before, what, ok := said.CutLast(rest, " - SUCCESS LOGIN "); ok && bytes.IndexByte(what, ' ') < 0 && bytes.IndexByte(rest, '"') < 0 && !bytes.Contains(rest, []byte("FAILED LOGIN")) {
		name, by, possessed := said.Cut(before, " (possessor: ")
		e := m.Event(event.AuthAccepted)
		e.Add(event.ServiceName, what)
		e.Add(event.UserName, name)
		if possessed {
			e.Add(event.UserBy, bytes.TrimSuffix(by, []byte(")")))
		}
		e.Add(event.SourceIP, ip)
		yield(e)
		return true
	}
	i := bytes.IndexByte(rest, '"')
	verdict, why, ok := verdictOf(rest)
	if !ok || i < 0 {
		return false
	}
	return refused(m, ip, bytes.TrimRight(rest[:i], " "), verdict, why, yield)
}

// verdictOf finds `" FAILED LOGIN service: reason` behind a request.
func verdictOf(t []byte) (service, why []byte, ok bool) {
	for _, words := range [...]string{`" FAILED LOGIN `, `" DEFERRED LOGIN `} {
		if _, rest, found := said.Cut(t, words); found {
			service, why, ok = said.Cut(rest, ": ")
			return service, why, ok && bytes.IndexByte(service, ' ') < 0
		}
	}
	return nil, nil, false
}

// refused tells of a login that was not let in. "brute force attempt (user NAME) has locked out IP ADDRESS" is the guard's word besides.
func refused(m *artifact.Message, ip, name, program, why []byte, yield func(*event.Event)) bool {
	if bytes.HasPrefix(why, []byte("login attempt without username")) { // a scanner that asked for some page
		e := m.Event(event.ConnectionSeen)
		e.Add(event.ServiceName, program)
		e.Add(event.SourceIP, ip)
		e.Add(event.AuthReason, why)
		yield(e)
		return true
	}
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, program)
	if string(name) != "-" {
		e.Add(event.UserName, name)
	}
	if said.BeginsAny(why, []string{"invalid cpanel user", "user password hash is miss", "user name not provided or invalid user", "invalid webmail user"}) {
		e.Add(event.UserInvalid, []byte("true"))
	}
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	e.Add(event.AuthReason, why)
	yield(e)
	if bytes.HasPrefix(why, []byte("brute force attempt")) {
		e := m.Event(event.AlarmRaised)
		e.Add(event.ServiceName, []byte("cphulkd"))
		e.Add(event.SourceIP, ip)
		e.Add(event.Message, why)
		e.Add(event.Change, []byte("banned"))
		yield(e)
	}
	return true
}

// session reads "NEW user:ID address=IP,app=cpaneld,creator=user,method=handle_form_login,..." and "PURGE user:ID logout". A session is made for a refused login,
// too (method=badpass), and there the name is the client's: where a word that decides stands twice, the line is taken for nothing.
func session(m *artifact.Message, program, ip []byte, verb string, t []byte, yield func(*event.Event)) bool {
	id, rest := said.FirstWord(t)
	name, id, ok := said.CutLast(id, ":")
	if !ok {
		name, id = id, nil
	}
	e := m.Event(event.SessionOpened)
	if verb == "PURGE" {
		e.Kind = event.SessionClosed
		e.Add(event.AuthReason, rest)
		tellSession(e, program, name, ip, id)
		yield(e)
		return true
	}
	method, ok := field(rest, "method=")
	if !ok || bytes.Count(rest, []byte("address=")) > 1 {
		return false
	}
	if bytes.HasPrefix(name, []byte("_dav_")) || bytes.HasPrefix(name, []byte("__cpanel__service__")) {
		return true // the panel's checks of itself
	}
	switch {
	case string(method) == "badpass":
		e.Kind = event.ConnectionSeen // login_log has the refused login itself
		e.Add(event.AuthReason, method)
	case string(method) == "handle_form_login", bytes.Contains(method, []byte("openid")), bytes.Contains(method, []byte("external")):
		e.Kind = event.AuthAccepted
		e.Add(event.AuthMethod, loginMethod(method))
	}
	if app, ok := field(rest, "app="); ok && bytes.IndexByte(app, ' ') < 0 {
		program = app
	}
	if by, ok := field(rest, "creator="); ok && !bytes.Equal(by, name) {
		e.Add(event.UserBy, by) // root who opens a customer's panel
	}
	tellSession(e, program, name, ip, id)
	yield(e)
	return true
}

func tellSession(e *event.Event, program, name, ip, id []byte) {
	e.Add(event.ServiceName, program)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.SessionID, id)
}

func loginMethod(method []byte) []byte {
	if string(method) == "handle_form_login" {
		return password
	}
	return method
}

// field gives the value of "name=value" of a list with commas, if the name stands in it once.
func field(t []byte, name string) ([]byte, bool) {
	_, v, ok := said.Cut(t, name)
	if !ok || bytes.Contains(v, []byte(name)) {
		return nil, false
	}
	v, _, _ = said.Cut(v, ",")
	return bytes.TrimRight(v, " "), true
}

// tokenUsed reads "HTTP Status: ['200'], User: ['NAME'], Token Name: ['TOKEN'], Request: ['GET /x HTTP/1.0']": a request without a password.
func tokenUsed(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	rest, ok := said.Rest(t, "HTTP Status: ['")
	if !ok {
		return false
	}
	_, rest, ok = said.Cut(rest, "'], User: ['")
	name, _, ok2 := said.Cut(rest, "'], Token Name: ['")
	if !ok || !ok2 {
		return false
	}
	e := m.Event(event.ProgramSaid)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.Message, t)
	yield(e)
	return true
}
