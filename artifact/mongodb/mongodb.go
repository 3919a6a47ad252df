// Package mongodb reads the logs of MongoDB: who connected, was refused and let in, whether anybody is let in without an account, and which databases
// were dropped and which notes of extortioners put in their place. Statements stand in these logs only where they were slow.
package mongodb

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "mongodb", Doc: "logins to MongoDB, and databases that were dropped",
		Spec:  "MongoDB Manual 2.6 to 8.0: Log Messages; src/mongo/db/auth/{sasl_commands,authentication_session}.cpp, src/mongo/transport/session_manager_common.cpp, src/mongo/db/catalog/drop_database.cpp",
		Files: []string{"/var/log/{mongodb,mongo}/*.log", "/var/log/mongo*.log", "/var/lib/{mongodb,mongo}/*.log", "/data/db/*.log", "/opt/mongo*/*.log", "/opt/mongo*/{log,logs}/*.log"},
		Log:   true, Sniff: sniff, Parse: parse,
		Programs: []string{"mongod", "mongos", "mongod.*", "mongos.*"}, Decode: decode,
		Kinds: []event.Kind{event.AuthFailed, event.AuthAccepted, event.ConnectionSeen, event.DatabaseCommand, event.ServerSetting, event.ServiceStarted, event.ServiceStopped, event.ProgramSaid},
	}
}

var service, unread = []byte("mongodb"), []byte("mongodb line")

// session is what is known of one connection.
type session struct{ ip, port, user string }

// maxSessions bounds how many connections are kept at a time; beyond it messages are told without their address.
const maxSessions = 20000

type reader struct {
	in       *artifact.Input
	m        artifact.Message
	sessions map[string]session // by the thread's name, "conn12"; nil where messages come one by one
	torn     int64              // up to this offset a client's name may go on
	tornEnd  string             // what the server writes behind the name
	room     []byte             // for strings with escapes
	going    bool
	out      func(*event.Event)
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		r := reader{in: in, m: artifact.Message{Repeat: 1, Program: service}, sessions: map[string]session{}, going: true}
		r.out = func(e *event.Event) { r.going = r.going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			r.m.Ref, r.m.Raw = ref, t
			if !r.line(ref, t) {
				in.Seen.Unknown(unread)
			}
			if !r.going {
				return
			}
		}
	}
}

func (r *reader) line(ref evidence.Ref, t []byte) bool {
	if t[0] == '{' {
		l, ok := r.structured(t)
		if !ok {
			return false
		}
		r.m.At = l.at
		r.in.Seen.Record(l.at)
		r.tell(&l)
		return true
	}
	at, n := r.in.Clock.ISO(t)
	inName := ref.Off < r.torn
	if inName && bytes.Contains(t, []byte(r.tornEnd)) { // the rest of the line that the name tore
		r.torn = 0
	}
	if n == 0 || n >= len(t) || t[n] != ' ' {
		return false
	}
	if inName {
		return true
	}
	r.in.Seen.Record(at)
	r.m.At = at
	return r.plain(t[n+1:])
}

// decode reads a message that syslog carries: without its stamp in the older form, whole in the newer.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	r := reader{in: &artifact.Input{Clock: &logclock.Clock{}}, out: yield}
	r.m = *m
	if len(m.Text) > 0 && m.Text[0] == '{' {
		l, ok := r.structured(m.Text)
		if ok {
			r.tell(&l)
		}
		return ok
	}
	t := m.Text
	if _, n := r.in.Clock.ISO(t); n > 0 && n < len(t) {
		t = bytes.TrimLeft(t[n:], " ")
	}
	return r.plain(t)
}

// know keeps a connection's address. Numbers begin anew when the server does.
func (r *reader) know(name, remote []byte) {
	ip, port := said.AddressPort(remote)
	if r.sessions == nil || ip == nil {
		return
	}
	if _, ok := r.sessions[string(name)]; ok || len(r.sessions) < maxSessions {
		r.sessions[string(name)] = session{ip: string(ip), port: string(port)}
	}
}

// event gives an event with the address of the connection that speaks, or the one that its line says.
func (r *reader) event(k event.Kind, ctx, remote []byte) *event.Event {
	e := r.m.Event(k)
	e.Add(event.ServiceName, service)
	s, known := r.sessions[string(ctx)]
	if ip, port := said.AddressPort(remote); ip != nil {
		e.Add(event.SourceIP, ip)
		e.Add(event.SourcePort, port)
	} else if known {
		e.AddText(event.SourceIP, s.ip)
		e.AddText(event.SourcePort, s.port)
	}
	if known && k == event.DatabaseCommand {
		e.AddText(event.UserName, s.user)
	}
	return e
}

// login tells of an account that was let in or refused.
func (r *reader) login(k event.Kind, ctx, remote, user, mechanism, reason []byte) {
	e := r.event(k, ctx, remote)
	e.Add(event.UserName, user)
	e.Add(event.AuthMethod, mechanism)
	e.Add(event.AuthReason, reason)
	if bytes.HasPrefix(reason, []byte("UserNotFound")) {
		e.Add(event.UserInvalid, []byte("true"))
	}
	if s, ok := r.sessions[string(ctx)]; ok && k == event.AuthAccepted {
		s.user = string(user[:min(len(user), maxName)])
		r.sessions[string(ctx)] = s
	}
	r.out(e)
}

const (
	maxName    = 500  // bytes of an account's name that are kept
	maxMessage = 1000 // bytes of a statement that an event tells
)

func (r *reader) command(ctx, remote, message []byte) {
	e := r.event(event.DatabaseCommand, ctx, remote)
	e.Add(event.Message, message[:min(len(message), maxMessage)])
	r.out(e)
}

func (r *reader) setting(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	e := r.m.Event(event.ServerSetting)
	e.Add(event.ServiceName, service)
	e.AddText(event.SettingName, name)
	e.Add(event.SettingValue, value)
	r.out(e)
}

func (r *reader) say(k event.Kind, message []byte) {
	e := r.m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, message)
	r.out(e)
}

// demands tells the names that extortioners give to what they leave: READ__ME_TO_RECOVER_YOUR_DATA, README, WARNING. t is the name of a database,
// or of one and of a collection behind a dot.
func demands(t []byte) bool {
	upper := bytes.ToUpper(t[:min(len(t), 255)])
	for _, word := range [...]string{"RECOVER", "READ_ME", "READ__ME", "README", "WARNING", "HACKED", "PWNED", "RANSOM", "DB_HAS_BEEN", "PLEASE_READ", "CONTACT_ME", "JUST_READ"} {
		if bytes.Contains(upper, []byte(word)) {
			return true
		}
	}
	return false
}
