// Package rsyncd decodes what rsync says as a daemon, in a log of its own and in syslog: who connected, who was refused, and what was written to its
// modules, read and removed there. A module's place on the server stands in its configuration only, which is taken from there.
//
// By default a daemon tells of a transfer only where it goes to ("rsync to MODULE/PATH"); each file is told with "transfer logging". Where a module may be
// written to, the first is given as an upload, too: its path ends in a slash where it is a folder.
package rsyncd

import (
	"bytes"
	"context"
	"iter"
	"path"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "rsyncd", Doc: "connections to the rsync daemon, refusals, and the files written and read there",
		Spec:  "rsync 3.2.7 clientserver.c, authenticate.c, log.c; rsyncd.conf(5)",
		Files: []string{"/var/log/rsync.log", "/var/log/rsyncd.log", "/var/log/rsync/*.log", "/var/log/rsyncd/*.log"}, Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"rsyncd"}, Decode: decode,
		Kinds: []event.Kind{event.ConnectionSeen, event.AuthAccepted, event.AuthFailed, event.FileUploaded, event.FileDownloaded, event.FileRemoved, event.ServiceStarted},
	}
}

var service, password, anonymous, yes = []byte("rsyncd"), []byte("password"), []byte("anonymous"), []byte("true")

// sniff tells a daemon's log from a client's (--log-file), whose lines have the same beginning.
func sniff(head []byte) bool {
	for line := range bytes.Lines(head) {
		if _, _, text, ok := stamped(&logclock.Clock{}, line); ok {
			if said.BeginsAny(text, []string{"rsyncd version ", "rsync allowed access on module ", "connect from ", "rsync to ", "rsync on ", "auth failed on module ", "rsync denied on module "}) {
				return true
			}
		}
	}
	return false
}

// stamped reads "2026/11/27 12:26:21 [20786] text".
func stamped(c *logclock.Clock, b []byte) (at evidence.Time, pid, text []byte, ok bool) {
	if len(b) < 22 || b[4] != '/' || b[7] != '/' || b[10] != ' ' || b[13] != ':' || b[16] != ':' || b[19] != ' ' || b[20] != '[' {
		return at, nil, nil, false
	}
	pid, text, ok = said.Cut(b[21:], "] ")
	if !ok || len(pid) == 0 || len(said.Number(pid)) != len(pid) {
		return at, nil, nil, false
	}
	at, ok = c.Local(logclock.Digits(b[:4]), time.Month(logclock.Digits(b[5:7])), logclock.Digits(b[8:10]), logclock.Digits(b[11:13]), logclock.Digits(b[14:16]), logclock.Digits(b[17:19]), 0, time.Second)
	return at, pid, text, ok
}

var noStamp, unread = []byte("rsync line"), []byte("rsyncd")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		m := artifact.Message{Repeat: 1, Program: service, Facts: in.Host}
		going := true
		out := func(e *event.Event) { going = going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			m.Ref, m.Raw = ref, t
			var ok bool
			if m.At, m.PID, m.Text, ok = stamped(in.Clock, t); !ok {
				in.Seen.Unknown(noStamp)
				continue
			}
			in.Seen.Record(m.At)
			if !decode(&m, out) {
				in.Seen.Unknown(unread)
			}
			if !going {
				return
			}
		}
	}
}

// quiet is what says nothing here: the steps of a transfer, lists of modules, names that were not found.
var quiet = []string{"receiving file list", "building file list", "sent ", "module-list request from ", "name lookup failed for ", "rsync allowed access on module ",
	"rsync error: ", "rsync: ", "ERROR: module is read only", "max connections ", "forward name lookup for ", "file has vanished", "deleting ", "IO error encountered", "rsync warning: ", "unknown module '"}

