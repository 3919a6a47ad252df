package auditd

import (
	"bytes"
	"encoding/base64"

	"telltale/event"
)

// system reads records of the kernel, of auditd and of init.
func (t *teller) system() {
	switch string(t.r.kind) {
	case "SYSTEM_BOOT":
		t.yield(t.event(event.Boot))
	case "SYSTEM_SHUTDOWN":
		t.yield(t.event(event.Shutdown))
	case "SERVICE_START":
		if t.r.done() {
			t.unit(event.ServiceStarted)
		}
	case "SERVICE_STOP":
		t.unit(event.ServiceStopped)
	case "DAEMON_START":
		t.logging("started")
	case "DAEMON_END":
		t.logging("stopped")
	case "DAEMON_ABORT":
		t.logging("stopped by an error")
	case "DAEMON_CONFIG":
		t.logging("its configuration was read anew")
	case "DAEMON_ERR":
		t.logging("gave up writing for want of room or rights")
	case "CONFIG_CHANGE":
		t.config()
	case "ANOM_PROMISCUOUS":
		if p := t.r.plain("prom"); len(p) > 0 && string(p) != "0" {
			t.kernel("an interface listens to all traffic", t.r.text)
		}
	case "ANOM_ABEND":
		t.kernel("a program crashed", t.r.text)
	case "MAC_STATUS":
		if v := t.r.plain("enforcing"); string(v) == "0" {
			t.kernel("the kernel's access control was switched off", t.r.text)
		}
	case "ANOM_LOGIN_FAILURES", "ANOM_LOGIN_ACCT", "ANOM_LOGIN_SESSIONS", "ANOM_ROOT_TRANS", "ANOM_LINK", "ANOM_MK_EXEC", "ANOM_EXEC", "RESP_ACCT_LOCK":
		e := t.event(event.ProgramSaid)
		e.Add(event.ServiceName, program)
		e.Add(event.RecordType, t.r.kind)
		t.origin(e)
		e.Add(event.Message, words(t.r.text))
		t.yield(e)
	}
}

// words gives a record's text without the names that auditd added.
func words(text []byte) []byte {
	text, _ = cutNames(text)
	return text
}

func (t *teller) unit(k event.Kind) {
	e := t.event(k)
	e.Add(event.ServiceName, t.r.plain("unit"))
	t.yield(e)
}

func (t *teller) logging(change string) {
	e := t.event(event.LoggingChanged)
	e.Add(event.ServiceName, program)
	e.AddText(event.Change, change)
	e.Add(event.UserBy, t.name("auid", "AUID"))
	e.Add(event.Message, words(t.r.text))
	t.yield(e)
}

// config reads CONFIG_CHANGE. A change that was refused (rules that are locked) has res=0. Rules that are added are no
// news; each start of auditd also removes all of them and adds them again.
func (t *teller) config() {
	if v := t.r.plain("res"); v != nil && !t.r.done() {
		return
	}
	op := t.r.op()
	switch {
	case string(t.r.plain("audit_enabled")) == "0" && string(t.r.plain("old")) != "0":
		t.logging("auditing was stopped: audit_enabled=0")
	case same(op, "removerule"):
		t.logging("a rule was removed")
	}
}

// kernel tells something the kernel noticed about a process.
func (t *teller) kernel(change string, text []byte) {
	e := t.event(event.KernelNotice)
	e.AddText(event.Change, change)
	e.Add(event.UserID, t.r.plain("uid"))
	e.Add(event.ProcessName, t.r.coded("comm"))
	e.Add(event.Executable, t.r.coded("exe"))
	e.Add(event.Message, words(text))
	t.yield(e)
}

// notice tells a KERN_MODULE or NETFILTER_CFG record, whose system call says who did it.
func (t *teller) notice(kind, text, call []byte) {
	change := "the packet filter was changed"
	if string(kind) == "KERN_MODULE" {
		switch t.call() {
		case "init_module":
			change = "a kernel module was loaded"
		case "delete_module":
			change = "a kernel module was removed"
		default:
			change = "a kernel module was loaded or removed"
		}
	}
	if len(call) > 0 && string(t.r.plain("success")) == "no" {
		return
	}
	t.kernel(change, text)
}

// syscall tells a SYSCALL record that comes alone.
func (t *teller) syscall() {
	if string(t.r.plain("success")) == "no" {
		return
	}
	switch t.call() {
	case "execve":
		t.m.PID = t.r.plain("pid")
		t.started(nil, nil)
	case "init_module":
		t.kernel("a kernel module was loaded", t.r.text)
	case "delete_module":
		t.kernel("a kernel module was removed", t.r.text)
	}
}

// call names the system call of a SYSCALL record: "execve", "init_module", "delete_module" and "" for all others.
// The numbers are those of the kernel's tables for the architecture that the record names (elf-em.h, audit.h).
func (t *teller) call() string {
	for _, c := range calls {
		if bytes.Equal(t.r.plain("arch"), []byte(c.arch)) && bytes.Equal(t.r.plain("syscall"), []byte(c.number)) {
			return c.name
		}
	}
	return ""
}

