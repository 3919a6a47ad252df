// Package mmdb looks addresses up in databases of networks that the examiner gives: MaxMind's form (MaxMind DB File Format Specification 2.0), as GeoLite2, DB-IP and IPinfo
// ship it. It asks nobody: what an address is today may not be what it was at the time of the incident, so the database's own date is told.
package mmdb

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"telltale/internal/guard"
)

// Record is what the databases say of one address. What they do not say is empty.
// AsOf is the day of the oldest database that said something.
type Record struct{ Prefix, ASN, Holder, Country, AsOf string }

// DB is one or more databases; each adds what those before it do not say.
type DB struct{ files []file }

type file struct {
	name  string
	r     *maxminddb.Reader
	built time.Time
}

// Open opens databases; none gives nil.
func Open(paths []string) (db *DB, err error) {
	if len(paths) == 0 {
		return nil, nil
	}
	db = &DB{}
	for _, p := range paths {
		var r *maxminddb.Reader
		st, err := os.Stat(p)
		if err == nil && !st.Mode().IsRegular() { // opening a pipe that nobody writes to waits for ever
			err = errors.New("not a regular file")
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("database of networks %q: %w", p, err), db.Close())
		}
		if err := guard.Run("open "+p, func() (e error) { r, e = maxminddb.Open(p); return e }); err != nil {
			return nil, errors.Join(fmt.Errorf("database of networks %q: %w", p, err), db.Close())
		}
		db.files = append(db.files, file{p, r, time.Unix(int64(min(uint64(r.Metadata.BuildEpoch), 1<<40)), 0).UTC()})
	}
	return db, nil
}

// Close closes them.
func (db *DB) Close() error {
	var errs []error
	if db != nil {
		for _, f := range db.files {
			errs = append(errs, f.r.Close())
		}
	}
	return errors.Join(errs...)
}

// Lookup tells of an address; nothing of one that no database knows, and of a damaged part of one.
func (db *DB) Lookup(address string) (rec Record) {
	a, err := netip.ParseAddr(address)
	if db == nil || err != nil {
		return rec
	}
	for _, f := range db.files {
		var got Record
		if err := guard.Run("look up an address", func() (e error) { got, e = f.lookup(a.Unmap()); return e }); err == nil && got != (Record{}) {
			rec.add(got)
			if day := f.built.Format(time.DateOnly); rec.AsOf == "" || day < rec.AsOf {
				rec.AsOf = day
			}
		}
	}
	return rec
}

func (r *Record) add(x Record) {
	for _, p := range []struct{ to, from *string }{{&r.Prefix, &x.Prefix}, {&r.ASN, &x.ASN}, {&r.Holder, &x.Holder}, {&r.Country, &x.Country}} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
}

func (f *file) lookup(a netip.Addr) (Record, error) {
	res := f.r.Lookup(a)
	if err := res.Err(); err != nil || !res.Found() {
		return Record{}, err
	}
	var v map[string]any
	if err := res.Decode(&v); err != nil {
		return Record{}, err
	}
	rec := Record{ASN: number(v["autonomous_system_number"]), Holder: text(v["autonomous_system_organization"]), Country: country(v)}
	if s := text(v["asn"]); rec.ASN == "" && s != "" { // IPinfo
		rec.ASN = "AS" + strings.TrimPrefix(s, "AS")
	}
	for _, k := range []string{"as_name", "name", "org"} {
		if rec.Holder == "" {
			rec.Holder = text(v[k])
		}
	}
	if p := res.Prefix(); rec.ASN != "" && p.IsValid() { // a country's prefix is not that of a network
		rec.Prefix = p.String()
	}
	return rec, nil
}

func number(v any) string {
	switch n := v.(type) {
	case uint64:
		return "AS" + strconv.FormatUint(n, 10)
	case uint32:
		return "AS" + strconv.FormatUint(uint64(n), 10)
	}
	return ""
}

// maxText bounds a text of a database, bytes.
const maxText = 200

func text(v any) string {
	s, _ := v.(string)
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "?")
}

func country(v map[string]any) string {
	for _, k := range []string{"country", "registered_country"} {
		switch c := v[k].(type) {
		case map[string]any:
			if s := text(c["iso_code"]); s != "" {
				return s
			}
		case string:
			if len(c) == 2 {
				return c
			}
		}
	}
	return text(v["country_code"])
}
