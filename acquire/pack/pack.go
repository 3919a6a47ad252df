// Package pack writes a collection: one stream that can be cut anywhere and is readable up to there. It is a tar archive, compressed by
// zstd, and encrypted by age where it has recipients, so that usual tools open it. All three are flushed with each seal. Within:
//
//	collection.json            state.Header: which machine, when, by what
//	state/NN-STEP/FILE.jsonl   what package state describes, each step's in a folder of its own
//	proc/PID/..., kernel/...   the kernel's own files as they are
//	saved/...                  programs and files that had no name any more
//	root/...                   files of the machine, by their path
//	manifest/NN-STEP.jsonl     a Line for every member since the manifest before, and a Seal (package manifest)
//	manifest/NN-STEP.K.jsonl   as that, within a long step
//
// A destination that takes nothing any more ends the writing, and not the taking: the state is kept in memory, and Lost tells.
package pack

import (
	"archive/tar"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/internal/manifest"
	"telltale/internal/state"
)

// Names within a collection.
const (
	HeaderName = manifest.HeaderName
	StateDir   = manifest.StateDir
	RootDir    = manifest.RootDir
	ManifestIn = manifest.Dir
)

// Line and Seal are what a manifest holds.
type (
	Line = manifest.Line
	Seal = manifest.Seal
)

// Options of New.
type Options struct {
	To     io.Writer          // where the collection goes; nil: only its state is kept, in memory
	Signer ed25519.PrivateKey // nil: seals are not signed
	// Recipients of age who can read it; none: it is not encrypted.
	Recipients []age.Recipient
	Clock      func() (wall time.Time, sinceBoot int64)
}

// MaxState bounds the state that is kept in memory, bytes.
const MaxState = 128 << 20

// Writer writes a collection. It is the steps' acquire.Out.
type Writer struct {
	o     Options
	z     *stream
	t     *tar.Writer // nil: there is no destination, or none any more
	step  string
	steps int
	part  int                      // manifests within the step
	since int64                    // bytes of members since the last seal
	now   map[string]*bytes.Buffer // files of the step
	kept  map[string][]byte        // state by its member's name
	size  int64
	lines bytes.Buffer // of the manifest since the last seal
	count int64
	head  string
	err   error  // of the state: it ends all
	lost  error  // of the destination
	last  string // name of the last seal that was written
	fails int64
	buf   []byte
}

var _ acquire.Out = (*Writer)(nil)

// New begins a collection.
func New(h *state.Header, o Options) (*Writer, error) {
	w := &Writer{o: o, now: map[string]*bytes.Buffer{}, kept: map[string][]byte{}, buf: make([]byte, 256<<10)}
	if o.Signer != nil {
		h.Signer = base64.StdEncoding.EncodeToString(o.Signer.Public().(ed25519.PublicKey))
	}
	h.Recipient = names(o.Recipients)
	if o.To != nil {
		z, err := newStream(o.To, o.Recipients)
		if err != nil {
			return nil, err
		}
		w.z, w.t = z, tar.NewWriter(z)
	}
	b, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return nil, err
	}
	w.kept[HeaderName] = b
	if err := w.member(HeaderName, int64(len(b)), w.wall(), bytes.NewReader(b)); err != nil {
		return nil, err
	}
	return w, w.seal("begin", false, "")
}

func (w *Writer) wall() time.Time { t, _ := w.o.Clock(); return t }

// Begin begins a step.
func (w *Writer) Begin(name string) {
	w.steps++
	w.part = 0
	w.step = fmt.Sprintf("%02d-%s", w.steps, name)
}

// Record keeps one object of the state.
func (w *Writer) Record(file string, v any) error {
	if w.err != nil {
		return w.err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if w.size += int64(len(b)) + 1; w.size > MaxState {
		return w.fail(fmt.Errorf("more than %d bytes of state", int64(MaxState)))
	}
	buf := w.now[file]
	if buf == nil {
		buf = &bytes.Buffer{}
		w.now[file] = buf
	}
	buf.Write(b)
	buf.WriteByte('\n')
	return nil
}

// Failed writes down what could not be taken.
func (w *Writer) Failed(what string, err error) {
	w.fails++
	w.Record(state.FailureFile, &state.Failure{Step: w.step, What: what, Why: err.Error(), When: w.wall().UTC().Format(time.RFC3339Nano)})
}

// Failures tells how much could not be taken.
func (w *Writer) Failures() int64 { return w.fails }

// File keeps bytes as they are. Without a destination they are not kept.
func (w *Writer) File(name string, size int64, modified time.Time, r io.Reader) error {
	if w.t == nil || w.err != nil {
		return w.err
	}
	if size >= 0 {
		return w.member(name, size, modified, r)
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, maxUnsized+1))
	if n > maxUnsized {
		err = fmt.Errorf("longer than %d bytes", int64(maxUnsized))
		b.Truncate(maxUnsized)
	}
	if err != nil {
		w.Failed(name, err)
	}
	return w.member(name, int64(b.Len()), modified, &b)
}

