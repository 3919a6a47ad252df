// Package pppd decodes what a PPTP server says of its clients: pptpd tells the address and pppd, which it starts, the name and whether it was right. A refusal is told when pptpd names the process that it
// started and that has said so.
package pppd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "pppd", Doc: "logins to a PPTP server: accepted and refused, from where", Spec: "pptpd 1.3 and 1.4 {pptpctrl,pptpmanager}.c; ppp 2.4 and 2.5 pppd/{auth,chap}.c",
		Programs: []string{"pptpd", "pppd"}, Decode: newReader().decode, Fresh: func() func(*artifact.Message, func(*event.Event)) bool { return newReader().decode }, Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

// maxProcesses bounds what is kept of each program's processes.
const maxProcesses = 20000

// maxName bounds a name, in bytes.
const maxName = 256

type reader struct {
	from map[string]string // the address of a client, by the process of pptpd
	name map[string]string // who was refused, by the process of pppd
}

func newReader() *reader { return &reader{map[string]string{}, map[string]string{}} }

var service, password = []byte("pptpd"), []byte("password")

// decode reads
//
//	pptpd[26666]: CTRL: Client 192.0.2.1 control connection started
//	pppd[26669]: Peer bob failed CHAP authentication
//	pptpd[26666]: CTRL: Reaping child PPP[26669]
//	pptpd[26666]: CTRL: Client 192.0.2.1 control connection finished
//
// and "pppd[26669]: peer from calling number 192.0.2.1 authorized". The name is the client's.
func (r *reader) decode(m *artifact.Message, yield func(*event.Event)) bool {
	process := string(m.Host) + " " + string(m.PID)
	if string(m.Program) == "pptpd" {
		t, ok := said.Rest(m.Text, "CTRL: ")
		if rest, reaps := said.Rest(t, "Reaping child PPP["); ok && reaps {
			r.reaped(m, process, string(m.Host)+" "+string(said.Number(rest)), yield)
		} else if rest, client := said.Rest(t, "Client "); ok && client {
			r.client(process, rest)
		}
		return true
	}
	if rest, ok := said.Rest(m.Text, "peer from calling number "); ok {
		at, ok := bytes.CutSuffix(rest, []byte(" authorized"))
		if ip := said.Address(at); ok && ip != nil {
			tell(m.Event(event.AuthAccepted), "", ip, yield)
		}
	}
	if rest, ok := said.Rest(m.Text, "Peer "); ok {
		name, ok := bytes.CutSuffix(rest, []byte(" failed CHAP authentication"))
		if !ok {
			name, ok = bytes.CutSuffix(rest, []byte(" failed PAP authentication"))
		}
		if ok && len(r.name) < maxProcesses {
			r.name[process] = string(name[:min(len(name), maxName)])
		}
	}
	return true
}

func (r *reader) client(process string, rest []byte) {
	at, what := said.FirstWord(rest)
	switch ip := said.Address(at); {
	case ip != nil && string(what) == "control connection started" && len(r.from) < maxProcesses:
		r.from[process] = string(ip)
	case string(what) == "control connection finished":
		delete(r.from, process)
	}
}

func (r *reader) reaped(m *artifact.Message, process, child string, yield func(*event.Event)) {
	name, ok := r.name[child]
	delete(r.name, child)
	if ip := r.from[process]; ok && ip != "" {
		tell(m.Event(event.AuthFailed), name, []byte(ip), yield)
	}
}

func tell(e *event.Event, name string, ip []byte, yield func(*event.Event)) {
	e.Add(event.ServiceName, service)
	e.AddText(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
}
