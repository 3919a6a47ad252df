package tree

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"telltale/lab"
)

// SSH says what sshd of OpenSSH 9.2 and PAM say of a login, in their order.
func (s *server) SSH(_ context.Context, l lab.Login) (lab.Session, error) {
	s.tick(300 * time.Millisecond)
	pid, port := s.pid(), 1024+s.rand.IntN(64000)
	tag := fmt.Sprintf("sshd[%d]", pid)
	u := s.user(l.Account)
	if u != nil && u.shell == "/usr/sbin/nologin" && l.Key == nil {
		u = &user{name: l.Account, uid: u.uid, password: ""}
	}
	if l.Key != nil && s.authorized(u, l.Key) {
		s.say(auth, tag, "Accepted publickey for %s from %s port %d ssh2: ED25519 %s", l.Account, l.From, port, l.Key.Fingerprint())
		return s.opened(u, l.From, port, pid), nil
	}
	if l.Key == nil && u != nil && u.password != "" && u.password == l.Password {
		s.say(auth, tag, "Accepted password for %s from %s port %d ssh2", l.Account, l.From, port)
		return s.opened(u, l.From, port, pid), nil
	}
	who := "authenticating user " + l.Account
	if u == nil {
		who = "invalid user " + l.Account
		s.say(auth, tag, "Invalid user %s from %s port %d", l.Account, l.From, port)
	}
	if l.Key == nil {
		s.tick(10 * time.Millisecond)
		if u == nil {
			s.say(auth, tag, "pam_unix(sshd:auth): check pass; user unknown")
			s.say(auth, tag, "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s ", l.From)
			s.tick(2200 * time.Millisecond)
			s.say(auth, tag, "Failed password for invalid user %s from %s port %d ssh2", l.Account, l.From, port)
		} else {
			s.say(auth, tag, "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s  user=%s", l.From, l.Account)
			s.tick(2200 * time.Millisecond)
			s.say(auth, tag, "Failed password for %s from %s port %d ssh2", l.Account, l.From, port)
		}
		s.record("/var/log/btmp", utmpRecord{kind: 6, pid: pid, line: "ssh:notty", user: l.Account, from: l.From, at: s.clock})
	}
	s.tick(300 * time.Millisecond)
	s.say(auth, tag, "Connection closed by %s %s port %d [preauth]", who, l.From, port)
	return nil, lab.ErrRefused
}

func (s *server) authorized(u *user, k *lab.Key) bool {
	if u == nil {
		return false
	}
	n := s.find(u.home + "/.ssh/authorized_keys")
	public := []byte(k.Public())
	body, _, _ := bytes.Cut(public, []byte(" "+k.Comment))
	return n != nil && bytes.Contains(n.data, body)
}

// visit is a session with its terminal.
type visit struct {
	s              *server
	user           *user
	from           netip.Addr
	port, pid, num int
	tty            string
	since          time.Time
	shells         []*shell // the innermost last
}

func (s *server) opened(u *user, from netip.Addr, port, pid int) *visit {
	s.session++
	v := &visit{s: s, user: u, from: from, port: port, pid: pid, num: s.session, since: s.clock, tty: fmt.Sprintf("pts/%d", s.rand.IntN(3))}
	s.say(auth, fmt.Sprintf("sshd[%d]", pid), "pam_unix(sshd:session): session opened for user %s(uid=%d) by %s(uid=0)", u.name, u.uid, u.name)
	s.tick(20 * time.Millisecond)
	s.say(auth, s.tag("systemd-logind"), "New session %d of user %s.", v.num, u.name)
	s.say(daemon, "systemd[1]", "Started session-%d.scope - Session %d of User %s.", v.num, v.num, u.name)
	s.tick(100 * time.Millisecond)
	s.record("/var/log/wtmp", utmpRecord{kind: 7, pid: pid, line: v.tty, id: v.tty[len(v.tty)-1:], user: u.name, from: from, at: s.clock})
	s.lastlog(u, v)
	v.shells = []*shell{{s: s, user: u, dir: u.home, tty: v.tty, login: u.name, visit: v}}
	return v
}