// maxUnsized bounds a file whose size is not known before it is read, bytes.
const maxUnsized = 64 << 20

// End ends a step: its state goes out, and the manifest is sealed.
func (w *Writer) End() error {
	step := w.now
	w.now = map[string]*bytes.Buffer{}
	files := make([]string, 0, len(step))
	for f, b := range step {
		files = append(files, f)
		name := path.Join(StateDir, w.step, f)
		w.kept[name] = append(w.kept[name], b.Bytes()...)
	}
	sort.Strings(files)
	for _, f := range files {
		b := step[f].Bytes()
		if err := w.member(path.Join(StateDir, w.step, f), int64(len(b)), w.wall(), bytes.NewReader(b)); err != nil {
			return err
		}
	}
	return w.seal(w.step, false, "")
}

// Close ends the collection; why tells what ended it before its time, "" for nothing. It gives the error of the destination, also an earlier one.
func (w *Writer) Close(why string) error {
	if len(w.now) > 0 {
		w.End()
	}
	err := w.seal("end", why == "", why)
	if w.t != nil {
		if err := errors.Join(w.t.Close(), w.z.Close()); err != nil {
			w.lose(err)
		}
		w.t = nil
	}
	if len(w.now) > 0 {
		w.End() // that it was lost belongs to the state
	}
	return errors.Join(err, w.lost)
}

// Lost tells what ended the destination, nil for nothing, and the last seal that was written to it.
func (w *Writer) Lost() (lastSeal string, err error) { return w.last, w.lost }

// State gives what was recorded, by the names that it has in the collection.
func (w *Writer) State() map[string][]byte { return w.kept }

// lose ends the writing. What was taken stays in memory, and the next steps go on: the answer must not depend on where the collection goes.
func (w *Writer) lose(err error) {
	if w.lost == nil {
		w.lost = fmt.Errorf("write the collection: %w", err)
		w.Failed("the collection", w.lost)
	}
	w.t = nil
}

func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return err
}

// member writes one file of known size. A source that ends before is filled up, for the archive must stay whole; the manifest tells.
func (w *Writer) member(name string, size int64, modified time.Time, r io.Reader) error {
	if w.err != nil || w.t == nil {
		return w.err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: modified, Format: tar.FormatPAX}
	return w.put(h, r)
}

// put writes a member with a header that the caller made.
func (w *Writer) put(h *tar.Header, r io.Reader) error {
	if err := w.t.WriteHeader(h); err != nil {
		return w.refused(h, err)
	}
	sum := sha256.New()
	to := io.MultiWriter(struct{ io.Writer }{w.t}, sum)
	var failed *readError
	n, err := io.CopyBuffer(to, io.LimitReader(&reader{r}, h.Size), w.buf)
	short := h.Size - n
	if (err == nil || errors.As(err, &failed)) && short > 0 {
		_, err = io.CopyN(to, zeros{}, short)
	}
	if failed != nil {
		w.Failed(h.Name, failed.error)
	} else if err != nil {
		w.lose(err)
		return nil
	}
	wall, boot := w.o.Clock()
	l := Line{Name: h.Name, Size: h.Size, SHA256: hex.EncodeToString(sum.Sum(nil)), Meta: manifest.Meta(h), Wall: wall.UTC().Format(time.RFC3339Nano), SinceBoot: boot, Short: short, Before: w.head}
	if err := w.line(l); err != nil {
		return err
	}
	if w.since += h.Size; w.step == "" || w.since < partSize && w.lines.Len() < partLines {
		return nil
	}
	w.part++
	return w.seal(fmt.Sprintf("%s.%d", w.step, w.part), false, "")
}

