// Package xferlog reads the transfer log that wu-ftpd began and proftpd, vsftpd and others still write.
package xferlog

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
		Name: "xferlog", Doc: "files written and read by ftp, with path, account and address", Spec: "xferlog(5) of wu-ftpd and proftpd",
		Files: []string{"/var/log/xferlog", "/var/log/{proftpd,vsftpd}/xferlog", "/var/log/proftpd/xferreport"}, Log: true, Sniff: sniff, Parse: parse,
		Kinds: []event.Kind{event.FileUploaded, event.FileDownloaded, event.FileRemoved},
	}
}

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	var e event.Event
	return fill(&e, &logclock.Clock{}, bytes.TrimRight(line, "\r"))
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok && ctx.Err() == nil; l, ok = lr.Next() {
			if len(l.Text) == 0 {
				continue
			}
			if !fill(&e, in.Clock, l.Text) {
				in.Seen.Unknown([]byte("(no xferlog line)"))
				continue
			}
			in.Seen.Record(e.At)
			e.Ref, e.Raw = in.Ref, l.Text
			e.Ref.Off, e.Ref.Len, e.Ref.Line = l.Off, l.Len, l.Num
			if e.Kind != event.Unknown && !yield(e, nil) {
				return
			}
		}
		if err := lr.Err(); err != nil && ctx.Err() == nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
	}
}

// fill reads "Www Mon dd hh:mm:ss yyyy seconds host bytes path type flag direction mode user service method id status". The path may hold
// blanks, so the fields behind it are counted from the end.
func fill(e *event.Event, c *logclock.Clock, t []byte) bool {
	at, n := c.Asctime(t)
	if n == 0 || n+1 >= len(t) {
		return false
	}
	f := bytes.Split(t[n+1:], []byte(" "))
	if len(f) < 13 {
		return false
	}
	end := f[len(f)-9:] // type flag direction mode user service method id status
	if len(end[2]) != 1 || len(end[3]) != 1 {
		return false
	}
	e.Reset(event.Unknown)
	e.At = at
	switch end[2][0] {
	case 'i':
		e.Kind = event.FileUploaded
	case 'o':
		e.Kind = event.FileDownloaded
	case 'd':
		e.Kind = event.FileRemoved
	}
	if end[8] != nil && string(end[8]) == "i" && e.Kind == event.FileUploaded {
		e.AddText(event.Change, "incomplete")
	}
	e.AddText(event.ServiceName, "ftp")
	e.Add(event.UserName, end[4])
	if ip := syslog.Address(f[1]); syslog.IsAddress(ip) {
		e.Add(event.SourceIP, ip)
	} else {
		e.Add(event.SourceHost, ip)
	}
	e.Add(event.FileSize, f[2])
	e.Add(event.FilePath, bytes.Join(f[3:len(f)-9], []byte(" ")))
	if end[3][0] == 'a' {
		e.AddText(event.AuthAnonymous, "true")
	}
	return true
}
