// Package vsftpd reads vsftpd's own log: logins, and each file that was written, read or removed, with path,
// account and address.
package vsftpd

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
	"telltale/internal/logclock"
	"telltale/internal/syslog"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "vsftpd", Doc: "ftp logins and transfers", Spec: "vsftpd 3.0.5 logging.c (vsf_log_line, vsf_log_do_log); vsftpd.conf(5)",
		Files: []string{"/var/log/vsftpd.log", "/var/log/vsftpd/*.log"}, Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"vsftpd"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.FileUploaded, event.FileDownloaded, event.FileRemoved, event.DirectoryMade, event.ConnectionSeen},
	}
}

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	c := &logclock.Clock{}
	_, n := c.Asctime(line)
	return n > 0 && bytes.HasPrefix(line[n:], []byte(" [pid "))
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		m := artifact.Message{Repeat: 1}
		going := true
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok && going && ctx.Err() == nil; l, ok = lr.Next() {
			at, n := in.Clock.Asctime(l.Text)
			if n == 0 || n >= len(l.Text) {
				if len(l.Text) > 0 {
					in.Seen.Unknown([]byte("(no vsftpd line)"))
				}
				continue
			}
			in.Seen.Record(at)
			m.At, m.Ref, m.Raw, m.Text = at, in.Ref, l.Text, bytes.TrimLeft(l.Text[n:], " ")
			m.Ref.Off, m.Ref.Len, m.Ref.Line = l.Off, l.Len, l.Num
			m.PID = nil
			if rest, ok := bytes.CutPrefix(m.Text, []byte("[pid ")); ok {
				pid, rest, _ := bytes.Cut(rest, []byte("] "))
				m.PID, m.Text = pid, rest
			}
			if !decode(&m, func(e *event.Event) { going = going && yield(*e, nil) }) {
				in.Seen.Unknown([]byte("(vsftpd)"))
			}
		}
		if err := lr.Err(); err != nil && going && ctx.Err() == nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
	}
}

// decode reads `[user] OK LOGIN: Client "ip"`, `[user] OK UPLOAD: Client "ip", "path", n bytes, x Kbyte/sec`, `CONNECT: Client "ip"`. The client chooses
// the path, so the address is taken from before it.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	var user []byte
	if len(t) > 0 && t[0] == '[' {
		i := bytes.Index(t, []byte("] "))
		if i < 0 {
			return false
		}
		user, t = t[1:i], t[i+2:]
	}
	what, rest, ok := bytes.Cut(t, []byte(": Client "))
	if !ok {
		return bytes.HasPrefix(t, []byte("FTP ")) || bytes.HasPrefix(t, []byte("pam_")) || bytes.HasPrefix(t, []byte("DEBUG"))
	}
	ip, rest, ok := text(rest)
	if !ok {
		return false
	}
	k := event.Unknown
	switch string(what) {
	case "CONNECT":
		return true // each login says it again
	case "OK LOGIN":
		k = event.AuthAccepted
	case "FAIL LOGIN":
		k = event.AuthFailed
	case "OK UPLOAD":
		k = event.FileUploaded
	case "OK DOWNLOAD":
		k = event.FileDownloaded
	case "OK DELETE", "OK RMDIR":
		k = event.FileRemoved
	case "OK MKDIR":
		k = event.DirectoryMade
	default:
		return true // refused transfers, renames, modes
	}
	e := m.Event(k)
	e.AddText(event.ServiceName, "vsftpd")
	e.Add(event.UserName, user)
	e.Add(event.SourceIP, syslog.Address(ip))
	if k == event.AuthAccepted || k == event.AuthFailed {
		e.AddText(event.AuthMethod, "password")
		if string(user) == "ftp" || string(user) == "anonymous" {
			e.AddText(event.AuthAnonymous, "true")
		}
		yield(e)
		return true
	}
	rest = bytes.TrimPrefix(rest, []byte(", "))
	i := bytes.LastIndexByte(rest, '"') // a path may hold quotes: it ends at the last
	if len(rest) < 2 || rest[0] != '"' || i < 1 {
		return false
	}
	e.Add(event.FilePath, rest[1:i])
	if size, ok := bytes.CutPrefix(rest[i+1:], []byte(", ")); ok {
		n, _, _ := bytes.Cut(size, []byte(" bytes"))
		e.Add(event.FileSize, n)
	}
	yield(e)
	return true
}

func text(t []byte) (in, rest []byte, ok bool) {
	if len(t) == 0 || t[0] != '"' {
		return nil, t, false
	}
	i := bytes.IndexByte(t[1:], '"')
	if i < 0 {
		return nil, t, false
	}
	return t[1 : 1+i], t[i+2:], true
}
