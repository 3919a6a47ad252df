package examine

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"io"
	"sync"

	"telltale/host"
	"telltale/host/pkgdb"
)

// digests are what was computed of one file, with what was seen on the way.
type digests struct {
	sums    map[pkgdb.Algo][]byte
	head    [8]byte
	err     error
	skipped bool // beyond the budget
}

func (d *digests) of(a pkgdb.Algo) []byte { return d.sums[a] }

// kind tells what a file's first bytes say: "elf", "script", "".
func (d *digests) kind() string {
	switch {
	case bytes.HasPrefix(d.head[:], []byte("\x7fELF")):
		return "elf"
	case bytes.HasPrefix(d.head[:], []byte("#!")):
		return "script"
	}
	return ""
}

// verifyWorkers read side by side: one waits for the source while another computes.
const verifyWorkers = 2

// newHash gives the function of an algorithm, nil for none.
func newHash(a pkgdb.Algo) hash.Hash {
	switch a {
	case pkgdb.MD5:
		return md5.New()
	case pkgdb.SHA1:
		return sha1.New()
	case pkgdb.SHA224:
		return sha256.New224()
	case pkgdb.SHA256:
		return sha256.New()
	case pkgdb.SHA384:
		return sha512.New384()
	case pkgdb.SHA512:
		return sha512.New()
	}
	return nil
}

// hash computes the digests of every candidate by the algorithms that are asked of it.
func (v *verifier) hash(r *run) error {
	next, total, done := 0, int64(0), int64(0)
	for _, c := range v.files {
		total += c.size
	}
	var mu sync.Mutex
	take := func() *candidate {
		mu.Lock()
		defer mu.Unlock()
		if next >= len(v.files) || r.ctx.Err() != nil {
			return nil
		}
		c := v.files[next]
		next++
		if c.size > maxVerifyFile || done > maxVerifyBytes-c.size {
			c.found.skipped = true
			return c
		}
		if done += c.size; r.o.Progress != nil && next%256 == 0 {
			r.o.Progress.Bytes(done, total)
		}
		return c
	}
	var wait sync.WaitGroup
	for range verifyWorkers {
		wait.Go(func() {
			buf := make([]byte, 256<<10)
			for c := take(); c != nil; c = take() {
				if !c.link && !c.found.skipped {
					c.found = v.digest(r, c, buf)
				}
			}
		})
	}
	wait.Wait()
	return r.ctx.Err()
}

func (v *verifier) digest(r *run, c *candidate, buf []byte) digests {
	var want []pkgdb.Algo
	for x := range v.h.owners.Claims(c.path) {
		want = append(want, x.Algo)
	}
	if !c.owned || r.base != nil {
		want = append(want, pkgdb.SHA256)
	}
	if !c.owned {
		want = append(want, r.o.Known.algos()...)
	}
	return sumsOf(r.ctx, io.NewSectionReader(content{c}, 0, c.size), c.size, buf, want)
}

// content reads a candidate's bytes.
type content struct{ c *candidate }

func (f content) ReadAt(p []byte, off int64) (int, error) {
	return f.c.mount.FS.ReadAt(f.c.inode, p, off)
}

// sumsOf reads a file once for all algorithms.
func sumsOf(ctx context.Context, f io.Reader, size int64, buf []byte, want []pkgdb.Algo) (d digests) {
	d.sums = map[pkgdb.Algo][]byte{}
	var hs []hash.Hash
	var as []pkgdb.Algo
	for _, a := range want {
		if h := newHash(a); h != nil && d.sums[a] == nil {
			d.sums[a] = []byte{}
			hs, as = append(hs, h), append(as, a)
		}
	}
	if len(hs) == 0 {
		return d
	}
	n := int64(0)
	for ctx.Err() == nil {
		k, err := f.Read(buf)
		if n == 0 {
			copy(d.head[:], buf[:k])
		}
		n += int64(k)
		for _, h := range hs {
			h.Write(buf[:k])
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			d.err = err
			break
		}
	}
	if d.err == nil && n != size {
		d.err = io.ErrUnexpectedEOF
	}
	for i, h := range hs {
		d.sums[as[i]] = h.Sum(nil)
	}
	return d
}

// prelinkMark is the name of the section in which prelink(8) keeps what it changed.
var prelinkMark = []byte(".gnu.prelink_undo\x00")

// contains looks for a word in a file.
func contains(ctx context.Context, f io.Reader, word []byte) bool {
	buf := make([]byte, 64<<10)
	keep := 0
	for ctx.Err() == nil {
		k, err := f.Read(buf[keep:])
		if bytes.Contains(buf[:keep+k], word) {
			return true
		}
		if err != nil {
			return false
		}
		all := buf[:keep+k]
		keep = copy(buf, all[max(0, len(all)-len(word)+1):])
	}
	return false
}

// fileSum gives a file's SHA-256, nil where it is not there or cannot be read.
func fileSum(ctx context.Context, v *host.View, p string) []byte {
	e, err := v.Lookup(p)
	if err != nil {
		return nil
	}
	d := sumsOf(ctx, v.File(&e), e.Meta.Size, make([]byte, 256<<10), []pkgdb.Algo{pkgdb.SHA256})
	if d.err != nil || ctx.Err() != nil {
		return nil
	}
	return d.of(pkgdb.SHA256)
}
