// Package hestia reads the logs of the hosting panels HestiaCP and VestaCP: logins, and the commands by which the panel did what it was told. The panel's words
// and the address stand at the end of a login's line, behind the name that the client gave.
package hestia

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "hestia", Doc: "logins to the hosting panels HestiaCP and VestaCP, and what was done with them",
		Spec:  "VestaCP 0.9 src/v-check-user-password.c, func/main.sh (log_event); HestiaCP 1.x bin/v-check-user-password, func/main.sh",
		Files: []string{"/usr/local/{hestia,vesta}/log/{auth,system,error}*.log", "/var/log/{hestia,vesta}/{auth,system,error}*.log"}, Log: true, Sniff: artifact.MostLines(ours),
		Parse: artifact.Stamped("hestia", stamp, decode),
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.AccountCreated, event.AccountChanged, event.AccountDeleted, event.PasswordChanged, event.CronEdited, event.ProgramSaid}}
}

var service, password = []byte("hestia"), []byte("password")

// decode reads "NAME IP successfully logged in", "NAME IP failed to login" and "v-command 'argument' ... [Error 3]".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := bytes.TrimRight(m.Text, " ")
	k := event.AuthFailed
	before, ok := bytes.CutSuffix(t, []byte(" failed to login"))
	if !ok {
		before, ok = bytes.CutSuffix(t, []byte(" successfully logged in"))
		k = event.AuthAccepted
	}
	if !ok {
		return command(m, t, yield)
	}
	name, address := said.LastWord(before)
	ip := said.Address(address)
	if ip == nil || name == nil {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}

// kinds are the commands that have a kind of their own.
var kinds = map[string]event.Kind{"v-add-user": event.AccountCreated, "v-delete-user": event.AccountDeleted, "v-change-user-password": event.PasswordChanged, "v-change-user-shell": event.AccountChanged,
	"v-suspend-user": event.AccountChanged, "v-unsuspend-user": event.AccountChanged, "v-add-cron-job": event.CronEdited, "v-change-cron-job": event.CronEdited}

// command reads a command and its arguments in quotes, of which the first is the account's name. The arguments are what somebody asked for.
func command(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	name, arguments := said.FirstWord(t)
	if !bytes.HasPrefix(name, []byte("v-")) {
		return false
	}
	_, _, failed := said.CutLast(arguments, " [Error ")
	if failed || !said.BeginsAny(name, []string{"v-add-", "v-change-", "v-delete-", "v-suspend-", "v-unsuspend-", "v-restore-", "v-install-", "v-run-", "v-start-", "v-stop-", "v-generate-api", "v-generate-access", "v-open-fs-", "v-copy-fs-", "v-move-fs-", "v-extract-fs-", "v-quick-install"}) {
		return true // what only looks and counts
	}
	k, ok := kinds[string(name)]
	if !ok {
		k = event.ProgramSaid
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	if first, ok := said.Rest(arguments, "'"); ok {
		user, _, _ := said.Cut(first, "'")
		e.Add(event.UserName, user)
	}
	switch k {
	case event.ProgramSaid:
		e.Add(event.Message, t)
	case event.AccountChanged, event.CronEdited:
		e.Add(event.Change, t)
	}
	yield(e)
	return true
}

// stamp reads "yyyy-mm-dd hh:mm:ss ".
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	at, n := c.ISO(t)
	if n != 19 || n+1 >= len(t) || t[n] != ' ' {
		return at, t, false
	}
	return at, bytes.TrimLeft(t[n:], " "), true
}

// ours tells a line of these logs.
func ours(line []byte) bool {
	_, text, ok := stamp(&logclock.Clock{}, line)
	text = bytes.TrimRight(text, " ")
	return ok && (bytes.HasPrefix(text, []byte("v-")) || bytes.HasSuffix(text, []byte(" failed to login")) || bytes.HasSuffix(text, []byte(" successfully logged in")))
}
