package cms

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const nextcloudSpec = "Nextcloud 12 to 30 lib/private/Log/LogDetails.php, lib/private/Log/Syslog.php, apps/admin_audit; ownCloud 8 to 10 lib/private/Log/Owncloud.php"

var nextcloudKinds = []event.Kind{event.AuthAccepted, event.AuthFailed, event.FileUploaded, event.FileDownloaded, event.FileRemoved, event.ProgramSaid}

// Nextcloud gives the artefact of what Nextcloud and ownCloud send to syslog.
func Nextcloud() *artifact.Artifact {
	return &artifact.Artifact{Name: "nextcloud", Doc: "logins to Nextcloud and ownCloud", Spec: nextcloudSpec, Programs: []string{"Nextcloud", "nextcloud", "ownCloud", "owncloud"}, Decode: nextcloudSaid, Kinds: nextcloudKinds}
}

// NextcloudFile gives the artefact of their own logs.
func NextcloudFile() *artifact.Artifact {
	return &artifact.Artifact{Name: "nextcloud-log", Doc: "logins to Nextcloud and ownCloud, and the files that were moved there", Spec: nextcloudSpec,
		Files: []string{"/var/log/{nextcloud,owncloud}/*.log", "/var/log/{nextcloud,owncloud,audit_nextcloud}.log", "{webroot}/**/data/{nextcloud,owncloud,audit}.log", "/var/lib/nextcloud/**/{nextcloud,audit}.log", "/srv/**/{nextcloud,owncloud}.log"}, Log: true,
		Sniff: nextcloudSniff, Parse: nextcloudParse, Kinds: nextcloudKinds}
}

var nextcloudName, unread = []byte("nextcloud"), []byte("nextcloud line")

// cloudLine is a line of the log.
type cloudLine struct {
	Time       string `json:"time"`
	RemoteAddr string `json:"remoteAddr"`
	User       any    `json:"user"`
	App        string `json:"app"`
	Message    any    `json:"message"`
	UserAgent  string `json:"userAgent"`
	ReqID      string `json:"reqId"`
}

// maxLine bounds what is taken apart.
const maxLine = 64 << 10 // bytes

func nextcloudParse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		m := artifact.Message{Repeat: 1}
		going := true
		out := func(e *event.Event) { going = going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			var x cloudLine
			if len(t) > maxLine || t[0] != '{' || json.Unmarshal(t, &x) != nil {
				in.Seen.Unknown(unread)
				continue
			}
			at := cloudTime(in.Clock, x.Time)
			in.Seen.Record(at)
			m.At, m.Ref, m.Raw = at, ref, t
			user, _ := x.User.(string)
			text, _ := x.Message.(string)
			cloudTell(&m, []byte(text), x.RemoteAddr, user, x.UserAgent, x.App == "admin_audit", out)
			if !going {
				return
			}
		}
	}
}

// cloudTime reads the time of a line by "logdateformat": ISO 8601 unless an administrator chose, for whom PHP's "F j, Y H:i:s" is the example in the manual.
func cloudTime(c *logclock.Clock, text string) evidence.Time {
	if at, n := c.ISO([]byte(text)); n > 0 {
		return at
	}
	t, err := time.Parse("January 2, 2006 15:04:05", text)
	if err != nil {
		return evidence.Time{}
	}
	at, ok := c.Local(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.Second)
	if !ok {
		return evidence.Time{}
	}
	return at
}

func loopback(ip []byte) bool { return string(ip) == "::1" || bytes.HasPrefix(ip, []byte("127.")) }

