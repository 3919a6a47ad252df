// Package bolt reads databases of bbolt (go.etcd.io/bbolt, file format version 2), in which containerd keeps what
// containers and snapshots there are. It reads one key at a time where it lies; it checks no page for lost ones and
// replays nothing, for the newer of the two meta pages with a right checksum names a whole tree.
//
// Source: bbolt 1.4, internal/common (page.go, meta.go, bucket.go, inode.go).
package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"

	"telltale/internal/bin"
	"telltale/internal/limit"
)

// The format's words.
const (
	magic      = 0xED0CDAED
	version    = 2
	pageHeader = 16 // bytes
	metaSize   = 64 // bytes, the checksum at its end

	branchPage = 0x01
	leafPage   = 0x02

	bucketLeaf = 0x01 // flag of a leaf's element: the value is a bucket
)

// Bounds of one Each.
const (
	maxPages = 100_000
	maxDepth = 32
	maxPage  = 16 << 20 // bytes, with its overflow
)

// ErrFormat says that a file is no database of this kind.
var ErrFormat = errors.New("no bolt database")

// DB is an open database.
type DB struct {
	r        io.ReaderAt
	size     int64
	pageSize int64
	root     uint64
}

// Open reads the meta pages. The page size is what the first says, else what machines have.
func Open(r io.ReaderAt, size int64) (*DB, error) {
	db := &DB{r: r, size: size}
	var newest uint64
	found := false
	for _, page := range []int64{0, 4 << 10, 8 << 10, 16 << 10, 64 << 10} {
		var b [pageHeader + metaSize]byte
		if n, _ := r.ReadAt(b[:], page); n < len(b) {
			continue
		}
		c := bin.Little(b[pageHeader:])
		if c.U32() != magic || c.U32() != version {
			continue
		}
		ps := int64(c.U32())
		root := c.Skip(4).U64()
		tx := c.Skip(8 + 8 + 8).U64()
		h := fnv.New64a()
		h.Write(b[pageHeader : pageHeader+metaSize-8])
		if h.Sum64() != c.U64() || ps < 512 || ps > 1<<16 || ps&(ps-1) != 0 || page != 0 && page != ps {
			continue
		}
		if !found || tx > newest {
			found, newest, db.root, db.pageSize = true, tx, root, ps
		}
	}
	if !found {
		return nil, ErrFormat
	}
	return db, nil
}

// Each gives the keys of the bucket at path, in their order, until f says no. Slices are valid during the call.
// A bucket that there is not has no keys.
func (db *DB) Each(path []string, f func(key, value []byte, bucket bool) bool) error {
	w := &walker{db: db}
	visit := w.page
	at := db.root
	for {
		last := len(path) == 0
		var next []byte
		err := visit(at, 0, func(k, v []byte, bucket bool) bool {
			if last {
				return f(k, v, bucket)
			}
			if bucket && string(k) == path[0] {
				next = bytes.Clone(v)
			}
			return next == nil
		})
		if err != nil || last || next == nil {
			return err
		}
		path = path[1:]
		c := bin.Little(next)
		at = c.U64()
		c.Skip(8)
		if c.Err() != nil {
			return fmt.Errorf("bolt bucket: %w", c.Err())
		}
		visit, w.stop = w.page, false
		if at == 0 { // it lies within its parent's leaf
			inline := next[16:]
			visit = func(_ uint64, depth int, f func(k, v []byte, bucket bool) bool) error {
				_, err := w.elements(inline, depth, f)
				return err
			}
		}
	}
}

// Get gives one value, nil where there is none.
func (db *DB) Get(path []string, key string) (value []byte, err error) {
	err = db.Each(path, func(k, v []byte, bucket bool) bool {
		if !bucket && string(k) == key {
			value = bytes.Clone(v)
			return false
		}
		return true
	})
	return value, err
}

type walker struct {
	db    *DB
	pages int
	stop  bool
}

// page reads a page with its overflow.
func (w *walker) page(id uint64, depth int, f func(k, v []byte, bucket bool) bool) error {
	if w.pages++; w.pages > maxPages || depth > maxDepth {
		return fmt.Errorf("bolt pages: %w", limit.ErrLimit)
	}
	if id > uint64(w.db.size/w.db.pageSize) {
		return fmt.Errorf("bolt page %d lies beyond the end: %w", id, ErrFormat)
	}
	off := int64(id) * w.db.pageSize
	var h [pageHeader]byte
	if n, err := w.db.r.ReadAt(h[:], off); n < len(h) {
		return fmt.Errorf("bolt page %d: %w", id, err)
	}
	n := (int64(bin.Little(h[12:]).U32()) + 1) * w.db.pageSize
	if n > maxPage || n > w.db.size-off {
		return fmt.Errorf("bolt page %d of %d bytes: %w", id, n, limit.ErrLimit)
	}
	b := make([]byte, n)
	if got, err := w.db.r.ReadAt(b, off); int64(got) < n {
		return fmt.Errorf("bolt page %d: %w", id, err)
	}
	_, err := w.elements(b, depth, f)
	return err
}

// elements gives what a page holds, and what the pages below it hold.
func (w *walker) elements(b []byte, depth int, f func(k, v []byte, bucket bool) bool) (bool, error) {
	c := bin.Little(b).Skip(8)
	flags, count := c.U16(), int(c.U16())
	for i := range count {
		at := pageHeader + i*16
		e := bin.Little(b).Seek(at)
		if flags&branchPage != 0 {
			if e.Skip(8); e.Err() != nil {
				return false, e.Err()
			}
			if err := w.page(e.U64(), depth+1, f); err != nil || w.stop {
				return false, err
			}
			continue
		}
		if flags&leafPage == 0 {
			return false, fmt.Errorf("bolt page of kind %#x: %w", flags, ErrFormat)
		}
		kind, pos, klen, vlen := e.U32(), int64(e.U32()), int64(e.U32()), int64(e.U32())
		if e.Err() != nil || pos > int64(len(b)-at) || klen > int64(len(b)-at)-pos || vlen > int64(len(b)-at)-pos-klen {
			return false, fmt.Errorf("bolt element %d: %w", i, ErrFormat)
		}
		k := int64(at) + pos
		if !f(b[k:k+klen], b[k+klen:k+klen+vlen], kind&bucketLeaf != 0) {
			w.stop = true
			return false, nil
		}
	}
	return true, nil
}
