// Package xferlog reads the transfer log that wu-ftpd began and proftpd, vsftpd, pure-ftpd and others still write.
package xferlog

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
		Name: "xferlog", Doc: "files written and read by ftp, with path, account and address", Spec: "xferlog(5) of wu-ftpd 2.6 and proftpd 1.3; vsftpd 3.0.5 logging.c (vsf_log_do_log_wuftpd_format)",
		Files: []string{"/var/log/xferlog", "/var/log/{proftpd,vsftpd,pure-ftpd}/xferlog", "/var/log/proftpd/xferreport", "/var/log/{apache2,httpd}/domlogs/{ftpxferlog,*-ftp_log}", "/usr/local/apache/domlogs/{ftpxferlog,*-ftp_log}", "/var/www/vhosts/system/*/logs/xferlog_regular*"}, Log: true, Sniff: sniff, Parse: parse,
		Kinds: []event.Kind{event.FileUploaded, event.FileDownloaded, event.FileRemoved},
	}
}

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	var e event.Event
	return fill(&e, &logclock.Clock{}, bytes.TrimRight(line, "\r"))
}

var unread = []byte("xferlog line")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			if !fill(&e, in.Clock, t) {
				in.Seen.Unknown(unread)
				continue
			}
			in.Seen.Record(e.At)
			e.Ref, e.Raw = ref, t
			if !yield(e, nil) {
				return
			}
		}
	}
}

// The fields behind the path, counted from the end of the line.
const (
	status    = iota // c, i: complete, incomplete
	userID           // of the authenticated user, or *
	method           // 0 none, 1 RFC 931
	service          // ftp
	user             // the name, or what an anonymous client gave as its password
	access           // a anonymous, g guest, r real
	direction        // i incoming, o outgoing, d deleted
	action           // _ C U T
	kind             // a ascii, b binary
	behind           // how many
)

var (
	ftp        = []byte("ftp")
	yes        = []byte("true")
	incomplete = []byte("incomplete")
)

// fill reads "Www Mon dd hh:mm:ss yyyy seconds host bytes path kind action direction access user service method id status".
// Host and size stand before the path, which may hold blanks; what stands behind it is counted from the end.
// Writers put underscores for blanks into paths and names, mostly.
func fill(e *event.Event, c *logclock.Clock, t []byte) bool {
	at, n := c.Asctime(t)
	if n == 0 || n == len(t) {
		return false
	}
	seconds, rest := said.FirstWord(bytes.TrimLeft(t[n:], " "))
	host, rest := said.FirstWord(rest)
	size, rest := said.FirstWord(rest)
	if !number(seconds) || !number(size) {
		return false
	}
	var f [behind][]byte
	for i := range f {
		rest, f[i] = said.LastWord(bytes.TrimRight(rest, " "))
	}
	if len(rest) == 0 || len(f[direction]) != 1 || len(f[access]) != 1 || len(f[kind]) != 1 {
		return false
	}
	k := event.Unknown
	switch f[direction][0] {
	case 'i':
		k = event.FileUploaded
	case 'o':
		k = event.FileDownloaded
	case 'd':
		k = event.FileRemoved
	default:
		return false
	}
	e.Reset(k)
	e.At = at
	e.Add(event.ServiceName, ftp)
	e.Add(event.UserName, f[user])
	if ip := said.Address(host); ip != nil {
		e.Add(event.SourceIP, ip)
	} else {
		e.Add(event.SourceHost, host)
	}
	e.Add(event.FilePath, rest)
	e.Add(event.FileSize, size)
	if f[access][0] == 'a' {
		e.Add(event.AuthAnonymous, yes)
	}
	if string(f[status]) == "i" {
		e.Add(event.Change, incomplete)
	}
	return true
}

func number(b []byte) bool { return len(b) > 0 && len(said.Number(b)) == len(b) }
