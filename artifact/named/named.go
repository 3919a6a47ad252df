// Package named reads what BIND says of its clients: questions, those that it refused, and zones that were copied. The client's address stands first and
// is the server's own word; the name behind it is the client's, and ends at the end of the line.
package named

import (
	"bytes"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const spec = "BIND 9.3 to 9.20 lib/ns/{client,query,xfrout,update}.c, lib/isc/log.c (print-time, print-category, print-severity)"

// New gives the artefact of what goes to syslog.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "named", Doc: "questions to the name server, those that it refused, and zones that were copied", Spec: spec,
		Programs: []string{"named", "security", "update-security", "queries", "xfer-out"}, Decode: decode, Kinds: []event.Kind{event.DNSQuery, event.ServiceStarted, event.ServiceStopped}}
}

// File gives the artefact of log files of its own.
func File() *artifact.Artifact {
	return &artifact.Artifact{Name: "named-log", Doc: New().Doc, Spec: spec,
		Files: []string{"/var/log/{named,bind,bind9}/*", "/var/log/named*.log", "/var/named/data/*.run", "/var/named/log/*", "/var/cache/bind/*.log", "/var/named/chroot/var/log/*", "/var/lib/named/var/log/*"},
		Log:   true, Sniff: artifact.MostLines(ours), Parse: artifact.Stamped("named", stamp, decode), Kinds: New().Kinds}
}

var service, denied = []byte("named"), []byte("denied")

// decode reads "[category: ][severity: ]client [@0x.. ]IP#PORT[ (NAME)]: [view V: ]TEXT".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if len(t) > 0 && t[0] >= '0' && t[0] <= '9' { // print-time is for files, and is set for syslog, too
		_, t, _ = stamp(&logclock.Clock{Year: 2000}, t)
	}
	switch {
	case bytes.HasPrefix(t, []byte("starting BIND ")):
		serviceEvent(m, event.ServiceStarted, yield)
		return true
	case string(t) == "exiting":
		serviceEvent(m, event.ServiceStopped, yield)
		return true
	}
	for range 2 { // category and severity
		if before, rest, ok := said.Cut(t, ": "); ok && bytes.IndexByte(before, ' ') < 0 && bytes.IndexByte(before, '#') < 0 {
			t = rest
		}
	}
	rest, ok := said.Rest(t, "client ")
	if !ok {
		return !bytes.Contains(t, []byte("client ")) // what concerns no client, in words without end
	}
	if after, ok := said.Rest(rest, "@0x"); ok {
		_, rest = said.FirstWord(after)
	}
	ip, rest, ok := said.Cut(rest, "#")
	address := said.Address(ip)
	if !ok || address == nil {
		return false
	}
	port := said.Number(rest)
	rest = rest[len(port):]
	if after, ok := said.Rest(rest, "/key "); ok { // signed requests
		_, rest = said.FirstWord(after)
		rest = append([]byte(" "), rest...)
	}
	if after, ok := said.Rest(rest, " ("); ok { // the name asked for, once more
		i := bytes.Index(after, []byte("): "))
		if i < 0 {
			return false
		}
		rest = after[i+1:]
	}
	rest, ok = said.Rest(rest, ": ")
	if !ok {
		return true
	}
	if after, ok := said.Rest(rest, "view "); ok {
		if _, after, ok = said.Cut(after, ": "); ok {
			rest = after
		}
	}
	name, kind, reason, known := question(rest)
	if !known {
		return true // how its answer went
	}
	e := m.Event(event.DNSQuery)
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, address)
	e.Add(event.SourcePort, port)
	e.Add(event.DNSName, bytes.TrimSuffix(name, []byte(".")))
	e.Add(event.DNSType, kind)
	e.Add(event.AuthReason, reason)
	yield(e)
	return true
}

// question reads "query (cache) 'NAME/TYPE/CLASS' denied", "zone transfer 'NAME/AXFR/IN' denied", "bad zone transfer request: 'NAME/IN': why",
// "transfer of 'NAME/IN': AXFR started" and, of the log of questions, "query: NAME CLASS TYPE +E (IP)".
func question(t []byte) (name, kind, reason []byte, known bool) {
	if rest, ok := said.Rest(t, "query: "); ok {
		rest, _, _ = said.CutLast(rest, " (") // the server's own address
		rest, _ = said.LastWord(rest)         // its flags
		rest, kind = said.LastWord(rest)
		name, _ = said.LastWord(rest)
		return name, kind, nil, name != nil
	}
	if rest, ok := said.Rest(t, "bad zone transfer request: '"); ok {
		name, why, ok := said.CutLast(rest, "': ")
		name, _, _ = said.CutLast(name, "/")
		return name, []byte("AXFR"), why, ok
	}
	if rest, ok := said.Rest(t, "transfer of '"); ok {
		name, what, ok := said.CutLast(rest, "': ")
		name, _, _ = said.CutLast(name, "/")
		return name, []byte("AXFR"), nil, ok && bytes.Contains(what, []byte("XFR started"))
	}
	for _, p := range [...]string{"query (cache) '", "query '", "zone transfer '", "update '", "query failed (REFUSED) for "} {
		rest, ok := said.Rest(t, p)
		if !ok {
			continue
		}
		if before, ok := bytes.CutSuffix(rest, []byte("' denied")); ok {
			before, _, _ = said.CutLast(before, "/") // class
			if name, kind, ok = said.CutLast(before, "/"); !ok {
				name, kind = before, nil
			}
			return name, kind, denied, true
		}
		if i := bytes.Index(rest, []byte("' denied (")); i > 0 {
			before, _, _ := said.CutLast(rest[:i], "/")
			name, kind, _ := said.CutLast(before, "/")
			return name, kind, denied, true
		}
	}
	return nil, nil, nil, false
}

func serviceEvent(m *artifact.Message, k event.Kind, yield func(*event.Event)) {
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	yield(e)
}

// stamp reads "dd-Mon-yyyy hh:mm:ss.mmm ", "Mon dd hh:mm:ss " and "yyyy-mm-ddThh:mm:ss.mmm[Z] " (print-time iso8601).
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if at, n := c.ISO(t); n > 0 && n < len(t) && t[n] == ' ' && t[10] == 'T' {
		return at, t[n+1:], true
	}
	if at, n := c.BSD(t); n > 0 && n < len(t) && t[n] == ' ' && bytes.Contains(t[n:min(len(t), n+40)], []byte(": ")) {
		return at, t[n+1:], true
	}
	if len(t) < 25 || t[2] != '-' || t[6] != '-' || t[11] != ' ' || t[14] != ':' || t[17] != ':' || t[20] != '.' || t[24] != ' ' {
		return at, t, false
	}
	at, ok = c.Local(logclock.Digits(t[7:11]), logclock.Month(t[3:6]), logclock.Digits(t[:2]), logclock.Digits(t[12:14]), logclock.Digits(t[15:17]), logclock.Digits(t[18:20]),
		int32(max(logclock.Digits(t[21:24]), 0))*1e6, time.Millisecond)
	return at, t[25:], ok
}

// ours tells a line of BIND's own logs.
func ours(line []byte) bool {
	_, text, ok := stamp(&logclock.Clock{Year: 2000}, line)
	return ok && (bytes.Contains(text, []byte("client ")) && !bytes.Contains(text, []byte(" named[")) && bytes.IndexByte(text, '#') > 0 ||
		said.BeginsAny(text, []string{"general: ", "resolver: ", "xfer-", "security: ", "queries: ", "default: ", "zone ", "lame-servers: "}))
}
