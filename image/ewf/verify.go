package ewf

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"telltale/evidence"
	"telltale/image"
)

const (
	verifyBlock = 4 << 20 // bytes read at once: many chunks, decoded side by side
	maxReported = 10_000  // damaged pieces that are named one by one
)

// Verify reads the whole disk, which checks every chunk's checksum, and computes the stored digests.
func (d *disk) Verify(ctx context.Context, progress func(done, total int64)) ([]image.Check, error) {
	v := &verification{d: d, md5: md5.New(), sha1: sha1.New()}
	if d.md5 == nil {
		v.md5 = nil
	}
	if d.sha1 == nil {
		v.sha1 = nil
	}
	bufs := [2][]byte{make([]byte, verifyBlock), make([]byte, verifyBlock)}
	var hashing sync.WaitGroup
	defer hashing.Wait()
	for off, turn := int64(0), 0; off < d.Bytes; turn ^= 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := bufs[turn]
		n, skip, err := v.read(p, off)
		if err != nil {
			return nil, err
		}
		hashing.Wait()
		if v.md5 != nil {
			hashing.Go(func() { v.md5.Write(p[:n]) })
		}
		if v.sha1 != nil {
			hashing.Go(func() { v.sha1.Write(p[:n]) })
		}
		if off += int64(n) + skip; progress != nil {
			progress(off, d.Bytes)
		}
	}
	hashing.Wait()
	return v.checks(), nil
}

type verification struct {
	d         *disk
	md5, sha1 hash.Hash
	damage    []evidence.Damage
	lost      int64 // chunks
}

// read gives n good bytes and how many lost ones follow.
func (v *verification) read(p []byte, off int64) (n int, skip int64, err error) {
	n, err = v.d.ReadAt(p, off)
	var lost *evidence.Damage
	switch {
	case errors.As(err, &lost):
		v.lost += (lost.Ref.Len + v.d.Unit - 1) / v.d.Unit
		if len(v.damage) < maxReported {
			v.damage = append(v.damage, *lost)
		}
		return n, lost.Ref.Len, nil
	case err != nil && err != io.EOF:
		return n, 0, err
	}
	return n, 0, nil
}

func (v *verification) checks() []image.Check {
	total := (v.d.Bytes + v.d.Unit - 1) / v.d.Unit
	list := []image.Check{{
		What: fmt.Sprintf("checksums of %d chunks", total), OK: v.lost == 0, Damage: v.damage,
		Found: fmt.Sprintf("%d good, %d bad or missing", total-v.lost, v.lost),
	}}
	add := func(what string, stored []byte, h hash.Hash) {
		if stored == nil {
			return
		}
		c := image.Check{What: what, Stored: fmt.Sprintf("%x", stored), Found: "cannot be computed: bytes are lost"}
		if v.lost == 0 {
			sum := h.Sum(nil)
			c.Found, c.OK = fmt.Sprintf("%x", sum), bytes.Equal(sum, stored)
		}
		list = append(list, c)
	}
	add("MD5 of the disk", v.d.md5, v.md5)
	add("SHA1 of the disk", v.d.sha1, v.sha1)
	return list
}
