package pack_test

import (
	"archive/tar"
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"telltale/acquire/pack"
	"telltale/internal/manifest"
	"telltale/internal/state"
)

func clock() (time.Time, int64) { return time.Unix(1700000000, 5), 42 }

// write makes a collection of two steps and of files.
func write(t testing.TB, o pack.Options) (*pack.Writer, error) {
	t.Helper()
	o.Clock = clock
	w, err := pack.New(&state.Header{Format: state.Format, Host: "web1"}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"processes", "sockets"} {
		w.Begin(step)
		for i := range 100 {
			if err := w.Record(state.ProcessFile, &state.Process{PID: i, Name: step}); err != nil {
				t.Fatal(err)
			}
		}
		w.File("proc/"+step, -1, time.Unix(5, 0), strings.NewReader(step))
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	}
	w.Begin("files")
	for _, f := range []pack.File{
		{Path: "", Type: tar.TypeDir, Mode: 0o755},
		{Path: "/etc", Type: tar.TypeDir, Mode: 0o755, Modified: time.Unix(-7, 123456789), Changed: time.Unix(9, 1)},
		{Path: "/etc/passwd", Type: tar.TypeReg, Mode: 0o644, Size: 5, UID: 1 << 30, Modified: time.Unix(9, 0), Attributes: map[string][]byte{"user.x": {0xff, 1}}},
		{Path: "/etc/not\xffutf8", Type: tar.TypeReg, Mode: 0o4755, Size: 5},
		{Path: "/etc/" + strings.Repeat("long/", 100) + "x", Type: tar.TypeReg, Size: 5},
		{Path: "/dev/null", Type: tar.TypeChar, Device: 0x103, Mode: 0o666},
		{Path: "/link", Type: tar.TypeSymlink, Target: "etc/\xfe"},
		{Path: "/big", Type: tar.TypeReg, Size: 1 << 40, Untaken: true, Immutable: true, Born: time.Unix(1, 2)},
		{Path: "/short", Type: tar.TypeReg, Size: 9},
		{Path: "/crafted", Type: tar.TypeReg, Size: 5, Attributes: map[string][]byte{"user.a=b": nil}},
	} {
		if err := w.Tree(&f, strings.NewReader("hello")); err != nil {
			return w, errors.Join(err, w.End())
		}
	}
	return w, w.End()
}

func unzstd(t testing.TB, b []byte) io.Reader {
	t.Helper()
	d, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func check(t testing.TB, b []byte, keys ...ed25519.PublicKey) manifest.Verdict {
	t.Helper()
	v, err := manifest.Check(t.Context(), unzstd(t, b), keys)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWriterAgreesWithCheck(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(nil)
	other, _, _ := ed25519.GenerateKey(nil)
	var b bytes.Buffer
	w, err := write(t, pack.Options{To: &b, Signer: private})
	if err != nil {
		t.Fatal(err)
	}
	if w.Failures() != 1 { // the crafted attribute: one file is lost, not the collection
		t.Errorf("%d failures", w.Failures())
	}
	if err := w.Close(""); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		keys   []ed25519.PublicKey
		want   string
		intact bool
	}{{nil, manifest.SignedOwn, true}, {[]ed25519.PublicKey{other, public}, manifest.SignedKnown, true}, {[]ed25519.PublicKey{other}, manifest.SignedOther, false}} {
		v := check(t, b.Bytes(), x.keys...)
		if v.Signature != x.want || v.Intact() != x.intact || !v.Complete || v.Sealed != v.Members || v.Members < 14 || v.Last != "end" || v.Behind != 0 {
			t.Errorf("%+v", v)
		}
	}
	b.Reset()
	if w, err = write(t, pack.Options{To: &b}); err != nil || w.Close("the time was up") != nil {
		t.Fatal(err)
	}
	if v := check(t, b.Bytes()); v.Signature != manifest.Unsigned || !v.Intact() || v.Complete || v.Why != "the time was up" {
		t.Errorf("%+v", v)
	}
	if v := check(t, b.Bytes(), public); v.Intact() || v.Signature != manifest.SignedNot {
		t.Errorf("unsigned, and a key was given: %+v", v)
	}
}

// TestEachSealIsOut cuts the stream where each seal was written: all up to there must be readable, plain and encrypted.
func TestEachSealIsOut(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		var b bytes.Buffer
		w, err := pack.New(&state.Header{Format: state.Format}, pack.Options{To: &b, Clock: clock, Recipients: recipients})
		if err != nil {
			t.Fatal(err)
		}
		for step := range 12 {
			w.Begin("step")
			w.Record("x.jsonl", step)
			w.File("noise", -1, time.Time{}, io.LimitReader(unequal{}, int64(step)*20000))
			if err := w.End(); err != nil {
				t.Fatal(err)
			}
			last, _ := w.Lost()
			var r io.Reader = bytes.NewReader(b.Bytes())
			if recipients != nil {
				if r, err = age.Decrypt(r, id); err != nil {
					t.Fatal(err)
				}
			}
			plain, err := io.ReadAll(r)
			if recipients != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("a cut age file ends with %v", err)
			}
			if v := check(t, plain); v.Last != last || !v.Intact() || v.Complete || v.Behind != 0 {
				t.Errorf("%s (encrypted %t): %+v", last, recipients != nil, v)
			}
		}
	}
}

