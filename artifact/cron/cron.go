// Package cron decodes cron, anacron and at: which command ran for whom, and who changed
// the tables.
package cron

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "cron",
		Doc:      "commands that cron and at ran, and changes of crontabs",
		Spec:     "vixie cron 3.0pl1 misc.c (log_it) with Debian's patches; cronie 1.7; busybox 1.36 miscutils/crond.c; at 3.2 atd.c",
		Programs: []string{"cron", "CRON", "crond", "CROND", "crontab", "anacron", "atd", "run-parts", "cronie"},
		Decode:   decode,
		Kinds:    []event.Kind{event.CronRan, event.CronEdited},
	}
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if len(t) > 0 && t[0] == '(' {
		if string(m.Program) == "run-parts" {
			return runParts(m, yield)
		}
		return logged(m, yield)
	}
	if rest, ok := said.Rest(t, "USER "); ok { // busybox: "USER root pid 1234 cmd run-parts /etc/periodic/15min"
		who, rest := said.FirstWord(rest)
		_, command, ok := said.Cut(rest, " cmd ")
		if !ok {
			return false
		}
		e := m.Event(event.CronRan)
		e.Add(event.UserName, who)
		e.Add(event.CommandLine, command)
		yield(e)
		return true
	}
	if rest, ok := said.Rest(t, "Starting job "); ok { // atd: "Starting job 2 (a0000201b2c3d4) for user 'alice' (1000)"
		job, who, ok := said.Cut(rest, " for user ")
		if !ok {
			return false
		}
		who, _ = said.FirstWord(who)
		e := m.Event(event.CronRan)
		e.Add(event.UserName, bytes.Trim(who, "'"))
		e.Add(event.CommandLine, t[len("Starting "):len("Starting job ")+len(job)])
		yield(e)
		return true
	}
	return said.BeginsAny(t, routine)
}

// routine: anacron's jobs are directories that run-parts names one by one.
var routine = []string{
	"Job `", "Anacron ", "Normal exit", "Will run job", "Updated timestamp", "Jobs will be executed", "wakeup dt", "crond (busybox", "crond: ", "file ", "user:", "user ",
	"child running", "pam_", "PAM ", "starting ", "finished ", "can't ", "bad ", "System clock", "Removing stale pidfile", "No MTA", "time disparity", "Error", "ignoring ",
	"Invalid", "Received SIG", "Exec", "log level", "job ", "Cannot ", "error:", "line ", "Timeout",
}

// logged reads "(USER) WHAT (DETAIL)". DETAIL goes to the line's end: a command may hold
// brackets.
func logged(m *artifact.Message, yield func(*event.Event)) bool {
	who, rest, ok := said.Cut(m.Text[1:], ") ")
	if !ok || len(who) == 0 {
		return false
	}
	what, detail, _ := said.Cut(rest, " (")
	detail = bytes.TrimSuffix(detail, []byte(")"))
	switch string(what) {
	case "CMD":
		e := m.Event(event.CronRan)
		e.Add(event.UserName, who)
		e.Add(event.CommandLine, bytes.TrimSpace(detail))
		yield(e)
	case "REPLACE", "BEGIN EDIT", "END EDIT", "DELETE":
		e := m.Event(event.CronEdited)
		e.Add(event.UserName, detail)
		e.Add(event.UserBy, who)
		e.Add(event.Change, what)
		yield(e)
	case "RELOAD":
		// cron saw that a table changed, however that came about: "(root) RELOAD (crontabs/root)",
		// "(*system*) RELOAD (/etc/cron.d/x)"
		e := m.Event(event.CronEdited)
		if who[0] != '*' { // "*system*" is nobody
			e.Add(event.UserName, who)
		}
		e.Add(event.FilePath, detail)
		e.Add(event.Change, what)
		yield(e)
	}
	return len(what) > 0
}

// runParts reads cronie's "(/etc/cron.daily) starting logrotate".
func runParts(m *artifact.Message, yield func(*event.Event)) bool {
	dir, script, ok := said.Cut(m.Text[1:], ") ")
	if !ok {
		return false
	}
	script, started := said.Rest(script, "starting ")
	if !started || len(script) == 0 {
		return true
	}
	e := m.Event(event.CronRan)
	path := make([]byte, 0, len(dir)+1+len(script))
	e.Add(event.CommandLine, append(append(append(path, dir...), '/'), script...))
	yield(e)
	return true
}
