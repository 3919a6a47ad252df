// Package xrdp reads what the remote desktop server xrdp says of its clients: who connected, who was let in and refused, from where. The session itself is
// another program's; PAM tells of it, too.
package xrdp

import (
	"bytes"
	"context"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const (
	spec = "xrdp 0.6 to 0.10: common/log.c (log_message), sesman/scp_v0.c, sesman/sesexec/login_info.c, sesman/scp_process.c, common/trans.c"
	doc  = "logins to the remote desktop server xrdp: accepted and refused, from where"
)

var kinds = []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen}

// New gives the artefact of its own logs.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "xrdp", Doc: doc, Spec: spec, Files: []string{"/var/log/xrdp.log", "/var/log/xrdp-sesman.log"}, Log: true, Sniff: artifact.MostLines(sniff), Parse: parse, Kinds: kinds}
}

// Syslog gives the artefact of what it sends to syslog.
func Syslog() *artifact.Artifact {
	return &artifact.Artifact{Name: "xrdp-syslog", Doc: doc, Spec: spec, Programs: []string{"xrdp", "xrdp-sesman", "xrdp-sesexec"}, Decode: decode, Kinds: kinds}
}

var (
	service  = []byte("xrdp-sesman")
	password = []byte("password")
)

func sniff(line []byte) bool {
	_, t, ok := stamp(&logclock.Clock{}, line)
	if !ok {
		return false
	}
	_, ok = level(t)
	return ok
}

// stamp takes "[20220407-12:11:06] " or, since 0.10, "[2026-01-01T12:00:00.065+0000] " off a line.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if len(t) < 20 || t[0] != '[' {
		return at, nil, false
	}
	in, text, ok := said.Cut(t[1:], "] ")
	if !ok {
		return at, nil, false
	}
	if len(in) != 17 || in[8] != '-' {
		at, n := c.ISO(in)
		return at, text, n > 0 && n == len(in)
	}
	at, ok = c.Local(logclock.Digits(in[:4]), time.Month(logclock.Digits(in[4:6])), logclock.Digits(in[6:8]), logclock.Digits(in[9:11]), logclock.Digits(in[12:14]), logclock.Digits(in[15:17]), 0, time.Second)
	return at, text, ok && in[11] == ':' && in[14] == ':'
}

// parse reads a file.
func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return artifact.Stamped("xrdp", stamp, new(decoder).decode)(ctx, in)
}

// decoder reads the lines of one log. Since 0.10 the line that lets somebody in does not name the address; the request before it does.
type decoder struct{ user, ip []byte }

// decode reads a message of syslog, where lines of several sessions may lie between a request and its answer: PAM tells of it there.
func decode(m *artifact.Message, yield func(*event.Event)) bool { return new(decoder).decode(m, yield) }

func (d *decoder) decode(m *artifact.Message, yield func(*event.Event)) bool {
	t, ok := level(m.Text)
	if !ok {
		return false
	}
	if rest, ok := said.Rest(t, "AUTHFAIL: user="); ok {
		rest, _, _ = said.CutLast(rest, " time=")
		return tell(m, yield, event.AuthFailed, rest, " ip=")
	}
	if rest, ok := said.Rest(t, "++ created session (access granted): username "); ok {
		return tell(m, yield, event.AuthAccepted, rest, ", ip ")
	}
	if rest, ok := said.Rest(t, "++ reconnected session: username "); ok {
		user, from, _ := said.Cut(rest, ", display :")
		_, from, ok := said.CutLast(from, ", ip ")
		return ok && accepted(m, yield, user, from)
	}
	if rest, ok := said.Rest(t, "Received system login request from xrdp for user: "); ok {
		user, ip, ok := said.CutLast(rest, " IP: ")
		d.user, d.ip = append(d.user[:0], user...), append(d.ip[:0], ip...)
		return ok
	}
	if user, ok := said.Rest(t, "Access permitted for user: "); ok {
		if len(d.ip) > 0 && bytes.Equal(user, d.user) {
			accepted(m, yield, d.user, d.ip)
			d.ip = d.ip[:0]
		}
		return true
	}
	if _, rest, ok := said.Cut(t, " connection received from "); ok { // "Socket 12: AF_INET6 connection received from ::ffff:203.0.113.7 port 50000"
		from, port, _ := said.Cut(rest, " port ")
		return seen(m, yield, from, port)
	}
	return !bytes.Contains(t, []byte(" ip")) && !bytes.Contains(t, []byte(" IP"))
}

// level takes "[INFO ] " off, and the ids of process and thread that stand before it in syslog.
func level(t []byte) ([]byte, bool) {
	if i := bytes.IndexByte(t, '['); len(t) > 0 && t[0] == '(' && i > 0 && i < 40 {
		t = t[i:]
	}
	if len(t) < 8 || t[0] != '[' || t[6] != ']' || t[7] != ' ' {
		return t, false
	}
	switch string(t[1:6]) {
	case "CORE ", "ERROR", "WARN ", "INFO ", "DEBUG", "TRACE":
		return t[8:], true
	}
	return t, false
}

// tell reads a name, the words between and where it came from; who connects chooses his name, so that the last such words count.
func tell(m *artifact.Message, yield func(*event.Event), k event.Kind, t []byte, between string) bool {
	user, from, ok := said.CutLast(t, between)
	if !ok {
		return false
	}
	if k == event.AuthAccepted {
		return accepted(m, yield, user, from)
	}
	e := begin(m, k, user)
	e.Add(event.SourceIP, said.Address(from))
	yield(e)
	return true
}

// accepted tells of a session; from is an address alone or "203.0.113.7:50000 - socket: 12".
func accepted(m *artifact.Message, yield func(*event.Event), user, from []byte) bool {
	from, _, _ = said.Cut(from, " - socket")
	e := begin(m, event.AuthAccepted, user)
	if a := said.Address(from); a != nil {
		e.Add(event.SourceIP, a)
	} else if host, port, ok := said.CutLast(from, ":"); ok {
		e.Add(event.SourceIP, said.Address(host))
		e.Add(event.SourcePort, said.Number(port))
	}
	yield(e)
	return true
}

func begin(m *artifact.Message, k event.Kind, user []byte) *event.Event {
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, user)
	e.Add(event.AuthMethod, password)
	return e
}

// seen tells of a client; the session manager's own come from the host itself.
func seen(m *artifact.Message, yield func(*event.Event), from, port []byte) bool {
	ip := said.Address(from)
	if s := string(ip); ip == nil || s == "127.0.0.1" || s == "::1" {
		return true
	}
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, ip)
	e.Add(event.SourcePort, said.Number(port))
	yield(e)
	return true
}
