// Package pam decodes what PAM's modules say in any program: sessions opened and closed,
// refusals with the remote host, passwords changed, modules that could not be loaded.
package pam

import (
	"bytes"
	"strconv"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "pam",
		Doc:      "sessions, refusals and changed passwords of every service that uses PAM",
		Spec:     "Linux-PAM 0.77 to 1.7: modules/pam_unix (support.c, pam_unix_sess.c, pam_unix_passwd.c), libpam/pam_syslog.c, libpam/pam_handlers.c",
		Programs: []string{"pam", "unix_chkpwd"},
		Decode:   decode,
		Kinds: []event.Kind{
			event.SessionOpened, event.SessionClosed, event.AuthFailed, event.PasswordChanged, event.ProgramSaid,
		},
	}
}

// message is one message taken apart: pam_syslog writes "MODULE(SERVICE:CHAIN): TEXT".
type message struct {
	m                     *artifact.Message
	module, service, text []byte
	old                   bool // as "sshd(pam_unix)": sshd's own words may stand in another file
	yield                 func(*event.Event)
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if string(m.Program) == "unix_chkpwd" {
		return checked(m, yield)
	}
	x, ok := split(m)
	if !ok {
		return false
	}
	x.yield = yield
	if x.module == nil { // libpam itself
		return x.library()
	}
	unix := bytes.HasPrefix(x.module, []byte("pam_unix")) || string(x.module) == "pam_pwdb"
	if unix {
		if rest, ok := said.Rest(x.text, "session opened for user "); ok {
			return x.session(event.SessionOpened, rest)
		}
		if rest, ok := said.Rest(x.text, "session closed for user "); ok {
			return x.session(event.SessionClosed, rest)
		}
	}
	if x.failed(x.text, unix) {
		return true
	}
	if rest, ok := said.Rest(x.text, "password changed for "); ok {
		e := x.event(event.PasswordChanged)
		e.Add(event.UserName, rest)
		x.yield(e)
		return true
	}
	if x.denied() {
		return true
	}
	if string(x.module) == "pam_exec" {
		return x.tell() // runs programs at each login: a place to hide
	}
	return unix || bytes.HasPrefix(x.module, []byte("pam_"))
}

// split takes "pam_unix(sshd:auth): TEXT" apart, and the older "sshd(pam_unix)[1]: TEXT",
// "(pam_unix) TEXT" and "pam_unix: TEXT". Of libpam itself ("PAM adding faulty module")
// the module is nil.
func split(m *artifact.Message) (x message, ok bool) {
	x.m, x.service = m, m.Program
	if i := bytes.IndexByte(m.Program, '('); i > 0 { // systemd's children, "(systemd)" and "(sd-pam)", are in brackets as a whole
		x.service, x.module, x.text = m.Program[:i], bytes.TrimRight(m.Program[i+1:], ")"), m.Text
		x.old = true
		return x, len(x.module) > 0
	}
	if rest, ok := said.Rest(m.Text, "(pam_"); ok {
		_, text, ok := said.Cut(rest, ") ")
		x.module, x.text = m.Text[1:max(1, len(m.Text)-len(text)-2)], text
		return x, ok
	}
	if rest, ok := said.Rest(m.Text, "PAM "); ok {
		x.text = rest
		return x, true
	}
	i, longest := 0, min(len(m.Text), 64)
	for i < longest && m.Text[i] != '(' && m.Text[i] != ':' && m.Text[i] != ' ' {
		i++
	}
	if i == longest {
		return x, false
	}
	x.module, x.text = m.Text[:i], bytes.TrimLeft(m.Text[i+1:], " ")
	if m.Text[i] == '(' {
		chain, text, ok := said.Cut(x.text, ")")
		if !ok {
			return x, false
		}
		x.service, _, _ = said.Cut(chain, ":")
		x.text = bytes.TrimLeft(text, ": ")
	}
	return x, true
}

func (x *message) event(k event.Kind) *event.Event {
	e := x.m.Event(k)
	e.Add(event.ServiceName, x.service)
	return e
}

// tell keeps the message as it stands.
func (x *message) tell() bool {
	e := x.event(event.ProgramSaid)
	e.Add(event.Message, x.m.Text)
	x.yield(e)
	return true
}

// session reads "USER(uid=0) by BY(uid=1000)" (since 1.4), "USER by BY(uid=1000)" and "USER".
// Cron opens one for every job and says itself what it runs.
func (x *message) session(k event.Kind, b []byte) bool {
	switch string(x.service) {
	case "cron", "crond", "CRON", "CROND":
		return true
	}
	who, by, _ := said.CutLast(b, " by ")
	name, id := number(who)
	e := x.event(k)
	e.Add(event.UserName, name)
	e.Add(event.UserID, id)
	name, _ = number(by)
	e.Add(event.UserBy, name)
	x.yield(e)
	return true
}

