package pkgdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"telltale/internal/guard"
	"telltale/internal/sqlitefile"
)

// SQLite (rpm 4.18 lib/backend/sqlite.c): table Packages, a row a package.
const (
	sqliteHeap = 256 << 20
	sqliteTime = 2 * time.Minute
	sqliteMost = 200_000 // numbers that are tried one by one where the table is broken
)

func sqliteBlobs(ctx context.Context, r io.ReaderAt, size int64) iter.Seq2[blob, error] {
	return func(yield func(blob, error) bool) {
		s := sqliteReader{seen: map[int64]bool{}, yield: yield}
		err := guard.Run("rpm's SQLite database", func() error { return s.read(ctx, r, size) })
		if err != nil && !s.stopped {
			yield(blob{}, err)
		}
	}
}

type sqliteReader struct {
	seen    map[int64]bool
	yield   func(blob, error) bool
	stopped bool
}

func (s *sqliteReader) read(ctx context.Context, r io.ReaderAt, size int64) (err error) {
	ctx, stop := context.WithTimeout(ctx, sqliteTime)
	defer stop()
	db, done, err := sqlitefile.Open(r, size, sqliteHeap)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	var kind string
	if err := db.QueryRowContext(ctx, "SELECT type FROM sqlite_schema WHERE name = 'Packages'").Scan(&kind); err != nil {
		return fmt.Errorf("table Packages: %w", err)
	}
	if kind != "table" { // a view may ask for anything
		return fmt.Errorf("Packages is a %q and no table", kind)
	}
	err = s.rows(ctx, db, "SELECT hnum, length(blob), CASE WHEN length(blob) <= ? THEN blob END FROM Packages ORDER BY hnum")
	if err == nil || s.stopped || ctx.Err() != nil {
		return err
	}
	return errors.Join(err, s.rest(ctx, db))
}

// rest reads what a broken page hides from a scan: from the other end, then number by number.
func (s *sqliteReader) rest(ctx context.Context, db *sql.DB) error {
	var last int64
	for n := range s.seen {
		last = max(last, n)
	}
	_ = s.rows(ctx, db, "SELECT hnum, length(blob), CASE WHEN length(blob) <= ? THEN blob END FROM Packages ORDER BY hnum DESC")
	var end int64
	for n := range s.seen {
		end = max(end, n)
	}
	misses := 0
	for n := last + 1; (n < end || misses < 1000) && n-last < sqliteMost && !s.stopped; n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		misses++
		if !s.seen[n] {
			before := len(s.seen)
			_ = s.rows(ctx, db, fmt.Sprintf("SELECT hnum, length(blob), CASE WHEN length(blob) <= ? THEN blob END FROM Packages WHERE hnum = %d", n))
			if len(s.seen) > before {
				misses = 0
			}
		}
	}
	return nil
}

func (s *sqliteReader) rows(ctx context.Context, db *sql.DB, query string) (err error) {
	rows, err := db.QueryContext(ctx, query, maxHeader)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n int64
		var length sql.NullInt64
		var b sql.RawBytes
		if err := rows.Scan(&n, &length, &b); err != nil {
			return err
		}
		if s.seen[n] {
			continue
		}
		if len(s.seen) >= maxPackages {
			return fmt.Errorf("more than %d rows: the rest is not read", maxPackages)
		}
		s.seen[n] = true
		var bad error
		if len(b) == 0 {
			bad = fmt.Errorf("record %d has %d bytes", n, length.Int64)
		}
		if !s.yield(blob{key: uint32(n), off: -1, b: append([]byte(nil), b...)}, bad) {
			s.stopped = true
			return nil
		}
	}
	return rows.Err()
}
