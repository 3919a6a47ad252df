// Package rlogin decodes the servers of rsh and rlogin, and the module of PAM that asks files of trusted hosts for them: who was let in without a password, from
// where, and what rsh was given to run. The names of the client's side are its word; the address is the server's.
package rlogin

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "rlogin", Doc: "logins by rsh and rlogin, which trust what other hosts say",
		Spec:     "netkit-rsh 0.17 rshd/rshd.c, rlogind/rlogind.c; Linux-PAM 0.75 modules/pam_rhosts/pam_rhosts_auth.c; inetutils 2.4 src/rshd.c",
		Programs: []string{"rshd", "in.rshd", "rlogind", "in.rlogind", "pam_rhosts_auth", "pam_rhosts"},
		Decode:   decode, Kinds: []event.Kind{event.AuthAccepted, event.ConnectionSeen, event.SessionOpened},
	}
}

var rhosts = []byte("rhosts")

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	for _, p := range [...]string{"allowed to ", "denied to "} { // "allowed to REMOTE@HOST as LOCAL", and why not
		if rest, ok := said.Rest(t, p); ok {
			kind := event.AuthAccepted
			if p[0] == 'd' { // no password was tried, so that nobody guesses
				kind = event.ConnectionSeen
			}
			return tell(m, kind, rest, yield)
		}
	}
	if rest, ok := said.Rest(t, "Connection from "); ok { // "Connection from HOST on illegal port"
		host, _ := said.FirstWord(rest)
		ip := said.Address(host)
		if ip != nil {
			e := m.Event(event.ConnectionSeen)
			e.Add(event.ServiceName, []byte("rlogin"))
			e.Add(event.SourceIP, ip)
			yield(e)
		}
		return true
	}
	if bytes.Contains(t, []byte(": cmd='")) { // "REMOTE@HOST as LOCAL: cmd='WORDS'"
		who, _, _ := said.Cut(t, ": cmd='")
		return tell(m, event.AuthAccepted, who, yield)
	}
	return said.BeginsAny(t, []string{"PAM ", "pam_", "Connection reset", "getpeername", "Can't get peer", "PAM pam_"})
}

// tell reads "REMOTE@HOST as LOCAL". A remote name may hold what it likes: the host stands behind the last "@" before the last " as ".
func tell(m *artifact.Message, kind event.Kind, t []byte, yield func(*event.Event)) bool {
	from, local, ok := said.CutLast(t, " as ")
	if !ok {
		return false
	}
	_, host, ok := said.CutLast(from, "@")
	if !ok {
		return false
	}
	local, _ = said.FirstWord(local)
	give := func(kind event.Kind) {
		e := m.Event(kind)
		e.Add(event.ServiceName, []byte("rlogin"))
		e.Add(event.UserName, bytes.TrimRight(local, ":,"))
		e.Add(event.AuthMethod, rhosts)
		if ip := said.Address(host); ip != nil {
			e.Add(event.SourceIP, ip)
		} else {
			e.Add(event.SourceHost, host)
		}
		yield(e)
	}
	give(kind)
	if kind == event.AuthAccepted {
		give(event.SessionOpened)
	}
	return true
}
