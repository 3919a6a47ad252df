// Package auditd reads the records of the kernel's audit system, from auditd's own log and from syslog and the
// journal where they are passed on: programs that were started and for whom, logins, sessions, changes of
// accounts, and what was done to auditing itself.
//
// An event of the kernel is several records with one serial number. In auditd's log they are joined; messages in
// syslog come one by one, and a record tells there what it holds itself.
package auditd

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "auditd", Doc: "programs started and for which login, logins, sessions, changes of accounts and of auditing itself, as the kernel saw them",
		Spec:  "Linux include/uapi/linux/audit.h, kernel/audit.c, kernel/auditsc.c (audit_log_exit); audit-userspace 4.0 lib/audit_logging.c and docs; audit message dictionary; Linux-PAM 1.5 libpam/pam_audit.c; OpenSSH 9 audit-linux.c; shadow 4.13 libmisc/audit_help.c; sudo 1.9 plugins/sudoers/linux_audit.c",
		Files: []string{"/var/log/audit/audit.log", "/var/log/audit.log"}, Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"audit", "audispd", "audisp-syslog", "tag_audit_log", "kernel"}, Decode: decode,
		Kinds: []event.Kind{
			event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.SessionOpened, event.SessionClosed, event.ProcessStarted, event.SudoCommand, event.SudoDenied,
			event.AccountCreated, event.AccountChanged, event.AccountDeleted, event.GroupChanged, event.PasswordChanged, event.ShellCommand, event.ServiceStarted,
			event.ServiceStopped, event.LoggingChanged, event.KernelNotice, event.ProgramSaid, event.Boot, event.Shutdown, event.RecordsMissing,
		},
	}
}

// sniffed is how many lines Sniff looks at.
const sniffed = 10

func sniff(head []byte) bool {
	n, good := 0, 0
	var r record
	for line := range bytes.Lines(head) {
		if n++; n > sniffed {
			break
		}
		if r.frame(bytes.TrimSpace(line)) && r.stamped {
			good++
		}
	}
	return n > 0 && good*2 > n
}

var noFrame, program = []byte("audit line"), []byte("auditd")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		going := true
		t := teller{logins: &logins{}, yield: func(e *event.Event) { going = going && yield(*e, nil) }}
		if in.Host != nil {
			t.users = in.Host.Users
		}
		m := artifact.Message{Repeat: 1, Program: program, Transport: "audit"}
		t.m = &m
		w := window{t: &t}
		numbers := serials{}
		for ref, line := range artifact.EachLine(ctx, in, yield) {
			m.Ref, m.Raw = ref, line
			if !t.r.frame(line) || !t.r.stamped {
				in.Seen.Unknown(noFrame)
				continue
			}
			in.Seen.Record(t.r.at)
			numbers.take(&t.r, &m)
			m.At, m.PID = t.r.at, nil
			if in.Wanted[event.AuditRecord] {
				t.whole()
			}
			w.age()
			if !w.take() {
				t.single()
			}
			if !going {
				return
			}
		}
		if ctx.Err() == nil {
			w.closeAll()
			numbers.tell(in, t.yield)
		}
	}
}

// whole gives the record as it is, for rules that ask for its fields.
func (t *teller) whole() {
	e := t.m.Event(event.AuditRecord)
	e.Add(event.RecordType, t.r.kind)
	e.Add(event.Message, t.r.text)
	t.yield(e)
}

// decode reads one record from syslog or the journal.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	text := m.Text
	kernel := string(m.Program) == "kernel"
	if kernel && len(text) > 0 && text[0] == '[' { // "[   12.345678] "
		if i := bytes.IndexByte(text[:min(len(text), 32)], ']'); i > 0 {
			text = bytes.TrimLeft(text[i+1:], " ")
		}
	}
	t := teller{m: m, yield: yield}
	if !t.r.frame(text) || kernel && !t.r.stamped {
		return false
	}
	if t.r.at.Known() {
		m.At = t.r.at // to the millisecond, and in no zone
	}
	m.PID = nil
	switch string(t.r.kind) {
	case "SYSCALL":
		t.syscall()
	case "EXECVE":
		p := pending{}
		p.arguments(t.r.text)
		e := m.Event(event.ProcessStarted)
		e.Add(event.RecordType, t.r.kind)
		e.Add(event.CommandLine, p.command)
		t.yield(e)
	case "KERN_MODULE", "NETFILTER_CFG":
		t.notice(t.r.kind, t.r.text, nil)
	default:
		t.single()
	}
	return true
}

// teller makes events of records. logins is nil where records come one by one.
type teller struct {
	r      record
	m      *artifact.Message
	users  []artifact.User
	logins *logins
	yield  func(*event.Event)
}

// event begins an event with what every record may tell of its process: pid, login and session.
func (t *teller) event(k event.Kind) *event.Event {
	t.m.PID = t.r.plain("pid")
	e := t.m.Event(k)
	e.Add(event.LoginUID, set(t.r.plain("auid")))
	e.Add(event.SessionID, set(t.r.plain("ses")))
	return e
}

// set gives nil for the number -1, which stands for "none" in auid and ses.
func set(id []byte) []byte {
	switch string(id) {
	case "4294967295", "-1", "unset":
		return nil
	}
	return id
}

// single tells a record that is an event of its own.
func (t *teller) single() {
	switch string(t.r.kind) {
	case "USER_AUTH", "USER_LOGIN", "USER_ERR":
		t.login()
	case "USER_START":
		t.session(event.SessionOpened)
	case "USER_END":
		t.session(event.SessionClosed)
	case "USER_CMD":
		t.sudo()
	case "USER_TTY":
		t.typed()
	case "ADD_USER", "DEL_USER", "USER_MGMT", "USER_CHAUTHTOK", "ADD_GROUP", "DEL_GROUP", "GRP_MGMT", "GRP_CHAUTHTOK", "ACCT_LOCK", "ACCT_UNLOCK",
		"CHUSER_ID", "CHGRP_ID", "ROLE_ASSIGN", "ROLE_REMOVE":
		t.account()
	default:
		t.system()
	}
}
