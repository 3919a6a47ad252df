package tree

import (
	"context"
	"fmt"
	"strings"
	"time"

	"telltale/lab"
)

// queueID gives one of postfix's short queue ids.
func (s *server) queueID() string {
	s.queue++
	return fmt.Sprintf("%X%05X", 0x10+s.rand.IntN(0xE0), (s.rand.IntN(0xfff)<<8|s.queue&0xff)&0xfffff)
}

func (s *server) postfix(name string) string {
	return fmt.Sprintf("postfix/%s[%d]", name, s.daemons["postfix"]+len(name))
}

// submitted is mail that a program of this host hands in by sendmail.
func (s *server) submitted(u *user, from string, to ...string) {
	id := s.queueID()
	s.say(mail, s.postfix("pickup"), "%s: uid=%d from=<%s>", id, u.uid, u.name)
	s.carried(id, from, to)
}

// carried is what follows in the queue, to the delivery.
func (s *server) carried(id, from string, to []string) {
	s.say(mail, s.postfix("cleanup"), "%s: message-id=<%s.%s@%s.%s>", id, s.clock.UTC().Format("20060102150405"), id, s.setup.Hostname, s.play.Domain)
	s.say(mail, s.postfix("qmgr"), "%s: from=<%s>, size=%d, nrcpt=%d (queue active)", id, from, 400+s.rand.IntN(3000), len(to))
	for _, t := range to {
		s.tick(300 * time.Millisecond)
		if local, _, _ := strings.Cut(t, "@"); s.user(local) != nil && !strings.Contains(t, "example.net") {
			s.say(mail, s.postfix("local"), "%s: to=<%s>, relay=local, delay=0.03, delays=0.02/0/0/0.01, dsn=2.0.0, status=sent (delivered to mailbox)", id, t)
			continue
		}
		s.say(mail, s.postfix("smtp"), "%s: to=<%s>, relay=mx.example.net[192.0.2.5]:25, delay=0.%d, delays=0.02/0.01/0.1/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as %s)", id, t, 1+s.rand.IntN(9), s.queueID())
	}
	s.say(mail, s.postfix("qmgr"), "%s: removed", id)
}

// Submit is mail that comes by SMTP: from outside, or from an account after its login.
func (s *server) Submit(_ context.Context, m lab.Submission) error {
	if !s.setup.Has(lab.Mail) {
		return fmt.Errorf("no mail server")
	}
	s.tick(200 * time.Millisecond)
	name := "smtpd"
	if m.Account != "" {
		name = "submission/smtpd"
	}
	s.say(mail, s.postfix(name), "connect from unknown[%s]", m.From)
	by := ""
	if m.Account != "" {
		u := s.user(m.Account)
		if u == nil || u.password != m.Password {
			s.say(auth, "auth", "pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=%s rhost=%s %s", m.Account, m.From, suffix(u))
			s.tick(2 * time.Second)
			s.say(mail, s.postfix(name), "warning: unknown[%s]: SASL PLAIN authentication failed: (reason unavailable), sasl_username=%s", m.From, m.Account)
			s.say(mail, s.postfix(name), "disconnect from unknown[%s] ehlo=1 auth=0/1 quit=1 commands=2/3", m.From)
			return lab.ErrRefused
		}
		by = ", sasl_method=PLAIN, sasl_username=" + m.Account
	}
	for _, to := range m.Recipients {
		id := s.queueID()
		s.say(mail, s.postfix(name), "%s: client=unknown[%s]%s", id, m.From, by)
		s.carried(id, m.Sender, []string{to})
	}
	k := len(m.Recipients)
	s.say(mail, s.postfix(name), "disconnect from unknown[%s] ehlo=1 mail=%d rcpt=%d data=%d quit=1 commands=%d", m.From, k, k, k, 3*k+2)
	return nil
}

func suffix(u *user) string {
	if u == nil {
		return ""
	}
	return " user=" + u.name
}
