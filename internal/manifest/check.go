package manifest

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"telltale/internal/state"
)

// maxSection bounds the members between two manifests: the writer seals long before, and each is kept until its line is seen.
const maxSection = 1 << 20

// maxHeader bounds the collection's header, bytes.
const maxHeader = 1 << 20

// Check reads a collection's archive from its beginning to its end, or to where it cannot be read, and holds every member against the
// manifests. Keys are those whose signature the reader trusts; none for unknown. The error is only that of the context.
func Check(ctx context.Context, r io.Reader, keys []ed25519.PublicKey) (Verdict, error) {
	c := &checker{keys: keys}
	c.v.Signature, c.v.Problems = Unsigned, []Problem{}
	t := tar.NewReader(r)
	for {
		if err := ctx.Err(); err != nil {
			return c.v, err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = c.member(ctx, h, t)
		}
		if ctx.Err() != nil {
			return c.v, ctx.Err()
		}
		if err != nil {
			c.v.Cut = fmt.Sprintf("behind member %d: %v", c.v.Members, err)
			break
		}
	}
	c.end()
	return c.v, nil
}

type checker struct {
	v       Verdict
	keys    []ed25519.PublicKey
	signer  ed25519.PublicKey
	begun   bool
	section []seen
	lines   int64  // so far in the chain
	head    string // digest of the last line
	ended   bool   // a seal said that it is the last
}

// seen is a member as it is in the archive.
type seen struct {
	name, sum, meta string
	size            int64
}

func (c *checker) member(ctx context.Context, h *tar.Header, r io.Reader) error {
	if sparse(h) { // a hole of any size takes a few bytes of the archive, and for ever to read
		return fmt.Errorf("%q has holes, which a collection never has", h.Name)
	}
	if strings.HasPrefix(h.Name, Dir+"/") {
		b, err := whole(r, h.Size, MaxManifest)
		if err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
		c.manifest(strings.TrimSuffix(strings.TrimPrefix(h.Name, Dir+"/"), suffix), b)
		return nil
	}
	if len(c.section) == maxSection {
		return fmt.Errorf("more than %d members without a manifest", maxSection)
	}
	sum := sha256.New()
	if !c.begun {
		c.begun = true
		if h.Name == HeaderName {
			b, err := whole(r, h.Size, maxHeader)
			if err != nil {
				return fmt.Errorf("%q: %w", h.Name, err)
			}
			c.header(b)
			r = bytes.NewReader(b)
		}
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, &interruptible{ctx, r}, make([]byte, 256<<10))
	if err != nil {
		return fmt.Errorf("%q: %w", h.Name, err)
	}
	c.v.Members++
	c.section = append(c.section, seen{name: asJSON(h.Name), sum: hex.EncodeToString(sum.Sum(nil)), meta: Meta(h), size: n})
	return nil
}

