// Package sudo decodes the programs that give one user the rights of another: sudo, su,
// doas and pkexec. Who became whom, and what was run or refused.
package sudo

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "sudo",
		Doc:      "commands run with another user's rights by sudo, doas and pkexec, and changes of user by su",
		Spec:     "sudo 1.9 lib/eventlog/eventlog.c (new_logline); shadow 4.13 src/su.c; util-linux 2.38 login-utils/su-common.c; polkit 122 src/programs/pkexec.c; OpenDoas 6.8 doas.c",
		Programs: []string{"sudo", "su", "su-l", "doas", "pkexec"},
		Decode:   decode,
		Kinds:    []event.Kind{event.SudoCommand, event.SudoDenied, event.SwitchUser, event.AuthFailed},
	}
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	switch string(m.Program) {
	case "sudo":
		return sudo(m, yield)
	case "doas":
		return doas(m, yield)
	case "pkexec":
		return pkexec(m, yield)
	}
	return su(m, yield)
}

// denials are the reasons of sudo that mean the command did not run.
var denials = []string{
	"command not allowed", "NOT in sudoers", "NOT authorized on host", "incorrect password attempt", "a password is required",
	"no tty present", "a terminal is required", "account validation failure", "authentication failure", "unknown user", "not allowed to",
	"sorry, you must have a tty", "invalid authentication",
}

// sudo reads "USER : [REASON ; ]TTY=T ; PWD=D ; USER=U ; [GROUP=G ; ][ENV=E ; ]COMMAND=C".
func sudo(m *artifact.Message, yield func(*event.Event)) bool {
	t := bytes.TrimLeft(m.Text, " ")
	user, rest, ok := said.Cut(t, " : ")
	if !ok || bytes.IndexByte(user, ' ') >= 0 {
		return said.BeginsAny(t, []string{"unable to ", "timestamp", "pam_", "PAM ", "parse error", "ignoring ", "error ", "LDAP", "a password", "no tty"})
	}
	if _, ok := said.Rest(rest, "(command continued)"); ok {
		return true // the rest of a command too long for one line
	}
	l := readLine(rest)
	kind := event.SudoCommand
	switch {
	case l.ended:
		return true // a second line, at the command's end
	case len(l.reason) > 0:
		if !holdsAny(l.reason, denials) {
			return true // sudo's own troubles
		}
		kind = event.SudoDenied
	case l.command == nil:
		return false
	}
	e := m.Event(kind)
	e.Add(event.ServiceName, []byte("sudo"))
	e.Add(event.UserName, user)
	e.Add(event.UserEffective, l.as)
	e.Add(event.AuthReason, l.reason)
	e.Add(event.Terminal, l.tty)
	e.Add(event.WorkingDirectory, l.dir)
	e.Add(event.CommandLine, l.command)
	yield(e)
	return true
}

// line is what stands behind the user in a line of sudo.
type line struct {
	reason, tty, dir, as, command []byte
	ended                         bool // it tells how the command ended
}

// readLine takes the fields apart. The command goes to the line's end, whatever it holds.
func readLine(b []byte) (l line) {
	fields := b
	if c, ok := said.Rest(b, "COMMAND="); ok {
		fields, l.command = nil, c
	} else {
		fields, l.command, _ = said.Cut(b, " ; COMMAND=")
	}
	for first := true; len(fields) > 0; first = false {
		var f []byte
		f, fields, _ = said.Cut(fields, " ; ")
		name, v, set := said.Cut(f, "=")
		switch string(name) {
		case "TTY":
			l.tty = v
		case "PWD":
			l.dir = v
		case "USER":
			l.as = v
		case "EXIT", "SIGNAL":
			l.ended = true
		case "HOST", "GROUP", "TSID", "CHROOT", "ENV":
		default:
			if first && !set {
				l.reason = bytes.TrimSpace(f)
			}
		}
	}
	return l
}

func holdsAny(b []byte, all []string) bool {
	for _, s := range all {
		if bytes.Contains(b, []byte(s)) {
			return true
		}
	}
	return false
}

// su reads shadow's "Successful su for ROOT by USER" and "FAILED su for ROOT by USER", and
// "(to ROOT) USER on TTY" and "FAILED SU (to ROOT) USER on TTY" of util-linux and coreutils.
func su(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	rest, failed := said.Rest(t, "FAILED ")
	if !failed {
		rest, failed = said.Rest(t, "FAILED SU ")
	}
	var as, by, tty []byte
	for _, p := range [...]string{"Successful su for ", "su for "} {
		if r, ok := said.Rest(rest, p); ok {
			as, by, _ = said.CutLast(r, " by ")
		}
	}
	rest, _ = said.Rest(rest, "SU ")
	if r, ok := said.Rest(rest, "(to "); ok {
		as, r, _ = said.Cut(r, ") ")
		by, tty, _ = said.CutLast(r, " on ")
	}
	if len(as) == 0 && string(m.Program) == "su" {
		by, as, tty, failed = older(t)
	}
	if len(as) == 0 {
		// "+ pts/0 alice:root" says the line before again
		return said.BeginsAny(t, []string{"+ ", "- ", "No passwd entry for user ", "pam_", "PAM ", "user '", "bad group ID", "incorrect password", "Authentication failure", "no such"})
	}
	k := event.SwitchUser
	if failed {
		k = event.SudoDenied
	}
	e := m.Event(k)
	e.Add(event.ServiceName, []byte("su"))
	e.Add(event.UserName, by)
	e.Add(event.UserEffective, as)
	e.Add(event.Terminal, tty)
	yield(e)
	return true
}