// unequal gives bytes that do not compress.
type unequal struct{}

func (unequal) Read(p []byte) (int, error) {
	x := uint32(len(p)) | 1
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return len(p), nil
}

// TestLostDestination fills the destination up at each place: the state is the same as without one.
func TestLostDestination(t *testing.T) {
	whole, err := write(t, pack.Options{})
	if err != nil || whole.Close("") != nil {
		t.Fatal(err)
	}
	var size counter
	if w, err := write(t, pack.Options{To: &size}); err != nil || w.Close("") != nil {
		t.Fatal(err)
	}
	for room := int64(0); room < int64(size); room += 97 {
		w, err := write(t, pack.Options{To: &full{room}})
		if _, lost := w.Lost(); err != nil && !errors.Is(err, lost) {
			t.Fatalf("room %d: %v", room, err)
		}
		if err := w.Close(""); !errors.Is(err, errFull) {
			t.Fatalf("room %d: closed with %v", room, err)
		}
		told := false
		for name, b := range w.State() {
			told = told || strings.HasSuffix(name, state.FailureFile) && bytes.Contains(b, []byte("no room"))
		}
		if !told {
			t.Fatalf("room %d: the state does not tell of the loss", room)
		}
		for name, b := range whole.State() {
			if name != pack.HeaderName && !strings.HasSuffix(name, state.FailureFile) && !bytes.Equal(w.State()[name], b) {
				t.Fatalf("room %d: %s is not what it was", room, name)
			}
		}
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

var errFull = errors.New("no room")

type full struct{ room int64 }

func (f *full) Write(p []byte) (int, error) {
	n := min(f.room, int64(len(p)))
	if f.room -= n; n < int64(len(p)) {
		return int(n), errFull
	}
	return len(p), nil
}

// TestLongStepIsSealedWithin holds the promise that a cut loses little, and that no manifest grows without end.
func TestLongStepIsSealedWithin(t *testing.T) {
	var b bytes.Buffer
	w, err := pack.New(&state.Header{Format: state.Format}, pack.Options{To: &b, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	w.Begin("files")
	for i := range 12000 {
		if err := w.Tree(&pack.File{Path: "/" + strings.Repeat("x", 100) + string(rune('a'+i%26)) + time.Duration(i).String(), Type: tar.TypeReg}, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
	}
	w.Tree(&pack.File{Path: "/large", Type: tar.TypeReg, Size: 65 << 20}, bytes.NewReader(make([]byte, 65<<20)))
	if last, _ := w.Lost(); !strings.HasPrefix(last, "01-files.") {
		t.Errorf("the last seal is %q", last)
	}
	if err := errors.Join(w.End(), w.Close("")); err != nil {
		t.Fatal(err)
	}
	if v := check(t, b.Bytes()); !v.Intact() || !v.Complete || v.Seals < 7 || v.Sealed != 12002 {
		t.Errorf("%+v", v)
	}
}

// TestUsualToolsReadIt gives a collection to age(1), zstd(1) and tar(1).
func TestUsualToolsReadIt(t *testing.T) {
	for _, p := range []string{"age", "zstd", "tar"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skip(err)
		}
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := write(t, pack.Options{To: &b, Recipients: []age.Recipient{id.Recipient()}})
	if err != nil || w.Close("") != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-c", "age -d -i /dev/fd/3 | zstd -d | tar -tv 3>&-")
	r, key, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(key, id.String()+"\n")
	key.Close()
	defer r.Close()
	c.ExtraFiles = append(c.ExtraFiles, r)
	c.Stdin = &b
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "root/etc/passwd") || !strings.Contains(string(out), "manifest/end.jsonl") {
		t.Errorf("%v: %s", err, out)
	}
}
