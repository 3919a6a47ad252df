package vsftpd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

var service, password, yes = []byte("vsftpd"), []byte("password"), []byte("true")

// decode reads
//
//	[user] FAIL LOGIN: Client "ip"
//	[user] OK LOGIN: Client "ip"[, anon password "text"]
//	[user] OK UPLOAD: Client "ip", "path", n bytes, x Kbyte/sec
//	[user] OK DELETE: Client "ip", "path"
//	[user] FTP command: Client "ip", "text" (log_ftp_protocol)
//	[user] FTP response: Client "ip", "530 Permission denied."
//
// Until a login is accepted the user is a stranger's text, and may hold the words of another line.
// A refusal is therefore told by its end, which holds nothing of the client's. The path is his too,
// so the address is taken from before it, and transfers must end as only they do.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if _, n := (&logclock.Clock{Year: 2000}).Asctime(t); n > 0 { // a wrapper sent whole lines of its log to syslog, whose stamp counts
		t = bytes.TrimLeft(t[n:], " ")
	}
	if rest, ok := said.Rest(t, "[pid "); ok { // some releases put it here for syslog too
		if _, after, ok := said.Cut(rest, "] "); ok {
			t = after
		}
	}
	if len(t) == 0 || t[0] != '[' {
		return said.BeginsAny(t, []string{"CONNECT: Client ", "FTP ", "pam_", "DEBUG: ", "OK ", "FAIL "})
	}
	const fail = `] FAIL LOGIN: Client "`
	user, ip, ok := said.CutLast(t, fail)
	if before, _, found := said.Cut(ip, `", "User is not in the `); found { // userlist_log
		ip = append(before[:len(before):len(before)], '"')
	} else if before, ok := bytes.CutSuffix(ip, []byte(`", "530 Permission denied."`)); ok { // as Fedora's says why
		ip = append(before[:len(before):len(before)], '"')
	} else if before, ok := bytes.CutSuffix(ip, []byte(`", "530 Login incorrect."`)); ok {
		ip = append(before[:len(before):len(before)], '"')
	}
	if ok && len(ip) > 0 && said.Address(ip[:len(ip)-1]) != nil {
		login(m, event.AuthFailed, user[1:], ip[:len(ip)-1], yield)
		return true
	}
	var what []byte
	if user, what, ok = said.Cut(t[1:], "] "); !ok {
		return false
	}
	what, rest, ok := said.Cut(what, `: Client "`)
	ip, rest, ok2 := said.Cut(rest, `"`)
	if !ok || !ok2 {
		return false
	}
	if string(what) == "FTP response" {
		if string(rest) == `, "530 Permission denied."` && bytes.Count(t, []byte(`: Client "`)) == 1 { // of an account that may not log in: no other line tells
			login(m, event.AuthFailed, user, ip, yield)
		}
		return true
	}
	if string(what) == "OK UPLOAD" || string(what) == "OK DOWNLOAD" {
		return moved(m, what, user, ip, rest, yield)
	}
	if bytes.Contains(rest, []byte(`] FTP command: Client "`)) || bytes.Contains(rest, []byte(`] FTP response: Client "`)) {
		return true // the client's words about itself, within a line that logs the protocol
	}
	switch string(what) {
	case "OK LOGIN":
		if len(rest) == 0 || bytes.HasPrefix(rest, []byte(`, anon password "`)) {
			login(m, event.AuthAccepted, user, ip, yield)
		}
	case "OK DELETE", "OK RMDIR":
		changed(m, event.FileRemoved, user, ip, rest, yield)
	case "OK MKDIR":
		changed(m, event.DirectoryMade, user, ip, rest, yield)
	case "OK RENAME", "OK CHMOD": // a harmless name may become a script's; both names in one pair of quotes
		e := m.Event(event.ProgramSaid)
		subject(e, user, ip)
		e.Add(event.Message, t)
		yield(e)
	}
	return true
}

// subject adds who did it.
func subject(e *event.Event, user, ip []byte) {
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, user)
	e.Add(event.SourceIP, said.Address(ip))
	if string(user) == "ftp" || string(user) == "anonymous" {
		e.Add(event.AuthAnonymous, yes)
	}
}

func login(m *artifact.Message, k event.Kind, user, ip []byte, yield func(*event.Event)) {
	e := m.Event(k)
	subject(e, user, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
}

// moved reads `, "path", n bytes, x Kbyte/sec`; a path may hold quotes: it ends at the last.
func moved(m *artifact.Message, what, user, ip, rest []byte, yield func(*event.Event)) bool {
	name, numbers, ok := said.CutLast(rest, `", `)
	name, ok2 := said.Rest(name, `, "`)
	size := said.Number(numbers)
	if !ok || !ok2 || !bytes.HasPrefix(numbers[len(size):], []byte(" bytes, ")) || !bytes.HasSuffix(numbers, []byte("byte/sec")) {
		return false
	}
	k := event.FileUploaded
	if string(what) == "OK DOWNLOAD" {
		k = event.FileDownloaded
	}
	e := m.Event(k)
	subject(e, user, ip)
	e.Add(event.FilePath, name)
	e.Add(event.FileSize, size)
	yield(e)
	return true
}

// changed reads `, "path"`.
func changed(m *artifact.Message, k event.Kind, user, ip, rest []byte, yield func(*event.Event)) {
	name, ok := said.Rest(rest, `, "`)
	if !ok || len(name) == 0 || name[len(name)-1] != '"' {
		return
	}
	e := m.Event(k)
	subject(e, user, ip)
	e.Add(event.FilePath, name[:len(name)-1])
	yield(e)
}
