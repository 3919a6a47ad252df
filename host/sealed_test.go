package host_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"telltale/acquire/pack"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/state"
)

// collection writes one of some steps and files, and tells where each seal ended.
func collection(t testing.TB, recipients ...age.Recipient) (all []byte, seals []int) {
	t.Helper()
	var b bytes.Buffer
	noise := rand.NewChaCha8([32]byte{1})
	w, err := pack.New(&state.Header{Format: state.Format, Host: "web1", Root: true}, pack.Options{To: &b, Recipients: recipients, Clock: func() (time.Time, int64) { return time.Unix(1700000000, 0), 1 }})
	if err != nil {
		t.Fatal(err)
	}
	seals = append(seals, b.Len())
	for _, step := range []string{"processes", "sockets", "files"} {
		w.Begin(step)
		w.Record(state.ProcessFile, &state.Process{PID: 1, Name: step})
		w.File("proc/"+step, -1, time.Unix(5, 0), io.LimitReader(noise, 90000))
		if step == "files" {
			for _, name := range []string{"", "/etc", "/etc/passwd", "/etc/hostname", "/var"} {
				f := pack.File{Path: name, Type: tar.TypeDir, Mode: 0o755, Modified: time.Unix(9, 0)}
				if strings.HasPrefix(name, "/etc/") {
					f.Type, f.Size = tar.TypeReg, 5
				}
				if err := w.Tree(&f, strings.NewReader("web1\n")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		seals = append(seals, b.Len())
	}
	if err := w.Close(""); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), append(seals, b.Len())
}

func openBytes(t testing.TB, dir string, b []byte, ids ...age.Identity) (*host.Input, error) {
	t.Helper()
	p := filepath.Join(dir, "c.tar.zst.age")
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := host.Open(t.Context(), p, host.Options{Source: "s1", Spool: dir, Identities: ids})
	if err == nil {
		t.Cleanup(func() { in.Close() })
	}
	return in, err
}

func told(in *host.Input) string {
	var s strings.Builder
	for _, d := range in.Damage {
		s.WriteString(d.Error() + "\n")
	}
	return s.String() + strings.Join(in.Notes, "\n")
}

func identity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestCutCollection cuts it at each seal, and at two hundred other places, plain and encrypted: what was sealed before is read, the cut is told.
func TestCutCollection(t *testing.T) {
	id := identity(t)
	dir := t.TempDir()
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		all, seals := collection(t, recipients...)
		in, err := openBytes(t, dir, all, id)
		if err != nil || len(in.Damage) > 0 || in.Kind != host.KindCollection || in.Hosts[0].Name != "web1" || in.SHA256 == "" {
			t.Fatalf("whole: %v %s", err, told(in))
		}
		cuts := append([]int{}, seals[:len(seals)-1]...)
		r := rand.New(rand.NewPCG(1, 2))
		for range 200 {
			cuts = append(cuts, r.IntN(len(all)))
		}
		for _, at := range cuts {
			in, err := openBytes(t, dir, all[:at], id)
			cutAt(t, in, err, at, seals)
			if err == nil {
				in.Close()
			}
		}
	}
}

// cutAt looks at a collection that was cut.
func cutAt(t *testing.T, in *host.Input, err error, at int, seals []int) {
	t.Helper()
	steps := []string{"begin", "01-processes", "02-sockets", "03-files"}
	last := -1 // the seal that must be readable
	for i, s := range seals[:len(steps)] {
		if s <= at {
			last = i
		}
	}
	if last < 0 {
		if err == nil && !strings.Contains(told(in), "it has no seal") && !strings.Contains(told(in), `is of "begin"`) {
			t.Errorf("cut at %d, before the first seal: %s", at, told(in))
		}
		return
	}
	if err != nil {
		t.Errorf("cut at %d behind %s: %v", at, steps[last], err)
		return
	}
	s := told(in)
	if !strings.Contains(s, "ended before its time") || strings.Contains(s, "is not what was written") {
		t.Errorf("cut at %d behind %s: %s", at, steps[last], s)
	}
	// The frame behind may be whole although its seal's end is cut.
	if !strings.Contains(s, steps[last]) && !(last+1 < len(steps) && strings.Contains(s, steps[last+1])) {
		t.Errorf("cut at %d behind %s: %s", at, steps[last], s)
	}
	for i := 1; i <= last; i++ {
		f := in.Hosts[0].State.Mount.FS
		x, err := lookup(f, "state", steps[i], state.ProcessFile)
		if err != nil {
			t.Fatalf("cut at %d behind %s: %s is lost: %v", at, steps[last], steps[i], err)
		}
		b := make([]byte, 4096)
		n, _ := f.ReadAt(x, b, 0)
		if !strings.Contains(string(b[:n]), `"name":"`+steps[i][3:]) {
			t.Errorf("cut at %d: %q", at, b[:n])
		}
	}
}

func lookup(f filesystem.FS, names ...string) (filesystem.Inode, error) {
	i := f.Root()
next:
	for _, n := range names {
		for d, err := range f.ReadDir(i) {
			if err == nil && string(d.Name) == n {
				i = d.Inode
				continue next
			}
		}
		return 0, filesystem.ErrNotExist
	}
	return i, nil
}

// TestFlippedByte turns one bit at many places: it never passes unnoticed.
func TestFlippedByte(t *testing.T) {
	id := identity(t)
	dir := t.TempDir()
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		all, _ := collection(t, recipients...)
		r := rand.New(rand.NewPCG(3, 4))
		for range 200 {
			at := r.IntN(len(all))
			bad := bytes.Clone(all)
			bad[at] ^= 1 << r.IntN(8)
			in, err := openBytes(t, dir, bad, id)
			if err == nil && len(in.Damage) == 0 && !harmless(t, all, bad) {
				t.Errorf("a bit at %d of %d passes: %s", at, len(all), told(in))
			}
			if recipients != nil && len(in0(in).Damage) > 0 && !strings.Contains(told(in), "changed") {
				t.Errorf("a bit at %d of %d: %s", at, len(all), told(in))
			}
			if err == nil {
				in.Close()
			}
		}
	}
}