// number reads "NAME(uid=N)".
func number(b []byte) (name, id []byte) {
	if name, rest, ok := said.CutLast(b, "(uid="); ok {
		return name, said.Number(rest)
	}
	return b, nil
}

// failed reads "authentication failure; FIELDS" and, when a program gives up, "N more authentication failures; FIELDS": of several tries with one
// handle, pam_unix tells the first at once and how many followed at the end (support.c). Other modules that are asked behind pam_unix refuse the
// same try again.
func (x *message) failed(b []byte, unix bool) bool {
	k, tries := event.AuthFailed, int64(1)
	if !unix || bytes.HasPrefix(x.service, []byte("sshd")) && !x.old {
		k = event.ProgramSaid
	}
	if n := said.Number(b); len(n) > 0 && len(n) < 4 {
		rest, ok := said.Rest(b[len(n):], " more authentication failure")
		if !ok {
			return false
		}
		tries, _ = strconv.ParseInt(string(n), 10, 64)
		_, b, _ = said.Cut(rest, "; ")
	} else if rest, ok := said.Rest(b, "authentication failure; "); ok {
		b = rest
	} else {
		return false
	}
	if !bytes.HasPrefix(b, []byte("logname=")) || tries == 0 || k == event.ProgramSaid && !x.m.Wanted(k) {
		return true
	}
	before := x.m.Repeat
	x.m.Repeat = min(max(before, 1), 1<<32) * tries
	x.refused(k, b)
	x.m.Repeat = before
	return true
}

// refused reads "logname=L uid=N euid=N tty=T ruser=R rhost=H  user=U". R may be chosen by the
// client; U is an account's name (that of no account is not logged) and so has no blanks. What
// sshd refuses, sshd says itself, once for each try and with the port: of that it is told that PAM said so.
func (x *message) refused(k event.Kind, b []byte) {
	before, after, ok := said.CutLast(b, " rhost=")
	if !ok {
		return
	}
	host, rest := said.FirstWord(after)
	name, _ := said.Rest(bytes.TrimLeft(rest, " "), "user=")
	before, ruser, _ := said.Cut(before, " ruser=")
	before, tty, _ := said.CutLast(before, " tty=")
	logname, _ := said.FirstWord(bytes.TrimPrefix(before, []byte("logname=")))
	e := x.event(k)
	switch string(x.service) {
	case "su", "su-l", "sudo", "sudo-i", "polkit-1", "runuser":
		e.Add(event.UserName, name)
		if len(ruser) == 0 {
			ruser = logname
		}
		e.Add(event.UserBy, ruser)
		e.Add(event.Terminal, tty)
	default:
		if len(name) == 0 {
			name = ruser // what ftp servers were asked for
			if len(name) > 0 {
				e.Add(event.UserInvalid, yes)
			}
		}
		e.Add(event.UserName, name)
		from(e, host)
		e.Add(event.Terminal, tty)
	}
	if k == event.ProgramSaid {
		e.Add(event.Message, x.m.Text)
	} else {
		e.Add(event.AuthMethod, password)
		if x.old && e.Get(event.Transport) == nil {
			e.Add(event.Transport, byPAM)
		}
	}
	x.yield(e)
}

func from(e *event.Event, host []byte) {
	if a := said.Address(host); a != nil {
		e.Add(event.SourceIP, a)
	} else {
		e.Add(event.SourceHost, host)
	}
}

var (
	yes      = []byte("true")
	password = []byte("password")
	byPAM    = []byte("pam")
)

// library reads what libpam says, "PAM " taken off. A module that cannot be loaded is a
// broken upgrade, or a planted one.
func (x *message) library() bool {
	if x.failed(x.text, true) {
		return true
	}
	switch {
	case bytes.HasPrefix(x.text, []byte("unable to dlopen")), bytes.HasPrefix(x.text, []byte("adding faulty module")),
		bytes.HasPrefix(x.text, []byte("[error: ")), bytes.HasPrefix(x.text, []byte("unable to resolve symbol")):
		return x.tell()
	}
	for _, s := range [...]string{"more authentication failure", "service(", "authentication failure", "pam_", "audit_", "bad jump", "_pam_"} {
		if bytes.Contains(x.text, []byte(s)) {
			return true
		}
	}
	return false
}
