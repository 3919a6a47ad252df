// Package proftpd decodes what ProFTPD says of logins. The name is the client's, and stands in the middle: whether it
// was accepted is told by the end of the line, the address by its beginning.
package proftpd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "proftpd", Doc: "ftp logins to ProFTPD: accepted and refused, from where", Spec: "ProFTPD 1.3 modules/mod_auth.c, src/{log.c,main.c,session.c}",
		Programs: []string{"proftpd"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.ServiceStarted, event.ServiceStopped, event.ProgramSaid},
	}
}

var service, password, yes = []byte("proftpd"), []byte("password"), []byte("true")

// routine are the beginnings of what tells nothing of its own, the address taken off.
var routine = []string{"FTP session ", "SSH2 session ", "FTP login timed out", "FTP no transfer ", "FTP idle ", "FTP data ", "Maximum login attempts ", "Preparing to chroot ", "Client session idle ", "mod_", "error", "notice: ",
	"warning: ", "ProFTPD ", "Refused ", "Connection ", "MaxClients", "received SIG", "SECURITY VIOLATION: ", "Transfer ", "Data transfer ", "unable ", "Passive ", "dispatching ", "disabling ", "using ", "Checking syntax of configuration file"}

// decode reads "server (name[ip]) - text".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	whole := m.Text
	if rest, ok := said.Rest(whole, "session["); ok { // what mod_sftp puts before
		_, whole, _ = said.Cut(rest, "] ")
	}
	head, t, ok := split(whole)
	if !ok {
		head, t = nil, whole
	}
	name, anonymous := said.Rest(t, "ANON ")
	user := anonymous
	if !user {
		name, user = said.Rest(t, "USER ")
	}
	switch {
	case user:
		return login(m, head, name, anonymous, yield)
	case bytes.HasPrefix(t, []byte("ProFTPD ")) && bytes.HasSuffix(t, []byte(" STARTUP")):
		serviceEvent(m, event.ServiceStarted, yield)
	case bytes.HasPrefix(t, []byte("ProFTPD ")) && bytes.HasSuffix(t, []byte(" SHUTDOWN")):
		serviceEvent(m, event.ServiceStopped, yield)
	}
	if ip := address(head); ip != nil && bytes.HasPrefix(t, []byte("ProFTPD terminating (signal 1")) { // SIGSEGV; a client that goes away ends no session so
		e := m.Event(event.ProgramSaid)
		e.Add(event.ServiceName, service)
		e.Add(event.SourceIP, ip)
		e.Add(event.Message, t)
		yield(e)
		return true
	}
	return turnedAway(m, t, yield) || beside(m, head, t, yield) || violation(m, head, t, yield) || said.BeginsAny(t, routine)
}

// turnedAway reads "refused connect from NAME (ip)", which is the TCP wrappers' word, and "Connection from NAME [ip] denied.", that of <Limit LOGIN> and mod_geoip. The
// name is of the DNS.
func turnedAway(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	rest, ok := said.Rest(t, "refused connect from ")
	if !ok {
		if rest, ok = said.Rest(t, "Connection from "); ok {
			rest, ok = bytes.CutSuffix(bytes.TrimRight(rest, "."), []byte(" denied"))
		}
	}
	_, address := said.LastWord(rest)
	ip := said.Address(bytes.Trim(address, "()[]"))
	if !ok || ip == nil {
		return false
	}
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthReason, []byte("connection refused"))
	yield(e)
	return true
}

// beside reads "PAM(NAME): Authentication failure." and "no such user 'NAME'", which stand beside the line of the try itself: it is told of as the refusal, they only as who was there.
func beside(m *artifact.Message, head, t []byte, yield func(*event.Event)) bool {
	name, ok := said.Rest(t, "no such user '")
	name, ok2 := bytes.CutSuffix(name, []byte("'"))
	if !ok {
		if name, ok = said.Rest(t, "PAM("); ok {
			name, ok2 = bytes.CutSuffix(bytes.TrimRight(name, "."), []byte("): Authentication failure"))
		}
	}
	ip := address(head)
	if !ok || !ok2 || ip == nil {
		return false
	}
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	yield(e)
	return true
}

// split cuts "server (name[ip]) - text", and before 1.3.5 "server (name[ip]): text", behind the address. Names of the DNS hold no brackets.
func split(t []byte) (head, text []byte, ok bool) {
	i := bytes.IndexByte(t, '[')
	if i < 0 {
		if head, text, ok = said.Cut(t, " - "); !ok {
			head, text, ok = said.Cut(t, ": ") // since 1.3.5, of the server itself
			ok = ok && bytes.IndexByte(head, ' ') < 0
		}
		return head, text, ok
	}
	j := bytes.IndexByte(t[i:], ']')
	if j < 0 {
		return t, nil, false
	}
	head, rest := t[:i+j+1], t[i+j+1:]
	for _, p := range [...]string{") - ", "): "} {
		if text, ok := said.Rest(rest, p); ok {
			return head, text, true
		}
	}
	return said.Cut(t, " - ")
}

// violation reads "SECURITY VIOLATION: Root login attempted" and "Maximum login attempts (3) exceeded", "client sent HTTP command 'GET', disconnecting": the tries have lines of their own, mostly.
func violation(m *artifact.Message, head, t []byte, yield func(*event.Event)) bool {
	ip := address(head)
	if ip == nil || !said.BeginsAny(t, []string{"SECURITY VIOLATION: ", "Maximum login attempts ", "client sent "}) {
		return false
	}
	k := event.ConnectionSeen
	e := m.Event(k)
	if bytes.Contains(bytes.ToLower(t), []byte("root login attempted")) {
		e = m.Event(event.AuthFailed) // the only line about it
		e.Add(event.UserName, []byte("root"))
	}
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthReason, bytes.TrimRight(t, " ."))
	yield(e)
	return true
}

// address gives that of "server (name[ip]".
func address(head []byte) []byte {
	i := bytes.LastIndexByte(head, '[')
	if i < 0 {
		return nil
	}
	ip, _, _ := said.Cut(head[i+1:], "]")
	return said.Address(ip)
}

func serviceEvent(m *artifact.Message, k event.Kind, yield func(*event.Event)) {
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	yield(e)
}

// login reads "name: Login successful.", "name (Login failed): why.", "name: no such user found from host [ip] to ip:port".
func login(m *artifact.Message, head, t []byte, anonymous bool, yield func(*event.Event)) bool {
	k, name, why := event.AuthFailed, t, []byte(nil)
	if user, reason, ok := said.CutLast(t, " (Login failed): "); ok {
		name, why = user, bytes.TrimSuffix(reason, []byte("."))
	} else if user, _, ok := said.CutLast(t, ": no such user found from "); ok {
		name, why = user, t[len(user)+len(": "):]
		why, _, _ = said.Cut(why, " from ")
	} else if user, ok := bytes.CutSuffix(bytes.TrimSuffix(t, []byte(".")), []byte(": Login successful")); ok { // releases before 1.2.9 end without a point
		k, name = event.AuthAccepted, user
	} else {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, address(head)) // a name from the DNS stands before it
	e.Add(event.AuthMethod, password)
	e.Add(event.AuthReason, why)
	if bytes.EqualFold(why, []byte("no such user found")) {
		e.Add(event.UserInvalid, yes)
	}
	if anonymous {
		e.Add(event.AuthAnonymous, yes)
	}
	yield(e)
	return true
}
