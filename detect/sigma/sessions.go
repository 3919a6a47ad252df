package sigma

import (
	"bytes"
	"net/netip"

	"telltale/event"
)

// sessions tells from where a mail came whose line does not say so: another line of the same session, or of the same mail, does.
type sessions struct {
	from map[string]string // by session, mail, or queue id
}

// maxSessions bounds how many are kept; then all are forgotten, for what belongs together stands near.
const maxSessions = 20_000

// saw keeps what a line tells of its session.
func (s *sessions) saw(e *event.Event) {
	switch e.Kind {
	case event.MailReceived:
		s.keep(e.Get(event.MailQueueID), string(e.Get(event.SourceIP)))
	case event.LogLine:
		if string(e.Get(event.ServiceName)) == "smtpd" {
			s.smtpd(e.Get(event.Message))
		}
	}
}

// smtpd reads OpenSMTPD's "SESSION smtp connected address=IP ..." and "SESSION smtp message msgid=ID ...".
func (s *sessions) smtpd(t []byte) {
	session, rest, ok := bytes.Cut(t, []byte(" smtp "))
	if !ok {
		return
	}
	if ip := valueOf(rest, "address="); ip != nil {
		s.keep(session, string(ip))
	}
	if id := valueOf(rest, "msgid="); id != nil {
		s.keep(id, s.from[string(session)])
	}
}

func (s *sessions) keep(id []byte, ip string) {
	a, err := netip.ParseAddr(ip)
	if len(id) == 0 || len(id) > 64 || err != nil || a.IsLoopback() { // who is on the host already came by something else
		return
	}
	if s.from == nil || len(s.from) >= maxSessions {
		s.from = map[string]string{}
	}
	s.from[string(id)] = ip
}

// of gives the address that an event's mail came from, "" where no line told it. An envelope of OpenSMTPD's is named by its mail and eight digits more.
func (s *sessions) of(e *event.Event) string {
	if id := e.Get(event.MailQueueID); len(id) > 0 {
		return s.from[string(id)]
	}
	if id := valueOf(e.Get(event.Message), "evpid="); len(id) == 16 && e.Kind == event.LogLine {
		return s.from[string(id[:8])]
	}
	return ""
}

// valueOf gives the word behind a name: "address=".
func valueOf(t []byte, name string) []byte {
	i := bytes.Index(t, []byte(name))
	if i < 0 || i > 0 && t[i-1] != ' ' {
		return nil
	}
	v, _, _ := bytes.Cut(t[i+len(name):], []byte(" "))
	return v
}
