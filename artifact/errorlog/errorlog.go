// Package errorlog reads the error logs of apache and nginx. Besides the server's own words they hold what its
// children wrote to their stderr: the words of wget, curl and the shell there are proof that a request ran commands.
package errorlog

import (
	"bytes"
	"context"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "errorlog", Doc: "errors of the web server, and what its children wrote to stderr", Spec: "Apache 2.4 core ErrorLogFormat, server/log.c; Apache 2.2; nginx 1.22 src/core/ngx_log.c",
		Files: []string{"/var/log/{apache2,httpd,apache,apache-ssl,nginx,lighttpd}/*error*", "/var/www/**/{log,logs}/*error*", "/home/*/{log,logs}/*error*", "/usr/local/apache*/logs/*error*", "{errorlog}"},
		Log:   true, Sniff: sniff, Parse: parse, Kinds: []event.Kind{event.HTTPError, event.ChildOutput, event.ServiceStarted},
	}
}

func sniff(head []byte) bool {
	n, good := 0, 0
	for line := range bytes.Lines(head) {
		if n++; n > 20 {
			break
		}
		if _, _, ok := stamp(&logclock.Clock{}, line); ok {
			good++
		}
	}
	return n > 0 && good*2 > n
}

// childStep is how wrong the time of a child's line may be: it has none of its own, and takes that of the stamped line before it.
const childStep = time.Hour

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		var last evidence.Time
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok; l, ok = lr.Next() {
			if l.Num%4096 == 0 && ctx.Err() != nil {
				return
			}
			if len(l.Text) == 0 {
				continue
			}
			at, rest, stamped := stamp(in.Clock, l.Text)
			if stamped {
				last = at
			}
			in.Seen.Record(last)
			fill(&e, l.Text, rest, at, stamped)
			if !stamped {
				e.At = last
				if last.Known() {
					e.At.Step = childStep
				}
			}
			e.Ref, e.Raw = in.Ref, l.Text
			e.Ref.Off, e.Ref.Len, e.Ref.Line = l.Off, l.Len, l.Num
			if !yield(e, nil) {
				return
			}
		}
		if err := lr.Err(); err != nil && ctx.Err() == nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
	}
}

// stamp reads "[Www Mon dd hh:mm:ss.us yyyy] " (apache) or "yyyy/mm/dd hh:mm:ss " (nginx); rest is behind it.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, rest []byte, ok bool) {
	if len(t) > 26 && t[0] == '[' {
		at, n := c.Asctime(t[1:])
		if n == 0 || 1+n >= len(t) || t[1+n] != ']' {
			return at, nil, false
		}
		return at, bytes.TrimLeft(t[n+2:], " "), true
	}
	if len(t) > 20 && t[4] == '/' && t[7] == '/' && t[10] == ' ' && t[13] == ':' && t[16] == ':' {
		at, ok = c.Local(logclock.Digits(t[:4]), time.Month(logclock.Digits(t[5:7])), logclock.Digits(t[8:10]), logclock.Digits(t[11:13]), logclock.Digits(t[14:16]), logclock.Digits(t[17:19]), 0, time.Second)
		return at, t[20:], ok
	}
	return at, nil, false
}

func fill(e *event.Event, line, rest []byte, at evidence.Time, stamped bool) {
	if !stamped {
		e.Reset(event.ChildOutput)
		e.Add(event.Message, line)
		return
	}
	e.Reset(event.HTTPError)
	e.At = at
	if len(line) > 0 && line[0] == '[' {
		apache(e, rest)
	} else {
		nginx(e, rest)
	}
}

// apache reads "[mod:lvl] [pid n:tid m] [client ip:port] AHnnnnn: text, referer: x", the older "[lvl] [client ip] text", and any
// part of it missing.
func apache(e *event.Event, t []byte) {
	for len(t) > 0 && t[0] == '[' {
		i := bytes.IndexByte(t, ']')
		if i < 0 {
			break
		}
		f := t[1:i]
		t = bytes.TrimLeft(t[i+1:], " ")
		switch {
		case bytes.HasPrefix(f, []byte("pid ")):
			pid, _, _ := bytes.Cut(f[4:], []byte(":"))
			e.Add(event.ProcessPID, pid)
		case bytes.HasPrefix(f, []byte("client ")):
			client(e, f[7:])
		case bytes.HasPrefix(f, []byte("remote ")):
			client(e, f[7:])
		default:
			if j := bytes.IndexByte(f, ':'); j >= 0 {
				f = f[j+1:]
			}
			e.Add(event.LogLevel, f)
		}
	}
	if len(t) > 8 && t[0] == 'A' && t[1] == 'H' && t[7] == ':' {
		code := t[:7]
		if string(code) == "AH01215" { // stderr of a CGI script
			e.Kind = event.ChildOutput
			t = bytes.TrimLeft(t[8:], " ")
		}
		e.Add(event.ErrorCode, code)
	}
	if i := bytes.LastIndex(t, []byte(", referer: ")); i >= 0 {
		e.Add(event.HTTPReferrer, t[i+len(", referer: "):])
		t = t[:i]
	}
	if bytes.Contains(t, []byte("resuming normal operations")) {
		e.Kind = event.ServiceStarted
		e.AddText(event.ServiceName, "apache")
	}
	e.Add(event.Message, t)
}

// client reads "1.2.3.4:5678", "1.2.3.4", "2001:db8::1:5678": behind the last colon stands the port where there is one.
func client(e *event.Event, f []byte) {
	i := bytes.LastIndexByte(f, ':')
	if i > 0 && (bytes.IndexByte(f, ':') == i || bytes.Count(f, []byte(":")) > 2) {
		e.Add(event.SourceIP, f[:i])
		e.Add(event.SourcePort, f[i+1:])
		return
	}
	e.Add(event.SourceIP, f)
}

// nginx reads "[lvl] pid#tid: *cid text, client: ip, server: s, request: "r", upstream: ...". The client chooses the request, so the client's
// address is the one before it.
func nginx(e *event.Event, t []byte) {
	if len(t) > 0 && t[0] == '[' {
		if i := bytes.IndexByte(t, ']'); i > 0 {
			e.Add(event.LogLevel, t[1:i])
			t = bytes.TrimLeft(t[i+1:], " ")
		}
	}
	if i := bytes.IndexByte(t, '#'); i > 0 && i < 12 {
		e.Add(event.ProcessPID, t[:i])
		if j := bytes.Index(t, []byte(": ")); j > 0 && j < 40 {
			t = t[j+2:]
		}
	}
	if len(t) > 0 && t[0] == '*' {
		if i := bytes.IndexByte(t, ' '); i > 0 {
			t = t[i+1:]
		}
	}
	if i := bytes.Index(t, []byte(", client: ")); i >= 0 {
		ip, _, _ := bytes.Cut(t[i+len(", client: "):], []byte(","))
		e.Add(event.SourceIP, ip)
		t = t[:i]
	}
	const stderr = "FastCGI sent in stderr: \""
	if i := bytes.Index(t, []byte(stderr)); i >= 0 {
		t = t[i+len(stderr):]
		if j := bytes.LastIndexByte(t, '"'); j >= 0 {
			t = t[:j]
		}
		if !bytes.HasPrefix(t, []byte("PHP message")) {
			e.Kind = event.ChildOutput
		}
	}
	e.Add(event.Message, t)
}
