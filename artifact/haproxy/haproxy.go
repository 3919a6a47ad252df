// Package haproxy decodes the requests and connections that HAProxy tells. Addresses and status stand before what clients send; the request's own line is
// the last field, in quotes.
package haproxy

import (
	"bytes"
	"strconv"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "haproxy", Doc: "requests that went through HAProxy", Spec: "HAProxy 1.4 to 3.0 doc/configuration.txt section 8.2 (option httplog, tcplog, httpslog), 4.2 log (format raw, to stdout or a ring)",
		Log: true, Sniff: artifact.MostLines(raw), Parse: artifact.Stamped("haproxy", stamp, decode),
		Programs: []string{"haproxy"}, Decode: decode, Kinds: []event.Kind{event.HTTPRequest, event.ConnectionSeen, event.ServiceStarted, event.ServiceStopped}}
}

var service = []byte("haproxy")

// routine are the beginnings of what is about servers and the program itself.
var routine = []string{"Proxy ", "Server ", "Health check ", "backend ", "Backup Server ", "Connect from ", "Stopping ", "Pausing ", "Resuming ", "Enabling ", "Using ", "New worker ", "Loading ", "Reexecuting ", "Former worker ", "Current worker ", "All workers ", "Exiting ", "parsing ",
	"config : ", "Initializing ", "NOTICE: ", "[NOTICE]", "[WARNING]", "[ALERT]", "haproxy version ", "path to executable "}

// stamp reads the time of a line without a frame, "IP:PORT [14/Jan/2024:12:48:57.127] ...", in the host's zone. The text is the whole line.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	peer, rest, _ := said.Cut(t[:min(len(t), 128)], " [")
	if len(rest) < 25 || rest[2] != '/' || rest[6] != '/' || rest[11] != ':' || rest[14] != ':' || rest[17] != ':' || rest[20] != '.' || rest[24] != ']' || bytes.IndexByte(peer, ' ') >= 0 || bytes.IndexByte(peer, ':') < 0 {
		return at, nil, false
	}
	at, ok = c.Local(logclock.Digits(rest[7:11]), logclock.Month(rest[3:6]), logclock.Digits(rest[:2]), logclock.Digits(rest[12:14]), logclock.Digits(rest[15:17]), logclock.Digits(rest[18:20]),
		int32(max(logclock.Digits(rest[21:24]), 0))*1e6, time.Millisecond)
	return at, t, ok
}

// raw tells a line without a frame: behind the stamp stand frontend and backend/server.
func raw(line []byte) bool {
	_, _, ok := stamp(&logclock.Clock{}, line)
	_, rest, _ := said.Cut(line, "] ")
	_, rest = said.FirstWord(rest)
	server, _ := said.FirstWord(rest)
	return ok && bytes.IndexByte(server, '/') > 0
}

// decode reads "IP:PORT [stamp] frontend backend/server timers status bytes cookie cookie flags conns queue {captured} "METHOD URL HTTP/1.1"".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if clf(m, yield) {
		return true
	}
	peer, rest, ok := said.Cut(t, " [")
	ip, port := said.AddressPort(peer)
	if ip == nil && ok { // "2001:db8::1234:58430"
		if i := bytes.LastIndexByte(peer, ':'); i > 0 {
			ip, port = said.Address(peer[:i]), said.Number(peer[i+1:])
		}
	}
	if !ok || ip == nil && !bytes.HasPrefix(peer, []byte("-:")) { // "-": who came by a socket of the machine itself
		return itself(m, yield)
	}
	_, rest, ok = said.Cut(rest, "] ")
	if !ok {
		return false
	}
	if bytes.HasSuffix(rest, []byte(": SSL handshake failure")) || bytes.HasSuffix(rest, []byte(": Connection closed during SSL handshake")) {
		e := m.Event(event.ConnectionSeen)
		e.Add(event.ServiceName, service)
		e.Add(event.SourceIP, ip)
		e.Add(event.SourcePort, port)
		yield(e)
		return true
	}
	_, rest = said.FirstWord(rest) // frontend
	_, rest = said.FirstWord(rest) // backend/server
	timers, rest := said.FirstWord(rest)
	for n := 0; n < 3 && bytes.Count(timers, []byte("/")) < 4 && len(rest) > 0; n++ { // what a site put into its log-format: the name of TLS
		timers, rest = said.FirstWord(rest)
	}
	status, rest := said.FirstWord(rest)
	size, rest := said.FirstWord(rest)
	request := bytes.LastIndex(rest, []byte(` "`)) + 1 // HAProxy writes a quote of the client's as "#22"
	if bytes.Count(timers, []byte("/")) < 4 || len(said.Number(status)) != 3 || request == 0 {
		return true // of a connection, not of a request
	}
	e := httpRequest(m, ip, port, rest[request+1:], status, said.Number(size)) // httpslog goes on behind the request
	if ms, err := strconv.ParseInt(string(said.Number(timers[bytes.LastIndexByte(timers, '/')+1:])), 10, 32); err == nil {
		e.AddInt(event.HTTPDuration, ms*1000)
	}
	yield(e)
	return true
}

// itself reads what HAProxy says of its proxies and servers.
func itself(m *artifact.Message, yield func(*event.Event)) bool {
	t, k := m.Text, event.Unknown
	if bytes.HasPrefix(t, []byte("Proxy ")) && bytes.HasSuffix(t, []byte(" started.")) {
		k = event.ServiceStarted
	} else if bytes.HasPrefix(t, []byte("Proxy ")) && bytes.Contains(t, []byte(" stopped ")) {
		k = event.ServiceStopped
	}
	if k == event.Unknown {
		return said.BeginsAny(t, routine)
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	yield(e)
	return true
}

// httpRequest makes the event of a request whose line stands at line's beginning, up to a quote.
func httpRequest(m *artifact.Message, ip, port, line, status, size []byte) *event.Event {
	line, _, _ = said.Cut(line, `"`)
	method, url := said.FirstWord(line)
	url, version, ok := said.CutLast(url, " HTTP/")
	e := m.Event(event.HTTPRequest)
	e.Add(event.SourceIP, ip)
	e.Add(event.SourcePort, port)
	if ok {
		e.Add(event.HTTPMethod, method)
		e.Add(event.URL, url)
		e.Add(event.HTTPVersion, version)
	}
	e.Add(event.HTTPStatus, status)
	e.Add(event.HTTPBytes, size)
	return e
}

// clf reads `IP - - [stamp +zone] "METHOD URL HTTP/1.1" status bytes "" "" port ms "frontend" ...`, of option httplog clf. A quote of the client's is "#22" here, too.
func clf(m *artifact.Message, yield func(*event.Event)) bool {
	peer, rest, ok := said.Cut(m.Text, ` - - [`)
	stamp, rest, ok2 := said.Cut(rest, `] "`)
	ip := said.Address(peer)
	if !ok || !ok2 || ip == nil || len(stamp) > 40 {
		return false
	}
	line, after, ok := said.Cut(rest, `" `)
	status, after := said.FirstWord(after)
	size, after := said.FirstWord(after)
	if !ok || len(said.Number(status)) != 3 {
		return false
	}
	_, after = said.FirstWord(after) // user agent and referrer, always empty
	_, after = said.FirstWord(after)
	port, _ := said.FirstWord(after)
	yield(httpRequest(m, ip, said.Number(port), line, status, said.Number(size)))
	return true
}
