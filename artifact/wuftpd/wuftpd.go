// Package wuftpd decodes what the ftp servers of the BSD family say in syslog: wu-ftpd, which the first Linux servers had, netkit's and inetutils'.
// Besides logins it tells of an anonymous one whose "password" is machine code: that is how the format string of wu-ftpd was used (CVE-2000-0573).
// Files moved stand in the transfer log, which xferlog reads.
package wuftpd

import (
	"bytes"
	"unicode/utf8"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "wuftpd", Doc: "ftp logins to wu-ftpd and its kin", Spec: "wu-ftpd 2.4 to 2.6.2 src/ftpd.c; linux-ftpd 0.17 ftpd/ftpd.c; inetutils 1.9 ftpd/{auth,ftpd}.c",
		Programs: []string{"ftpd", "in.ftpd", "wu-ftpd", "in.wuftpd", "wu.ftpd", "in.wu-ftpd"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.ProgramSaid},
	}
}

var service, password, yes, anonymous = []byte("ftpd"), []byte("password"), []byte("true"), []byte("ftp")

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	switch {
	case said.BeginsAny(t, []string{"FTP session closed", "connection from ", "lost connection to ", "User "}):
		return true
	case said.BeginsAny(t, []string{"exiting on signal "}):
		e := m.Event(event.ProgramSaid)
		e.Add(event.ServiceName, service)
		e.Add(event.Message, t)
		yield(e)
		return true
	}
	if rest, ok := said.Rest(t, "ANONYMOUS FTP LOGIN FROM "); ok {
		guest(m, rest, yield)
		return true
	}
	if turnedAway(m, t, yield) {
		return true
	}
	for _, p := range [...]string{"FTP LOGIN FROM ", "FTP LOGIN FAILED FROM ", "failed login from ", "repeated login failures from ", "FTP LOGIN REFUSED FROM "} {
		if rest, ok := said.Rest(t, p); ok {
			login(m, p == "FTP LOGIN FROM ", rest, yield)
			return true
		}
	}
	return false
}

// turnedAway reads "refused connect from HOST" of the TCP wrappers, "FTP LOGIN REFUSED (username in /etc/ftpusers) FROM HOST [address], USER" and "login USER from HOST failed." of Tru64. The
// names are the client's: what the server adds is sought from the end.
func turnedAway(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	if host, ok := said.Rest(t, "refused connect from "); ok {
		if before, in, ok := said.CutLast(host, " ("); ok && said.Address(bytes.TrimSuffix(in, []byte(")"))) != nil {
			host = in[: len(in)-1 : len(in)-1]
		} else if ok {
			host = before
		}
		e := m.Event(event.ConnectionSeen)
		subject(e, nil, host)
		e.Add(event.AuthReason, t[:len("refused connect")])
		yield(e)
		return true
	}
	if rest, ok := said.Rest(t, "FTP LOGIN REFUSED ("); ok {
		if _, rest, ok = said.Cut(rest, ") FROM "); ok {
			login(m, false, rest, yield)
		}
		return ok
	}
	if rest, ok := said.Rest(t, "FTP LOGIN FAILED ("); ok { // "(cannot set guest privileges) for HOST [address], USER"
		if _, rest, ok = said.Cut(rest, ") for "); ok {
			login(m, false, rest, yield)
		}
		return ok
	}
	if rest, ok := said.Rest(t, "login "); ok {
		rest, failed := bytes.CutSuffix(bytes.TrimSuffix(rest, []byte(".")), []byte(" failed"))
		user, host, ok := said.CutLast(rest, " from ")
		if !failed || !ok {
			return false
		}
		e := m.Event(event.AuthFailed)
		subject(e, user, host)
		e.Add(event.AuthMethod, password)
		yield(e)
		return true
	}
	return false
}

// login reads "host [address], user" and "host as user".
func login(m *artifact.Message, ok bool, b []byte, yield func(*event.Event)) {
	k := event.AuthFailed
	if ok {
		k = event.AuthAccepted
	}
	host, user, _ := said.Cut(b, ", ")
	if before, name, as := said.CutLast(b, " as "); as && len(user) == 0 {
		host, user = before, name
	}
	e := m.Event(k)
	subject(e, user, host)
	e.Add(event.AuthMethod, password)
	yield(e)
}

// guest reads "host [address], password". What stands for a password the client chose.
func guest(m *artifact.Message, b []byte, yield func(*event.Event)) {
	host, word, _ := said.Cut(b, ", ")
	e := m.Event(event.AuthAccepted)
	subject(e, anonymous, host)
	e.Add(event.AuthAnonymous, yes)
	yield(e)
	if code(word) {
		e := m.Event(event.ProgramSaid)
		subject(e, anonymous, host)
		e.Add(event.Message, m.Text)
		yield(e)
	}
}

// subject adds who it was; the address stands in brackets behind a name that whoever owns the address chose.
func subject(e *event.Event, user, host []byte) {
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, user)
	if before, _, ok := said.Cut(host, " ("); ok { // MIT's server puts the address first
		if a := said.Address(before); a != nil {
			e.Add(event.SourceIP, a)
			return
		}
	}
	if _, in, ok := said.CutLast(host, " ["); ok {
		if a := said.Address(bytes.TrimSuffix(in, []byte("]"))); a != nil {
			e.Add(event.SourceIP, a)
			return
		}
	}
	if a := said.Address(host); a != nil {
		e.Add(event.SourceIP, a)
		return
	}
	e.Add(event.SourceHost, host)
}

// machineCode is how many bytes that are no text make a password machine code: more than letters with accents in anybody's name.
const machineCode = 12

// code tells bytes that nobody types. Syslog daemons write them as they are, as "\220" or as "#220".
func code(b []byte) bool {
	n, text := 0, utf8.Valid(b) // letters of any language are none: machine code is no text
	for i, c := range b {
		switch {
		case c < ' ' || c == 0x7f || c > 0x7f && !text:
			n++
		case (c == '\\' || c == '#') && i+3 < len(b) && b[i+1] >= '0' && b[i+1] <= '3' && len(said.Number(b[i+1:i+4])) == 3:
			n++
		}
	}
	return n >= machineCode
}
