// Package loginsdb reads the SQLite databases that replace wtmp and lastlog on newer systems (Debian 13, openSUSE): wtmpdb, and lastlog2. The database is the
// intruder's to craft: it is opened for reading only, in memory bounds, for a bounded time, and only plain tables of it are asked.
package loginsdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/sqlitefile"
)

// Wtmpdb gives the artefact of wtmpdb.
func Wtmpdb() *artifact.Artifact {
	return &artifact.Artifact{Name: "wtmpdb", Doc: "logins, logouts and boots, on systems without wtmp", Spec: "wtmpdb 0.9 to 0.73 lib/sqlite.c (table wtmp)", Files: []string{"/var/lib/wtmpdb/wtmp.db", "/var/log/wtmp.db"}, Log: true, Random: true,
		Parse: reader(wtmp), Kinds: []event.Kind{event.LoginRecord, event.LogoutRecord, event.Boot, event.Shutdown}}
}

// Lastlog2 gives the artefact of lastlog2.
func Lastlog2() *artifact.Artifact {
	return &artifact.Artifact{Name: "lastlog2", Doc: "the last login of each account, on systems without lastlog", Spec: "util-linux 2.40 liblastlog2/src/lastlog2.c (table Lastlog2)", Files: []string{"/var/lib/lastlog/lastlog2.db"}, Random: true,
		Parse: reader(lastlog2), Kinds: []event.Kind{event.LoginRecord}}
}

// The bounds.
const (
	maxSize = 4 << 30
	maxRows = 2_000_000
	maxTime = 2 * time.Minute
)

// table is one that is read: its name, what is asked, and what a row becomes.
type table struct {
	name, query string
	row         func(scan func(...any) error, out func(*event.Event)) error
}

func reader(t table) func(context.Context, *artifact.Input) iter.Seq2[event.Event, error] {
	return func(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			damage := func(err error) bool {
				return yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: t.name + ": " + err.Error()})
			}
			if in.At == nil || in.Size > maxSize || in.Size < 100 {
				damage(fmt.Errorf("no database: %d bytes", in.Size))
				return
			}
			ctx, stop := context.WithTimeout(ctx, maxTime)
			defer stop()
			going := true
			err := read(ctx, in, t, func(e *event.Event) bool {
				e.Ref = in.Ref
				in.Seen.Record(e.At)
				going = yield(*e, nil)
				return going
			})
			if err != nil && going {
				damage(err)
			}
		}
	}
}

func read(ctx context.Context, in *artifact.Input, t table, yield func(*event.Event) bool) (err error) {
	db, done, err := sqlitefile.Open(in.At, in.Size, 64<<20)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	var kind string
	if err := db.QueryRowContext(ctx, "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE", t.name).Scan(&kind); err != nil {
		return err
	}
	if kind != "table" { // a view may ask for anything
		return fmt.Errorf("%s is a %q and no table", t.name, kind)
	}
	rows, err := db.QueryContext(ctx, t.query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for n := 0; rows.Next(); n++ {
		if n >= maxRows {
			return fmt.Errorf("more than %d rows: the rest is not read", maxRows)
		}
		stop := false
		if err := t.row(rows.Scan, func(e *event.Event) { stop = stop || !yield(e) }); err != nil {
			return err
		}
		if stop {
			return nil
		}
	}
	return rows.Err()
}

// maxText bounds a column: names and hosts are short.
const maxText = 512

// wtmp has a row for each login, with its end, and for each boot; times are microseconds.
var wtmp = table{"wtmp", "SELECT ID, Type, substr(User, 1, 512), Login, Logout, substr(TTY, 1, 512), substr(RemoteHost, 1, 512), substr(Service, 1, 512) FROM wtmp ORDER BY ID", func(scan func(...any) error, out func(*event.Event)) error {
	var id, kind, login int64
	var logout sql.NullInt64
	var user, tty, host, service sql.NullString
	if err := scan(&id, &kind, &user, &login, &logout, &tty, &host, &service); err != nil {
		return err
	}
	var e event.Event
	raw := fmt.Sprintf("wtmp row %d: type %d, user %q, login %d, logout %d, tty %q, host %q, service %q", id, kind, user.String, login, logout.Int64, tty.String, host.String, service.String)
	begin := func(k event.Kind, at int64) {
		e.Reset(k)
		e.At, e.Raw = micro(at), []byte(raw)
		text(&e, event.Terminal, tty.String)
	}
	switch kind {
	case 1: // a boot, "Logout" its end
		begin(event.Boot, login)
		e.Attrs = e.Attrs[:0]
		text(&e, event.OSKernel, host.String)
		out(&e)
		if logout.Int64 > 0 {
			begin(event.Shutdown, logout.Int64)
			out(&e)
		}
	case 3: // a login
		begin(event.LoginRecord, login)
		who(&e, user.String, host.String, "wtmpdb")
		text(&e, event.ServiceName, service.String)
		out(&e)
		if logout.Int64 > 0 {
			begin(event.LogoutRecord, logout.Int64)
			out(&e)
		}
	}
	return nil
}}

// lastlog2 has a row for each account; times are seconds.
var lastlog2 = table{"Lastlog2", "SELECT substr(Name, 1, 512), Time, substr(TTY, 1, 512), substr(RemoteHost, 1, 512), substr(Service, 1, 512) FROM Lastlog2 ORDER BY Time", func(scan func(...any) error, out func(*event.Event)) error {
	var at sql.NullInt64
	var user, tty, host, service sql.NullString
	if err := scan(&user, &at, &tty, &host, &service); err != nil {
		return err
	}
	if at.Int64 <= 0 {
		return nil // never
	}
	var e event.Event
	e.Reset(event.LoginRecord)
	e.At = evidence.Time{Sec: at.Int64, Step: time.Second}
	e.Raw = fmt.Appendf(nil, "Lastlog2 row: name %q, time %d, tty %q, host %q, service %q", user.String, at.Int64, tty.String, host.String, service.String)
	text(&e, event.Terminal, tty.String)
	who(&e, user.String, host.String, "lastlog")
	text(&e, event.ServiceName, service.String)
	out(&e)
	return nil
}}

func who(e *event.Event, user, host, record string) {
	text(e, event.UserName, user)
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		e.AddText(event.SourceIP, ip.Unmap().WithZone("").String())
	} else {
		text(e, event.SourceHost, host)
	}
	e.AddText(event.RecordType, record)
}

func text(e *event.Event, k event.Key, v string) {
	if v != "" {
		e.AddText(k, v[:min(len(v), maxText)])
	}
}

func micro(us int64) evidence.Time {
	if us <= 0 || us > 1<<56 {
		return evidence.Time{}
	}
	return evidence.Unix(us/1e6, us%1e6*1000, time.Microsecond)
}
