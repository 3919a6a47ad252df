// Package sqlitefile opens a SQLite database that lies in evidence: for reading only, through an io.ReaderAt, in
// bounded memory. The database is whoever's to craft, so its schema is not trusted; who reads asks plain tables, for
// a bounded time.
package sqlitefile

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	_ "modernc.org/sqlite" // the driver
	"modernc.org/sqlite/vfs"
)

// Open opens the database in the first size bytes of r; SQLite may take heap bytes of memory. What a journal beside it holds is not
// seen. The caller calls close.
func Open(r io.ReaderAt, size, heap int64) (db *sql.DB, closeAll func() error, err error) {
	name, v, err := vfs.New(one{r, size})
	if err != nil {
		return nil, nil, err
	}
	db, err = sql.Open("sqlite", fmt.Sprintf("file:%s?vfs=%s&mode=ro&immutable=1&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)&_pragma=hard_heap_limit(%d)", fileName, name, heap))
	if err != nil {
		return nil, nil, errors.Join(err, v.Close())
	}
	db.SetMaxOpenConns(1)
	return db, func() error { return errors.Join(db.Close(), v.Close()) }, nil
}

// one is a file system of one file, for SQLite to read.
type one struct {
	r    io.ReaderAt
	size int64
}

const fileName = "input.db"

// Open gives the file; there is no journal beside it.
func (o one) Open(name string) (fs.File, error) {
	if name != fileName {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return file{io.NewSectionReader(o.r, 0, o.size)}, nil
}

type file struct{ *io.SectionReader }

// Stat gives the size.
func (f file) Stat() (fs.FileInfo, error) { return info{f.Size()}, nil }

// Close has nothing to close.
func (file) Close() error { return nil }

type info struct{ size int64 }

func (info) Name() string       { return fileName }
func (i info) Size() int64      { return i.size }
func (info) Mode() fs.FileMode  { return 0o400 }
func (info) ModTime() time.Time { return time.Time{} }
func (info) IsDir() bool        { return false }
func (info) Sys() any           { return nil }
