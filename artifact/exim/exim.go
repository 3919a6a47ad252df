// Package exim reads Exim's main log, and the same words in syslog: who handed a mail in (a local account, an
// authenticated one, a host), where it went, who guessed passwords. Senders, HELO names, subjects and other servers'
// answers are strangers' words; Exim puts fields in a fixed order, so each is read before theirs begin.
package exim

import (
	"bytes"
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "exim", Doc: "mail: who handed it in, where it went, who guessed passwords", Spec: "Exim 4.98 spec.txt chapter 53, log files; src/receive.c, src/deliver.c",
		Files: []string{"/var/log/exim4/{mainlog,rejectlog}", "/var/log/exim/{mainlog,main.log,rejectlog,reject.log}", "/var/log/exim_{mainlog,rejectlog}", "/var/log/exim-main.log"}, Log: true, Sniff: sniff, Parse: artifact.StampedAbove("exim", stamp, decode, below),
		Programs: []string{"exim", "exim4"}, Decode: decode,
		Kinds: []event.Kind{event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.MailRejected, event.MailRemoved, event.AuthFailed, event.ConnectionSeen, event.ServiceStarted, event.ProgramSaid},
	}
}

// below tells the lines without a stamp that belong to the one above: those that are indented, and in a log of rejections the headers of the mail. Each of those has a letter
// and a blank before it, so that none looks like a line of Exim's.
func below(in *artifact.Input, line []byte) bool {
	return line[0] == ' ' || strings.Contains(in.Path, "reject")
}

func sniff(head []byte) bool {
	n, good := 0, 0
	for line := range bytes.Lines(head) {
		if n++; n > 20 {
			break
		}
		if _, rest, ok := stamp(&logclock.Clock{}, line); ok {
			if ours(rest) {
				good++
			}
		}
	}
	return good > 0 && good*3 > n
}

// ours tells the text of one of Exim's lines: it begins with a message's id, or with words that are Exim's own.
func ours(t []byte) bool {
	if rest, ok := said.Rest(t, "["); ok { // log_selector pid
		pid := said.Number(rest)
		if after, ok := said.Rest(rest[len(pid):], "] "); ok && len(pid) > 0 {
			t = after
		}
	}
	if id, _ := said.FirstWord(t); messageID(id) {
		return true
	}
	name, _, refused := said.Cut(t, " authenticator failed for ")
	return refused && bytes.IndexByte(name, ' ') < 0 || bytes.HasPrefix(t, []byte("H=")) && bytes.Contains(t, []byte(" [")) ||
		said.BeginsAny(t, []string{"SMTP protocol ", "SMTP call from ", "SMTP connection ", "no MAIL in SMTP connection ", "no host name found for IP address ", "no IP address found for host ", "Start queue run: ", "End queue run: ", "exim 4.", "TLS error on connection "})
}

// stamp reads "yyyy-mm-dd hh:mm:ss[.mmm] [+zzzz ]" (log_selector millisec, log_timezone).
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, rest []byte, ok bool) {
	at, n := c.ISO(t)
	if n < 19 || n >= len(t) || t[n] != ' ' || t[10] != ' ' {
		return at, t, false
	}
	if len(t) > n+7 && (t[n+1] == '+' || t[n+1] == '-') && t[n+6] == ' ' {
		var b [48]byte // the same without the blank before the offset
		s := append(append(b[:0], t[:min(n, 40)]...), t[n+1:n+6]...)
		if zoned, k := c.ISO(s); k == len(s) {
			return zoned, t[n+7:], true
		}
	}
	return at, t[n+1:], true
}
