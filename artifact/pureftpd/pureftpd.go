// Package pureftpd decodes what Pure-FTPd says, in syslog and in its transfer log: logins accepted and refused, files written, read and removed. Who
// speaks with whom stands at the beginning of each line, and is the server's own word.
package pureftpd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "pureftpd", Doc: "ftp logins to Pure-FTPd and the files moved there", Spec: "Pure-FTPd 1.0.50 src/{ftpd.c,altlog.c,messages_en.h}",
		Files: []string{"/var/log/pure-ftpd/transfer.log", "/var/log/pureftpd.log"}, Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"pure-ftpd"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.FileUploaded, event.FileDownloaded, event.FileRemoved},
	}
}

var service, password, yes, anonymous = []byte("pure-ftpd"), []byte("password"), []byte("true"), []byte("ftp")

// decode reads "(user@host) [LEVEL] text"; user is "?" before a login.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	head, t, ok := said.Cut(m.Text, ") [")
	head, ok2 := said.Rest(head, "(")
	at := bytes.LastIndexByte(head, '@')
	_, t, ok3 := said.Cut(t, "] ")
	if !ok || !ok2 || !ok3 || at < 0 {
		return false
	}
	user, host := head[:at], head[at+1:]
	if string(user) == "?" {
		user = nil
	}
	if name, ok := said.Rest(t, "Authentication failed for user ["); ok {
		login(m, event.AuthFailed, bytes.TrimSuffix(name, []byte("]")), host, yield)
		return true
	}
	if name, ok := bytes.CutSuffix(t, []byte(" is now logged in")); ok && user == nil {
		login(m, event.AuthAccepted, name, host, yield)
		return true
	}
	if string(t) == "Anonymous user logged in" {
		e := m.Event(event.AuthAccepted)
		subject(e, anonymous, host) // so the server calls him from here on
		e.Add(event.AuthAnonymous, yes)
		yield(e)
		return true
	}
	moved(m, user, host, t, yield)
	return true
}

// subject adds who it was.
func subject(e *event.Event, user, host []byte) {
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, user)
	if ip := said.Address(host); ip != nil {
		e.Add(event.SourceIP, ip)
	} else {
		e.Add(event.SourceHost, host)
	}
}

func login(m *artifact.Message, k event.Kind, user, host []byte, yield func(*event.Event)) {
	e := m.Event(k)
	subject(e, user, host)
	e.Add(event.AuthMethod, password)
	yield(e)
}

// moved reads "path uploaded  (n bytes, x KB/sec)", the same with downloaded, and "Deleted path".
func moved(m *artifact.Message, user, host, t []byte, yield func(*event.Event)) {
	k, path, size := event.Unknown, []byte(nil), []byte(nil)
	if name, ok := said.Rest(t, "Deleted "); ok {
		k, path = event.FileRemoved, name
	} else if before, after, ok := said.CutLast(t, "  ("); ok {
		size = said.Number(after)
		if !bytes.HasPrefix(after[len(size):], []byte(" bytes, ")) || user == nil {
			return
		}
		if path, ok = bytes.CutSuffix(before, []byte(" uploaded")); ok {
			k = event.FileUploaded
		} else if path, ok = bytes.CutSuffix(before, []byte(" downloaded")); ok {
			k = event.FileDownloaded
		}
	}
	if k == event.Unknown {
		return // commands, connects, refusals
	}
	e := m.Event(k)
	subject(e, user, host)
	e.Add(event.FilePath, single(path))
	e.Add(event.FileSize, size)
	yield(e)
}

// single gives a path with one slash where several stand: "/home/alice//x" within a root of the account's own, "//home/alice/x" without.
func single(path []byte) []byte {
	for bytes.Contains(path, []byte("//")) {
		path = bytes.ReplaceAll(path, []byte("//"), []byte("/"))
	}
	return path
}
