package examine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"context"
)

// hashed is one source whose digest is being computed beside the examination.
type hashed struct {
	source int
	beside string // a file beside the source that was read, too: its name; "" for the source itself
	sum    string
	size   int64
	err    error
	done   sync.WaitGroup
}

// hash computes a source's digest beside the examination.
func (r *run) hash(source int, p string) {
	h := &hashed{source: source}
	r.hashing = append(r.hashing, h)
	h.done.Go(func() { h.sum, h.size, h.err = Digest(r.ctx, p) })
}

// hashBeside computes the digests of the files beside a source that were read, too: segments, extents, parents.
func (r *run) hashBeside(source int, p string, names []string) {
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n] {
			continue
		}
		seen[n] = true
		h := &hashed{source: source, beside: n}
		r.hashing = append(r.hashing, h)
		h.done.Go(func() { h.sum, h.size, h.err = Digest(r.ctx, filepath.Join(filepath.Dir(p), n)) })
	}
}

// hashes waits for the digests.
func (r *run) hashes() error {
	r.stage("hashing")
	for _, h := range r.hashing {
		h.done.Wait()
		s := &r.res.Sources[h.source]
		if h.err != nil {
			if r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			s.Notes = append(s.Notes, "not hashed whole: "+h.err.Error())
			continue
		}
		if h.beside != "" {
			s.Notes = append(s.Notes, fmt.Sprintf("%s beside it was read, too: %d bytes, SHA-256 %s", printable(h.beside), h.size, h.sum))
			continue
		}
		s.SHA256, s.Size, s.Verified = h.sum, h.size, true
	}
	return nil
}

// Digest gives the SHA-256 of a source: of a file its content; of a folder the list of its regular files in
// the order of their names, one line each as sha256sum(1) writes it, with "/" between directories.
func Digest(ctx context.Context, p string) (sum string, size int64, err error) {
	st, err := os.Stat(p)
	if err != nil {
		return "", 0, err
	}
	if !st.IsDir() {
		return digestFile(ctx, p)
	}
	root, err := os.OpenRoot(p)
	if err != nil {
		return "", 0, err
	}
	defer root.Close()
	var names []string
	err = filepath.WalkDir(p, func(n string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(p, n)
			if err != nil {
				return err
			}
			names = append(names, rel)
		}
		return ctx.Err()
	})
	if err != nil {
		return "", 0, err
	}
	sort.Strings(names)
	all := sha256.New()
	for _, n := range names {
		f, err := root.Open(n)
		if err != nil {
			return "", 0, err
		}
		one, k, err := digest(ctx, f)
		f.Close()
		if err != nil {
			return "", 0, fmt.Errorf("%q: %w", n, err)
		}
		size += k
		fmt.Fprintf(all, "%s  %s\n", one, strings.ReplaceAll(filepath.ToSlash(n), "\n", `\n`))
	}
	return hex.EncodeToString(all.Sum(nil)), size, nil
}

func digestFile(ctx context.Context, p string) (string, int64, error) {
	f, err := os.Open(p)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	return digest(ctx, f)
}

func digest(ctx context.Context, r io.Reader) (string, int64, error) {
	h := sha256.New()
	buf := make([]byte, 1<<20)
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return "", n, err
		}
		k, err := r.Read(buf)
		h.Write(buf[:k])
		n += int64(k)
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), n, nil
		}
		if err != nil {
			return "", n, err
		}
	}
}
