// Package vsftpd reads vsftpd's own log, and the same words in syslog: logins, and each file that was
// written, read or removed, with path, account and address.
package vsftpd

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "vsftpd", Doc: "ftp logins and transfers", Spec: "vsftpd 3.0.5 logging.c (vsf_log_line, vsf_log_do_log); vsftpd.conf(5)",
		Files: []string{"/var/log/vsftpd.log", "/var/log/vsftpd/*.log"}, Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"vsftpd"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.FileUploaded, event.FileDownloaded, event.FileRemoved, event.DirectoryMade, event.ProgramSaid},
	}
}

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	_, n := (&logclock.Clock{}).Asctime(line)
	return n > 0 && bytes.HasPrefix(line[n:], []byte(" [pid "))
}

var noStamp, unread = []byte("vsftpd line"), []byte("vsftpd")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		m := artifact.Message{Repeat: 1, Program: service}
		going := true
		out := func(e *event.Event) { going = going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			m.Ref, m.Raw = ref, t
			if !record(in, &m, out) {
				in.Seen.Unknown(noStamp)
			}
			if !going {
				return
			}
		}
	}
}

// record reads "Www Mon dd hh:mm:ss yyyy [pid n] text".
func record(in *artifact.Input, m *artifact.Message, out func(*event.Event)) bool {
	at, n := in.Clock.Asctime(m.Raw)
	if n == 0 {
		return false
	}
	rest, ok := said.Rest(m.Raw[n:], " [pid ")
	pid, text, ok2 := said.Cut(rest, "] ")
	if !ok || !ok2 {
		return false
	}
	m.At, m.PID, m.Text = at, said.Number(pid), text
	in.Seen.Record(at)
	if !decode(m, out) {
		in.Seen.Unknown(unread)
	}
	return true
}
