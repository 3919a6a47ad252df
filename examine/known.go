package examine

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"telltale/casefile"
	"telltale/host"
	"telltale/host/pkgdb"
	"telltale/internal/bloom"
	"telltale/internal/limit"
	"telltale/internal/lines"
)

// Known is a set of digests of files that are known to be good. Of each digest its first eight bytes are kept: that somebody makes a file
// whose digest begins like a given one is out of reach. Beside them it may have Bloom filters, which err: what those have is probably published,
// which excuses nothing that anything else speaks against.
type Known struct {
	sums    map[pkgdb.Algo][]uint64 // sorted
	n       int
	filters []*bloom.Filter
	open    []io.Closer
}

// maxKnown bounds the digests that are kept, half a gigabyte of them.
const maxKnown = 64 << 20

var knownSizes = map[int]pkgdb.Algo{32: pkgdb.MD5, 40: pkgdb.SHA1, 64: pkgdb.SHA256}

// ErrNoDigests says that a list of known files holds none.
var ErrNoDigests = errors.New("no digest in it")

// LoadKnown reads lists of digests: one a line, as md5sum(1), sha1sum(1) and sha256sum(1) write them, or NSRL's NSRLFile.txt. Of a
// line the first digest counts. A file may also be a Bloom filter of SHA-1 digests as CIRCL's hashlookup gives away, which stays open until Close.
func LoadKnown(ctx context.Context, files []string) (*Known, error) {
	if len(files) == 0 {
		return nil, nil
	}
	k := &Known{sums: map[pkgdb.Algo][]uint64{}}
	for _, f := range files {
		before := k.n + len(k.filters)
		if err := k.load(ctx, f); err != nil {
			return nil, errors.Join(fmt.Errorf("known files %q: %w", f, err), k.Close())
		}
		if k.n+len(k.filters) == before {
			return nil, errors.Join(fmt.Errorf("known files %q: %w", f, ErrNoDigests), k.Close())
		}
	}
	for _, s := range k.sums {
		slices.Sort(s)
	}
	return k, nil
}

func (k *Known) load(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	if filter, err := filterOf(f); err != nil || filter != nil {
		k.filters, k.open = append(k.filters, filter), append(k.open, f)
		return err
	}
	defer f.Close()
	lr := lines.NewReader(f)
	for l, ok := lr.Next(); ok; l, ok = lr.Next() {
		if l.Num%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		w := bytes.TrimLeft(l.Text, "\"\\ ")
		n := 0
		for n < len(w) && ishex(w[n]) {
			n++
		}
		a, ok := knownSizes[n]
		if !ok {
			continue
		}
		if k.n >= maxKnown {
			return fmt.Errorf("more than %d digests: %w", maxKnown, limit.ErrLimit)
		}
		var b [8]byte
		if _, err := hex.Decode(b[:], w[:16]); err != nil {
			continue
		}
		k.sums[a] = append(k.sums[a], binary.BigEndian.Uint64(b[:]))
		k.n++
	}
	return lr.Err()
}

