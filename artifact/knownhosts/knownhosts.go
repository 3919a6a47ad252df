// Package knownhosts reads which machines an account's ssh has met, or is told to go to: known_hosts and the client's own configuration. A hashed name cannot be
// read; it is counted. Whether somebody went there after the break-in is not said by either.
package knownhosts

import (
	"bytes"
	"time"

	"telltale/artifact"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "known-hosts", Doc: "the machines that an account's ssh knows", Spec: "sshd(8), SSH_KNOWN_HOSTS FILE FORMAT; ssh_config(5)",
		Files: []string{"{home}/.ssh/known_hosts", "{home}/.ssh/known_hosts2", "{home}/.ssh/known_hosts.old", "{home}/.ssh/config", "/etc/ssh/ssh_known_hosts"},
		Kinds: []event.Kind{event.KnownHost}, Parse: artifact.Lines(line),
	}
}

// maxNames bounds the names of one line.
const maxNames = 64

func line(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	t = bytes.TrimSpace(t)
	if len(t) == 0 || t[0] == '#' {
		return
	}
	e.AddText(event.UserName, in.Host.UserByHome(in.Path))
	e.AddText(event.FilePath, in.Path)
	if in.Meta.Mtime.Known() {
		e.AddText(event.FileMtime, in.Meta.Mtime.Std().Format(time.RFC3339Nano))
	}
	e.Kind = event.KnownHost
	if bytes.HasSuffix([]byte(in.Path), []byte("/config")) {
		config(in, t, e, yield)
		return
	}
	e.AddText(event.RecordType, "known_hosts")
	f := bytes.Fields(t)
	if f[0][0] == '@' { // @cert-authority, @revoked
		f = f[1:]
	}
	if len(f) < 3 {
		in.Seen.Unknown([]byte("(no known host)"))
		return
	}
	n := len(e.Attrs)
	for i, h := range bytes.Split(f[0], []byte(",")) {
		e.Attrs = e.Attrs[:n]
		switch {
		case i >= maxNames:
			return
		case bytes.HasPrefix(h, []byte("|1|")):
			e.AddInt(event.EventCount, 1)
		case bytes.ContainsAny(h, "*?!") || len(h) == 0 || len(h) > 300:
			continue
		default:
			e.Add(event.SourceHost, bare(h))
		}
		yield(e)
	}
}

// bare takes "[host]:port" for the host.
func bare(h []byte) []byte {
	if h[0] == '[' {
		if i := bytes.IndexByte(h, ']'); i > 0 {
			return h[1:i]
		}
	}
	return h
}

// config reads where "HostName" leads.
func config(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	k, v, ok := bytes.Cut(t, []byte(" "))
	if !ok {
		k, v, _ = bytes.Cut(t, []byte("="))
	}
	v = bytes.Trim(v, " \t=\"")
	if !bytes.EqualFold(bytes.TrimSpace(k), []byte("HostName")) || len(v) == 0 || len(v) > 300 || bytes.ContainsAny(v, "% ") {
		return
	}
	e.AddText(event.RecordType, "config")
	e.Add(event.SourceHost, v)
	yield(e)
}
