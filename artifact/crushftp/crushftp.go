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
		Sniff: artifact.MostLines(sniff), Parse: parse, Kinds: []event.Kind{event.HTTPRequest, event.ProgramSaid, event.AuthAccepted}}
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
		var named claim
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			stamp, rest, ok := said.Cut(bytes.TrimPrefix(t, session), "|")
			at, known := when(in.Clock, stamp)
			if !ok || !known {
				in.Seen.Unknown(unread)
				continue
			}
			in.Seen.Record(at)
			if named.taken(rest) {
				x := event.Event{Kind: event.AuthAccepted, At: at, Ref: ref, Raw: t}
				x.Add(event.ServiceName, service)
				x.AddText(event.UserName, named.user)
				x.AddText(event.SourceIP, named.ip)
				x.AddText(event.AuthMethod, "none")
				if named = (claim{}); !yield(x, nil) {
					return
				}
			}
			if !read(&e, rest, at) {
				continue
			}
			e.Ref, e.Raw = ref, t
			named.note(rest, &e)
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
	return c.Local(logclock.Digits(t[6:10]), time.Month(logclock.Digits(t[:2])), logclock.Digits(t[3:5]), logclock.Digits(t[11:13]), logclock.Digits(t[14:16]), logclock.Digits(t[17:19]), 0, time.Second)
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

// claim is a name that a client bears without a proof: where its session goes on under it, the server believed it.
type claim struct{ session, user, ip string }

// note keeps the name in "Authorization: AWS4-HMAC-SHA256 Credential=NAME/", which a signature would follow.
func (c *claim) note(line []byte, e *event.Event) {
	m := e.Get(event.Message)
	_, name, ok := said.Cut(m, "AWS4-HMAC-SHA256 Credential=")
	if !ok || e.Kind != event.ProgramSaid || bytes.Contains(m, []byte("Signature=")) {
		return
	}
	name, _, ok = said.Cut(name, "/")
	if user := e.Text(event.UserName); ok && len(name) > 0 && len(name) < 200 && user != string(name) {
		*c = claim{identity(line), string(name), e.Text(event.SourceIP)}
	}
}

// taken tells a line of the session under the name that it claimed.
func (c *claim) taken(line []byte) bool {
	if c.user == "" || identity(line) != c.session {
		return false
	}
	parts := bytes.SplitN(line, []byte(":"), 4)
	return len(parts) == 4 && string(parts[2]) == c.user
}

// identity gives "HTTPS:31" of a line's "[HTTPS:31:amy:203.0.113.7]".
func identity(line []byte) string {
	parts := bytes.SplitN(line[:min(len(line), 300)], []byte(":"), 3)
	if len(parts) < 3 {
		return ""
	}
	return string(bytes.TrimPrefix(parts[0], []byte("["))) + ":" + string(parts[1])
}
