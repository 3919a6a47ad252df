package errorlog

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

var apacheName, lighttpdName = []byte("apache"), []byte("lighttpd")

// fill makes the event of a line whose stamp is taken off.
func fill(e *event.Event, s server, t []byte) {
	e.Reset(event.HTTPError)
	switch s {
	case bare:
		if code, _ := apacheCode(t); code == nil { // else the server's own words, at its start
			e.Kind = event.ChildOutput
		}
		e.Add(event.Message, t)
	case apacheLine:
		apache(e, t)
	case nginxLine:
		nginx(e, t)
	case litespeedLine:
		litespeed(e, t)
	case lighttpdLine:
		lighttpd(e, t)
	case php:
		e.Add(event.Message, t)
	}
}

// apache reads "[mod:lvl] [pid n:tid m] (errno)text: [client ip:port] AHnnnnn: text, referer: x", the older
// "[lvl] [client ip] text", and any part of it missing. What a client chooses stands in the text.
func apache(e *event.Event, t []byte) {
	t = apacheHead(e, t)
	if firewall(e, t) {
		return
	}
	if bytes.HasPrefix(t, []byte("(")) && e.Get(event.SourceIP) == nil {
		if _, rest, ok := said.Cut(t, ": "); ok && (bytes.HasPrefix(rest, []byte("[client ")) || bytes.HasPrefix(rest, []byte("[remote "))) {
			t = apacheHead(e, rest)
		}
	}
	if where, rest, ok := said.Cut(t, ": "); ok && e.Get(event.SourceIP) == nil && bytes.HasPrefix(rest, []byte("[client ")) && bytes.HasPrefix(t, []byte("mod_")) && bytes.HasSuffix(where, []byte(")")) { // at level debug: "mod_authz_core.c(820): "
		t = apacheHead(e, rest)
	}
	code, rest := apacheCode(t)
	e.Add(event.ErrorCode, code)
	if code != nil {
		t = rest
	}
	if before, referrer, ok := said.CutLast(t, ", referer: "); ok {
		e.Add(event.HTTPReferrer, referrer)
		t = before
	}
	if e.Get(event.SourceIP) == nil && bytes.HasSuffix(t, []byte(" configured -- resuming normal operations")) {
		e.Kind = event.ServiceStarted
		e.Add(event.ServiceName, apacheName)
	}
	e.Add(event.UserName, tried(t))
	if text, ok := ofChild(t, string(code)); ok {
		e.Kind = event.ChildOutput
		t = text
	}
	e.Add(event.Message, t)
}

// ofChild gives what a child wrote to its stderr where the server quotes it: CGI scripts (AH01215), mod_fcgid, and
// FastCGI servers behind mod_proxy_fcgi (AH01071), of which PHP's own messages are none of a child's.
func ofChild(t []byte, code string) ([]byte, bool) {
	if code == "AH01215" {
		return t, true
	}
	if rest, ok := said.Rest(t, "mod_fcgid: stderr: "); ok {
		return rest, !bytes.HasPrefix(rest, []byte("PHP "))
	}
	if rest, ok := said.Rest(t, "Got error '"); ok && code == "AH01071" {
		return bytes.TrimSuffix(rest, []byte("'")), !bytes.HasPrefix(rest, []byte("PHP message: ")) && !bytes.HasPrefix(rest, []byte("Primary script unknown"))
	}
	return nil, false
}

// ofXML tells "body.xml:1: parser error : ...", which libxml2 writes to the server's own stderr when a module of it reads what a client sent (ModSecurity, PHP). The client's line and
// a mark below stand on the two lines that follow: none of them is a child's.
func ofXML(t []byte) bool {
	where, what, ok := said.Cut(t, ": ")
	if rest, line := said.Rest(what, "line "); line { // "Entity: line 1: parser error : "
		where, what, ok = said.Cut(rest, ": ")
	}
	number := where[bytes.LastIndexByte(where, ':')+1:]
	level, _, ok2 := said.Cut(what, " : ")
	return ok && ok2 && len(number) > 0 && len(said.Number(number)) == len(number) && len(level) < 40 && (bytes.HasSuffix(level, []byte("error")) || bytes.HasSuffix(level, []byte("warning")))
}

// apacheHead reads the bracketed fields at the beginning, each once: text may begin with a bracket too.
func apacheHead(e *event.Event, t []byte) []byte {
	for len(t) > 0 && t[0] == '[' {
		i := bytes.IndexByte(t, ']')
		if rest, ok := client(t[1:]); ok && len(rest) > 0 && rest[0] == '[' && i > 0 { // "[client [2001:db8::1]:51548]"
			if j := bytes.IndexByte(t[i+1:], ']'); j >= 0 {
				i += 1 + j
			}
		}
		if i < 0 {
			break
		}
		f := t[1:i]
		if pid, ok := said.Rest(f, "pid "); ok && e.Get(event.ProcessPID) == nil {
			e.Add(event.ProcessPID, said.Number(pid))
		} else if a, ok := client(f); ok && e.Get(event.SourceIP) == nil {
			address, port := split(a, e.Get(event.ProcessPID) != nil)
			e.Add(event.SourceIP, address)
			e.Add(event.SourcePort, port)
		} else if l := f[bytes.IndexByte(f, ':')+1:]; level(l) && e.Get(event.LogLevel) == nil {
			e.Add(event.LogLevel, l)
		} else if !bytes.HasPrefix(f, []byte("tid ")) {
			break
		}
		t = bytes.TrimLeft(t[i+1:], " ")
	}
	return t
}

