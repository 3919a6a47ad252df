// Package resolver reads the questions that hosts and containers put to Unbound and dnsmasq: where a machine looked for its command server, and data that went out in names.
// The client's address is the server's word; the name is the client's, and so are the names in answers, which are not read.
package resolver

import (
	"bytes"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const unboundSpec = "Unbound 1.4 to 1.22 daemon/worker.c, util/log.c, util/net_help.c (log_query_in_color, log_reply_info; log-queries, log-replies, log-time-ascii, log-tag-queryreply)"

var queryKinds = []event.Kind{event.DNSQuery, event.ServiceStarted, event.ServiceStopped}

// Unbound gives the artefact of what Unbound says to syslog.
func Unbound() *artifact.Artifact {
	return &artifact.Artifact{Name: "unbound", Doc: "questions put to the resolver Unbound", Spec: unboundSpec, Programs: []string{"unbound"}, Decode: unbound, Kinds: queryKinds}
}

// UnboundFile gives the artefact of Unbound's own log.
func UnboundFile() *artifact.Artifact {
	return &artifact.Artifact{Name: "unbound-log", Doc: Unbound().Doc, Spec: unboundSpec, Files: []string{"/var/log/unbound{,/*}.log", "/var/lib/unbound/*.log", "/etc/unbound/*.log", "/var/log/unbound/unbound*"}, Log: true,
		Sniff: artifact.MostLines(ours), Parse: artifact.Stamped("unbound", epoch, unbound), Kinds: queryKinds}
}

// Dnsmasq gives the artefact of what dnsmasq says, also within Pi-hole.
func Dnsmasq() *artifact.Artifact {
	return &artifact.Artifact{Name: "dnsmasq", Doc: "questions put to the resolver dnsmasq", Spec: "dnsmasq 2.40 to 2.90 src/cache.c (log_query), src/log.c; log-queries and log-queries=extra", Programs: []string{"dnsmasq", "dnsmasq-dhcp", "dnsmasq-tftp", "dnsmasq-script"},
		Decode: dnsmasq, Kinds: queryKinds}
}

var unboundName, dnsmasqName = []byte("unbound"), []byte("dnsmasq")

// unbound reads "[[pid:thread] ]{info|query|reply}: ADDRESS NAME. TYPE CLASS[ RCODE SECONDS CACHED SIZE]".
func unbound(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if len(t) > 0 && t[0] == '[' {
		thread, rest, ok := said.Cut(t, "] ")
		if !ok {
			return false
		}
		if len(m.PID) == 0 {
			m.PID = said.Number(thread[1:])
		}
		t = rest
	}
	level, t, ok := said.Cut(t, ": ")
	if !ok {
		return false
	}
	switch string(level) {
	case "info", "notice":
	case "query", "reply": // log-tag-queryreply puts them in the level's place
		return question(m, t, yield)
	case "error", "warning", "debug", "fatal error":
		return true
	default:
		return false
	}
	switch {
	case bytes.HasPrefix(t, []byte("start of service")):
		return told(m, event.ServiceStarted, unboundName, yield)
	case bytes.HasPrefix(t, []byte("service stopped")):
		return told(m, event.ServiceStopped, unboundName, yield)
	}
	return question(m, t, yield)
}

// question reads "ADDRESS NAME. TYPE CLASS[ RCODE ...]".
func question(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	address, rest := said.FirstWord(t)
	ip := said.Address(address)
	if ip == nil {
		return true // statistics, and what it did to answer
	}
	name, rest := said.FirstWord(rest)
	kind, rest := said.FirstWord(rest)
	class, rest := said.FirstWord(rest)
	if len(kind) == 0 || len(class) == 0 {
		return false
	}
	code, _ := said.FirstWord(rest)
	e := m.Event(event.DNSQuery)
	e.Add(event.ServiceName, unboundName)
	e.Add(event.SourceIP, ip)
	if string(kind) != "TYPE0" { // of a question that it refused to read, "null TYPE0 CLASS0"
		e.Add(event.DNSName, bytes.TrimSuffix(name, []byte(".")))
		e.Add(event.DNSType, kind)
	}
	if string(code) != "NOERROR" {
		e.Add(event.AuthReason, code)
	}
	yield(e)
	return true
}

// dnsmasq reads "[serial ADDRESS/PORT ]query[TYPE] NAME from ADDRESS". Leases, and how an answer was found, are understood and told of nobody.
func dnsmasq(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	var port []byte
	if n := len(said.Number(t)); n > 0 && n < len(t) && t[n] == ' ' {
		client, rest := said.FirstWord(t[n+1:])
		if address, p, ok := said.CutLast(client, "/"); ok && said.Address(address) != nil {
			t, port = rest, said.Number(p)
		}
	}
	switch {
	case string(m.Program) != "dnsmasq":
		return true
	case bytes.HasPrefix(t, []byte("started, ")):
		return told(m, event.ServiceStarted, dnsmasqName, yield)
	case bytes.HasPrefix(t, []byte("exiting on receipt of SIGTERM")):
		return told(m, event.ServiceStopped, dnsmasqName, yield)
	}
	rest, ok := said.Rest(t, "query[")
	if !ok {
		return len(t) > 0
	}
	kind, rest, ok := said.Cut(rest, "] ")
	name, address, ok2 := said.CutLast(rest, " from ")
	ip := said.Address(address)
	if !ok || !ok2 || ip == nil {
		return false
	}
	e := m.Event(event.DNSQuery)
	e.Add(event.ServiceName, dnsmasqName)
	e.Add(event.SourceIP, ip)
	e.Add(event.SourcePort, port)
	e.Add(event.DNSName, bytes.TrimSuffix(name, []byte(".")))
	e.Add(event.DNSType, kind)
	yield(e)
	return true
}

func told(m *artifact.Message, k event.Kind, name []byte, yield func(*event.Event)) bool {
	e := m.Event(k)
	e.Add(event.ServiceName, name)
	yield(e)
	return true
}

// epoch reads "[seconds] unbound[pid:thread] " and "Mon dd hh:mm:ss unbound[pid:thread] ", and leaves "[pid:thread] ..." as syslog has it.
func epoch(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	var rest []byte
	if digits := said.Number(t[min(1, len(t)):]); t[0] == '[' && len(digits) >= 9 && len(digits) <= 10 && len(t) > len(digits)+3 && t[len(digits)+1] == ']' {
		at = evidence.Time{Sec: int64(logclock.Digits(digits)), Step: time.Second}
		rest = t[len(digits)+2:]
	} else {
		var n int
		if at, n = c.BSD(t); n == 0 {
			return at, t, false
		}
		rest = t[n:]
	}
	text, ok = said.Rest(bytes.TrimLeft(rest, " "), "unbound")
	return at, text, ok && len(text) > 0 && text[0] == '['
}

// ours tells a line of Unbound's own log.
func ours(line []byte) bool {
	if len(line) < 20 {
		return false
	}
	_, _, ok := epoch(&logclock.Clock{Year: 2000}, line)
	return ok && line[0] == '['
}
