// Package directadmin reads the logins to the hosting panel DirectAdmin. The address stands first, in quotes.
package directadmin

import (
	"bytes"
	"context"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "directadmin", Doc: "logins to the hosting panel DirectAdmin", Spec: "DirectAdmin 1.4x login.log, security.log", Files: []string{"/var/log/directadmin/{login,security}.log"}, Log: true, Sniff: artifact.MostLines(ours), Parse: parse,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed}}
}

var service, password, yes, noStamp, unread = []byte("directadmin"), []byte("password"), []byte("true"), []byte("directadmin line"), []byte("directadmin")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			at, text, ok := stamp(in.Clock, t)
			if !ok {
				in.Seen.Unknown(noStamp)
				continue
			}
			in.Seen.Record(at)
			if !read(&e, text) {
				in.Seen.Unknown(unread)
				continue
			}
			e.At, e.Ref, e.Raw = at, ref, t
			if !yield(e, nil) {
				return
			}
		}
	}
}

// read reads "'IP' 2 failed login attempts. Account 'NAME'", "'IP' 5 failed login attempt. Invalid account 'NAME'" and "'IP' successful login to 'NAME' after 1
// attempts". The name is escaped as in a URL.
func read(e *event.Event, t []byte) bool {
	rest, ok := said.Rest(t, "'")
	ip, rest, ok2 := said.Cut(rest, "' ")
	address := said.Address(ip)
	if !ok || !ok2 || address == nil {
		return false
	}
	k := event.AuthFailed
	count := said.Number(rest)
	switch {
	case bytes.HasPrefix(rest, []byte("successful login to '")):
		k, count = event.AuthAccepted, nil
	case len(count) > 0 && bytes.HasPrefix(rest[len(count):], []byte(" failed login attempt")):
	default:
		return false
	}
	e.Reset(k)
	e.Add(event.ServiceName, service)
	invalid := bytes.Contains(rest, []byte(". Invalid account '"))
	if _, name, ok := said.Cut(rest[len(count):], "'"); ok {
		name, _, _ = said.Cut(name, "'")
		e.Add(event.UserName, name)
	}
	if invalid {
		e.Add(event.UserInvalid, yes)
	}
	e.Add(event.SourceIP, address)
	e.Add(event.AuthMethod, password)
	if len(count) > 1 || len(count) == 1 && count[0] > '1' {
		e.Add(event.EventCount, count[:min(len(count), 6)])
	}
	return true
}

// stamp reads "yyyy:mm:dd-hh:mm:ss: ".
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if len(t) < 22 || t[4] != ':' || t[7] != ':' || t[10] != '-' || t[13] != ':' || t[16] != ':' || t[19] != ':' || t[20] != ' ' {
		return at, t, false
	}
	at, ok = c.Local(logclock.Digits(t[:4]), time.Month(logclock.Digits(t[5:7])), logclock.Digits(t[8:10]), logclock.Digits(t[11:13]), logclock.Digits(t[14:16]), logclock.Digits(t[17:19]), 0, time.Second)
	return at, t[21:], ok
}

// ours tells a line of these logs.
func ours(line []byte) bool {
	_, text, ok := stamp(&logclock.Clock{}, line)
	return ok && text[0] == '\''
}
