package cms

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// Drupal gives the artefact of what Drupal's module syslog sends.
func Drupal() *artifact.Artifact {
	return &artifact.Artifact{Name: "drupal", Doc: "logins to Drupal sites, and what was changed in them", Spec: "Drupal 6 to 11 core/modules/syslog (format !base_url|!timestamp|!type|!ip|!request_uri|!referer|!uid|!link|!message)", Programs: []string{"drupal"}, Decode: drupal,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ProgramSaid}}
}

var drupalName = []byte("drupal")

// drupalFields is how many fields a message has.
const drupalFields = 9

// drupal reads "base_url|timestamp|type|ip|request_uri|referer|uid|link|message". The first four fields are the server's. The address asked for, the referrer and a name within the
// message are the client's and may hold bars: only a message with just as many bars as the format has is taken apart behind them.
func drupal(m *artifact.Message, yield func(*event.Event)) bool {
	site, rest, ok := said.Cut(m.Text, "|")
	stamp, rest, ok2 := said.Cut(rest, "|")
	kind, rest, ok3 := said.Cut(rest, "|")
	address, rest, ok4 := said.Cut(rest, "|")
	ip := said.Address(address)
	if !ok || !ok2 || !ok3 || !ok4 || ip == nil || len(stamp) == 0 || len(said.Number(stamp)) != len(stamp) {
		return false
	}
	if string(kind) != "user" {
		return true // pages not found, errors of PHP, what modules say
	}
	_, last, _ := said.CutLast(rest, "|")
	return drupalUser(m, host(site), ip, last, bytes.Count(m.Text, []byte("|")) == drupalFields-1, yield)
}

// drupalUser reads the last field of a message about an account; whole says that it must be the whole message.
func drupalUser(m *artifact.Message, site, ip, last []byte, whole bool, yield func(*event.Event)) bool {
	message := last
	if !whole {
		message = nil
	}
	e := m.Event(event.AuthFailed)
	failed := bytes.HasPrefix(last, []byte("Login attempt failed ")) // whoever adds bars to this one has failed all the same
	opened, isOpened := said.Rest(message, "Session opened for ")
	switch {
	case failed:
		if name, ok := said.Rest(message, "Login attempt failed for "); ok {
			e.Add(event.UserName, bytes.TrimSuffix(name, []byte(".")))
		}
	case isOpened:
		e.Kind = event.AuthAccepted
		e.Add(event.UserName, bytes.TrimSuffix(opened, []byte(".")))
	case said.BeginsAny(message, []string{"Password reset instructions mailed to ", "User ", "New user: ", "Deleted user: ", "Used one-time login link"}), whole && bytes.Contains(message, []byte(" used one-time login link")):
		e.Kind = event.ProgramSaid
		e.Add(event.Message, message)
	default:
		return whole // "Session closed for x."
	}
	e.Add(event.ServiceName, drupalName)
	e.Add(event.SourceIP, ip)
	if e.Kind != event.ProgramSaid {
		e.Add(event.AuthMethod, password)
	}
	e.Add(event.URLDomain, site)
	yield(e)
	return true
}

// host takes scheme and path off a site's address.
func host(site []byte) []byte {
	if _, rest, ok := said.Cut(site, "://"); ok {
		site = rest
	}
	site, _, _ = said.Cut(site, "/")
	return site
}
