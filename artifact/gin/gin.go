// Package gin reads the requests that servers written with the Go framework Gin print by default: Ollama, Gotify and many small services. They tell neither the referrer nor the client's program.
package gin

import (
	"bytes"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "gin", Doc: "requests to servers of the Go framework Gin", Spec: "Gin 1.3 to 1.10 logger.go (defaultLogFormatter)", Files: []string{"/var/log/gotify/*.log", "/var/log/gotify.log"}, Log: true,
		Sniff: artifact.MostLines(sniff), Parse: artifact.Stamped("gin", stamp, decode), Kinds: []event.Kind{event.HTTPRequest}}
}

// Syslog gives the artefact of what such servers print to a journal.
func Syslog() *artifact.Artifact {
	return &artifact.Artifact{Name: "gin-syslog", Doc: New().Doc, Spec: New().Spec, Programs: []string{"ollama", "gotify"}, Decode: framed, Kinds: []event.Kind{event.HTTPRequest}}
}

func sniff(line []byte) bool {
	_, t, ok := stamp(&logclock.Clock{Year: 2000}, line)
	return ok && bytes.Count(t, []byte("|")) >= 3
}

// stamp takes "[GIN] 2021/11/15 - 19:41:42 " off a line, in the host's zone.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	t, ok = said.Rest(t, "[GIN] ")
	if !ok || len(t) < 22 || t[4] != '/' || t[7] != '/' || string(t[10:13]) != " - " || t[15] != ':' || t[18] != ':' || t[21] != ' ' {
		return at, nil, false
	}
	at, ok = c.Local(logclock.Digits(t[:4]), time.Month(logclock.Digits(t[5:7])), logclock.Digits(t[8:10]), logclock.Digits(t[13:15]), logclock.Digits(t[16:18]), logclock.Digits(t[19:21]), 0, time.Second)
	return at, t[22:], ok
}

func framed(m *artifact.Message, yield func(*event.Event)) bool {
	_, t, ok := stamp(&logclock.Clock{Year: 2000}, m.Text)
	if !ok {
		return true
	}
	m.Text = t
	return decode(m, yield)
}

// decode reads `| 401 |  189.7ms |    192.0.2.1 | POST     "/client"`. The path is the client's, and stands last.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	var f [4][]byte
	rest, ok := said.Rest(m.Text, "|")
	for i := range f {
		if i == len(f)-1 {
			f[i] = plain(rest)
			break
		}
		var part []byte
		var more bool
		part, rest, more = said.Cut(rest, "|")
		f[i], ok = plain(part), ok && more
	}
	ip := said.Address(f[2])
	if !ok || ip == nil || len(f[0]) != 3 || len(said.Number(f[0])) != 3 {
		return false
	}
	method, path := said.FirstWord(f[3])
	path = bytes.TrimSuffix(bytes.TrimPrefix(plain(path), []byte(`"`)), []byte(`"`))
	e := m.Event(event.HTTPRequest)
	e.Add(event.SourceIP, ip)
	e.Add(event.HTTPMethod, plain(method))
	e.Add(event.URL, path)
	e.Add(event.HTTPStatus, f[0])
	yield(e)
	return true
}

// plain takes blanks and the colours of a terminal off both ends: "\x1b[97;43m 404 \x1b[0m".
func plain(t []byte) []byte {
	t = bytes.TrimSpace(t)
	for len(t) > 2 && t[0] == 0x1b && t[1] == '[' {
		_, rest, ok := said.Cut(t, "m")
		if !ok {
			break
		}
		t = bytes.TrimSpace(rest)
	}
	if i := bytes.Index(t, []byte("\x1b[")); i >= 0 && t[len(t)-1] == 'm' && len(t)-i < 16 {
		t = t[:i]
	}
	return bytes.TrimSpace(t)
}