// decode reads one message. Of the words in it the client chooses its name's, a path's and an account's; where each stands, the server's own word is
// looked for from the other side.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if rest, ok := said.Rest(t, "connect from "); ok {
		peer(m.Event(event.ConnectionSeen), rest, yield)
		return true
	}
	if rest, ok := said.Rest(t, "rsync denied on module "); ok {
		_, rest, _ = said.Cut(rest, " from ")
		e := m.Event(event.ConnectionSeen)
		e.AddText(event.AuthReason, "its address is not let in")
		peer(e, rest, yield)
		return true
	}
	if rest, ok := said.Rest(t, "auth failed on module "); ok {
		refused(m, rest, yield)
		return true
	}
	if rest, ok := said.Rest(t, "rsync to "); ok {
		asked(m, rest, true, yield)
		return true
	}
	if rest, ok := said.Rest(t, "rsync on "); ok {
		asked(m, rest, false, yield)
		return true
	}
	if _, ok := said.Rest(t, "rsyncd version "); ok {
		e := m.Event(event.ServiceStarted)
		e.Add(event.ServiceName, service)
		yield(e)
		return true
	}
	return moved(m, t, yield) || said.BeginsAny(t, quiet)
}

// address reads "HOST (ADDRESS)" at the beginning of b.
func address(b []byte) (ip, rest []byte) {
	_, b, _ = said.Cut(b, " (")
	ip, rest, _ = said.Cut(b, ")")
	return said.Address(ip), rest
}

func peer(e *event.Event, b []byte, yield func(*event.Event)) {
	if ip, _ := address(b); ip != nil {
		e.Add(event.ServiceName, service)
		e.Add(event.SourceIP, ip)
		yield(e)
	}
}

// refused reads "MODULE from HOST (ADDRESS) for USER: why"; before 3.1 no account is named.
func refused(m *artifact.Message, b []byte, yield func(*event.Event)) {
	_, b, _ = said.Cut(b, " from ")
	ip, rest := address(b)
	if ip == nil {
		return
	}
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	if user, ok := said.Rest(rest, " for "); ok {
		if name, _, ok := said.CutLast(user, ": "); ok {
			e.Add(event.UserName, name)
		}
	}
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
}

// asked reads "MODULE/PATH from [USER@]HOST (ADDRESS)", what a client came for.
func asked(m *artifact.Message, b []byte, writes bool, yield func(*event.Event)) {
	to, from, ok := said.CutLast(b, " from ")
	ip, _ := address(from)
	if !ok || ip == nil {
		return
	}
	host, _, _ := said.Cut(from, " (")
	user, _, named := said.CutLast(host, "@")
	if !named {
		user = nil
	} else {
		e := m.Event(event.AuthAccepted)
		subject(e, user, ip)
		e.Add(event.AuthMethod, password)
		yield(e)
	}
	name, inside, _ := said.Cut(to, "/")
	if x, known := m.Facts.Share(string(name)); writes && known && x.Writable {
		e := m.Event(event.FileUploaded)
		subject(e, user, ip)
		p := path.Join(x.Path, "/"+string(inside))
		if len(inside) == 0 || inside[len(inside)-1] == '/' {
			p += "/"
		}
		e.AddText(event.FilePath, p)
		yield(e)
	}
}

// subject adds who it was. Who was asked for no password has no name.
func subject(e *event.Event, user, ip []byte) {
	e.Add(event.ServiceName, service)
	if len(user) == 0 {
		user = anonymous
		e.Add(event.AuthAnonymous, yes)
	}
	e.Add(event.UserName, user)
	e.Add(event.SourceIP, ip)
}

// moved reads the log format that is built in, "%o %h [%a] %m (%u) %f %l".
func moved(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	word, rest := said.FirstWord(t)
	k := event.Unknown
	switch string(word) {
	case "recv":
		k = event.FileUploaded
	case "send":
		k = event.FileDownloaded
	case "del.":
		k = event.FileRemoved
	default:
		return false
	}
	_, rest, ok := said.Cut(rest, " [")
	ip, rest, ok2 := said.Cut(rest, "] ")
	name, rest, ok3 := said.Cut(rest, " (")
	user, rest, ok4 := said.Cut(rest, ") ")
	file, size, ok5 := said.CutLast(rest, " ")
	ip = said.Address(ip)
	if !ok || !ok2 || !ok3 || !ok4 || !ok5 || ip == nil || len(size) == 0 || len(said.Number(size)) != len(size) || len(file) == 0 {
		return false
	}
	e := m.Event(k)
	subject(e, user, ip)
	if x, known := m.Facts.Share(string(name)); known {
		e.AddText(event.FilePath, path.Join(x.Path, "/"+string(file)))
	} else {
		e.AddText(event.FilePath, string(name)+"/"+string(file))
	}
	e.Add(event.FileSize, size)
	yield(e)
	return true
}
