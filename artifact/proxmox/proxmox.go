// Package proxmox decodes logins to the API and the web interface of Proxmox VE, Mail Gateway and Backup Server, which give a host and all its guests. The address comes
// first, from the server; the name is the client's word and the reason may repeat it.
package proxmox

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "proxmox", Doc: "logins to Proxmox VE, Mail Gateway and Backup Server: accepted, and refused from where", Spec: "pve-access-control PVE/API2/AccessControl.pm, PVE/API2/OpenId.pm; pmg-api PMG/API2/AccessControl.pm; proxmox-backup src/api2/access.rs",
		Programs: []string{"pvedaemon", "pveproxy", "pmgdaemon", "pmgproxy", "proxmox-backup-api", "proxmox-backup-proxy"}, Decode: decode, Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

var (
	yes      = []byte("true")
	password = []byte("password")
	openid   = []byte("openid")
)

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if rest, ok := said.Rest(m.Text, "authentication failure; rhost="); ok {
		return refused(m, rest, password, yield)
	}
	if rest, ok := said.Rest(m.Text, "openid authentication failure; rhost="); ok {
		return refused(m, rest, openid, yield)
	}
	return accepted(m, yield)
}

// refused reads "ADDRESS user=NAME@REALM msg=REASON". The name ends where the first reason begins; a name with " msg=" in it loses its end, the address nothing.
func refused(m *artifact.Message, rest, method []byte, yield func(*event.Event)) bool {
	from, rest, ok := said.Cut(rest, " ")
	ip := said.Address(from)
	if ip == nil {
		ip, _ = said.AddressPort(from)
	}
	if !ok || ip == nil {
		return false
	}
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, m.Program)
	name, named := said.Rest(rest, "user=")
	if named {
		name, rest, _ = said.Cut(name, " msg=")
		e.Add(event.UserName, name)
	}
	if bytes.HasPrefix(rest, []byte("no such user")) {
		e.Add(event.UserInvalid, yes)
	}
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, method)
	yield(e)
	return true
}

// accepted reads "<root@pam> successful auth for user 'NAME@REALM'", on Proxmox VE with the name under which it writes to the cluster's log in front. It names no address, and the
// web interface gets itself a new ticket in the same words now and then.
func accepted(m *artifact.Message, yield func(*event.Event)) bool {
	text, method := m.Text, password
	if len(text) > 0 && text[0] == '<' {
		if i := bytes.Index(text, []byte("> ")); i > 0 {
			text = text[i+2:]
		}
	}
	name, ok := said.Rest(text, "successful auth for user '")
	if !ok {
		if name, ok = said.Rest(text, "successful openid auth for user '"); !ok {
			return false
		}
		method = openid
	}
	if n := len(name); n < 2 || name[n-1] != '\'' {
		return false
	}
	e := m.Event(event.AuthAccepted)
	e.Add(event.ServiceName, m.Program)
	e.Add(event.UserName, name[:len(name)-1])
	e.Add(event.AuthMethod, method)
	yield(e)
	return true
}
