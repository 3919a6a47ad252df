// Package login decodes login, on consoles, serial lines and under telnet, and
// systemd-logind: who logged in where, and sessions by their number.
package login

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "login",
		Doc:      "logins on consoles and by telnet, sessions of systemd-logind, and the system going down",
		Spec:     "util-linux 2.38 login-utils/login.c; shadow 4.13 src/login.c; busybox 1.36 loginutils/login.c; systemd 257 src/login/logind-session.c, logind-action.c",
		Programs: []string{"login", "systemd-logind", "elogind", "elogind-daemon"},
		Decode:   decode,
		Kinds:    []event.Kind{event.AuthAccepted, event.AuthFailed, event.SessionOpened, event.Shutdown},
	}
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if string(m.Program) != "login" {
		return logind(m, yield)
	}
	t := m.Text
	if rest, ok := said.Rest(t, "ROOT LOGIN "); ok {
		place(accepted(m, []byte("root")), rest, yield)
		return true
	}
	if rest, ok := said.Rest(t, "root login on "); ok { // busybox
		place(accepted(m, []byte("root")), t[len(t)-len(rest)-len("on "):], yield)
		return true
	}
	for _, p := range [...]string{"LOGIN ON ", "DIALUP AT "} { // "TTY BY USER[ FROM HOST]"
		if rest, ok := said.Rest(t, p); ok {
			tty, who, _ := said.Cut(rest, " BY ")
			who, host, _ := said.Cut(who, " FROM ")
			e := accepted(m, who)
			e.Add(event.Terminal, tty)
			from(e, host)
			yield(e)
			return true
		}
	}
	if rest, ok := said.Rest(t, "'"); ok { // shadow: "'USER' logged in on 'TTY'"
		who, rest, ok := said.CutLast(rest, "' logged in")
		if ok {
			place(accepted(m, who), rest, yield)
		}
		return ok
	}
	for _, p := range [...]string{"FAILED LOGIN", "TOO MANY LOGIN TRIES"} {
		if rest, ok := said.Rest(t, p); ok {
			failed(m, rest, yield)
			return true
		}
	}
	if rest, ok := said.Rest(t, "invalid password for '"); ok { // busybox
		who, rest, _ := said.Cut(rest, "'")
		e := begin(m, event.AuthFailed, who)
		place(e, rest, yield)
		return true
	}
	return said.BeginsAny(t, []string{"pam_", "PAM ", "password changed", "session ", "exec", "timed out", "illegal", "LOGIN "})
}

func begin(m *artifact.Message, k event.Kind, who []byte) *event.Event {
	e := m.Event(k)
	e.Add(event.ServiceName, []byte("login"))
	e.Add(event.UserName, bare(who))
	e.Add(event.AuthMethod, []byte("password"))
	return e
}

func accepted(m *artifact.Message, who []byte) *event.Event { return begin(m, event.AuthAccepted, who) }

// place reads "on 'TTY' from 'HOST'" and "ON TTY FROM HOST".
func place(e *event.Event, b []byte, yield func(*event.Event)) {
	for word := []byte(nil); len(b) > 0; {
		word, b = said.FirstWord(bytes.TrimLeft(b, " "))
		switch string(word) {
		case "on", "ON":
			word, b = said.FirstWord(b)
			e.Add(event.Terminal, bare(word))
		case "from", "FROM":
			word, b = said.FirstWord(b)
			from(e, bare(word))
		}
	}
	yield(e)
}

// failed reads shadow's " (N) on 'TTY'[ from 'HOST'] FOR 'USER', REASON" and util-linux's
// " N FROM HOST-OR-TTY FOR USER, REASON". USER may be a password typed in the wrong place.
func failed(m *artifact.Message, b []byte, yield func(*event.Event)) {
	where, who, _ := said.Cut(b, " FOR ")
	who, reason, _ := said.CutLast(who, ", ")
	e := begin(m, event.AuthFailed, who)
	e.Add(event.AuthReason, reason)
	if string(bare(who)) == "UNKNOWN" {
		e.Add(event.UserInvalid, []byte("true"))
	}
	if _, host, ok := said.Cut(where, " FROM "); ok && (bytes.HasPrefix(host, []byte("tty")) || bytes.HasPrefix(host, []byte("/dev/")) || bytes.HasPrefix(host, []byte("pts/"))) {
		e.Add(event.Terminal, host)
		yield(e)
		return
	}
	place(e, where, yield)
}

func bare(b []byte) []byte { return bytes.Trim(b, "'`\"") }

func from(e *event.Event, host []byte) {
	if a := said.Address(host); a != nil {
		e.Add(event.SourceIP, a)
		return
	}
	e.Add(event.SourceHost, host)
}

// logind reads "New session N of user USER." and, since systemd 257, "New session 'N' of user
// 'USER' with class 'C' and type 'T'.".
func logind(m *artifact.Message, yield func(*event.Event)) bool {
	if rest, ok := said.Rest(m.Text, "New session "); ok {
		id, who, ok := said.Cut(rest, " of user ")
		if !ok {
			return false
		}
		who, _, _ = said.Cut(who, " with class ")
		e := m.Event(event.SessionOpened)
		e.Add(event.ServiceName, []byte("logind"))
		e.Add(event.SessionID, bare(id))
		e.Add(event.UserName, bare(bytes.TrimSuffix(who, []byte("."))))
		yield(e)
		return true
	}
	for _, p := range [...]string{"System is powering down", "System is rebooting", "System is halting", "The system will power off now", "The system will reboot now", "The system will halt now"} {
		if _, ok := said.Rest(m.Text, p); ok {
			e := m.Event(event.Shutdown)
			e.Add(event.ServiceName, []byte("logind"))
			yield(e)
			return true
		}
	}
	return said.BeginsAny(m.Text, []string{
		"Removed session", "Session ", "New seat ", "Removed seat ", "Watching system buttons", "Power key pressed", "Failed to ", "Delay lock is active",
		"Lid ", "Suspend", "Hibernat", "Operation '", "Received SIG", "User ", "Linger", "Existing logind session", "Creating /run/nologin", "Removed ",
	})
}
