package pam

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// denials are what modules besides pam_unix say of an account that they turn away, around its name. The program that asked says so too, or counts the try itself, so that they are
// told as messages and no tries of their own.
var denials = []struct{ module, before, after string }{
	{"pam_faillock", "Consecutive login failures for user ", " account temporarily locked"},
	{"pam_listfile", "Refused user ", " for service "},
	{"pam_access", "access denied for user `", "' from `"},
	{"pam_ldap", `error trying to bind as user "uid=`, ","},
	{"pam_winbind", "user '", "' denied access (incorrect password or invalid membership)"},
	{"pam_tally2", "user ", " ("},
	{"pam_tally", "user ", " ("},
}

// denied tells of such an account. Who is asked for by a name that is none may put anything into it: the last of what stands behind a name ends it.
func (x *message) denied() bool {
	for _, d := range denials {
		if string(x.module) != d.module {
			continue
		}
		rest, ok := said.Rest(x.text, d.before)
		name, behind, ok2 := said.CutLast(rest, d.after)
		if d.after == "," {
			name, behind, ok2 = said.Cut(rest, d.after)
		}
		if !ok || !ok2 || !x.m.Wanted(event.ProgramSaid) {
			continue
		}
		e := x.event(event.ProgramSaid)
		e.Add(event.UserName, name)
		if d.module == "pam_access" {
			from(e, bytes.TrimRight(behind, "'"))
		}
		e.Add(event.Message, x.m.Text)
		x.yield(e)
		return true
	}
	return false
}

// checked reads "password check failed for user (NAME)" of the program that pam_unix runs where it may not read the passwords itself.
func checked(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "password check failed for user (")
	if !ok {
		return said.BeginsAny(m.Text, []string{"check pass; user unknown", "could not obtain user info ", "inappropriate use of Unix helper binary"})
	}
	e := m.Event(event.ProgramSaid)
	e.Add(event.ServiceName, m.Program)
	e.Add(event.UserName, bytes.TrimSuffix(rest, []byte(")")))
	e.Add(event.Message, m.Text)
	yield(e)
	return true
}
