// Package phpmail reads PHP's log of calls of mail(): which script sent, on which line, to whom. It names the very file behind spam that the mail server
// only knows by the web server's uid. What follows the script is the sender's text.
package phpmail

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

const spec = "PHP 5.3 to 8.4 ext/standard/mail.c (mail.log)"

// New gives the artefact of what goes to syslog ("mail.log = syslog").
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "phpmail", Doc: "mail that PHP's scripts sent: which script, to whom", Spec: spec, Programs: []string{"php", "php-fpm", "php-cli", "php-cgi", "ool www"}, Decode: decode, Kinds: []event.Kind{event.MailSubmitted}}
}

// File gives the artefact of a file of its own.
func File() *artifact.Artifact {
	return &artifact.Artifact{Name: "phpmail-log", Doc: New().Doc, Spec: spec, Files: []string{"/var/log/php*mail*.log", "/var/log/phpmail*", "/var/log/php/mail*.log", "/home/*/logs/phpmail.log"}, Log: true, Sniff: sniff, Parse: parse, Kinds: New().Kinds}
}

const mark = "mail() on ["

// decode reads "mail() on [/path/x.php:12]: To: a@b -- Headers: ... -- Subject: ...".
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	e := m.Event(event.MailSubmitted)
	if !fill(e, m.Text) {
		return false
	}
	yield(e)
	return true
}

func fill(e *event.Event, t []byte) bool {
	rest, ok := said.Rest(t, mark)
	where, rest, ok2 := said.Cut(rest, "]: To: ") // a script's name may hold a bracket; its line and this do not follow in it
	script, line, ok3 := said.CutLast(where, ":")
	if !ok || !ok2 || !ok3 || len(said.Number(line)) != len(line) {
		return false
	}
	to, _, _ := said.Cut(rest, " -- Headers: ")
	e.Add(event.FilePath, script)
	e.Add(event.MailTo, to)
	return true
}

var noStamp = []byte("php mail line")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			at, text, ok := stamp(in.Clock, t)
			if ok {
				e.Reset(event.MailSubmitted)
				ok = fill(&e, text)
			}
			if !ok { // the sender's headers go on over lines
				in.Seen.Unknown(noStamp)
				continue
			}
			in.Seen.Record(at)
			e.At, e.Ref, e.Raw = at, ref, t
			if !yield(e, nil) {
				return
			}
		}
	}
}

// stamp reads "[dd-Mon-yyyy hh:mm:ss Zone] ", which releases before 5.6 leave out.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if bytes.HasPrefix(t, []byte(mark)) {
		return at, t, true
	}
	if len(t) < 24 || t[0] != '[' || t[3] != '-' || t[7] != '-' || t[12] != ' ' || t[15] != ':' || t[18] != ':' {
		return at, t, false
	}
	i := bytes.IndexByte(t[:min(len(t), 64)], ']')
	if i < 21 {
		return at, t, false
	}
	year, month, day, h, m, s := logclock.Digits(t[8:12]), logclock.Month(t[4:7]), logclock.Digits(t[1:3]), logclock.Digits(t[13:15]), logclock.Digits(t[16:18]), logclock.Digits(t[19:21])
	if zone := string(t[21:i]); zone == " UTC" || zone == " GMT" {
		at, ok = logclock.Offset(year, month, day, h, m, s, 0, 0, time.Second)
	} else {
		at, ok = c.Local(year, month, day, h, m, s, 0, time.Second)
	}
	return at, bytes.TrimLeft(t[i+1:], " "), ok
}

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	_, text, ok := stamp(&logclock.Clock{}, line)
	return ok && bytes.HasPrefix(text, []byte(mark))
}
