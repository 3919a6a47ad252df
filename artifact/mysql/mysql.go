// Package mysql reads the logs of MySQL and MariaDB: who was refused and let in, and which statements wrote files,
// loaded code, made accounts or dropped databases. The error log is on everywhere; the general log and the slow log
// show statements only where somebody switched them on, as intruders do to have a web shell written as a log.
package mysql

import (
	"bytes"
	"context"
	"iter"
	"path"
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
		Name: "mysql", Doc: "logins to MySQL and MariaDB, and statements that reach beyond the database",
		Spec: "MySQL Reference Manual 5.1 to 8.4: The Error Log, The General Query Log, The Slow Query Log; MariaDB 10.11 sql/log.cc, sql/sql_acl.cc, sql/share/errmsg-utf8.txt",
		Files: []string{
			"/var/log/mysql/*.{log,err}", "/var/log/{mysql,mysqld,mariadb}.{log,err}", "/var/log/{mariadb,mysqld}/*.{log,err}",
			"/var/lib/mysql/*.{err,log}",
		},
		Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"mysqld", "mariadbd", "mysql", "mariadb"}, Decode: decode,
		Kinds: []event.Kind{event.AuthFailed, event.AuthAccepted, event.ConnectionSeen, event.DatabaseCommand, event.ServiceStarted, event.ServiceStopped, event.ProgramSaid},
	}
}

// sniffed is how many lines Sniff looks at.
const sniffed = 8

func sniff(head []byte) bool {
	c, n := &logclock.Clock{}, 0
	for line := range bytes.Lines(head) {
		if n++; n > sniffed {
			break
		}
		if formOf(c, bytes.TrimRight(line, "\r\n")) != noForm {
			return true
		}
	}
	return false
}

// form is which of the logs a file is. Its first line that has one tells it for the whole file: later lines hold what
// clients say, and may look like those of another log.
type form uint8

const (
	noForm form = iota
	errorForm
	generalForm
	slowForm
)

func formOf(c *logclock.Clock, t []byte) form {
	if _, ok := generalHead(c, t); ok {
		return generalForm
	}
	if _, ok := said.Rest(t, "# User@Host: "); ok {
		return slowForm
	}
	if rest, ok := said.Rest(t, "# Time: "); ok {
		if _, n := stamp(c, rest); n == len(rest) {
			return slowForm
		}
	}
	if _, rest, ok := errorHead(c, t); ok && rest != nil && (t[4] != '-' || threaded(t)) {
		return errorForm
	}
	return noForm
}

// threaded tells a thread's number between stamp and level. Logs of applications look like those of the server but for that.
func threaded(t []byte) bool {
	before, _, _ := said.Cut(t, " [")
	_, number := said.LastWord(before)
	return len(number) > 0 && len(said.Number(number)) == len(number)
}

var service = []byte("mysql")

var unread = []byte("mysql line")

// reader reads one file.
type reader struct {
	in      *artifact.Input
	m       artifact.Message
	out     func(*event.Event)
	going   bool
	st      statement
	doubt   byte // the literal of a client's that the last lines may be part of, see statement.end
	doubted int  // for how many records it has been
	known   map[uint32]*session
	torn    int64 // up to where the names of a line that a newline in them has torn may reach
	using   bool  // whether the general log has been seen to end its logins
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		if aside(in.Path) {
			return
		}
		r := &reader{in: in, going: true, known: map[uint32]*session{}}
		r.m.Repeat, r.m.Program = 1, service
		r.out = func(e *event.Event) { r.going = r.going && yield(*e, nil) }
		f := noForm
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			if f == noForm {
				f = formOf(in.Clock, t)
			}
			r.line(f, ref, t)
			if !r.going {
				return
			}
		}
		r.finish()
	}
}

func (r *reader) line(f form, ref evidence.Ref, t []byte) {
	switch f {
	case errorForm:
		r.errorLine(ref, t)
	case generalForm:
		r.generalLine(ref, t)
	case slowForm:
		r.slowLine(ref, t)
	default:
		if !banner(t) {
			r.in.Seen.Unknown(unread)
		}
	}
}

// aside tells the server's binary files among the logs of its data directory.
func aside(p string) bool {
	b := path.Base(p)
	return b == "tc.log" || strings.HasPrefix(b, "ddl_") || strings.HasPrefix(b, "aria_log")
}

// banner tells the three lines that the server puts at the beginning of a general or slow log each time it opens it.
func banner(t []byte) bool {
	return bytes.HasSuffix(t, []byte(" started with:")) || said.BeginsAny(t, []string{"Tcp port: ", "TCP Port: ", "Time  ", "Time\t"})
}

// stamp reads "2024-03-14T02:11:09.123456Z", "2024-03-14  2:11:09" and "240314  2:11:09". n is how many bytes it takes.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, n int) {
	if at, n = c.ISO(t); n > 0 {
		return at, n
	}
	if len(t) < 15 || t[6] != ' ' || t[9] != ':' || t[12] != ':' {
		return at, 0
	}
	var full [19]byte // "20" before the year, and dashes
	copy(full[:], "20")
	copy(full[2:], t[:2])
	full[4], full[7] = '-', '-'
	copy(full[5:], t[2:4])
	copy(full[8:], t[4:6])
	copy(full[10:], t[6:15])
	if at, n = c.ISO(full[:]); n == 0 {
		return at, 0
	}
	return at, 15
}

// who adds an account and where it stands; host is an address or the name that it resolved to.
func who(e *event.Event, user, host []byte) {
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, user)
	if ip := said.Address(host); ip != nil {
		e.Add(event.SourceIP, ip)
	} else {
		e.Add(event.SourceHost, host)
	}
}