func client(f []byte) (address []byte, ok bool) {
	if address, ok = said.Rest(f, "client "); !ok {
		address, ok = said.Rest(f, "remote ")
	}
	return address, ok
}

// split reads "1.2.3.4:5678", "1.2.3.4", "2001:db8::1:5678". Apache 2.4, which also writes its pid, has the port
// behind any address, 2.2 behind none: an IPv6 address with and without one may look alike.
func split(a []byte, withPort bool) (address, port []byte) {
	if i := bytes.LastIndexByte(a, ':'); withPort && i > 0 && bytes.Count(a, []byte(":")) > 1 {
		if whole := said.Address(a[:i]); whole != nil && len(said.Number(a[i+1:])) == len(a)-i-1 {
			return whole, said.Number(a[i+1:])
		}
	}
	return said.AddressPort(a)
}

// level tells a LogLevel of Apache.
func level(l []byte) bool {
	switch string(l) {
	case "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug":
		return true
	}
	return len(l) == 6 && string(l[:5]) == "trace"
}

// apacheCode reads "AHnnnnn: ".
func apacheCode(t []byte) (code, rest []byte) {
	if len(t) > 9 && t[0] == 'A' && t[1] == 'H' && len(said.Number(t[2:7])) == 5 && t[7] == ':' {
		return t[:7], bytes.TrimLeft(t[8:], " ")
	}
	return nil, t
}

// nginx reads `[lvl] pid#tid: *cid text, client: ip, server: s, request: "r", upstream: ...`.
func nginx(e *event.Event, t []byte) {
	if len(t) > 0 && t[0] == '[' {
		if i := bytes.IndexByte(t, ']'); i > 0 {
			e.Add(event.LogLevel, t[1:i])
			t = bytes.TrimLeft(t[i+1:], " ")
		}
	}
	if pid := said.Number(t); len(pid) > 0 && len(pid) < len(t) && t[len(pid)] == '#' {
		e.Add(event.ProcessPID, pid)
		if _, rest, ok := said.Cut(t, ": "); ok {
			t = rest
		}
	}
	if len(t) > 0 && t[0] == '*' {
		_, t = said.FirstWord(t)
	}
	line := t
	if t = nginxClient(e, t); string(t) == "client logged in" && e.Get(event.SourceIP) != nil {
		mailLogin(e, line)
	} else if bytes.HasPrefix(t, []byte(`client login failed: "`)) && e.Get(event.SourceIP) != nil {
		mailTried(e, line)
	}
	if firewall(e, t) {
		return
	}
	if peer, ok := said.Rest(t, "client "); ok && e.Get(event.SourceIP) == nil { // of mail: "client 192.0.2.1:4000 connected to 0.0.0.0:25"
		if peer, to := said.FirstWord(peer); bytes.HasPrefix(to, []byte("connected to ")) {
			address, port := said.AddressPort(peer)
			e.Add(event.SourceIP, address)
			e.Add(event.SourcePort, port)
		}
	}
	e.Add(event.UserName, triedNginx(t))
	const stderr = `FastCGI sent in stderr: "`
	if rest, ok := said.Rest(t, stderr); ok {
		if i := bytes.LastIndexByte(rest, '"'); i >= 0 {
			rest = rest[:i]
		}
		if !bytes.HasPrefix(rest, []byte("PHP message: ")) && !bytes.HasPrefix(rest, []byte("Primary script unknown")) {
			e.Kind = event.ChildOutput
		}
		t = rest
	}
	e.Add(event.Message, t)
}

// maxClients bounds how often a line may name a client.
const maxClients = 16

// nginxClient takes ", client: ip, server: ..." off. The text before it holds the path that a client asked for, decoded, and
// behind it stand its request and referrer, neither escaped. So where a line names several clients, nothing tells which
// of them the server named, and none is taken.
func nginxClient(e *event.Event, t []byte) []byte {
	const mark = ", client: "
	var ip []byte
	text, doubt := t, false
	for from, n := 0, 0; n < maxClients; n++ {
		i := bytes.Index(t[from:], []byte(mark))
		if i < 0 {
			break
		}
		i += from
		from = i + len(mark)
		a, _, _ := said.Cut(t[from:], ",")
		a = said.Address(bytes.TrimSuffix(a, []byte(" using starttls"))) // so of mail
		switch {
		case a == nil:
		case ip == nil:
			ip, text = a, t[:i]
		case !bytes.Equal(ip, a):
			doubt = true
		}
		if n == maxClients-1 {
			doubt = true
		}
	}
	if doubt {
		return t
	}
	e.Add(event.SourceIP, ip)
	if ip != nil {
		if _, referrer, ok := said.CutLast(t, `, referrer: "`); ok {
			e.Add(event.HTTPReferrer, bytes.TrimSuffix(referrer, []byte(`"`)))
		}
	}
	return text
}

// lighttpd reads "(file.c.line) text".
func lighttpd(e *event.Event, t []byte) {
	where, rest, ok := said.Cut(t, ") ")
	if ok {
		t = rest
	}
	if bytes.HasPrefix(t, []byte("server started")) {
		e.Kind = event.ServiceStarted
		e.Add(event.ServiceName, lighttpdName)
	}
	if _, ip, last := said.CutLast(t, "IP: "); ok && last && (bytes.Contains(where, []byte("mod_auth")) || bytes.Contains(where, []byte("http_auth"))) { // which puts the client last, behind the name that it chose; in others' words a path may hold this
		e.Add(event.UserName, triedLighttpd(t))
		e.Add(event.SourceIP, said.Address(ip))
	}
	e.Add(event.Message, t)
}
