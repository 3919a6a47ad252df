// Package grafana reads the requests in the log that Grafana itself writes, "key=value" by "key=value". The address is the peer's, or a header's where Grafana is
// told to believe it. Of other lines those are read that tell of a wrong password.
package grafana

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "grafana", Doc: "requests to Grafana", Spec: "Grafana 7 to 11 pkg/middleware/loggermw, pkg/infra/log (text)",
		Files: []string{"/var/log/grafana/*", "/{opt,usr/share,usr/local}/grafana*/data/log/*"}, Log: true, Sniff: artifact.MostLines(sniff), Parse: parse, Kinds: []event.Kind{event.HTTPRequest, event.AuthFailed}}
}

func sniff(line []byte) bool {
	return bytes.Contains(line, []byte("logger=")) && (bytes.HasPrefix(line, []byte("t=")) || bytes.Contains(line, []byte(" t="))) && (bytes.Contains(line, []byte(" lvl=")) || bytes.Contains(line, []byte(" level=")))
}

var (
	unread    = []byte("grafana line")
	completed = []byte(`msg="Request Completed"`)
	wrong     = []byte("invalid username or password")
	service   = []byte("grafana")
)

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			at, n := in.Clock.ISO(value(t, "t"))
			if n == 0 {
				in.Seen.Unknown(unread)
				continue
			}
			in.Seen.Record(at)
			if !(bytes.Contains(t, completed) && request(&e, t, at)) && !refused(&e, t, at) {
				continue
			}
			e.Ref, e.Raw = ref, t
			if !yield(e, nil) {
				return
			}
		}
	}
}

// refused reads `msg="Invalid username or password" … uname= error="…" remote_addr=ADDRESS`, which releases up to 8 write beside the request.
func refused(e *event.Event, t []byte, at evidence.Time) bool {
	ip := said.Address(value(t, "remote_addr"))
	if ip == nil || !bytes.EqualFold(value(t, "msg"), wrong) {
		return false
	}
	e.Reset(event.AuthFailed)
	e.At = at
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, []byte("password"))
	e.Add(event.AuthReason, value(t, "error"))
	return true
}

func request(e *event.Event, t []byte, at evidence.Time) bool {
	method, path, ip := value(t, "method"), value(t, "path"), said.Address(value(t, "remote_addr"))
	if method == nil || path == nil || ip == nil {
		return false
	}
	e.Reset(event.HTTPRequest)
	e.At = at
	e.Add(event.SourceIP, ip)
	e.Add(event.HTTPMethod, method)
	e.Add(event.URL, path)
	e.Add(event.HTTPStatus, said.Number(value(t, "status")))
	e.Add(event.HTTPBytes, said.Number(value(t, "size")))
	e.Add(event.HTTPReferrer, value(t, "referer"))
	e.Add(event.UserName, value(t, "uname"))
	return true
}

// value gives what stands behind "key=", in quotes or not; nil for nothing. The line is walked over pair by pair, for what a client chooses may look like a pair within quotes.
func value(t []byte, key string) []byte {
	for len(t) > 0 {
		name, rest, ok := said.Cut(t, "=")
		if !ok {
			return nil
		}
		var v []byte
		if v, t = next(rest); string(bytes.TrimSpace(name)) == key {
			return v
		}
	}
	return nil
}

// next takes a value off: up to a blank, or between quotes, in which a backslash keeps the character behind it.
func next(b []byte) (v, rest []byte) {
	if len(b) == 0 || b[0] != '"' {
		v, rest, _ = said.Cut(b, " ")
		if len(v) == 0 {
			v = nil
		}
		return v, rest
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[1:i], b[i+1:]
		}
	}
	return nil, nil
}
