package accesslog

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
	"telltale/internal/syslog"
)

// Syslog gives the artefact of what web servers send to syslog ("access_log syslog:", "CustomLog |logger").
func Syslog() *artifact.Artifact {
	return &artifact.Artifact{Name: "accesslog-syslog", Doc: "requests to the web server that go to syslog", Spec: New().Spec, Programs: []string{"nginx", "httpd", "httpd/", "apache", "apache2", "apache2/", "lighttpd"}, Decode: decode, Kinds: []event.Kind{event.HTTPRequest}}
}

// decode reads a line of an access log, whose own time counts. What a server says otherwise has no stamp in brackets before a request.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if len(t) == 0 || t[0] == '[' {
		return false
	}
	e := m.Event(event.HTTPRequest)
	at := e.At
	if !fixed(t, e) || e.Get(event.HTTPVersion) == nil {
		return false
	}
	if !e.At.Known() {
		e.At = at
	}
	yield(e)
	return true
}

// unframed takes the frame of a syslog daemon off what stands before a line's time. A client's address or name begins a line without one, and no client can put a stamp before it.
func unframed(t []byte) []byte {
	if len(t) < 16 || t[0] != '<' && t[3] != ' ' && t[4] != '-' || said.Address(t[:max(bytes.IndexByte(t, ' '), 0)]) != nil {
		return t
	}
	if l, ok := syslog.Parse(&logclock.Clock{Year: 2000}, t); ok && len(l.Program) > 0 && len(l.Text) > 0 {
		return l.Text
	}
	return t
}

// proxyManager reads the forms of Nginx Proxy Manager, t[q] being the quote before the path:
//
//	[time] [CACHE UPSTREAM-STATUS ]STATUS - METHOD SCHEME HOST "/path" [Client ADDRESS] [Length N] [Gzip R] [Sent-to SERVER] "agent" "referer"
//
// A client chooses what stands between quotes, in which nginx escapes quotes.
func proxyManager(t []byte, q int, e *event.Event) bool {
	path, rest, ok := quoted(t[q:])
	client, is := said.Rest(rest, "[Client ")
	address, rest, ok2 := said.Cut(client, "] ")
	ip := said.Address(address)
	head := bytes.TrimRight(t[:q], " ")
	if !ok || !is || !ok2 || ip == nil {
		return false
	}
	head, host := said.LastWord(head)
	head, _ = said.LastWord(head) // http or https
	head, method := said.LastWord(head)
	head, dash := said.LastWord(head)
	before, status := said.LastWord(head)
	if string(dash) != "-" || len(before) == 0 || len(status) != 3 || !number(status) || !upper(method) {
		return false
	}
	e.Add(event.SourceIP, ip)
	e.Add(event.HTTPMethod, method)
	e.Add(event.URLDomain, host)
	e.Add(event.URL, path)
	e.Add(event.HTTPStatus, status)
	if size, is := said.Rest(rest, "[Length "); is {
		e.Add(event.HTTPBytes, said.Number(size))
	}
	if i := bytes.Index(rest, []byte(`] "`)); i >= 0 {
		agent, rest, ok := quoted(rest[i+2:])
		if referrer, _, ok2 := quoted(rest); ok && ok2 {
			add(e, event.UserAgent, agent)
			add(e, event.HTTPReferrer, referrer)
		}
	}
	return true
}
