// Package froxlor decodes refused logins to the hosting panel Froxlor. The address stands in a field of the panel's own.
package froxlor

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "froxlor", Doc: "refused logins to the hosting panel Froxlor", Spec: "Froxlor 0.9 lib/classes/logger/class.SysLogger.php; 2.x lib/Froxlor/FroxlorLogger.php (Monolog's LineFormatter)",
		Programs: []string{"froxlor", "Froxlor"}, Decode: decode, Kinds: []event.Kind{event.AuthFailed}}
}

var service, password = []byte("froxlor"), []byte("password")

// decode reads `froxlor.WARNING: Unknown user tried to login. {"source":"login","action":"50","user":"1.2.3.4"} []` and, of old releases,
// "[Login Action 1.2.3.4] Unknown user 'NAME' tried to login.".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if rest, ok := said.Rest(m.Text, "[Login Action "); ok {
		address, text, ok := said.Cut(rest, "] ")
		if ip := said.Address(address); ok && ip != nil {
			return refused(m, ip, text, yield)
		}
		return true // of an account: what it did
	}
	rest, ok := said.Rest(m.Text, "froxlor.")
	if !ok {
		return said.BeginsAny(m.Text, []string{"["})
	}
	_, rest, ok = said.Cut(rest, ": ")
	text, context, ok2 := said.CutLast(rest, ` {"source":"`)
	_, user, ok3 := said.CutLast(context, `"user":"`)
	if !ok || !ok2 || !ok3 {
		return ok
	}
	address, _, _ := said.Cut(user, `"`)
	if ip := said.Address(address); ip != nil && bytes.HasPrefix(context, []byte("login")) {
		return refused(m, ip, text, yield)
	}
	return true
}

func refused(m *artifact.Message, ip, text []byte, yield func(*event.Event)) bool {
	if !bytes.Contains(text, []byte("tried to login")) {
		return true
	}
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	if _, rest, ok := said.Cut(text, "'"); ok {
		name, _, _ := said.CutLast(rest, "'")
		e.Add(event.UserName, name)
	} else if rest, ok := said.Rest(text, "User "); ok { // "User NAME tried to login with wrong password."
		if name, _, ok := said.CutLast(rest, " tried to login"); ok {
			e.Add(event.UserName, name)
		}
	}
	if bytes.HasPrefix(text, []byte("Unknown user")) {
		e.Add(event.UserInvalid, []byte("true"))
	}
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}