// older reads "BAD SU USER to ROOT on TTY" and "USER to ROOT on TTY", as the su of the BSDs and of GNU sh-utils says it, "'su ROOT' failed for USER on TTY" of System V and
// "failed: TTY changing from USER to ROOT" of AIX. Names of accounts have no blanks.
func older(t []byte) (by, as, tty []byte, failed bool) {
	if rest, ok := said.Rest(t, "'su "); ok {
		as, rest, ok = said.Cut(rest, "' ")
		word, rest := said.FirstWord(rest)
		by, tty, ok2 := said.Cut(bytes.TrimPrefix(rest, []byte("for ")), " on ")
		if failed = string(word) == "failed"; !ok || !ok2 || !failed && string(word) != "succeeded" || bytes.ContainsAny(by, " '") || bytes.ContainsAny(as, " '") {
			return nil, nil, nil, false
		}
		return by, as, tty, failed
	}
	if rest, ok := said.Rest(t, "failed: "); ok {
		tty, rest, ok = said.Cut(rest, " changing from ")
		by, as, ok2 := said.Cut(rest, " to ")
		if !ok || !ok2 || bytes.IndexByte(by, ' ') >= 0 || bytes.IndexByte(as, ' ') >= 0 {
			return nil, nil, nil, false
		}
		return by, as, tty, true
	}
	t, failed = said.Rest(t, "BAD SU ")
	by, rest := said.FirstWord(t)
	to, rest := said.FirstWord(rest)
	as, rest = said.FirstWord(rest)
	on, tty := said.FirstWord(rest)
	if string(to) != "to" || string(on) != "on" || len(tty) == 0 || bytes.IndexByte(tty, ' ') >= 0 {
		return nil, nil, nil, false
	}
	return by, as, tty, failed
}

// doas reads "USER ran command C as U from DIR", of OpenBSD "USER ran command as U: C", and their refusals.
func doas(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	for _, p := range [...]string{"failed auth for ", "failed password for "} {
		if who, ok := said.Rest(t, p); ok {
			e := m.Event(event.AuthFailed)
			e.Add(event.ServiceName, []byte("doas"))
			e.Add(event.UserName, who)
			yield(e)
			return true
		}
	}
	for _, p := range [...]string{"failed command for ", "command not permitted for "} {
		if rest, ok := said.Rest(t, p); ok {
			who, command, _ := said.Cut(rest, ": ")
			e := m.Event(event.SudoDenied)
			e.Add(event.ServiceName, []byte("doas"))
			e.Add(event.UserName, who)
			e.Add(event.AuthReason, t[:len(p)-len(" for ")])
			e.Add(event.CommandLine, command)
			yield(e)
			return true
		}
	}
	if who, rest, ok := said.Cut(t, " ran command "); ok {
		return doasRan(m, who, rest, yield)
	}
	return said.BeginsAny(t, []string{"pam_", "PAM "})
}

func doasRan(m *artifact.Message, who, rest []byte, yield func(*event.Event)) bool {
	command, dir, from := said.CutLast(rest, " from ")
	command, as, ok := said.CutLast(command, " as ")
	if bsd, is := said.Rest(rest, "as "); is && !(ok && from) {
		as, command, ok = said.Cut(bsd, ": ")
		dir = nil
	}
	if !ok {
		return false
	}
	e := m.Event(event.SudoCommand)
	e.Add(event.ServiceName, []byte("doas"))
	e.Add(event.UserName, who)
	e.Add(event.UserEffective, as)
	e.Add(event.WorkingDirectory, dir)
	e.Add(event.CommandLine, command)
	yield(e)
	return true
}

// pkexec reads "USER: TEXT [USER=U] [TTY=T] [CWD=D] [COMMAND=C]". Texts other than "Executing
// command" are refusals; "The value for the SHELL variable was not found the /etc/shells file"
// is what the published exploits of CVE-2021-4034 leave.
func pkexec(m *artifact.Message, yield func(*event.Event)) bool {
	by, rest, ok := said.Cut(m.Text, ": ")
	text, rest, found := said.Cut(rest, " [USER=")
	if !ok || !found {
		return said.BeginsAny(m.Text, []string{"pam_", "PAM "})
	}
	as, rest, _ := said.Cut(rest, "] [TTY=")
	tty, rest, _ := said.Cut(rest, "] [CWD=")
	dir, command, _ := said.Cut(rest, "] [COMMAND=")
	k := event.SudoDenied
	if string(text) == "Executing command" {
		k, text = event.SudoCommand, nil
	}
	e := m.Event(k)
	e.Add(event.ServiceName, []byte("pkexec"))
	e.Add(event.UserName, by)
	e.Add(event.UserEffective, as)
	e.Add(event.AuthReason, text)
	e.Add(event.Terminal, tty)
	e.Add(event.WorkingDirectory, dir)
	e.Add(event.CommandLine, bytes.TrimSuffix(command, []byte("]")))
	yield(e)
	return true
}