// nextcloudSaid reads "{app} text" and a line of the log itself.
func nextcloudSaid(m *artifact.Message, yield func(*event.Event)) bool {
	if bytes.HasPrefix(m.Text, []byte(`{"`)) && len(m.Text) <= maxLine {
		var x cloudLine
		if json.Unmarshal(m.Text, &x) != nil {
			return false
		}
		user, _ := x.User.(string)
		text, _ := x.Message.(string)
		cloudTell(m, []byte(text), x.RemoteAddr, user, x.UserAgent, x.App == "admin_audit", yield)
		return true
	}
	app, text, ok := said.Cut(m.Text, "} ")
	if !ok || len(app) == 0 || app[0] != '{' {
		return false
	}
	cloudTell(m, text, "", "", "", string(app) == "{admin_audit", yield)
	return true
}

// deeds are what the audit tells of files, before a path in quotes.
var deeds = []struct {
	words string
	kind  event.Kind
}{{"File created: ", event.FileUploaded}, {"File written to: ", event.FileUploaded}, {"File accessed: ", event.FileDownloaded}, {"File deleted: ", event.FileRemoved}}

// cloudTell reads "Login failed: NAME (Remote IP: ADDRESS)" and, of the audit, `Login successful: "NAME"` and `File created: "PATH"`. Only the audit's word counts for a login: others quote
// what they are told.
func cloudTell(m *artifact.Message, text []byte, remote, user, agent string, audit bool, yield func(*event.Event)) {
	ip := said.Address([]byte(remote))
	if user == "--" { // nobody is logged in
		user = ""
	}
	add := func(k event.Kind, name, path []byte) { cloudEvent(m, k, name, ip, path, text, agent, yield) }
	if rest, ok := said.Rest(text, "Login failed: "); ok {
		name, address, ok := said.CutLast(rest, " (Remote IP: ")
		if a := said.Address(bytes.Trim(address, "')")); ok && a != nil && (ip == nil || loopback(ip)) { // the record has the proxy's, where it stands on this machine
			ip = a
		}
		add(event.AuthFailed, bytes.Trim(name, "'"), nil)
		return
	}
	if a := throttled(text); a != nil {
		if ip == nil {
			ip = a
		}
		add(event.ProgramSaid, []byte(user), nil)
		return
	}
	if !audit {
		return
	}
	if rest, ok := said.Rest(text, "Login successful: "); ok {
		add(event.AuthAccepted, bytes.Trim(rest, `"`), nil)
		return
	}
	for _, d := range deeds {
		if rest, ok := said.Rest(text, d.words); ok {
			add(d.kind, []byte(user), bytes.Trim(rest, `"`))
			return
		}
	}
	if said.BeginsAny(text, []string{"User created: ", "User deleted: ", "Password of user ", "App \"", "User \"", "The file \"", "The folder \""}) {
		add(event.ProgramSaid, []byte(user), nil)
	}
}

// throttled gives the address that the protection against guessing counts or slows down: the only trace of a guessed share, as a refused login has a line of its own besides.
// Throttler.php quotes the address, newer ones name it last.
func throttled(text []byte) []byte {
	if rest, ok := said.Rest(text, `Bruteforce attempt from "`); ok {
		a, _, _ := said.Cut(rest, `"`)
		return said.Address(a)
	}
	if said.BeginsAny(text, []string{"IP address throttled because it reached ", "IP address blocked because it reached "}) {
		_, a, _ := said.CutLast(text, "ip: ")
		return said.Address(bytes.TrimRight(a, "]"))
	}
	return nil
}

func cloudEvent(m *artifact.Message, k event.Kind, name, ip, path, text []byte, agent string, yield func(*event.Event)) {
	e := m.Event(k)
	e.Add(event.ServiceName, nextcloudName)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.FilePath, path)
	switch k {
	case event.AuthFailed, event.AuthAccepted:
		e.Add(event.AuthMethod, password)
	case event.ProgramSaid:
		e.Add(event.Message, text)
	}
	e.AddText(event.UserAgent, agent)
	yield(e)
}

func nextcloudSniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	var x cloudLine
	return len(line) > 2 && len(line) <= maxLine && line[0] == '{' && json.Unmarshal(line, &x) == nil && x.ReqID != "" && x.Message != nil && len(x.Time) > 18
}
