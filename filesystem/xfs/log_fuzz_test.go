package xfs

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"testing"
	"time"

	"telltale/filesystem"
)

// FuzzLog lays made-up records over a sample: what a record's checksum keeps FuzzRead from
// reaching, and an intruder can write with the right checksum.
func FuzzLog(f *testing.F) {
	var base *FS
	for _, path := range []string{"testdata/deleted.img.gz", "testdata/dirty.img.gz"} {
		base = loadSample(f, path)
		l, err := base.ring()
		if err != nil {
			f.Fatal(err)
		}
		list, _ := l.index(context.Background())
		for i := range list {
			if data, err := l.load(&list[i]); err == nil && len(data) < 64<<10 {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		rec := &logRecord{lsn: 1 << 40, ops: 1 << 16, format: logFormatLE}
		r := newReplayer(base)
		for _, each := range []func(*transaction) error{r.cancelled, r.apply} {
			a := &assembler{open: make(map[uint32]*transaction), each: each}
			a.record(rec, data)
		}
		if v, _, err := r.view(); err == nil {
			for e, err := range v.ReadDir(v.Root()) {
				if err == nil {
					v.Stat(e.Inode)
					v.Extents(e.Inode)
				}
			}
			readDeleted(t, v, rec, data)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func readDeleted(t *testing.T, v *FS, rec *logRecord, data []byte) {
	u := &undeleter{f: v, names: newNameBook(v), chunks: make(map[uint32][]chunk)}
	u.h = &chronicle{f: v, names: u.names, lives: make(map[filesystem.Inode][]*life), over: newOverlay(v.src, v.size, wholeOverlay)}
	a := &assembler{open: make(map[uint32]*transaction), each: u.h.transaction}
	a.record(rec, data)
	u.names.live(func() bool { return false })
	n := 0
	u.all(t.Context(), func(r filesystem.Recovered, err error) bool {
		if err == nil {
			r.Content.ReadAt(make([]byte, 100), max(r.Meta.Size-50, 0))
		}
		n++
		return n < 1000
	})
}

func loadSample(t testing.TB, path string) *FS {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(z, 64<<20)); err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
