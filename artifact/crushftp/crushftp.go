// Package crushftp reads the log that CrushFTP writes of its clients: "SESSION|03/25/2025 10:11:12.123|[HTTPS:31:amy:203.0.113.7] READ: *GET /WebInterface/ HTTP/1.1*". Of what
// clients send, requests and the header that names who they are are read; what the server answered is not.
package crushftp

import (
	"bytes"
	"context"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "crushftp", Doc: "requests to CrushFTP, and the header by which clients say who they are", Spec: "CrushFTP 9 to 11, CrushFTP.log",
		Files: []string{"/{opt,srv,var/opt,usr/local}/{CrushFTP,crushftp}*/CrushFTP*.log*", "/{opt,srv,var/opt,usr/local}/{CrushFTP,crushftp}*/logs/**"}, Log: true,
		Sniff: artifact.MostLines(sniff), Parse: parse, Kinds: []event.Kind{event.HTTPRequest, event.ProgramSaid}}
}

var (
	session = []byte("SESSION|")
	service = []byte("crushftp")
	unread  = []byte("crushftp line")
)

func sniff(line []byte) bool {
	return bytes.HasPrefix(line, session) && bytes.Contains(line, []byte("|["))
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			stamp, rest, ok := said.Cut(bytes.TrimPrefix(t, session), "|")
			at, known := when(in.Clock, stamp)
			if !ok || !known {
				in.Seen.Unknown(unread)
				continue
			}
			in.Seen.Record(at)
			if !read(&e, rest, at) {
				continue
			}
			e.Ref, e.Raw = ref, t
			if !yield(e, nil) {
				return
			}
		}
	}
}

// when reads "03/25/2025 10:11:12.123": month, day, year.
func when(c *logclock.Clock, t []byte) (at evidence.Time, ok bool) {
	if len(t) < 19 || t[2] != '/' || t[5] != '/' || t[10] != ' ' || t[13] != ':' || t[16] != ':' {
		return at, false
	}
	n := [6]int{}
	for i, p := range [][2]int{{6, 10}, {0, 2}, {3, 5}, {11, 13}, {14, 16}, {17, 19}} {
		if n[i] = logclock.Digits(t[p[0]:p[1]]); n[i] < 0 {
			return at, false
		}
	}
	return c.Local(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.Second)
}

// read reads "[HTTPS:31:amy:203.0.113.7] READ: *GET /x HTTP/1.1*".
func read(e *event.Event, t []byte, at evidence.Time) bool {
	if len(t) == 0 || t[0] != '[' {
		return false
	}
	who, text, ok := said.Cut(t[1:], "] READ: *")
	if !ok {
		return false
	}
	parts := bytes.SplitN(who, []byte(":"), 4) // an address of version 6 has colons itself
	if len(parts) < 4 || !bytes.HasPrefix(parts[0], []byte("HTTP")) {
		return false
	}
	ip := said.Address(parts[3])
	if ip == nil {
		return false
	}
	text = bytes.TrimSuffix(text, []byte("*"))
	if bytes.HasPrefix(text, []byte("Authorization:")) {
		e.Reset(event.ProgramSaid)
		e.At = at
		e.Add(event.ServiceName, service)
		e.Add(event.UserName, parts[2])
		e.Add(event.SourceIP, ip)
		e.Add(event.Message, text)
		return true
	}
	method, rest := said.FirstWord(text)
	url, version := said.FirstWord(rest)
	if !bytes.HasPrefix(version, []byte("HTTP/")) {
		return false
	}
	e.Reset(event.HTTPRequest)
	e.At = at
	e.Add(event.SourceIP, ip)
	e.Add(event.UserName, parts[2])
	e.Add(event.HTTPMethod, method)
	e.Add(event.URL, url)
	return true
}
