// Package roundcube reads the logins of the web mail Roundcube, from its own files and from syslog. The name is the client's word; the address is the last
// one before what the mail server answered.
package roundcube

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const spec = "Roundcube 0.9 to 1.6 program/lib/Roundcube/rcube_imap.php, program/include/rcmail.php (log_login, log_driver)"

// New gives the artefact of what goes to syslog.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "roundcube", Doc: "logins to the web mail Roundcube: accepted and refused, from where", Spec: spec, Programs: []string{"roundcube"}, Decode: decode, Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

// File gives the artefact of its own logs.
func File() *artifact.Artifact {
	return &artifact.Artifact{Name: "roundcube-log", Doc: New().Doc, Spec: spec, Files: []string{"/var/log/roundcube{,mail}/{errors,userlogins}*", "{webroot}/**/logs/{errors,userlogins}{,.log}", "/usr/local/cpanel/base/3rdparty/roundcube/logs/*"}, Log: true, Sniff: artifact.MostLines(ours), Parse: artifact.Stamped("roundcube", stamp, decode), Kinds: New().Kinds}
}

var service, password = []byte("roundcube"), []byte("password")

// decode reads "[<session> ]IMAP Error: Login failed for NAME from IP. AUTHENTICATE ...", "Failed login for NAME from IP in session ID (error: 0)" and
// "Successful login for NAME (ID: 1) from IP in session ID".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if len(t) > 0 && t[0] == '<' {
		if _, rest, ok := said.Cut(t, "> "); ok {
			t = rest
		}
	}
	if _, text, again := stamp(nil, t); again { // the log's own stamp, in what goes to syslog too
		t = text
	} else if bytes.HasPrefix(t, []byte("[")) { // before 0.3 without a colon behind it
		if head, text, ok := said.Cut(t, "] "); ok && len(head) == len("[10-Apr-2009 22:45:20 -0500") {
			t = text
		}
	}
	k := event.AuthFailed
	var rest []byte
	ok := false
	for _, p := range [...]string{"IMAP Error: Login failed for ", "Failed login for ", "FAILED login for ", "Login failed for ", "Successful login for "} {
		if rest, ok = said.Rest(t, p); ok {
			if p[0] == 'S' {
				k = event.AuthAccepted
			}
			break
		}
	}
	if !ok {
		return true // other errors
	}
	for _, end := range [...]string{". AUTHENTICATE ", ". LOGIN: ", " in session "} { // the mail server's answer may quote the name once more
		if before, _, found := said.Cut(rest, end); found {
			rest = before
			break
		}
	}
	for {
		name, after, found := said.CutLast(rest, " from ")
		if !found {
			return true
		}
		word, _ := said.FirstWord(after)
		if i := bytes.IndexByte(word, '('); i > 0 { // "1.2.3.4(X-Forwarded-For: ..)", which the client chooses
			word = word[:i]
		}
		if ip := said.Address(bytes.TrimRight(word, ".")); ip != nil {
			name = bare(name)
			e := m.Event(k)
			e.Add(event.ServiceName, service)
			e.Add(event.UserName, name)
			e.Add(event.SourceIP, ip)
			e.Add(event.AuthMethod, password)
			yield(e)
			return true
		}
		rest = name
	}
}

// bare takes off what the program puts behind a name: " (ID: 6)", in old releases " (id 6)", and " against HOST" since 1.4.
func bare(name []byte) []byte {
	for _, p := range [...]string{" (ID: ", " (id "} {
		if before, id, ok := said.CutLast(name, p); ok && string(bytes.TrimLeft(id, "0123456789")) == ")" {
			return before
		}
	}
	if before, host, ok := said.CutLast(name, " against "); ok && bytes.IndexByte(host, ' ') < 0 {
		return before
	}
	return name
}

// stamp reads "[dd-Mon-yyyy hh:mm:ss +zzzz]: ".
func stamp(_ *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if len(t) < 31 || t[0] != '[' || t[12] != ' ' || t[21] != ' ' || t[27] != ']' || t[28] != ':' {
		return at, t, false
	}
	var b [26]byte // the same as the web server's stamp has it
	copy(b[:], t[1:27])
	b[2], b[6], b[11] = '/', '/', ':'
	at, n := logclock.CLF(b[:])
	return at, bytes.TrimLeft(t[29:], " "), n > 0
}

// ours tells a line of Roundcube's own logs.
func ours(line []byte) bool {
	_, text, ok := stamp(nil, line)
	return ok && (bytes.Contains(text, []byte(" login for ")) || bytes.Contains(text, []byte("IMAP Error: ")) || bytes.Contains(text, []byte("PHP Error: ")))
}
