package cms

import (
	"bytes"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

var forgeKinds = []event.Kind{event.AuthAccepted, event.AuthFailed}

// Gitea gives the artefact of the log of Gitea and Forgejo.
func Gitea() *artifact.Artifact {
	return &artifact.Artifact{Name: "gitea", Doc: "refused logins to Gitea and Forgejo", Spec: "Gitea 1.4 to 1.22 routers/web/auth/auth.go (SignInPost), modules/log",
		Files: []string{"/var/lib/{gitea,forgejo}/log/*.log", "/var/log/{gitea,forgejo}/*.log", "/home/git/gitea/log/*.log"}, Log: true, Sniff: artifact.MostLines(giteaLine), Parse: artifact.Stamped("gitea", giteaStamp, gitea), Kinds: forgeKinds}
}

// GiteaSaid gives the artefact of what they say through the journal or syslog.
func GiteaSaid() *artifact.Artifact {
	return &artifact.Artifact{Name: "gitea-syslog", Doc: Gitea().Doc, Spec: Gitea().Spec, Programs: []string{"gitea", "forgejo"}, Decode: giteaMessage, Kinds: forgeKinds}
}

// GitLab gives the artefact of the log of GitLab's application.
func GitLab() *artifact.Artifact {
	return &artifact.Artifact{Name: "gitlab", Doc: "logins to GitLab", Spec: "GitLab 8 to 16 config/initializers/warden.rb, lib/gitlab/auth/activity.rb (application.log)",
		Files: []string{"/var/log/gitlab/gitlab-rails/application*.log", "/home/git/gitlab/log/application*.log", "/var/log/gitlab/application*.log"}, Log: true, Sniff: gitlabSniff, Parse: artifact.Stamped("gitlab", gitlabStamp, gitlab), Kinds: forgeKinds}
}

var giteaName, gitlabName = []byte("gitea"), []byte("gitlab")

// maxHead is how many words may stand before Gitea's own: where in the source, the level, the request's name.
const maxHead = 3

// giteaMessage takes the stamp off a message that has one besides the journal's.
func giteaMessage(m *artifact.Message, yield func(*event.Event)) bool {
	if _, text, ok := giteaStamp(&logclock.Clock{}, m.Text); ok {
		m.Text = text
	}
	return gitea(m, yield)
}

// gitea reads "[file:line:function() ][[request] ][I] Failed authentication attempt for NAME from IP:PORT: why". The name stands before the address and, in the reason, behind
// it once more: where the line holds another address in such a place, none is taken.
func gitea(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	for range maxHead {
		word, rest := said.FirstWord(t)
		if !bytes.HasSuffix(word, []byte("()")) && (len(word) < 3 || word[0] != '[' || word[len(word)-1] != ']') {
			break
		}
		t = rest
	}
	rest, ok := said.Rest(t, "Failed authentication attempt for ")
	if !ok {
		return len(m.Text) > 0 // requests, which may quote these words, queues, indexers
	}
	name, ip, port := giteaClient(rest)
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, giteaName)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.SourcePort, port)
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}

// maxClients bounds how often a line may name a client.
const maxClients = 16

func giteaClient(t []byte) (name, ip, port []byte) {
	const mark = " from "
	for from, n := 0, 0; n < maxClients; n++ {
		i := bytes.Index(t[from:], []byte(mark))
		if i < 0 {
			return name, ip, port
		}
		i += from
		from = i + len(mark)
		word, _ := said.FirstWord(t[from:])
		a, p := said.AddressPort(bytes.TrimSuffix(word, []byte(":")))
		switch {
		case a == nil:
		case ip == nil:
			name, ip, port = t[:i], a, p
		case !bytes.Equal(a, ip):
			return nil, nil, nil
		}
	}
	return nil, nil, nil
}

// giteaStamp reads "yyyy/mm/dd hh:mm:ss ".
func giteaStamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if len(t) < 21 || t[4] != '/' || t[7] != '/' || t[10] != ' ' || t[13] != ':' || t[16] != ':' || t[19] != ' ' {
		return at, t, false
	}
	at, ok = c.Local(logclock.Digits(t[:4]), time.Month(logclock.Digits(t[5:7])), logclock.Digits(t[8:10]), logclock.Digits(t[11:13]), logclock.Digits(t[14:16]), logclock.Digits(t[17:19]), 0, time.Second)
	return at, t[20:], ok
}

// giteaLine tells a line of Gitea's own log.
func giteaLine(line []byte) bool {
	_, text, ok := giteaStamp(&logclock.Clock{}, line)
	word, _ := said.FirstWord(bytes.TrimLeft(text, "."))
	return ok && bytes.Contains(word, []byte(".go:")) && bytes.HasSuffix(word, []byte("()"))
}

// gitlab reads "Failed Login: username=NAME ip=IP" and "Successful Login: username=NAME ip=IP method=standard admin=false".
func gitlab(m *artifact.Message, yield func(*event.Event)) bool {
	k := event.AuthFailed
	rest, ok := said.Rest(m.Text, "Failed Login: username=")
	if !ok {
		if rest, ok = said.Rest(m.Text, "Successful Login: username="); !ok {
			return true // what the application did, in words without end
		}
		k = event.AuthAccepted
		rest, _, _ = said.Cut(rest, " method=")
	}
	name, address, ok := said.CutLast(bytes.TrimRight(rest, " "), " ip=")
	ip := said.Address(address)
	if !ok || ip == nil {
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, gitlabName)
	e.Add(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	yield(e)
	return true
}

// gitlabStamp reads "yyyy-mm-ddThh:mm:ss.mmmZ: ".
func gitlabStamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	at, n := c.ISO(t)
	if n == 0 || n+1 >= len(t) || t[n] != ':' {
		return at, t, false
	}
	return at, bytes.TrimLeft(t[n+1:], " "), true
}

func gitlabSniff(head []byte) bool {
	return bytes.Contains(head, []byte(" Login: username=")) && artifact.MostLines(func(line []byte) bool {
		_, _, ok := gitlabStamp(&logclock.Clock{}, line)
		return ok && len(line) > 10 && line[10] == 'T'
	})(head)
}
