package host

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/tarball"
	"telltale/internal/manifest"
	"telltale/internal/unpack"
	"telltale/internal/untouched"
)

// ErrIdentity says that evidence is encrypted by age, and that no identity was given that opens it.
var ErrIdentity = errors.New("encrypted by age, and no identity that was given opens it")

// ageMagic begins an age file (C2SP age.md, "version line").
const ageMagic = "age-encryption.org/v1\n"

// maxAgeHeader bounds what age reads before it decrypts, bytes: it keeps all of it, and a recipient takes some 200, or 2000 where it is post-quantum.
const maxAgeHeader = 1 << 20

func encrypted(head []byte) bool { return bytes.HasPrefix(head, []byte(ageMagic)) }

// decrypt takes age off. A stream that ends early gives its whole chunks before it gives the error.
func decrypt(r io.Reader, ids []age.Identity) (*decrypted, error) {
	if len(ids) == 0 {
		return nil, ErrIdentity
	}
	h := &headed{r: r, left: maxAgeHeader}
	d, err := age.Decrypt(h, ids...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, ErrIdentity
	}
	if err != nil {
		return nil, fmt.Errorf("age: %w", err)
	}
	h.open = true
	return &decrypted{r: d, under: h}, nil
}

// headed bounds what is read as long as it is not open.
type headed struct {
	r     io.Reader
	left  int64
	open  bool
	ended bool
}

func (h *headed) Read(p []byte) (int, error) {
	if h.open {
		n, err := h.r.Read(p)
		h.ended = h.ended || errors.Is(err, io.EOF)
		return n, err
	}
	if h.left <= 0 {
		return 0, fmt.Errorf("its header is longer than %d bytes", maxAgeHeader)
	}
	n, err := h.r.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	return n, err
}

type decrypted struct {
	r     io.Reader
	under *headed
	n     int64
	err   error
}

func (d *decrypted) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		// Of a last piece that is not whole, age cannot say whether it was cut or changed.
		what := "it was changed here"
		if d.under.ended {
			what = "it was cut here, or its end was changed"
		}
		err = fmt.Errorf("age at byte %d of its content: %s: %w", d.n, what, err)
		d.err = err
	}
	return n, err
}

// open takes encryption and compression off a stream.
func (o *Options) open(r io.Reader) (io.ReadCloser, string, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(len(ageMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	if !encrypted(head) {
		return unpack.Reader(b)
	}
	d, err := decrypt(b, o.Identities)
	if err != nil {
		return nil, "age", err
	}
	u, kind, err := unpack.Reader(d)
	return &inner{u, d}, kind, err
}

// inner tells what age said: a decompressor takes every error of its source for the source's end.
type inner struct {
	io.ReadCloser
	crypt *decrypted
}

func (i *inner) Read(p []byte) (int, error) {
	n, err := i.ReadCloser.Read(p)
	if err != nil && i.crypt.err != nil {
		err = i.crypt.err
	}
	return n, err
}

// maxTold bounds how many of a collection's problems are told one by one.
const maxTold = 20

// sealed holds a collection against its manifests, and tells what does not agree as damage.
func (in *Input) sealed(ctx context.Context, r io.Reader, o Options) error {
	v, err := manifest.Check(ctx, r, o.Signers)
	if err != nil {
		return err
	}
	in.Notes = append(in.Notes, v.Words()...)
	for i, p := range v.Problems {
		if i == maxTold {
			break
		}
		in.damage(o, evidence.Damage{Ref: evidence.Ref{Path: "tar:/" + p.Name}, Reason: "the collection is not what was written: " + p.Words()})
	}
	whole := evidence.Ref{Path: "tar:/" + manifest.Dir}
	if s := v.Ended(); s != "" {
		in.damage(o, evidence.Damage{Ref: whole, Reason: s})
	}
	if !v.Intact() && v.Count == 0 {
		in.damage(o, evidence.Damage{Ref: whole, Reason: v.Signed()})
	}
	return nil
}

// IsCollection tells a collection's file by its content: a tar archive, compressed and encrypted or not, that begins with our header.
func IsCollection(path string, o Options) (bool, error) {
	f, err := untouched.Open(path, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	d, _, err := o.open(f)
	if err != nil {
		return false, err
	}
	defer d.Close()
	b := bufio.NewReader(d)
	if head, _ := b.Peek(512); !tarball.Probe(head) {
		return false, nil
	}
	h, err := tar.NewReader(b).Next()
	return err == nil && h.Name == manifest.HeaderName, nil
}

// Verify reads a collection's file from its beginning to its end, and holds it against its manifests. It keeps nothing of it.
func Verify(ctx context.Context, path string, o Options) (v manifest.Verdict, err error) {
	f, err := untouched.Open(path, 0)
	if err != nil {
		return v, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return v, err
	}
	if !st.Mode().IsRegular() {
		return v, fmt.Errorf("%q is no file: the seals of a collection can be held only against the archive that was written: %w", path, filesystem.ErrNotSupported)
	}
	d, _, err := o.open(&reading{ctx: ctx, r: f, total: st.Size(), progress: o.Progress})
	if err != nil {
		return v, fmt.Errorf("open %q: %w", path, err)
	}
	defer d.Close()
	return manifest.Check(ctx, d, o.Signers)
}
