package mongodb

import (
	"bytes"
	"strings"

	"telltale/artifact/internal/jsonline"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// tell makes events of a structured line.
func (r *reader) tell(l *line) {
	switch string(l.component) {
	case "ACCESS":
		switch string(l.msg) {
		case "Authentication failed", "Failed to authenticate":
			r.login(event.AuthFailed, l.ctx, l.remote, l.user, l.mechanism, l.fail)
		case "Successful authentication", "Authentication succeeded", "Successfully authenticated":
			r.login(event.AuthAccepted, l.ctx, l.remote, l.user, l.mechanism, nil)
		}
	case "NETWORK":
		r.network(l)
	case "CONTROL":
		r.control(l)
	case "COMMAND", "STORAGE", "WRITE":
		r.did(l)
	}
}

func (r *reader) network(l *line) {
	switch string(l.msg) {
	case "Connection accepted":
		if len(l.connection) > 0 && len(said.Number(l.connection)) == len(l.connection) {
			r.know(append([]byte("conn"), l.connection...), l.remote)
		}
		if ip, _ := said.AddressPort(l.remote); ip != nil {
			r.out(r.event(event.ConnectionSeen, nil, l.remote))
		}
	case "Connection ended":
		delete(r.sessions, string(l.ctx))
	case "Listening on":
		r.setting("net.listen", l.address)
	case "Waiting for connections":
		r.say(event.ServiceStarted, l.msg)
	}
}

func (r *reader) control(l *line) {
	switch {
	case bytes.HasPrefix(l.msg, []byte("Access control is not enabled")):
		r.setting("security.authorization", []byte("disabled"))
	case string(l.msg) == "Shutting down":
		r.say(event.ServiceStopped, l.msg)
	case string(l.msg) == "Received signal":
		r.say(event.ProgramSaid, l.msg)
	case bytes.HasPrefix(l.msg, []byte("Options set by ")):
		r.optionsSet(l.options)
	}
}

// optionsSet tells of what decides who may come in.
func (r *reader) optionsSet(options []byte) {
	jsonline.Members(options, func(group, of []byte) {
		jsonline.Members(of, func(key, value []byte) {
			name := string(group) + "." + string(key[:min(len(key), 40)])
			switch name {
			case "net.bindIp", "security.authorization":
				r.setting(name, r.text(value))
			case "net.bindIpAll", "net.port":
				r.setting(name, value)
			}
		})
	})
}

// did tells of databases that were dropped, and of what was put in their place.
func (r *reader) did(l *line) {
	switch string(l.msg) {
	case "dropDatabase - starting":
		r.command(l.ctx, nil, append([]byte("dropDatabase "), l.db...))
	case "createCollection":
		if demands(l.namespace) {
			r.command(l.ctx, nil, append([]byte("createCollection "), l.namespace...))
		}
	case "Slow query":
		first := true
		jsonline.Members(l.command, func(key, value []byte) {
			if !first { // the first key is the command
				return
			}
			first = false
			switch name := string(key[:min(len(key), 40)]); name {
			case "dropDatabase", "createUser", "updateUser", "grantRolesToUser", "eval", "$eval", "shutdown":
				r.command(l.ctx, l.remote, append([]byte(name+" "), l.namespace...))
			case "insert", "create":
				if demands(l.namespace) {
					r.command(l.ctx, l.remote, append([]byte(name+" "), l.namespace...))
				}
			}
		})
	}
}

// headed reads "I ACCESS   [conn12] text", and "[conn12] text" before 3.0.
func headed(t []byte) (component, ctx, text []byte, ok bool) {
	if len(t) > 2 && t[1] == ' ' && bytes.IndexByte([]byte("FEWID"), t[0]) >= 0 {
		component, t = said.FirstWord(bytes.TrimLeft(t[2:], " "))
	}
	inner, ok := said.Rest(t, "[")
	ctx, text, closed := said.Cut(inner, "] ")
	return component, ctx, text, ok && closed && len(ctx) < 100 && bytes.IndexByte(ctx, ' ') < 0
}

// plain reads a line of the older form. Names of accounts stand in it as clients gave them: an address is taken from what the server said when the
// connection came, and from the line itself only if it names one once.
func (r *reader) plain(t []byte) bool {
	_, ctx, text, ok := headed(t)
	if !ok {
		return false
	}
	switch {
	case bytes.HasPrefix(text, []byte("connection accepted from ")):
		remote, rest := said.FirstWord(text[len("connection accepted from "):])
		if n, ok := said.Rest(rest, "#"); ok {
			r.know(append([]byte("conn"), said.Number(n)...), remote)
		}
		if ip, _ := said.AddressPort(remote); ip != nil {
			r.out(r.event(event.ConnectionSeen, nil, remote))
		}
	case bytes.HasPrefix(text, []byte("end connection ")):
		delete(r.sessions, string(ctx))
	case bytes.HasPrefix(text, []byte("Successfully authenticated as principal ")):
		r.let(ctx, text[len("Successfully authenticated as principal "):])
	case bytes.HasPrefix(text, []byte("SASL ")), bytes.HasPrefix(text, []byte("Failed to authenticate ")), mechanism(text):
		r.refused(ctx, text)
	case bytes.HasPrefix(text, []byte("waiting for connections on port ")):
		r.say(event.ServiceStarted, text)
	case bytes.HasPrefix(text, []byte("shutting down with code:")):
		r.say(event.ServiceStopped, text)
	case bytes.HasPrefix(text, []byte("** WARNING: Access control is not enabled")):
		r.setting("security.authorization", []byte("disabled"))
	case bytes.HasPrefix(text, []byte("dropDatabase ")) && bytes.HasSuffix(text, []byte("starting")):
		db, _ := said.FirstWord(text[len("dropDatabase "):])
		r.command(ctx, nil, append([]byte("dropDatabase "), db...))
	case bytes.HasPrefix(text, []byte("createCollection: ")):
		if name, _ := said.FirstWord(text[len("createCollection: "):]); demands(name) {
			r.command(ctx, nil, append([]byte("createCollection "), name...))
		}
	}
	return true
}

// mechanism tells "SCRAM-SHA-1 authentication failed for ", as releases before 3.2 begin.
func mechanism(t []byte) bool {
	_, rest := said.FirstWord(t)
	return bytes.HasPrefix(rest, []byte("authentication failed for "))
}

// let reads "USER on DB from client IP:PORT"; the client is there since 3.6.
func (r *reader) let(ctx, t []byte) {
	who, remote, _ := said.CutLast(t, " from client ")
	user, _, ok := said.CutLast(who, " on ")
	ip, _ := said.AddressPort(remote)
	if s, known := r.sessions[string(ctx)]; known && ip != nil && string(ip) != s.ip {
		return // somebody's name that looks like a line of the log
	}
	if ok {
		r.login(event.AuthAccepted, ctx, remote, user, nil, nil)
	}
}

// refused reads
//
//	SASL SCRAM-SHA-1 authentication failed for USER on DB from client IP:PORT ; UserNotFound: Could not find user USER@DB
//	Failed to authenticate USER@DB with mechanism MONGODB-CR: AuthenticationFailed: ...
func (r *reader) refused(ctx, t []byte) {
	if rest, ok := said.Rest(t, "Failed to authenticate "); ok {
		who, rest, ok := said.Cut(rest, " with mechanism ")
		mechanism, reason, _ := said.Cut(rest, ": ")
		user, _, _ := said.CutLast(who, "@")
		r.endless(ok, " with mechanism ")
		r.login(event.AuthFailed, ctx, nil, user, mechanism, reason)
		return
	}
	head, rest, ok := said.Cut(t, " authentication failed for ")
	if !ok {
		return
	}
	const mark = " from client "
	who, after, ok := said.Cut(rest, mark)
	remote, reason, ended := said.Cut(after, " ; ")
	user, _, _ := said.CutLast(who, " on ")
	if bytes.Count(rest, []byte(mark)) > 1 { // one of them is within the name
		user, remote, reason = nil, nil, nil
	}
	end := mark
	if s, known := r.sessions[string(ctx)]; known {
		if ip, _ := said.AddressPort(remote); string(ip) != s.ip { // the name holds one
			remote = nil
		}
		if end += s.ip; strings.Contains(s.ip, ":") {
			end = mark + "[" + s.ip
		}
		ended = bytes.Contains(rest, []byte(end))
	}
	r.endless(ok && ended, end)
	r.login(event.AuthFailed, ctx, remote, user, bytes.TrimPrefix(head, []byte("SASL ")), reason)
}

// endless notes that a line ends within a name: what follows is not to be believed, whatever it looks like, up to what the server writes behind the name.
func (r *reader) endless(whole bool, end string) {
	if !whole {
		r.tornEnd = end
		r.torn = r.m.Ref.Off + r.m.Ref.Len + maxTorn
	}
}

// maxTorn is how far behind its first line a name with newlines is looked for.
const maxTorn = 2000 // bytes
