// Package crontab reads the tables of cron: the system's, which name a user, and the users' own.
package crontab

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"telltale/artifact"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "crontab", Doc: "what cron runs, when and as whom", Spec: "crontab(5), anacrontab(5), run-parts(8)",
		Files: []string{"/etc/crontab", "/etc/anacrontab", "/etc/cron.d/*", "/var/spool/cron/*", "/var/spool/cron/{crontabs,tabs}/*", "/etc/cron.{hourly,daily,weekly,monthly}/*", "/etc/crontabs/*", "/var/spool/cron/{atjobs,atspool}/*", "/var/spool/at/*"},
		Kinds: []event.Kind{event.CronEntry}, Parse: artifact.Lines(line),
	}
}

func line(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	t = bytes.TrimSpace(t)
	dir, name := path.Split(in.Path)
	if len(t) == 0 || t[0] == '#' || strings.HasPrefix(name, ".placeholder") {
		return
	}
	e.Kind = event.CronEntry
	switch {
	case strings.Contains(dir, "/cron.hourly/") || strings.Contains(dir, "/cron.daily/") || strings.Contains(dir, "/cron.weekly/") || strings.Contains(dir, "/cron.monthly/"):
		script(in, t, e, "root", path.Base(dir), yield)
	case strings.Contains(dir, "/at") && strings.Contains(dir, "/spool/"):
		if exported(t) || name[0] == '.' { // at keeps the environment of who called it, and its count in .SEQ
			return
		}
		script(in, t, e, owner(in), "once", yield)
	default:
		table(in, t, e, dir, name, yield)
	}
}

// script takes a line of a script that runs whole: each is a command, but only those that do something are told.
func script(in *artifact.Input, t []byte, e *event.Event, user, when string, yield func(*event.Event)) {
	for _, skip := range []string{"fi", "done", "else", "then", "esac", "exit", "set ", "}", "{", "if ", "case ", ";;", "for ", "do", "while "} {
		if bytes.HasPrefix(t, []byte(skip)) {
			return
		}
	}
	e.AddText(event.UserName, user)
	e.AddText(event.Schedule, when)
	e.Add(event.CommandLine, t)
	yield(e)
}

// owner gives the account that at runs a job for: the one that the file belongs to (at.allow(5); atd refuses others).
func owner(in *artifact.Input) string {
	for _, u := range in.Host.Users {
		if u.UID == in.Meta.UID {
			return u.Name
		}
	}
	return strconv.FormatUint(uint64(in.Meta.UID), 10)
}

// exported tells "NAME=value; export NAME" and the lines that bring a job to its directory.
func exported(t []byte) bool {
	return bytes.Contains(t, []byte("; export ")) || bytes.HasPrefix(t, []byte("umask ")) || bytes.HasPrefix(t, []byte("cd /")) && bytes.HasSuffix(t, []byte("|| {")) || bytes.Contains(t, []byte("Execution directory inaccessible"))
}

// table reads "m h dom mon dow [user] command", "@reboot [user] command" and, of anacron, "period delay name command".
func table(in *artifact.Input, t []byte, e *event.Event, dir, name string, yield func(*event.Event)) {
	if assignment(t) {
		return
	}
	n := 5
	if t[0] == '@' {
		n = 1
	}
	system := dir == "/etc/" || strings.HasSuffix(dir, "/cron.d/")
	user := name
	if name == "anacrontab" {
		n, system, user = 3, false, "root"
		if t[0] == '@' {
			n = 3
		}
	}
	when, rest := take(t, n)
	if len(rest) == 0 {
		in.Seen.Unknown([]byte("(too few fields)"))
		return
	}
	if system {
		u, cmd := take(rest, 1)
		user, rest = string(u), cmd
	}
	e.AddText(event.UserName, user)
	e.Add(event.Schedule, when)
	e.Add(event.CommandLine, rest)
	yield(e)
}

// assignment tells NAME=value from an entry, whose first word has no '='.
func assignment(t []byte) bool {
	i := bytes.IndexByte(t, '=')
	return i > 0 && bytes.IndexAny(bytes.TrimRight(t[:i], " \t"), " \t*/@,") < 0
}

// take gives the first n words and the rest.
func take(t []byte, n int) (head, rest []byte) {
	i := 0
	for ; n > 0; n-- {
		for i < len(t) && t[i] != ' ' && t[i] != '\t' {
			i++
		}
		head = t[:i]
		for i < len(t) && (t[i] == ' ' || t[i] == '\t') {
			i++
		}
	}
	return head, t[i:]
}