func in0(in *host.Input) *host.Input {
	if in == nil {
		return &host.Input{}
	}
	return in
}

// harmless tells that two plain streams have the same content.
func harmless(t testing.TB, a, b []byte) bool {
	content := func(b []byte) []byte {
		d, err := zstd.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		out, err := io.ReadAll(d)
		if err != nil {
			return nil
		}
		return out
	}
	x, y := content(a), content(b)
	return x != nil && bytes.Equal(x, y)
}

// repack reads a collection, lets its members be changed, and writes it anew.
func repack(t *testing.T, all []byte, change func(h *tar.Header, b []byte) []byte) []byte {
	t.Helper()
	d, err := zstd.NewReader(bytes.NewReader(all))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var out bytes.Buffer
	r, w := tar.NewReader(d), tar.NewWriter(&out)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if b = change(h, b); b == nil {
			continue
		}
		h.Size = int64(len(b))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write(b)
	}
	w.Close()
	return out.Bytes()
}

// TestRepacked packs it anew, once with nothing changed, which is no harm, and with changes.
func TestRepacked(t *testing.T) {
	all, _ := collection(t)
	none := func(name string) func(*tar.Header, []byte) []byte {
		return func(h *tar.Header, b []byte) []byte {
			if strings.HasPrefix(h.Name, name) {
				return nil
			}
			return b
		}
	}
	for _, c := range []struct {
		name, want string
		change     func(h *tar.Header, b []byte) []byte
	}{
		{"nothing", "", func(h *tar.Header, b []byte) []byte { return b }},
		{"a file", "changed", func(h *tar.Header, b []byte) []byte {
			if h.Name == "root/etc/hostname" {
				return []byte("web2\n")
			}
			return b
		}},
		{"an owner", "changed", func(h *tar.Header, b []byte) []byte {
			if h.Name == "root/etc/hostname" {
				h.Uid = 0xBAD
			}
			return b
		}},
		{"a file taken out", "missing", none("root/etc/passwd")},
		{"a manifest taken out", "broken", none("manifest/02-sockets.jsonl")},
		{"all manifests taken out", "it has no seal", none("manifest/")},
	} {
		in, err := openBytes(t, t.TempDir(), repack(t, all, c.change))
		if err != nil {
			t.Fatal(err)
		}
		if s := told(in); (len(in.Damage) == 0) != (c.want == "") || !strings.Contains(s, c.want) {
			t.Errorf("%s: %s", c.name, s)
		}
	}
}

func TestEncryptedForOthers(t *testing.T) {
	id := identity(t)
	all, _ := collection(t, id.Recipient())
	for _, ids := range [][]age.Identity{nil, {identity(t)}} {
		if _, err := openBytes(t, t.TempDir(), all, ids...); !errors.Is(err, host.ErrIdentity) {
			t.Error(err)
		}
	}
	long := append([]byte("age-encryption.org/v1\n-> X25519 AAAA\n"), bytes.Repeat([]byte(strings.Repeat("A", 64)+"\n"), 1<<15)...)
	if _, err := openBytes(t, t.TempDir(), long, id); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Error(err)
	}
}

func TestVerify(t *testing.T) {
	id := identity(t)
	all, seals := collection(t, id.Recipient())
	p := filepath.Join(t.TempDir(), "c")
	os.WriteFile(p, all, 0o600)
	o := host.Options{Identities: []age.Identity{id}}
	if is, err := host.IsCollection(p, o); !is || err != nil {
		t.Error(is, err)
	}
	if v, err := host.Verify(t.Context(), p, o); err != nil || !v.Intact() || !v.Complete {
		t.Errorf("%v %+v", err, v)
	}
	os.WriteFile(p, all[:seals[2]], 0o600)
	if v, err := host.Verify(t.Context(), p, o); err != nil || !v.Intact() || v.Complete || v.Last != "02-sockets" || !strings.Contains(v.Cut, "age at byte") {
		t.Errorf("%v %+v", err, v)
	}
}

// FuzzAge opens what begins like an age file, and what an age file may hold.
func FuzzAge(f *testing.F) {
	id := identity(f)
	var b bytes.Buffer
	w, err := age.Encrypt(&b, id.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	io.WriteString(w, "hello")
	w.Close()
	f.Add(b.Bytes())
	f.Add([]byte("age-encryption.org/v1\n-> X25519 x\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		p := filepath.Join(dir, "x")
		os.WriteFile(p, b, 0o600)
		host.IsCollection(p, host.Options{Identities: []age.Identity{id}})
		host.Verify(t.Context(), p, host.Options{Identities: []age.Identity{id}})
	})
}
