// Package dropbear decodes the ssh server of small systems: credentials accepted and
// refused, and connections that came to nothing.
package dropbear

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "dropbear",
		Doc:      "logins by ssh to dropbear: accepted and refused, from where, with which key",
		Spec:     "dropbear 0.52 to 2024.86: src/svr-authpasswd.c, svr-authpubkey.c, svr-authpam.c, svr-auth.c, svr-session.c",
		Programs: []string{"dropbear"},
		Decode:   decode,
		Kinds:    []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.ServiceStarted, event.ServiceStopped, event.SessionClosed},
	}
}

var service = []byte("dropbear")

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	for _, v := range verdicts {
		if rest, ok := said.Rest(m.Text, v.prefix); ok {
			return v.read(m, rest, yield)
		}
	}
	rest, ok := said.Rest(m.Text, "Login attempt for nonexistent user")
	if !ok {
		rest, ok = said.Rest(m.Text, "login attempt for nonexistent user") // before 0.50
	}
	if ok {
		who, from, ok := said.CutLast(rest, "from ")
		if !ok {
			return false
		}
		e := begin(m, event.AuthFailed, bytes.Trim(who, " '"), from)
		e.Add(event.UserInvalid, []byte("true"))
		yield(e)
		return true
	}
	if rest, ok := said.Rest(m.Text, "Exit before auth"); ok {
		return early(m, rest, yield)
	}
	if rest, ok := said.Rest(m.Text, "Exit ("); ok { // "Exit (USER)[ from <ADDRESS:PORT>]: REASON"
		who, rest, ok := said.Cut(rest, ")")
		if !ok {
			return false
		}
		from, _ := said.Rest(rest, " from <")
		from, _, _ = said.Cut(from, ">")
		yield(begin(m, event.SessionClosed, who, from))
		return true
	}
	if said.BeginsAny(m.Text, []string{"Running in background", "Not backgrounding"}) {
		yield(begin(m, event.ServiceStarted, nil, nil))
		return true
	}
	if said.BeginsAny(m.Text, []string{"Early exit: Terminated by signal", "Terminated by signal"}) {
		yield(begin(m, event.ServiceStopped, nil, nil))
		return true
	}
	return said.BeginsAny(m.Text, routine)
}

var routine = []string{
	"Child connection from ", "Early exit", "Failed ", "Wrote ", "Generated ", "Couldn't ", "error ", "pam_", "PAM ", "Syslog", "Could not ", "syslogin_perform_logout",
	"User account ", "wtmp_write", "lastlog_", "ioctl", "chown", "TCP ", "user ", "login_", "chdir", "No ", "bad ", "Premature kexdh", "Forward", "Warning",
}

// verdict is how a line about one credential begins.
type verdict struct {
	prefix string
	kind   event.Kind
	method string
	reason string
}

var verdicts = []verdict{
	{"Bad password attempt for ", event.AuthFailed, "password", ""},
	{"bad password attempt for ", event.AuthFailed, "password", ""}, // before 0.50
	{"Bad PAM password attempt for ", event.AuthFailed, "password", ""},
	{"Bad password for ", event.AuthFailed, "password", ""},
	{"Password auth succeeded for ", event.AuthAccepted, "password", ""},
	{"PAM password auth succeeded for ", event.AuthAccepted, "password", ""},
	{"Auth succeeded with blank password for ", event.AuthAccepted, "none", ""},
	{"Pubkey auth succeeded for ", event.AuthAccepted, "publickey", ""},
	{"Pubkey auth bad signature for ", event.AuthFailed, "publickey", "bad signature"},
	{"Pubkey auth attempt with unknown algo for ", event.AuthFailed, "publickey", "unknown algorithm"},
}

// read reads "'USER' from ADDRESS:PORT", and of keys "'USER' with [TYPE ]key FINGERPRINT from
// ADDRESS:PORT". USER is the client's choice: its end is the last quote.
func (v *verdict) read(m *artifact.Message, b []byte, yield func(*event.Event)) bool {
	b, from, ok := said.CutLast(b, " from ")
	if !ok {
		return false
	}
	who, key := b, []byte(nil)
	if v.method == "publickey" {
		who, key, _ = said.CutLast(b, "' with ")
	}
	e := begin(m, v.kind, bytes.Trim(who, "'"), from)
	e.Add(event.AuthMethod, []byte(v.method))
	e.Add(event.AuthReason, []byte(v.reason))
	if kind, print, ok := said.CutLast(key, "key "); ok { // "ssh-ed25519 key SHA256:...", before 2020 "key md5 aa:bb:..", "key sha1!! .."
		e.Add(event.KeyType, bytes.TrimRight(kind, " "))
		print, _ = said.Rest(print, "md5 ")
		_, print = said.LastWord(print)
		e.Add(event.KeyFingerprint, print)
	}
	yield(e)
	return true
}

// early reads "[ from <ADDRESS:PORT>]: [(user 'USER', N fails): ]REASON".
func early(m *artifact.Message, b []byte, yield func(*event.Event)) bool {
	b, ok := said.Rest(b, " from <")
	if !ok { // before 2018; "Child connection from" had the address, and "Max auth tries reached - user 'root' from 1.2.3.4:60588" has it again
		if _, rest, found := said.Cut(b, ": Max auth tries reached - user '"); found {
			who, from, ok := said.CutLast(rest, "' from ")
			if a, _ := said.AddressPort(from); ok && a != nil {
				e := begin(m, event.ConnectionSeen, who, from)
				e.Add(event.AuthReason, []byte("Max auth tries reached"))
				yield(e)
			}
		}
		return true
	}
	from, reason, ok := said.Cut(b, ">: ")
	if !ok {
		return false
	}
	var who []byte
	if rest, ok := said.Rest(reason, "(user '"); ok {
		if name, after, ok := said.CutLast(rest, "): "); ok {
			who, _, _ = said.CutLast(name, "', ")
			reason = after
		}
	}
	e := begin(m, event.ConnectionSeen, who, from)
	e.Add(event.AuthReason, reason)
	yield(e)
	return true
}

func begin(m *artifact.Message, k event.Kind, who, from []byte) *event.Event {
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, who)
	address, port := said.AddressPort(from)
	if i := bytes.LastIndexByte(from, ':'); bytes.Count(from, []byte(":")) > 2 && from[0] != '[' && len(said.Number(from[i+1:])) == len(from)-i-1 {
		if a := said.Address(from[:i]); a != nil { // IPv6 stands bare before the port, and the whole may look like an address, too
			address, port = a, from[i+1:]
		}
	}
	e.Add(event.SourceIP, address)
	e.Add(event.SourcePort, port)
	return e
}
