// Package uwimap decodes the logins of the mail server of the University of Washington, imapd and ipop3d, which many distributions shipped up to about 2010: accepted
// and refused, from where. The address stands at the line's end, behind anything that the client chose.
package uwimap

import (
	"bytes"
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "uwimap", Doc: "logins to mailboxes of UW imapd and ipop3d: accepted and refused, from where", Spec: "UW IMAP 2007f src/osdep/unix/env_unix.c (server_login), src/imapd/imapd.c, src/ipopd/ipop3d.c",
		Programs: []string{"imapd", "ipop3d", "ipop2d"}, Decode: decode, Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen}}
}

// forms are how its messages begin, and what they mean; 0 tells nothing.
var forms = []struct {
	begins string
	kind   event.Kind
}{
	{"Login failed user=", event.AuthFailed}, {"Login failure user=", event.AuthFailed}, {"Login excessive login failures user=", event.AuthFailed}, {"Login disabled user=", event.AuthFailed}, {"Excessive login failures user=", event.AuthFailed},
	{"AUTHENTICATE ", event.AuthFailed}, {"Failed ", event.AuthFailed}, {"Login user=", event.AuthAccepted}, {"Auth user=", event.AuthAccepted}, {"Authenticated user=", event.AuthAccepted}, {"APOP user=", event.AuthAccepted},
	{"Logout user=", 0}, {"Autologout user=", 0}, {"Killed user=", 0}, {"Broken pipe", 0}, {"Connection reset", 0}, {"Connection timed out", 0}, {"imap service init from", 0}, {"imaps SSL service init from", 0}, {"pop3 service init from", 0}, {"pop3s SSL service init from", 0},
	{"Command stream end of file", 0}, {"Moved ", 0}, {"Trying to get mailbox lock", 0}, {"Mailbox vulnerable", 0}, {"Unexpected client disconnect", 0},
}

// decode reads "Login failed user=bob auth=bob host=name [192.0.2.1]" and the like.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	for _, f := range forms {
		rest, ok := said.Rest(m.Text, f.begins)
		switch {
		case !ok:
			continue
		case f.kind == 0:
			return true
		}
		before, host, ok := said.CutLast(rest, "host=")
		_, address, ok2 := said.CutLast(behindHost(host), "[")
		ip := said.Address(bytes.TrimSuffix(address, []byte("]")))
		if !ok || !ok2 || ip == nil {
			return false
		}
		e := m.Event(f.kind)
		e.AddText(event.ServiceName, "imap")
		if user, named := account(f.begins, before); named {
			e.Add(event.UserName, user)
		}
		e.Add(event.SourceIP, ip)
		yield(e)
		return true
	}
	return false
}

// behindHost takes " mech=PLAIN" off, which releases since 2004 add.
func behindHost(host []byte) []byte {
	if before, mechanism, ok := said.CutLast(host, " mech="); ok && bytes.IndexByte(mechanism, ' ') < 0 {
		host = before
	}
	return bytes.TrimRight(host, " ")
}

// account gives the name of "bob auth=bob ", and of "uwmaster override of user=bob " where the form's beginning does not reach to it.
func account(begins string, t []byte) (user []byte, named bool) {
	if !strings.HasSuffix(begins, "user=") {
		if _, t, named = said.Cut(t, "user="); !named {
			return nil, false
		}
	}
	if before, _, ok := said.CutLast(t, " auth="); ok {
		t = before
	}
	return bytes.TrimSpace(t), true
}
