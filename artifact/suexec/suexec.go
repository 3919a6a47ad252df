// Package suexec reads the log of Apache's suexec: which script ran as which account. It is the only record that ties a request of the web server to an account's
// process; the script's name is the request's.
package suexec

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
	return &artifact.Artifact{Name: "suexec", Doc: "programs that the web server ran as an account", Spec: "Apache 2.0 to 2.4 support/suexec.c (err_output, log_no_err)",
		Files: []string{"/var/log/{apache2,httpd,apache}/*suexec*", "/usr/local/apache*/logs/suexec_log", "/etc/apache2/logs/suexec_log"}, Log: true, Sniff: artifact.MostLines(ours),
		Parse: artifact.Stamped("suexec", stamp, decode), Kinds: []event.Kind{event.ProcessStarted, event.ProgramSaid}}
}

var service = []byte("suexec")

// decode reads "uid: (1001/alice) gid: (1001/alice) cmd: php.cgi"; what it refused to run, it tells in words of its own.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "uid: (")
	if !ok {
		words := m.Text
		if len(words) > 0 && words[0] == '(' { // "(8)Exec format error: exec failed (x.cgi)"
			_, words, _ = said.Cut(words, ": ")
		}
		if !said.BeginsAny(words, refusals) {
			return false
		}
		e := m.Event(event.ProgramSaid)
		e.Add(event.ServiceName, service)
		e.Add(event.Message, m.Text)
		yield(e)
		return true
	}
	who, rest, ok := said.Cut(rest, ") gid: (")
	_, command, ok2 := said.Cut(rest, ") cmd: ")
	if !ok || !ok2 || len(command) == 0 {
		return false
	}
	uid, name, _ := said.Cut(who, "/")
	e := m.Event(event.ProcessStarted)
	e.Add(event.UserName, name)
	if len(said.Number(uid)) == len(uid) {
		e.Add(event.UserID, uid)
	} else { // 2.0 has the name first, or alone
		e.Attrs = e.Attrs[:0]
		e.Add(event.UserName, uid)
	}
	e.Add(event.CommandLine, command)
	yield(e)
	return true
}

// refusals begin what suexec says where it runs nothing.
var refusals = []string{"user mismatch", "invalid command", "invalid target", "cannot run as forbidden", "cannot get docroot", "command not in docroot", "directory is writable", "cannot stat program", "file is writable",
	"file is either setuid", "target uid/gid", "file has no execute", "too few arguments", "crit: ", "failed to set", "cannot get current working directory", "failed to open log", "exec failed", "emerg: ", "alert: ", "config error"}

// stamp reads "[yyyy-mm-dd hh:mm:ss]: ".
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if len(t) < 24 || t[0] != '[' || t[20] != ']' || t[21] != ':' {
		return at, t, false
	}
	at, n := c.ISO(t[1:])
	return at, bytes.TrimLeft(t[22:], " "), n == 19
}

// ours tells a line of this log.
func ours(line []byte) bool {
	_, text, ok := stamp(&logclock.Clock{}, line)
	return ok && bytes.HasPrefix(text, []byte("uid: ("))
}
