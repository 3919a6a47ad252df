package errorlog

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

var litespeedName, nginxMail = []byte("litespeed"), []byte("nginx-mail")

// litespeedFrame tells " [LEVEL] [pid] " behind a stamp with microseconds.
func litespeedFrame(t []byte) bool {
	level, rest, ok := said.Cut(t, "] [")
	pid, _, ok2 := said.Cut(rest, "]")
	if !ok || !ok2 || len(pid) == 0 || len(said.Number(pid)) != len(pid) || len(level) < 5 || len(level) > 9 || !bytes.HasPrefix(level, []byte(" [")) {
		return false
	}
	for _, c := range level[2:] {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// litespeed reads "[LEVEL] [pid] [ADDRESS:PORT...#VHOST] text". What a script's program wrote follows "[STDERR]"; the client's address stands in the frame, and what the text
// says of one is the client's word.
func litespeed(e *event.Event, t []byte) {
	level, rest, _ := said.Cut(t, "] [")
	pid, rest, _ := said.Cut(rest, "]")
	e.Add(event.LogLevel, bytes.TrimPrefix(level, []byte("[")))
	e.Add(event.ProcessPID, pid)
	t = bytes.TrimLeft(rest, " ")
	client, panel, script := false, false, false
	if connection, ok := said.Rest(t, "["); ok {
		if connection, text, ok := said.Cut(connection, "]"); ok {
			if address := litespeedClient(connection); address != nil {
				e.Add(event.SourceIP, address)
				t, client, panel = bytes.TrimLeft(text, " "), true, bytes.HasSuffix(connection, []byte("#_AdminVHost"))
			}
		}
	}
	if text, ok := said.Rest(t, "[STDERR] "); ok {
		e.Kind, t, script = event.ChildOutput, text, true // which writes what it likes
	}
	const console = "[WebAdmin Console] Failed Login Attempt - username:"
	if name, ok := said.Rest(t, console); ok && panel {
		name, _, _ = said.CutLast(name, " ip:")
		turnedAway(e, name)
	}
	if name, ok := said.Rest(t, "User '"); ok && client && !script {
		if name, ok := bytes.CutSuffix(name, []byte("' failed to authenticate.")); ok {
			turnedAway(e, name)
		}
	}
	e.Add(event.Message, t)
}

func turnedAway(e *event.Event, name []byte) {
	e.Kind = event.AuthFailed
	e.Add(event.ServiceName, litespeedName)
	e.Add(event.UserName, name)
}

// litespeedClient reads "192.0.2.1:45164:HTTP2-41#_AdminVHost", "192.0.2.1:61120-5#Example"; of an IPv6 address, which has colons itself, the port is the last number.
func litespeedClient(t []byte) []byte {
	if ip, _, ok := said.Cut(t, ":"); ok && bytes.IndexByte(ip, '.') > 0 {
		return said.Address(ip)
	}
	t, _, _ = bytes.Cut(t, []byte("#"))
	t, _, _ = bytes.Cut(t, []byte("-"))
	t = bytes.TrimSuffix(t, []byte(":HTTP2"))
	if i := bytes.LastIndexByte(t, ':'); i > 0 {
		return said.Address(bytes.Trim(t[:i], "[]"))
	}
	return nil
}

// mailLogin reads what nginx says of a client that its mail proxy let in: the name is the last word in quotes.
func mailLogin(e *event.Event, line []byte) {
	_, name, ok := said.CutLast(line, `, login: "`)
	if !ok {
		return
	}
	if i := bytes.IndexByte(name, '"'); i > 0 {
		e.Kind = event.AuthAccepted
		e.Add(event.ServiceName, nginxMail)
		e.Add(event.UserName, name[:i])
	}
}
