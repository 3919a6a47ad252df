// Package postgresql reads the logs of PostgreSQL: who was refused and let in, and which statements ran programs, wrote
// files, loaded code or raised an account. A statement that fails is logged by default, others where log_statement says so.
package postgresql

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "postgresql", Doc: "logins to PostgreSQL, and statements that reach beyond the database",
		Spec: "PostgreSQL 15 manual, 20.8 Error Reporting and Logging; src/backend/utils/error/elog.c, csvlog.c, jsonlog.c, src/backend/libpq/auth.c",
		Files: []string{
			"/var/log/postgresql/*.{log,csv,json}", "/var/log/postgresql.log", "/var/log/pgsql/*", "/var/log/pgsql",
			"/var/lib/pgsql/{data,*/data}/{log,pg_log}/*", "/var/lib/postgresql/*/*/{log,pg_log}/*", "/var/lib/postgres/data/{log,pg_log}/*", "/var/lib/postgresql/data/{log,pg_log}/*",
		},
		Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"postgres", "postgresql"}, Decode: decode,
		Kinds: []event.Kind{event.AuthFailed, event.AuthAccepted, event.ConnectionSeen, event.DatabaseCommand, event.ServiceStarted, event.ServiceStopped, event.ProgramSaid},
	}
}

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return formOf(&logclock.Clock{}, bytes.TrimRight(line, "\r")) != noForm
}

// form is how a file is written; its first line that has a form tells it for the whole file.
type form uint8

const (
	noForm form = iota
	textForm
	csvForm
	jsonForm
)

func formOf(c *logclock.Clock, t []byte) form {
	if bytes.HasPrefix(t, []byte(`{"timestamp":"`)) && bytes.Contains(t, []byte(`"error_severity":"`)) {
		return jsonForm
	}
	if _, n := stamp(c, t); n > 0 && n < len(t) && t[n] == ',' {
		return csvForm
	}
	if l, ok := headed(c, t); ok && l.severity != "" {
		return textForm
	}
	return noForm
}

// record is one message of the server.
type record struct {
	at         evidence.Time
	ref        evidence.Ref
	raw        []byte
	pid        []byte
	user       []byte
	host, port []byte
	names      []byte // what log_line_prefix puts before the severity
	severity   string
	text       []byte
	statement  []byte // that the message is about, where it stands beside it (csv, json)
	method     []byte // of the login, where an earlier message told it
	unsure     bool   // text and user may be of a stranger's making: see headed
}

// maxRecord is how much of a record of several lines is kept.
const maxRecord = 1 << 20 // bytes

var service, unread = []byte("postgresql"), []byte("postgresql line")

// reader reads one file.
type reader struct {
	in       *artifact.Input
	m        artifact.Message
	out      func(*event.Event)
	going    bool
	rec      record // the one that lines may still be added to
	active   bool
	quotes   int   // of the record of a csvlog so far
	names    bool  // whether the prefix has been seen to name a client
	broken   int64 // where a line began whose names hold a newline; -1 for none
	brokenAt record
	known    map[string]*session
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		r := &reader{in: in, going: true, broken: -1, known: map[string]*session{}}
		r.m.Repeat, r.m.Program = 1, service
		r.out = func(e *event.Event) { r.going = r.going && yield(*e, nil) }
		f := noForm
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			if f == noForm {
				f = formOf(in.Clock, t)
			}
			switch f {
			case textForm:
				r.textLine(ref, t)
			case csvForm:
				r.csvLine(ref, t)
			case jsonForm:
				r.jsonLine(ref, t)
			default:
				in.Seen.Unknown(unread)
			}
			if !r.going {
				return
			}
		}
		r.finish()
	}
}

// finish tells the record that no line can be added to any more.
func (r *reader) finish() {
	if r.active {
		r.active = false
		r.joined(&r.rec)
	}
}

// message makes rec the message that events are made of.
func (r *reader) message(rec *record) *artifact.Message {
	r.m.At, r.m.Ref, r.m.Raw, r.m.PID, r.m.Text = rec.at, rec.ref, rec.raw, rec.pid, rec.text
	return &r.m
}