// sparse tells GNU tar's forms of files with holes.
func sparse(h *tar.Header) bool {
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// header takes the signer's key from what the collection says of itself.
func (c *checker) header(b []byte) {
	var x state.Header
	if json.Unmarshal(b, &x) != nil || x.Signer == "" {
		return
	}
	c.v.Signer = x.Signer
	if k, err := base64.StdEncoding.DecodeString(x.Signer); err == nil && len(k) == ed25519.PublicKeySize {
		c.signer = k
	}
}

// manifest holds a manifest against the chain so far and the members since the one before. Behind a break the chain is taken up where it goes on, so
// that one break is told once.
func (c *checker) manifest(name string, b []byte) {
	section, before := c.section, c.v.Count
	c.section = nil
	entries, s, err := Parse(b)
	if err != nil {
		c.v.problem(Broken, File(name), "the manifest cannot be read: %v", err)
		c.head = ""
		return
	}
	if c.ended {
		c.v.problem(Added, File(name), "it stands behind the last seal")
	}
	for i, e := range entries {
		if e.Before != c.head {
			c.v.problem(Broken, e.Name, "line %d of %s does not follow the line before it", i+1, File(name))
		}
		c.head = e.Digest
		c.lines++
	}
	if s.Lines != c.lines || s.Head != c.head {
		c.v.problem(Broken, File(name), "its seal is of %d lines, %d were found, or the last is another", s.Lines, c.lines)
		c.lines, c.head = s.Lines, s.Head
	}
	c.signed(name, s)
	good := c.match(entries, section)
	if c.v.Count > before {
		return
	}
	c.v.Seals++
	c.v.Sealed += good
	c.v.Last, c.v.Why = name, s.Why
	c.ended = c.ended || s.Last
	c.v.Complete = s.Last
}

// match pairs lines and members, and gives how many agree.
func (c *checker) match(entries []Entry, section []seen) (good int64) {
	at := map[string][]int{}
	for i := range section {
		at[section[i].name] = append(at[section[i].name], i)
	}
	next := 0
	moved := false
	for i := range entries {
		l := &entries[i].Line
		places := at[l.Name]
		if len(places) == 0 {
			c.v.problem(Missing, l.Name, "its line is there, the member is not")
			continue
		}
		m := &section[places[0]]
		at[l.Name] = places[1:]
		switch {
		case m.size != l.Size:
			c.v.problem(Changed, l.Name, "%d bytes, its line says %d", m.size, l.Size)
		case m.sum != l.SHA256:
			c.v.problem(Changed, l.Name, "its content is another")
		case l.Meta != "" && m.meta != l.Meta:
			c.v.problem(Changed, l.Name, "owner, mode, times or other things said of it are not what was written")
		default:
			good++
		}
		moved = moved || places[0] < next
		next = max(next, places[0])
	}
	for i := range section {
		if p := at[section[i].name]; len(p) > 0 && p[0] == i {
			c.v.problem(Added, section[i].name, "no line tells of it")
			at[section[i].name] = p[1:]
		}
	}
	if moved {
		c.v.problem(Moved, "", "members stand in another order than their lines")
	}
	return good
}

// signed looks at a seal's signature. Once bad, it stays so.
func (c *checker) signed(name string, s Seal) {
	if c.v.Signer == "" && s.Signature == "" || c.v.Signature == SignedBad {
		return
	}
	sig, err := base64.StdEncoding.DecodeString(s.Signature)
	if err != nil || c.signer == nil || !ed25519.Verify(c.signer, s.Signed(), sig) {
		c.v.Signature = SignedBad
		c.v.problem(Forged, File(name), "its seal is not signed by the key that the collection names")
		return
	}
	c.v.Signature = SignedOwn
	if len(c.keys) > 0 {
		c.v.Signature = SignedOther
	}
	for _, k := range c.keys {
		if k.Equal(c.signer) {
			c.v.Signature = SignedKnown
		}
	}
}

// end deals with what stands behind the last manifest.
func (c *checker) end() {
	c.v.Behind = int64(len(c.section))
	if c.ended && len(c.section) > 0 {
		c.v.problem(Added, c.section[0].name, "it stands behind the last seal")
	}
	if len(c.keys) > 0 && c.v.Signature == Unsigned {
		c.v.Signature = SignedNot
	}
	if len(c.section) > 0 || c.v.Cut != "" && !c.ended {
		c.v.Complete = false
	}
}

// asJSON is a name as package json writes it, which puts U+FFFD for every byte that is no UTF-8. Meta holds the bytes.
func asJSON(name string) string {
	b, err := json.Marshal(name)
	if err == nil {
		err = json.Unmarshal(b, &name)
	}
	if err != nil {
		return ""
	}
	return name
}

// whole reads size bytes, of which no more than limit are taken.
func whole(r io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, fmt.Errorf("%d bytes, more than %d", size, limit)
	}
	var b bytes.Buffer // grows with what is there: a header may promise what the archive does not hold
	if _, err := io.CopyN(&b, r, size); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b.Bytes(), nil
}

type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}
