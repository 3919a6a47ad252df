// Package jsonaccess reads access logs that are JSON, one object a line, as Caddy and Traefik write them. The peer's address is taken, never one that a
// header claims.
package jsonaccess

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net"
	"strconv"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "jsonaccess", Doc: "requests to Caddy and Traefik", Spec: "Caddy 2 modules/caddyhttp (http.log.access); Traefik 2 and 3 pkg/middlewares/accesslog",
		Files: []string{"/var/log/caddy/*", "/var/log/traefik/access*", "/var/log/access.json"}, Log: true, Sniff: sniff, Parse: parse, Kinds: []event.Kind{event.HTTPRequest}}
}

// line has the fields of both.
type line struct {
	// Caddy.
	TS      json.Number `json:"ts"`
	Status  int64       `json:"status"`
	Size    int64       `json:"size"`
	Request struct {
		RemoteIP   string              `json:"remote_ip"`
		RemoteAddr string              `json:"remote_addr"` // before 2.5
		RemotePort string              `json:"remote_port"`
		Proto      string              `json:"proto"`
		Method     string              `json:"method"`
		Host       string              `json:"host"`
		URI        string              `json:"uri"`
		Headers    map[string][]string `json:"headers"`
	} `json:"request"`
	UserID string `json:"user_id"`
	// Traefik.
	ClientHost, ClientPort, ClientUsername  string
	RequestMethod, RequestPath, RequestHost string
	RequestProtocol, StartUTC               string
	DownstreamStatus, DownstreamContentSize int64
	UserAgent                               string `json:"request_User-Agent"`
	Referer                                 string `json:"request_Referer"`
}

// maxLine bounds what is taken apart.
const maxLine = 64 << 10

var unread = []byte("json access line")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			var x line
			if len(t) > maxLine || t[0] != '{' || json.Unmarshal(t, &x) != nil || !fill(&e, &x) {
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

func fill(e *event.Event, x *line) bool {
	e.Reset(event.HTTPRequest)
	e.At = evidence.Time{}
	switch {
	case x.ClientHost != "" && x.RequestMethod != "":
		at, n := (&logclock.Clock{}).ISO([]byte(x.StartUTC))
		if n == 0 {
			return false
		}
		e.At = at
		add(e, x.ClientHost, x.ClientPort, x.RequestMethod, x.RequestPath, x.RequestHost, x.RequestProtocol, x.DownstreamStatus, x.DownstreamContentSize, x.UserAgent, x.Referer)
		if x.ClientUsername != "-" {
			e.AddText(event.UserName, x.ClientUsername)
		}
		return true
	case x.Request.Method != "" && (x.Request.RemoteIP != "" || x.Request.RemoteAddr != ""):
		ip, port := x.Request.RemoteIP, x.Request.RemotePort
		if ip == "" {
			var err error
			if ip, port, err = net.SplitHostPort(x.Request.RemoteAddr); err != nil {
				return false
			}
		}
		if sec, err := strconv.ParseFloat(string(x.TS), 64); err == nil && sec > 0 && sec < 1e11 {
			e.At = evidence.Time{Sec: int64(sec), Nsec: int32((sec - float64(int64(sec))) * 1e9), Step: time.Microsecond}
		}
		header := func(name string) string {
			if v := x.Request.Headers[name]; len(v) > 0 {
				return v[0]
			}
			return ""
		}
		add(e, ip, port, x.Request.Method, x.Request.URI, x.Request.Host, x.Request.Proto, x.Status, x.Size, header("User-Agent"), header("Referer"))
		e.AddText(event.UserName, x.UserID)
		return true
	}
	return false
}

func add(e *event.Event, ip, port, method, url, host, proto string, status, size int64, agent, referrer string) {
	text := func(k event.Key, v string) {
		if v != "" {
			e.AddText(k, v)
		}
	}
	text(event.SourceIP, ip)
	text(event.SourcePort, port)
	text(event.HTTPMethod, method)
	text(event.URL, url)
	text(event.URLDomain, host)
	text(event.HTTPVersion, strings.TrimPrefix(proto, "HTTP/"))
	e.AddInt(event.HTTPStatus, status)
	e.AddInt(event.HTTPBytes, size)
	text(event.HTTPReferrer, referrer)
	text(event.UserAgent, agent)
}

func sniff(head []byte) bool {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	var x line
	var e event.Event
	return len(first) < maxLine && len(first) > 2 && first[0] == '{' && json.Unmarshal(first, &x) == nil && fill(&e, &x)
}
