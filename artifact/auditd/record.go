package auditd

import (
	"bytes"
	"time"

	"telltale/artifact/internal/said"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// record is one line, its frame taken off.
type record struct {
	node, kind []byte // kind: the type's name, "?" for a number without one here
	at         evidence.Time
	serial     uint64
	stamped    bool   // it says its own time and serial; in the journal it does not
	text       []byte // behind the stamp
	kv         []pair
	split      bool   // kv is filled
	buf        []byte // decoded values
}

// pair is a field. The value stands as in the record, with its quotes.
type pair struct {
	key, value []byte
	names      bool // auditd added it: the name of a number
}

// frame reads "[node=N ]type=T msg=audit(SEC.MS:SERIAL): text" of auditd, "audit: type=NUMBER audit(SEC.MS:SERIAL): text"
// of the kernel, and "T text" of the journal.
func (r *record) frame(b []byte) bool {
	r.node, r.kind, r.text, r.at, r.serial, r.stamped = nil, nil, nil, evidence.Time{}, 0, false
	r.kv, r.split, r.buf = r.kv[:0], false, r.buf[:0]
	b, _ = said.Rest(b, "audit: ")
	if rest, ok := said.Rest(b, "node="); ok {
		r.node, b, _ = said.Cut(rest, " ")
	}
	rest, ok := said.Rest(b, "type=")
	if !ok {
		return r.bare(b)
	}
	r.kind, rest, ok = said.Cut(rest, " ")
	rest, _ = said.Rest(rest, "msg=")
	rest, ok2 := said.Rest(rest, "audit(")
	stamp, text, ok3 := said.Cut(rest, "):")
	if !ok || !ok2 || !ok3 || !r.stamp(stamp) {
		return false
	}
	if n := said.Number(r.kind); len(n) > 0 && len(n) == len(r.kind) {
		r.kind = typeName(logclock.Digits(n[:min(len(n), 5)]))
	} else if !typeWord(r.kind) {
		return false
	}
	r.stamped, r.text = true, bytes.TrimLeft(text, " ")
	return true
}

func (r *record) bare(b []byte) bool {
	r.kind, r.text, _ = said.Cut(b, " ")
	return typeWord(r.kind) && bytes.IndexByte(r.text, '=') > 0
}

// typeWord tells a type's name: "USER_AUTH", "UNKNOWN[1337]".
func typeWord(b []byte) bool {
	for i, x := range b {
		if (x < 'A' || x > 'Z') && (i == 0 || x != '_' && x != '[' && x != ']' && (x < '0' || x > '9')) {
			return false
		}
	}
	return len(b) > 2 && len(b) < 40
}

// latest is the second after which no stamp is believed: the year 2200.
const latest = 7258118400

// stamp reads "SEC.MS:SERIAL". Before the clock is set, a kernel counts from 0: that is no time.
func (r *record) stamp(b []byte) bool {
	sec, rest, ok := said.Cut(b, ".")
	ms, serial, ok2 := said.Cut(rest, ":")
	s, okSec := number(sec)
	n, okMs := number(ms)
	var okSerial bool
	r.serial, okSerial = number(serial)
	if !ok || !ok2 || !okSec || !okMs || !okSerial || len(ms) > 3 || s > latest {
		return false
	}
	if s > 0 {
		r.at = evidence.Time{Sec: int64(s), Nsec: int32(n) * 1e6, Step: time.Millisecond}
	}
	return true
}

// number reads decimal digits only, at most 18.
func number(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, x := range b {
		if x < '0' || x > '9' {
			return 0, false
		}
		n = n*10 + uint64(x-'0')
	}
	return n, true
}

var none = []byte("?")

// typeName gives the name of a type that tells something here; the numbers are those of linux/audit.h and of libaudit.h.
func typeName(n int) []byte {
	if i := n - 1100; i >= 0 && i < len(userTypes) {
		return []byte(userTypes[i])
	}
	if i := n - 1200; i >= 0 && i < len(daemonTypes) {
		return []byte(daemonTypes[i])
	}
	for i := range kernelTypes {
		if kernelTypes[i].number == n {
			return []byte(kernelTypes[i].name)
		}
	}
	return none
}

// userTypes from 1100 on, daemonTypes from 1200 on.
var userTypes = [...]string{
	"USER_AUTH", "USER_ACCT", "USER_MGMT", "CRED_ACQ", "CRED_DISP", "USER_START", "USER_END", "USER_AVC", "USER_CHAUTHTOK", "USER_ERR", "CRED_REFR", "USYS_CONFIG",
	"USER_LOGIN", "USER_LOGOUT", "ADD_USER", "DEL_USER", "ADD_GROUP", "DEL_GROUP", "DAC_CHECK", "CHGRP_ID", "TEST", "TRUSTED_APP", "USER_SELINUX_ERR", "USER_CMD",
	"USER_TTY", "CHUSER_ID", "GRP_AUTH", "SYSTEM_BOOT", "SYSTEM_SHUTDOWN", "SYSTEM_RUNLEVEL", "SERVICE_START", "SERVICE_STOP", "GRP_MGMT", "GRP_CHAUTHTOK",
	"MAC_CHECK", "ACCT_LOCK", "ACCT_UNLOCK", "USER_DEVICE", "SOFTWARE_UPDATE",
}

var daemonTypes = [...]string{"DAEMON_START", "DAEMON_END", "DAEMON_ABORT", "DAEMON_CONFIG", "?", "DAEMON_ROTATE", "DAEMON_RESUME", "DAEMON_ACCEPT", "DAEMON_CLOSE", "DAEMON_ERR"}

var kernelTypes = [...]struct {
	number int
	name   string
}{
	{1006, "LOGIN"}, {1300, "SYSCALL"}, {1302, "PATH"}, {1305, "CONFIG_CHANGE"}, {1307, "CWD"}, {1309, "EXECVE"}, {1320, "EOE"}, {1325, "NETFILTER_CFG"}, {1327, "PROCTITLE"},
	{1330, "KERN_MODULE"}, {1404, "MAC_STATUS"}, {1700, "ANOM_PROMISCUOUS"}, {1701, "ANOM_ABEND"}, {2100, "ANOM_LOGIN_FAILURES"}, {2301, "ROLE_ASSIGN"}, {2302, "ROLE_REMOVE"},
}
