// Package cpanel reads the logs of the hosting panel cPanel & WHM: who was let in and who was not, what the panel was asked to do, which files came in through
// it, and what it did to accounts. The address stands first in every line and is the server's own word; names, requests and reasons behind it are the client's.
package cpanel

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const spec = "cPanel & WHM documentation, The cPanel Log Files (versions 11 to 126)"

// New gives the artefact of the panel's own logs. Which of its forms a line has is told by the line: old releases wrote logins where newer ones write requests.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "cpanel", Doc: "logins to the hosting panel cPanel & WHM, and what was done with it", Spec: spec,
		Files: []string{"/usr/local/cpanel/logs/{access_log,login_log,session_log,cpdavd_session_log,error_log,api_tokens_log,cphulkd.log}*",
			"/usr/local/cpanel/logs/archive/{access_log,login_log,session_log,error_log}*", "/var/cpanel/accounting.log"},
		Log: true, Sniff: artifact.MostLines(ours), Parse: parse,
		Kinds: []event.Kind{event.HTTPRequest, event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.SessionOpened, event.SessionClosed, event.FileUploaded, event.ProgramSaid,
			event.AlarmRaised, event.AccountCreated, event.AccountChanged, event.AccountDeleted, event.PasswordChanged}}
}

// Hulk gives the artefact of what the panel's guard against guessed passwords says through syslog.
func Hulk() *artifact.Artifact {
	return &artifact.Artifact{Name: "cphulk", Doc: "logins that cPanel's guard against guessed passwords refused", Spec: spec, Programs: []string{"PAM-hulk", "cphulkd"}, Decode: hulk, Kinds: []event.Kind{event.AlarmRaised}}
}

var service, password, unread = []byte("cpanel"), []byte("password"), []byte("cpanel line")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		m := artifact.Message{Repeat: 1}
		going := true
		out := func(e *event.Event) { going = going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			m.At, m.Ref, m.Raw = evidence.Time{}, ref, t
			if !line(in, &m, t, out) {
				in.Seen.Unknown(unread)
			}
			if !going {
				return
			}
		}
	}
}

// line reads a line of any of the logs, and counts it where it has a time.
func line(in *artifact.Input, m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	if at, rest, ok := stamp(in.Clock, t); ok {
		in.Seen.Record(at)
		m.At = at
		return stamped(m, rest, yield)
	}
	if r, ok := requested(t); ok {
		in.Seen.Record(r.at)
		m.At = r.at
		r.tell(m, yield)
		return true
	}
	if at, n := in.Clock.Asctime(t); n > 0 && n < len(t) && t[n] == ':' {
		in.Seen.Record(at)
		m.At = at
		return account(m, t[n+1:], yield)
	}
	return t[0] == ' ' || t[0] == '\t' // the lines of a Perl program's trace
}

// stamp reads "[yyyy-mm-dd hh:mm:ss +zzzz] ".
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, rest []byte, ok bool) {
	if len(t) < 29 || t[0] != '[' || t[5] != '-' || t[20] != ' ' || t[26] != ']' || t[27] != ' ' {
		return at, t, false
	}
	date := [25]byte(t[1:26])
	copy(date[19:], t[21:26]) // the offset, without the blank before it
	at, n := c.ISO(date[:24])
	return at, t[28:], n == 24
}

// stamped reads "level [program] text".
func stamped(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	level, rest := said.FirstWord(t)
	program, rest, ok := said.Cut(rest, "] ")
	program, ok2 := said.Rest(program, "[")
	if !ok || !ok2 {
		return false
	}
	switch string(program) {
	case "cphulkd":
		m.Text = rest
		return hulk(m, yield)
	}
	if tokenUsed(m, rest, yield) {
		return true
	}
	first, after := said.FirstWord(rest)
	if ip := said.Address(first); ip != nil {
		if verb, more := said.FirstWord(after); string(verb) == "NEW" || string(verb) == "PURGE" {
			return session(m, program, ip, string(verb), more, yield)
		}
		return login(m, program, ip, after, yield)
	}
	switch string(level) {
	case "info", "warn", "die", "error", "debug", "notice", "panic", "invalid":
		return true // the panel's own troubles, in words without end
	}
	return false
}

// hulk reads what the guard says of those that it keeps out: "Brute force detection active: 550 LOGIN DENIED ..." and, in its own log, "... IP ... blocked".
func hulk(m *artifact.Message, yield func(*event.Event)) bool {
	if !bytes.Contains(m.Text, []byte("LOGIN DENIED")) && !bytes.Contains(m.Text, []byte("TOO MANY FAILURES")) {
		return true
	}
	e := m.Event(event.AlarmRaised)
	e.Add(event.ServiceName, []byte("cphulkd"))
	e.Add(event.Message, m.Text)
	e.Add(event.Change, []byte("refused"))
	yield(e)
	return true
}

// ours tells a line of these logs.
func ours(t []byte) bool {
	if _, rest, ok := stamp(&logclock.Clock{}, t); ok {
		_, rest = said.FirstWord(rest)
		return said.BeginsAny(rest, []string{"[cpaneld] ", "[cpsrvd] ", "[whostmgrd] ", "[webmaild] ", "[cpdavd] ", "[cphulkd] ", "[cpwrapd] "})
	}
	_, ok := requested(t)
	return ok
}
