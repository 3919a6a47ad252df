// Package alarms reads what security tools said: lfd, CrowdSec, DenyHosts and sshguard of whom they shut out, scanlogd and portsentry of who scanned ports, ClamAV and Linux Malware Detect of files, AIDE, rkhunter and
// chkrootkit of what had changed, Suhosin of requests. The first alarm is often the first word of a break-in that anybody had, and the day a tool fell silent may be
// the intruder's. What a tool says is an alarm and no verdict.
package alarms

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// kinds are what the members yield.
func kinds() []event.Kind {
	return []event.Kind{event.AlarmRaised, event.ServiceStarted, event.ServiceStopped}
}

var banned, unbanned, found, infected, quarantined, changed, added, removed, warned = []byte("banned"), []byte("unbanned"), []byte("found"), []byte("infected"), []byte("quarantined"), []byte("file changed"), []byte("file added"), []byte("file removed"), []byte("warned")

// alarm is what is told of one.
type alarm struct {
	service                         string
	ip, user, path, message, change []byte
}

// yield makes the event; it tells true, for decoders to return.
func (a alarm) yield(m *artifact.Message, yield func(*event.Event)) bool {
	e := m.Event(event.AlarmRaised)
	e.AddText(event.ServiceName, a.service)
	e.Add(event.SourceIP, a.ip)
	e.Add(event.UserName, a.user)
	e.Add(event.FilePath, a.path)
	e.Add(event.Message, a.message)
	e.Add(event.Change, a.change)
	yield(e)
	return true
}

func state(m *artifact.Message, k event.Kind, service string, yield func(*event.Event)) bool {
	e := m.Event(k)
	e.AddText(event.ServiceName, service)
	e.Add(event.Change, m.Text)
	yield(e)
	return true
}

// network gives the address of "1.2.3.4/32" and "2001:db8::1/128".
func network(b []byte) []byte {
	address, _, _ := said.Cut(b, "/")
	return said.Address(address)
}

// SSHGuard gives the artefact of sshguard.
func SSHGuard() *artifact.Artifact {
	return &artifact.Artifact{Name: "sshguard", Doc: "whom sshguard blocked", Spec: "sshguard 1.5 to 2.4 src/blocker/blocker.c, src/common/service_names.c", Programs: []string{"sshguard", "sshg-blocker"}, Decode: sshguard, Kinds: kinds()}
}

// sshguard reads `Attack from "IP" on service SSH with danger 10.`, `Blocking "IP/32" for 120 secs (...)`, "Blocking IP:4 for >630secs: ..." and `IP: unblocking after 120 secs`.
func sshguard(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if rest, ok := said.Rest(t, `Attack from "`); ok {
		address, why, ok := said.Cut(rest, `" on `)
		if ip := said.Address(address); ok && ip != nil {
			return alarm{service: "sshguard", ip: ip, message: why, change: found}.yield(m, yield)
		}
		return false
	}
	if rest, ok := said.Rest(t, "Blocking "); ok {
		word, _ := said.FirstWord(rest)
		address := bytes.Trim(word, `"`)
		if i := bytes.LastIndexByte(word, ':'); i > 0 && word[0] != '"' { // 1.x puts its kind behind it, "1.2.3.4:4", "2001:db8::1:6"
			address = word[:i]
		}
		if ip := network(address); ip != nil {
			return alarm{service: "sshguard", ip: ip, message: t, change: banned}.yield(m, yield)
		}
		return false
	}
	address, rest, _ := said.Cut(t, ": ")
	if ip := network(bytes.Trim(address, `"`)); ip != nil && bytes.HasPrefix(rest, []byte("unblocking")) {
		return alarm{service: "sshguard", ip: ip, change: unbanned}.yield(m, yield)
	}
	switch {
	case said.BeginsAny(t, []string{"Now monitoring attacks", "Started successfully"}):
		return state(m, event.ServiceStarted, "sshguard", yield)
	case said.BeginsAny(t, []string{"Exiting on signal", "Got exit signal"}):
		return state(m, event.ServiceStopped, "sshguard", yield)
	}
	return said.BeginsAny(t, []string{"Releasing ", "Offender ", "blacklist", "Matched ", "whitelist", "Reloading"})
}

// Suhosin gives the artefact of PHP's guard Suhosin.
func Suhosin() *artifact.Artifact {
	return &artifact.Artifact{Name: "suhosin", Doc: "requests that PHP's guard Suhosin took offence at", Spec: "Suhosin 0.9 log.c (suhosin_log)", Programs: []string{"suhosin", "lighttpd"}, Decode: suhosin, Kinds: kinds()}
}

// suhosin reads "ALERT - TEXT (attacker 'IP', file 'PATH', line 1)". A variable's name in the text is the client's; the end is Suhosin's.
func suhosin(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if string(m.Program) == "lighttpd" { // which passes on what PHP wrote to stderr
		_, t, _ = said.Cut(t, ") FastCGI-stderr: ")
	}
	level, _, ok := said.Cut(t, " - ")
	text, end, ok2 := said.CutLast(t, " (attacker '")
	address, rest, ok3 := said.Cut(end, "', file '")
	if !ok || !ok2 || !ok3 || !bytes.HasPrefix(level, []byte("ALERT")) {
		return false
	}
	path, _, ok := said.CutLast(rest, "', line ")
	if !ok {
		path, _, _ = said.CutLast(rest, "')")
	}
	return alarm{service: "suhosin", ip: said.Address(address), path: path, message: text, change: found}.yield(m, yield)
}
