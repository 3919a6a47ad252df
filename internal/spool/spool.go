// Package spool knows the folders in which mail servers keep mail that is under way, and what the name of a file there tells: Postfix (qmgr(8),
// global/mail_queue.h), Exim (spec, "Format of spool files" and "Message identification"), Sendmail ("Sendmail Installation and Operation Guide", queue mode).
package spool

import (
	"path"
	"strings"
	"time"
)

// Folders gives the folders of queues, as patterns of path.Match, without a slash at the beginning.
func Folders() []string {
	return []string{"var/spool/postfix/maildrop", "var/spool/postfix/incoming", "var/spool/postfix/active", "var/spool/postfix/deferred", "var/spool/postfix/hold", "var/spool/postfix-*/maildrop", "var/spool/postfix-*/incoming",
		"var/spool/postfix-*/active", "var/spool/postfix-*/deferred", "var/spool/postfix-*/hold", "var/spool/exim*/input", "var/spool/mqueue", "var/spool/clientmqueue", "var/spool/mqueue-client"}
}

// Mail is what the place and the name of a queue's file tell.
type Mail struct {
	Queue string    // "postfix maildrop", "exim", "sendmail mqueue"
	Since time.Time // when it came, where the name tells it
	// OwnerSent: who owns the file handed the mail in.
	OwnerSent bool
}

// Of tells whether a path is the file of one mail under way. Of the files that a mail has, one is taken.
func Of(name string) (m Mail, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(name, "/"), "var/spool/")
	if !ok {
		return m, false
	}
	server, rest, _ := strings.Cut(rest, "/")
	base := path.Base(rest)
	switch {
	case server == "postfix" || strings.HasPrefix(server, "postfix-"):
		queue, _, deeper := strings.Cut(rest, "/")
		switch queue {
		case "maildrop", "incoming", "active", "deferred", "hold":
			return Mail{Queue: server + " " + queue, OwnerSent: queue == "maildrop"}, deeper && alphanumeric(base)
		}
	case strings.HasPrefix(server, "exim"):
		id, is := strings.CutSuffix(base, "-H")
		if strings.HasPrefix(rest, "input/") && is {
			return Mail{Queue: server, Since: eximTime(id)}, true
		}
	case server == "mqueue" || server == "clientmqueue" || server == "mqueue-client":
		return Mail{Queue: "sendmail " + server}, len(base) > 8 && strings.HasPrefix(base, "qf")
	}
	return m, false
}

// alphanumeric tells a queue id of Postfix: hexadecimal digits, or digits and consonants in the long form.
func alphanumeric(s string) bool {
	return len(s) >= 5 && len(s) <= 32 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	})
}

// digits62 are the digits of Exim's message ids, in their order.
const digits62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// eximTime reads the first part of a message id: six digits to the base of 62, seconds since 1970.
func eximTime(id string) time.Time {
	first, _, ok := strings.Cut(id, "-")
	if !ok || len(first) != 6 {
		return time.Time{}
	}
	n := int64(0)
	for i := range len(first) {
		d := strings.IndexByte(digits62, first[i])
		if d < 0 {
			return time.Time{}
		}
		n = n*62 + int64(d)
	}
	return time.Unix(n, 0).UTC()
}

// EximUser reads who handed a mail in, by the beginning of its -H file: the name of the file, then "login uid gid". ok is false where it is formed otherwise.
func EximUser(head string) (uid uint32, ok bool) {
	_, rest, ok := strings.Cut(head, "\n")
	line, _, whole := strings.Cut(rest, "\n")
	f := strings.Fields(line)
	if !ok || !whole || len(f) < 3 {
		return 0, false
	}
	n, digits := uint64(0), f[len(f)-2]
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' || n > 1<<32 {
			return 0, false
		}
		n = n*10 + uint64(digits[i]-'0')
	}
	return uint32(n), n < 1<<32
}
