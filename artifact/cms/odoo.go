package cms

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

// Odoo gives the artefact of Odoo's log.
func Odoo() *artifact.Artifact {
	return &artifact.Artifact{Name: "odoo", Doc: "logins to Odoo", Spec: "Odoo 10 to 17 odoo/netsvc.py (%(asctime)s %(pid)s %(levelname)s %(dbname)s %(name)s: %(message)s), odoo/addons/base/models/res_users.py",
		Files: []string{"/var/log/odoo/*.log", "/var/log/odoo*.log"}, Log: true, Sniff: artifact.MostLines(odooLine), Parse: artifact.StampedAbove("odoo", artifact.ISOStamp, odoo, odooBelow), Kinds: forgeKinds}
}

var odooName = []byte("odoo")

// odooWords takes "PID LEVEL DATABASE module.name: " off a line.
func odooWords(t []byte) (module, text []byte, ok bool) {
	pid, rest := said.FirstWord(t)
	_, rest = said.FirstWord(rest)
	_, rest = said.FirstWord(rest)
	module, text = said.FirstWord(rest)
	module, ok = bytes.CutSuffix(module, []byte(":"))
	return module, text, ok && len(pid) > 0 && len(said.Number(pid)) == len(pid)
}

func odooLine(line []byte) bool {
	_, text, ok := artifact.ISOStamp(&logclock.Clock{}, line)
	module, _, ok2 := odooWords(text)
	return ok && ok2 && (bytes.HasPrefix(module, []byte("odoo.")) || bytes.HasPrefix(module, []byte("werkzeug")))
}

// odooBelow tells the lines of a Python exception.
func odooBelow(_ *artifact.Input, t []byte) bool { return t[0] == ' ' || t[0] == '\t' || !digit(t[0]) }

func digit(c byte) bool { return c >= '0' && c <= '9' }

// odoo reads "Login failed for db:NAME login:NAME from IP" and "Login successful for db:...". What is logged in with stands before the address.
func odoo(m *artifact.Message, yield func(*event.Event)) bool {
	module, text, ok := odooWords(m.Text)
	if !ok {
		return false
	}
	if !bytes.HasSuffix(module, []byte(".res_users")) {
		return true // requests, which nginx before it tells better, jobs, modules
	}
	k := event.AuthFailed
	rest, ok := said.Rest(text, "Login failed for db:")
	if !ok {
		if rest, ok = said.Rest(text, "Login successful for db:"); !ok {
			return true
		}
		k = event.AuthAccepted
	}
	rest, from, ok := said.CutLast(rest, " from ")
	_, login, ok2 := said.Cut(rest, " login:")
	if !ok || !ok2 {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, odooName)
	e.Add(event.UserName, login)
	e.Add(event.SourceIP, said.Address(bytes.TrimRight(from, " ")))
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}
