// Package mssql reads the log of errors of Microsoft SQL Server on Linux: who was refused and let in, and settings and code by which a statement gets out of the
// database. The file is UTF-8 there, and UTF-16 where it was copied from Windows, which is not read.
package mssql

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "mssql", Doc: "logins to Microsoft SQL Server, and code that it was made to load", Spec: "SQL Server 2017 to 2022 on Linux, errorlog; messages 15457, 18453 to 18456 and 10311 of sys.messages",
		Files: []string{"/var/opt/mssql/log/errorlog{,.1,.2,.3,.4,.5,.6}"}, Log: true, Sniff: artifact.MostLines(ours), Parse: artifact.Stamped("mssql", stamp, decode),
		Kinds: []event.Kind{event.AuthFailed, event.AuthAccepted, event.DatabaseCommand},
	}
}

func ours(line []byte) bool {
	_, text, ok := stamp(&logclock.Clock{Year: 2000}, line)
	const source, words = 23, 35 // the columns of who speaks and of what
	return ok && len(text) > 0 && len(line) > words && line[source-1] == ' ' && line[words-1] == ' ' && line[words] != ' ' && bytes.HasSuffix(line, text) && len(line)-len(text) == words
}

// stamp reads "2023-06-03 06:49:20.11 Logon       TEXT".
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	at, n := c.ISO(t)
	if n < 19 || n >= len(t) || t[n] != ' ' || t[10] != ' ' {
		return at, nil, false
	}
	word, rest := said.FirstWord(t[n+1:])
	if len(word) == 0 || word[0] == '[' {
		return at, nil, false
	}
	return at, bytes.TrimLeft(rest, " \t"), true
}

var service = []byte("mssql")

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if rest, ok := said.Rest(m.Text, "Login failed for user '"); ok {
		return login(m, event.AuthFailed, rest, yield)
	}
	if rest, ok := said.Rest(m.Text, "Login succeeded for user '"); ok {
		return login(m, event.AuthAccepted, rest, yield)
	}
	if setting(m.Text) {
		e := m.Event(event.DatabaseCommand)
		e.Add(event.ServiceName, service)
		e.Add(event.Message, m.Text)
		yield(e)
	}
	return true
}

// login reads "NAME'. REASON [CLIENT: ADDRESS]". The name is the client's word: the address is the last one, and nothing stands behind it.
func login(m *artifact.Message, kind event.Kind, t []byte, yield func(*event.Event)) bool {
	name, _, ok := said.Cut(t, "'")
	_, client, named := said.CutLast(t, "[CLIENT: ")
	if !ok || !named {
		return false
	}
	ip := said.Address(bytes.TrimRight(client, "] \r"))
	if ip == nil && string(client) != "<local machine>]" {
		return false
	}
	e := m.Event(kind)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, []byte("password"))
	if bytes.Contains(t, []byte("Could not find a login matching the name")) {
		e.Add(event.UserInvalid, []byte("true"))
	}
	yield(e)
	return true
}

// setting tells what leads out of the database: "Configuration option 'xp_cmdshell' changed from 0 to 1", "Unsafe assembly 'X, …' loaded into appdomain".
func setting(t []byte) bool {
	if rest, ok := said.Rest(t, "Configuration option '"); ok {
		name, rest, _ := said.Cut(rest, "'")
		switch string(name) {
		case "xp_cmdshell", "clr enabled", "Ole Automation Procedures", "external scripts enabled", "Agent XPs":
			return bytes.HasPrefix(rest, []byte(" changed from 0 to 1"))
		}
		return false
	}
	return bytes.HasPrefix(t, []byte("Unsafe assembly '"))
}
