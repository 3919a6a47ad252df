package alarms

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// Scans gives the artefact of the daemons that watch for scans of ports.
func Scans() *artifact.Artifact {
	return &artifact.Artifact{Name: "scan-watchers", Doc: "which addresses scanned the ports of the host, by scanlogd and portsentry", Spec: "scanlogd 2.2 scanlogd.c (do_log); portsentry 1.2 portsentry_io.c, portsentry.c (attackalert)",
		Programs: []string{"scanlogd", "portsentry"}, Decode: scans, Kinds: kinds()}
}

// scans reads scanlogd's "IP to IP ports 80, 81, ..." and "IP:port to IP ports ...", and portsentry's "attackalert: ... from host: NAME/IP to TCP port: 1". The name is the
// address owner's, and may hold a slash as little as any name of DNS.
func scans(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if bytes.Equal(m.Program, []byte("scanlogd")) {
		from, rest, ok := said.Cut(t, " to ")
		ip, _ := said.AddressPort(from)
		if !ok || ip == nil || !bytes.Contains(rest, []byte(" port")) {
			return len(t) > 0 && !bytes.Contains(t, []byte(" port"))
		}
		return alarm{service: "scanlogd", ip: ip, message: t, change: warned}.yield(m, yield)
	}
	what, ok := said.Rest(t, "attackalert: ")
	if !ok {
		return said.BeginsAny(t, []string{"adminalert: ", "securityalert: "})
	}
	_, rest, ok := said.Cut(what, "host: ")
	if !ok {
		_, rest, ok = said.Cut(what, "Host ")
	}
	host, _ := said.FirstWord(rest)
	if _, after, slash := said.CutLast(host, "/"); slash {
		host = after
	}
	ip := said.Address(host)
	if !ok || ip == nil {
		return true
	}
	change := warned
	if bytes.Contains(what, []byte("has been blocked")) {
		change = banned
	}
	return alarm{service: "portsentry", ip: ip, message: t, change: change}.yield(m, yield)
}