// filterOf opens a Bloom filter; nil for a file of another kind.
func filterOf(f *os.File) (*bloom.Filter, error) {
	var head [8]byte
	if n, _ := f.ReadAt(head[:], 0); n < len(head) || !bloom.Is(head[:]) && !bytes.HasPrefix(head[:], []byte{0x1f, 0x8b}) {
		return nil, nil
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return bloom.Open(f, st.Size())
}

// Close closes the filters.
func (k *Known) Close() error {
	if k == nil {
		return nil
	}
	var all error
	for _, f := range k.open {
		all = errors.Join(all, f.Close())
	}
	k.open, k.filters = nil, nil
	return all
}

// probably says that a filter has a file, and how often it says so wrongly; "" where none does.
func (k *Known) probably(d *digests) (string, error) {
	if k == nil {
		return "", nil
	}
	for _, f := range k.filters {
		if s := d.of(pkgdb.SHA1); len(s) > 0 {
			in, err := f.Has(fmt.Appendf(nil, "%X", s)) // hashlookup's keys: in upper case
			if err != nil {
				return "", err
			}
			if in {
				return fmt.Sprintf("%s: its SHA1 is in a filter of published files, which is wrong for about one file in %.0f and has tools of intruders, too", probablyPublished, 1/f.Rate), nil
			}
		}
	}
	return "", nil
}

// probablyPublished begins what is said of a file that a filter has; package packagediff knows it.
const probablyPublished = "probably published"

func ishex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// algos gives the algorithms of which there are digests.
func (k *Known) algos() (out []pkgdb.Algo) {
	if k == nil {
		return nil
	}
	for a := range k.sums {
		out = append(out, a)
	}
	if len(k.filters) > 0 && k.sums[pkgdb.SHA1] == nil {
		out = append(out, pkgdb.SHA1)
	}
	return out
}

// has gives the name of the algorithm by which a file is known, "" for none.
func (k *Known) has(d *digests) string {
	if k == nil {
		return ""
	}
	for a, list := range k.sums {
		if s := d.of(a); len(s) >= 8 {
			if _, ok := slices.BinarySearch(list, binary.BigEndian.Uint64(s)); ok {
				return a.String()
			}
		}
	}
	return ""
}

// baseline is the same system, known to be good.
type baseline struct {
	in     *host.Input
	host   *host.Host
	owners *host.Owners
	sums   map[string][]byte
}

// openBaseline opens what the examiner gave as known to be good. Without it nothing can be compared, so what cannot be opened is an error.
func (r *run) openBaseline() error {
	if r.o.Baseline == "" {
		return nil
	}
	r.stage("opening " + filepath.Base(r.o.Baseline))
	in, err := host.Open(r.ctx, r.o.Baseline, host.Options{Source: "baseline", Spool: r.o.Spool, Zone: r.o.Zone, Log: r.o.Log, Secret: r.o.Secret, Identities: r.o.Identities})
	if err != nil {
		return fmt.Errorf("the baseline: %w", err)
	}
	b := &baseline{in: in, sums: map[string][]byte{}}
	for _, h := range in.Hosts {
		if !h.Flat {
			b.host = h
			break
		}
	}
	if b.host == nil {
		return errors.Join(fmt.Errorf("the baseline %q holds no server's tree", r.o.Baseline), in.Close())
	}
	b.owners = b.host.Owners()
	r.base = b
	r.res.Sources = append(r.res.Sources, casefile.Source{ID: "baseline", Path: r.o.Baseline, Kind: in.Kind, Size: in.Size, SHA256: in.SHA256, Verified: in.SHA256 != "",
		Notes: append([]string{"known to be good: files are compared with it, nothing else is read"}, in.Notes...)})
	if in.SHA256 == "" {
		r.hash(len(r.res.Sources)-1, r.o.Baseline)
	}
	return nil
}

func (b *baseline) close() {
	if b != nil {
		b.in.Close()
	}
}

// sum gives the SHA-256 of the baseline's file, nil where it has none. It is called by one goroutine.
func (b *baseline) sum(r *run, p string) []byte {
	if s, ok := b.sums[p]; ok {
		return s
	}
	s := fileSum(r.ctx, &b.host.View, p)
	if len(b.sums) < maxVerify {
		b.sums[p] = s
	}
	return s
}

// differs tells whether a file that fits its package's word is another than the baseline's, of the same version of the package.
func (b *baseline) differs(r *run, c *candidate, x *pkgdb.Expected) bool {
	for y := range b.owners.Claims(c.path) {
		if y.Package.Name != x.Package.Name || y.Package.Version != x.Package.Version || y.Package.Arch != x.Package.Arch {
			continue
		}
		if equal, known := same(&y, &c.found); known && equal {
			return false
		}
		s := b.sum(r, c.path)
		return s != nil && !bytes.Equal(s, c.found.of(pkgdb.SHA256))
	}
	return false
}