var calls = []struct{ arch, number, name string }{
	{"c000003e", "59", "execve"}, {"c000003e", "322", "execve"}, {"c000003e", "175", "init_module"}, {"c000003e", "313", "init_module"}, {"c000003e", "176", "delete_module"},
	{"40000003", "11", "execve"}, {"40000003", "358", "execve"}, {"40000003", "128", "init_module"}, {"40000003", "350", "init_module"}, {"40000003", "129", "delete_module"},
	{"c00000b7", "221", "execve"}, {"c00000b7", "281", "execve"}, {"c00000b7", "105", "init_module"}, {"c00000b7", "273", "init_module"}, {"c00000b7", "106", "delete_module"},
	{"c00000f3", "221", "execve"}, {"c00000f3", "281", "execve"}, {"c00000f3", "105", "init_module"}, {"c00000f3", "273", "init_module"}, {"c00000f3", "106", "delete_module"},
}

// account reads what shadow's programs, passwd and others say of accounts; an attempt that failed changed nothing.
func (t *teller) account() {
	if !t.r.done() {
		return
	}
	op, who := t.r.op(), t.subject()
	k := t.accountKind(op)
	group := t.r.coded("grp")
	if k == event.Unknown || who == nil && group == nil && t.r.plain("id") == nil {
		return
	}
	e := t.event(k)
	switch string(t.r.kind) {
	case "ADD_GROUP", "DEL_GROUP", "GRP_MGMT", "GRP_CHAUTHTOK": // acct and id are the group's
		group, who = who, nil
		if group == nil {
			e.Add(event.GroupID, t.r.plain("id"))
		}
	default:
		e.Add(event.UserID, t.r.plain("id"))
	}
	e.Add(event.UserName, who)
	e.Add(event.GroupName, group)
	by := t.name("auid", "AUID")
	if by == nil {
		by = t.name("uid", "UID")
	}
	e.Add(event.UserBy, by)
	if k != event.PasswordChanged {
		e.Add(event.Change, op)
	}
	e.Add(event.ServiceName, t.service())
	e.Add(event.Terminal, t.r.plain("terminal"))
	t.yield(e)
}

// accountKind tells what an op means. One run of useradd writes several records of type ADD_USER (the home directory,
// the groups), of which one is the account's.
func (t *teller) accountKind(op []byte) event.Kind {
	group := t.r.plain("grp") != nil || bytes.Contains(op, []byte("group"))
	switch string(t.r.kind) {
	case "ADD_USER":
		if same(op, "addinguser") || same(op, "adduser") {
			return event.AccountCreated
		}
	case "DEL_USER":
		if same(op, "deletinguser") || same(op, "deleteuser") || same(op, "deletinguserentries") {
			return event.AccountDeleted
		}
	case "ADD_GROUP", "DEL_GROUP", "GRP_MGMT", "GRP_CHAUTHTOK", "CHGRP_ID":
		return event.GroupChanged
	case "USER_CHAUTHTOK":
		return t.passwordKind(op, group)
	case "USER_MGMT":
		if bytes.HasPrefix(op, []byte("pam_")) || bytes.Contains(op, []byte("home")) { // counters of refusals
			return event.Unknown
		}
	default:
		return event.AccountChanged
	}
	switch {
	case group:
		return event.GroupChanged
	case string(t.r.kind) == "USER_MGMT":
		return event.AccountChanged
	}
	return event.Unknown
}

// passwordKind tells USER_CHAUTHTOK. passwd writes a record of its own besides that of libpam.
func (t *teller) passwordKind(op []byte, group bool) event.Kind {
	switch {
	case same(op, "PAM:chauthtok"):
		return event.PasswordChanged
	case same(op, "changepassword") && string(t.service()) == "passwd":
		return event.Unknown
	case group:
		return event.GroupChanged
	case bytes.Contains(op, []byte("password")) && !bytes.Contains(op, []byte("lock")) && !bytes.Contains(op, []byte("age")) && !bytes.Contains(op, []byte("display")):
		return event.PasswordChanged
	case bytes.HasPrefix(op, []byte("display")):
		return event.Unknown
	}
	return event.AccountChanged
}

// base64Fingerprint gives a SHA-256 sum as ssh-keygen prints it.
func base64Fingerprint(sum []byte) []byte {
	const prefix = "SHA256:"
	out := make([]byte, len(prefix)+base64.RawStdEncoding.EncodedLen(len(sum)))
	copy(out, prefix)
	base64.RawStdEncoding.Encode(out[len(prefix):], sum)
	return out
}

// lower is nibble for small letters too.
func lower(x byte) byte {
	if x >= 'a' && x <= 'f' {
		return x - 'a' + 10
	}
	return nibble(x)
}
