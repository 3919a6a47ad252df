// Package cms reads what web applications say of their logins: WordPress (by the plugin WP fail2ban), Joomla, Drupal, Nextcloud and ownCloud, Gitea, GitLab. A name is the
// client's word in all of them: the address is taken from where the application put it, and a line that a name could have made is no login.
package cms

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// WordPress gives the artefact of what the plugin WP fail2ban sends to syslog; WordPress itself tells of no login.
func WordPress() *artifact.Artifact {
	return &artifact.Artifact{Name: "wordpress", Doc: "logins to WordPress sites, and what their guard refused", Spec: "WP fail2ban 2.x to 5.x (functions.php, feature/*.php)", Programs: []string{"wordpress", "wordpress(*", "wp", "wp(*"}, Decode: wordpress,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.AlarmRaised, event.ProgramSaid}}
}

var wordpressName, password, yes, found, refused = []byte("wordpress"), []byte("password"), []byte("true"), []byte("found"), []byte("refused")

// sayings are the plugin's words before a name or before " from ADDRESS".
var sayings = []struct {
	words   string
	kind    event.Kind
	unknown bool // no such account
	named   bool // a name follows
}{
	{"Accepted password for ", event.AuthAccepted, false, true},
	{"Authentication failure for ", event.AuthFailed, false, true}, {"Authentication attempt for unknown user ", event.AuthFailed, true, true},
	{"XML-RPC authentication failure for ", event.AuthFailed, false, true}, {"XML-RPC authentication attempt for unknown user ", event.AuthFailed, true, true},
	{"REST authentication failure for ", event.AuthFailed, false, true}, {"REST authentication attempt for unknown user ", event.AuthFailed, true, true},
	{"XML-RPC multicall authentication failure", event.AuthFailed, false, false}, {"Empty username", event.AuthFailed, false, false},
	{"Blocked authentication attempt for ", event.AlarmRaised, false, true}, {"Blocked username authentication attempt for ", event.AlarmRaised, false, true},
	{"Blocked user enumeration attempt", event.AlarmRaised, false, false}, {"Blocked access from country ", event.AlarmRaised, false, false},
	{"Untrusted X-Forwarded-For header", event.AlarmRaised, false, false}, {"Spam comment ", event.AlarmRaised, false, false},
	{"Pingback requested", event.ProgramSaid, false, false}, {"Pingback error ", event.ProgramSaid, false, false}, {"Password reset requested for ", event.ProgramSaid, false, true},
}

// wordpress reads "Authentication failure for NAME from ADDRESS"; the site stands in the program's name, "wordpress(example.org)".
func wordpress(m *artifact.Message, yield func(*event.Event)) bool {
	for _, s := range sayings {
		rest, ok := said.Rest(m.Text, s.words)
		if !ok {
			continue
		}
		name, address, ok := said.CutLast(bytes.TrimRight(rest, " "), " from ")
		ip := said.Address(address)
		if !ok || ip == nil {
			return false
		}
		e := m.Event(s.kind)
		e.Add(event.ServiceName, wordpressName)
		if s.named {
			e.Add(event.UserName, name)
		}
		if s.unknown {
			e.Add(event.UserInvalid, yes)
		}
		e.Add(event.SourceIP, ip)
		if _, site, ok := said.Cut(m.Program, "("); ok {
			e.Add(event.URLDomain, bytes.TrimSuffix(site, []byte(")")))
		}
		switch s.kind {
		case event.AuthAccepted, event.AuthFailed:
			e.Add(event.AuthMethod, password)
		case event.AlarmRaised:
			e.Add(event.Message, m.Text)
			e.Add(event.Change, refused)
		default:
			e.Add(event.Message, m.Text)
		}
		yield(e)
		return true
	}
	return said.BeginsAny(m.Text, []string{"Comment ", "Logged out", "Plugin ", "WPf2b"})
}