// Run types a line into the innermost shell.
func (v *visit) Run(_ context.Context, line string) error {
	v.s.tick(40 * time.Millisecond)
	if len(v.shells) == 0 {
		return fmt.Errorf("the session of %s is over", v.user.name)
	}
	sh := v.shells[len(v.shells)-1]
	if line == "exit" {
		v.leave()
		return nil
	}
	next, err := sh.typed(line)
	if err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	if next != nil {
		v.shells = append(v.shells, next)
	}
	return nil
}

func (v *visit) leave() {
	n := len(v.shells) - 1
	v.shells[n].end()
	v.shells = v.shells[:n]
}

// Close leaves all shells and hangs up.
func (v *visit) Close(context.Context) error {
	if v.s.connected(v) {
		return nil
	}
	for len(v.shells) > 0 {
		v.leave()
	}
	s := v.s
	s.tick(100 * time.Millisecond)
	child := fmt.Sprintf("sshd[%d]", s.pid())
	s.say(auth, child, "Received disconnect from %s port %d:11: disconnected by user", v.from, v.port)
	s.say(auth, child, "Disconnected from user %s %s port %d", v.user.name, v.from, v.port)
	s.say(auth, fmt.Sprintf("sshd[%d]", v.pid), "pam_unix(sshd:session): session closed for user %s", v.user.name)
	s.record("/var/log/wtmp", utmpRecord{kind: 8, pid: v.pid, line: v.tty, at: s.clock})
	s.say(auth, s.tag("systemd-logind"), "Session %d logged out. Waiting for processes to exit.", v.num)
	s.say(auth, s.tag("systemd-logind"), "Removed session %d.", v.num)
	s.say(daemon, "systemd[1]", "session-%d.scope: Deactivated successfully.", v.num)
	return nil
}

// utmpRecord is struct utmp of glibc on x86-64, 384 bytes (utmp(5)).
type utmpRecord struct {
	kind           int16 // 2 BOOT_TIME, 6 LOGIN_PROCESS, 7 USER_PROCESS, 8 DEAD_PROCESS
	pid            int
	line, id, user string
	host           string
	from           netip.Addr
	at             time.Time
}

func (r *utmpRecord) bytes() []byte {
	b := make([]byte, 384)
	binary.LittleEndian.PutUint16(b, uint16(r.kind))
	binary.LittleEndian.PutUint32(b[4:], uint32(r.pid))
	copy(b[8:40], r.line)
	copy(b[40:44], r.id)
	copy(b[44:76], r.user)
	host := r.host
	if r.from.IsValid() {
		host = r.from.String()
		a := r.from.As4()
		copy(b[348:], a[:])
	}
	copy(b[76:332], host)
	binary.LittleEndian.PutUint32(b[340:], uint32(r.at.Unix()))
	binary.LittleEndian.PutUint32(b[344:], uint32(r.at.Nanosecond()/1000))
	return b
}

func (s *server) record(p string, r utmpRecord) {
	n := s.find(p)
	if n == nil {
		n = s.fresh(typeFile|0o660, 0, 43) // group utmp
		if s.put(p, n) != nil {
			return
		}
	}
	s.add(n, r.bytes())
}

// lastlog writes an account's place of /var/log/lastlog, 292 bytes by uid.
func (s *server) lastlog(u *user, v *visit) {
	const p, size = "/var/log/lastlog", 292
	n := s.find(p)
	if n == nil || u.uid > 5000 {
		return
	}
	if want := (u.uid + 1) * size; len(n.data) < want {
		n.data = append(n.data, make([]byte, want-len(n.data))...)
	}
	b := n.data[u.uid*size:][:size]
	clear(b)
	binary.LittleEndian.PutUint32(b, uint32(s.clock.Unix()))
	copy(b[4:36], v.tty)
	copy(b[36:], v.from.String())
	s.set(n, n.data)
}
