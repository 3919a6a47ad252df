// Package printed reads what people saved of commands by hand before they asked for help: the text of last, lastb, lastlog, who, ps, top, ss,
// netstat, crontab and history, one to a file or a whole session of a terminal. Such a text has no place in a server's tree: it is known by its lines alone, and only
// where a folder of such files, or one, is handed over. Times without an offset are taken for UTC.
package printed

import (
	"bytes"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/listing"
	"telltale/event"
	"telltale/evidence"
)

// New gives the artefact.
func New() *artifact.Artifact {
	a := listing.Artifact("printed", "what commands printed, as somebody saved it", "util-linux last(1), shadow lastlog(8), coreutils who(1), procps ps(1), iproute2 ss(8), net-tools netstat(8), bash(1) history", nil,
		[]event.Kind{event.LoginRecord, event.BadLoginRecord, event.Boot, event.ProcessSeen, event.SocketSeen, event.ShellCommand, event.CronEntry}, listing.Printed)
	a.Sniff = sniff
	return a
}

// sniffed is how many lines of a file are looked at.
const sniffed = 60

// someDay stands for when a text was saved, which a look at its form does not need: far enough ahead that any day was before it.
var someDay = evidence.Unix(4_000_000_000, 0, time.Second)

// sniff tells such a text by a heading, or by lines that are mostly logins or numbered commands one behind the other.
func sniff(head []byte) bool {
	n, logins, numbered, jobs := 0, 0, 0, 0
	for t := range bytes.Lines(head) {
		s := string(bytes.TrimRight(t, " \t\r\n"))
		if s == "" || s[0] == '#' {
			continue
		}
		if n++; n > sniffed {
			break
		}
		if n <= 12 && listing.Heading(s) {
			return true
		}
		if _, ok := listing.LoginLine(s, someDay); ok {
			logins++
		}
		if _, _, ok := listing.Numbered(s); ok {
			numbered++
		}
		if _, _, ok := listing.CronLine(s); ok {
			jobs++
		}
	}
	n = min(n, sniffed)
	return logins > 0 && logins*2 >= n || jobs > 0 && jobs*2 >= n || numbered >= 3 && numbered*3 >= n*2
}