// refused tells a header that tar cannot write (the name of an attribute may be crafted so), which is one file's fault, from a destination that takes nothing.
func (w *Writer) refused(h *tar.Header, err error) error {
	if w.z.under.err == nil {
		w.Failed(h.Name, err)
		return nil
	}
	w.lose(err)
	return nil
}

// A long step is sealed within: what is lost by a cut, and what a manifest needs of memory, stays small.
const (
	partSize  = 16 << 20 // bytes of members
	partLines = 1 << 20  // bytes of lines
)

func (w *Writer) line(l Line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return w.fail(err)
	}
	w.head = manifest.Digest(b)
	w.count++
	w.lines.Write(b)
	w.lines.WriteByte('\n')
	return nil
}

// seal writes the manifest's lines since the last, and flushes, so that all up to here can be read whatever comes.
func (w *Writer) seal(name string, last bool, why string) error {
	if w.t == nil || w.err != nil {
		return w.err
	}
	s := Seal{Lines: w.count, Head: w.head, Last: last, Why: why}
	if w.o.Signer != nil {
		s.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(w.o.Signer, s.Signed()))
	}
	b, err := json.Marshal(s)
	if err != nil {
		return w.fail(err)
	}
	w.lines.Write(b)
	w.lines.WriteByte('\n')
	if err := w.flush(manifest.File(name)); err != nil {
		w.lose(err)
		return nil
	}
	w.last = name
	return nil
}

// flush writes a manifest out.
func (w *Writer) flush(name string) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(w.lines.Len()), Mode: 0o600, ModTime: w.wall(), Format: tar.FormatPAX}
	if err := w.t.WriteHeader(h); err != nil {
		return err
	}
	if _, err := w.t.Write(w.lines.Bytes()); err != nil {
		return err
	}
	w.lines.Reset()
	w.since = 0
	if err := w.t.Flush(); err != nil {
		return err
	}
	return w.z.Flush()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// reader marks the errors of what is read, so that they are told from those of what is written.
type reader struct{ io.Reader }

type readError struct{ error }

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readError{err}
	}
	return n, err
}

// File of the machine, with what the machine says of it.
type File struct {
	Path       string // absolute, bytes; "" for the top
	Type       byte   // of package tar
	Mode       int64
	UID, GID   int
	Size       int64
	Untaken    bool // only what is said of it is kept, not its content
	Immutable  bool
	Device     uint64
	Target     string // of a link
	Modified   time.Time
	Accessed   time.Time
	Changed    time.Time
	Born       time.Time
	Attributes map[string][]byte
}

// Tree keeps a file of the machine below RootDir. A name that is not UTF-8 stays as it is.
func (w *Writer) Tree(f *File, r io.Reader) error {
	if w.lost != nil {
		return w.lost // the files go nowhere else: there is no use in reading them
	}
	if w.t == nil || w.err != nil {
		return w.err
	}
	h := &tar.Header{Typeflag: f.Type, Name: RootDir + f.Path, Linkname: f.Target, Size: f.Size, Mode: f.Mode, Uid: f.UID, Gid: f.GID, ModTime: f.Modified, AccessTime: f.Accessed, ChangeTime: f.Changed, Format: tar.FormatPAX}
	records := map[string]string{}
	if !f.Born.IsZero() {
		records[manifest.BornRecord] = fmt.Sprintf("%d.%09d", f.Born.Unix(), f.Born.Nanosecond())
	}
	if f.Immutable {
		records[manifest.ImmutableRecord] = "1"
	}
	for name, v := range f.Attributes {
		records[manifest.AttributeRecord+name] = string(v)
	}
	switch {
	case f.Untaken:
		records[manifest.UntakenRecord] = strconv.FormatInt(f.Size, 10)
		h.Size, r = 0, strings.NewReader("")
	case f.Type == tar.TypeDir:
		h.Name += "/"
		h.Size = 0
	case f.Type == tar.TypeChar || f.Type == tar.TypeBlock:
		h.Devmajor, h.Devminor = int64(unix.Major(f.Device)), int64(unix.Minor(f.Device))
		h.Size = 0
	case f.Type != tar.TypeReg:
		h.Size = 0
	}
	if len(records) > 0 {
		h.PAXRecords = records
	}
	if strings.ContainsRune(h.Name+h.Linkname, 0) {
		w.Failed(f.Path, errors.New("its name holds a NUL"))
		return nil
	}
	return w.put(h, r)
}
