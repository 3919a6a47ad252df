// Package accounts reads the account databases: passwd, shadow and group.
package accounts

import (
	"bytes"

	"telltale/artifact"
	"telltale/event"
)

// Passwd gives the artefact of /etc/passwd.
func Passwd() *artifact.Artifact {
	return &artifact.Artifact{Name: "passwd", Doc: "the accounts of the host", Spec: "passwd(5)", Files: []string{"/etc/passwd"}, Kinds: []event.Kind{event.Account}, Parse: artifact.Lines(passwd)}
}

// Shadow gives the artefact of /etc/shadow.
func Shadow() *artifact.Artifact {
	return &artifact.Artifact{Name: "shadow", Doc: "whether accounts have a password; the hashes are not taken", Spec: "shadow(5)", Files: []string{"/etc/shadow"}, Kinds: []event.Kind{event.AccountSecret}, Parse: artifact.Lines(shadow)}
}

// Group gives the artefact of /etc/group.
func Group() *artifact.Artifact {
	return &artifact.Artifact{Name: "group", Doc: "who belongs to which group", Spec: "group(5)", Files: []string{"/etc/group"}, Kinds: []event.Kind{event.Group}, Parse: artifact.Lines(group)}
}

func fields(in *artifact.Input, t []byte, n int) [][]byte {
	if t[0] == '#' || t[0] == '+' || t[0] == '-' { // comments and NIS
		return nil
	}
	f := bytes.Split(t, []byte(":"))
	if len(f) < n {
		in.Seen.Unknown([]byte("(too few fields)"))
		return nil
	}
	return f
}

func passwd(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	f := fields(in, t, 7)
	if f == nil {
		return
	}
	e.Kind = event.Account
	e.Add(event.UserName, f[0])
	e.Add(event.UserID, f[2])
	e.Add(event.GroupID, f[3])
	e.Add(event.UserHome, f[5])
	e.Add(event.UserShell, f[6])
	switch {
	case len(f[1]) == 0:
		e.AddText(event.PasswordState, "empty")
	case len(f[1]) >= 13:
		e.AddText(event.PasswordState, "in-passwd")
		e.Raw = hide(t, f[1])
	}
	yield(e)
}

// shadow tells the state of a password. The hash itself is left out of the quotation: a report is passed around.
func shadow(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	f := fields(in, t, 2)
	if f == nil {
		return
	}
	e.Kind = event.AccountSecret
	e.Add(event.UserName, f[0])
	state := "set"
	switch {
	case len(f[1]) == 0:
		state = "empty"
	case f[1][0] == '!' || f[1][0] == '*':
		state = "locked"
	}
	e.AddText(event.PasswordState, state)
	if state == "set" {
		e.Raw = hide(t, f[1])
	}
	yield(e)
}

// hide puts "(hash)" in the place of a secret.
func hide(line, secret []byte) []byte { return bytes.Replace(line, secret, []byte("(hash)"), 1) }

func group(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	f := fields(in, t, 4)
	if f == nil {
		return
	}
	e.Kind = event.Group
	e.Add(event.GroupName, f[0])
	e.Add(event.GroupID, f[2])
	e.Add(event.GroupMembers, f[3])
	yield(e)
}
