package manifest_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"telltale/internal/manifest"
)

type member struct{ name, content string }

// sealed writes members, and seals them behind those that are named.
func sealed(t testing.TB, members []member, behind map[int]manifest.Seal) []member {
	t.Helper()
	var out []member
	var lines bytes.Buffer
	count, head := int64(0), ""
	for i, m := range members {
		h := header(m)
		b, err := json.Marshal(manifest.Line{Name: m.name, Size: h.Size, SHA256: manifest.Digest([]byte(m.content)), Meta: manifest.Meta(h), Before: head})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(b, '\n'))
		head = manifest.Digest(b)
		count++
		out = append(out, m)
		if s, ok := behind[i]; ok {
			s.Lines, s.Head = count, head
			if b, err = json.Marshal(s); err != nil {
				t.Fatal(err)
			}
			lines.Write(append(b, '\n'))
			out = append(out, member{manifest.File(m.name), lines.String()})
			lines.Reset()
		}
	}
	return out
}

func header(m member) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: m.name, Size: int64(len(m.content)), Mode: 0o600, ModTime: time.Unix(1, 7), Format: tar.FormatPAX}
}

func archive(t testing.TB, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(header(m)); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.content)
	}
	w.Close()
	return b.Bytes()
}

func check(t testing.TB, members []member) manifest.Verdict {
	t.Helper()
	v, err := manifest.Check(t.Context(), bytes.NewReader(archive(t, members)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func kinds(v manifest.Verdict) string {
	var out []string
	for _, p := range v.Problems {
		out = append(out, p.Kind)
	}
	return strings.Join(out, " ")
}

// plain is: a b [b] c d [d] e [e, the last]; its members are numbered 0 to 7.
func plain(t testing.TB) []member {
	return sealed(t, []member{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", "5"}}, map[int]manifest.Seal{1: {}, 3: {}, 4: {Last: true}})
}

func TestCheck(t *testing.T) {
	if v := check(t, plain(t)); !v.Intact() || !v.Complete || v.Sealed != 5 || v.Seals != 3 || v.Last != "e" {
		t.Fatalf("%+v", v)
	}
	for _, c := range []struct {
		name  string
		do    func(m []member) []member
		want  string
		seals int64
	}{
		{"content", func(m []member) []member { m[0].content = "x"; return m }, "changed", 2},
		{"size", func(m []member) []member { m[0].content = "xx"; return m }, "changed", 2},
		{"renamed", func(m []member) []member { m[0].name = "z"; return m }, "missing added", 2},
		{"taken out", func(m []member) []member { return append(m[:3:3], m[4:]...) }, "missing", 2},
		{"put in", func(m []member) []member { return append([]member{{"x", "y"}}, m...) }, "added", 2},
		{"twice", func(m []member) []member { return append([]member{m[0]}, m...) }, "added", 2},
		{"put behind", func(m []member) []member { return append(m, member{"x", "y"}) }, "added", 3},
		{"exchanged", func(m []member) []member { m[0], m[1] = m[1], m[0]; return m }, "moved", 2},
		{"to another step", func(m []member) []member { m[1], m[2], m[3] = m[2], m[3], m[1]; return m }, "missing added", 1},
		{"a manifest taken out", func(m []member) []member { return append(m[:2:2], m[3:]...) }, "broken broken added added", 1},
		{"a step taken out", func(m []member) []member { return append(m[:3:3], m[6:]...) }, "broken broken", 1},
		{"the first step taken out", func(m []member) []member { return m[3:] }, "broken broken", 1},
		{"a line taken out", func(m []member) []member { m[2].content = m[2].content[strings.Index(m[2].content, "\n")+1:]; return m }, "broken broken added", 2},
		{"a seal changed", func(m []member) []member {
			m[2].content = strings.Replace(m[2].content, `"lines":2`, `"lines":3`, 1)
			return m
		}, "broken broken", 1},
		{"no manifest", func(m []member) []member { m[2].content = "hello\n"; return m }, "broken broken broken", 1},
		{"an empty manifest", func(m []member) []member { m[2].content = ""; return m }, "broken broken broken", 1},
	} {
		v := check(t, c.do(plain(t)))
		if v.Intact() || kinds(v) != c.want || v.Seals != c.seals {
			t.Errorf("%s: %d seals hold, %+v", c.name, v.Seals, v.Problems)
		}
	}
}

// TestMetaIsEvidence changes who a file belongs to, and nothing else.
func TestMetaIsEvidence(t *testing.T) {
	want := manifest.Meta(header(member{"a", ""}))
	for i, change := range []func(*tar.Header){
		func(h *tar.Header) { h.Uid = 1 }, func(h *tar.Header) { h.Gid = 1 }, func(h *tar.Header) { h.Mode = 0o4755 }, func(h *tar.Header) { h.Typeflag = tar.TypeSymlink },
		func(h *tar.Header) { h.Linkname = "x" }, func(h *tar.Header) { h.ModTime = time.Unix(1, 8) }, func(h *tar.Header) { h.ChangeTime = time.Unix(0, 0) }, func(h *tar.Header) { h.Devmajor = 1 },
		func(h *tar.Header) { h.PAXRecords = map[string]string{"TELLTALE.untaken": "9"} }, func(h *tar.Header) { h.PAXRecords = map[string]string{"SCHILY.xattr.user.x": ""} },
	} {
		h := header(member{"a", ""})
		if change(h); manifest.Meta(h) == want {
			t.Errorf("change %d does not show", i)
		}
	}
	h := header(member{"a", ""})
	h.PAXRecords = map[string]string{"mtime": "1.000000007", "path": "a"}
	if manifest.Meta(h) != want {
		t.Error("what package tar itself writes counts")
	}
}

// TestCheckIsBounded asks for more than there may be.
func TestCheckIsBounded(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: manifest.File("x"), Size: 1 << 50, Format: tar.FormatPAX})
	v, err := manifest.Check(t.Context(), bytes.NewReader(b.Bytes()), nil)
	if err != nil || !strings.Contains(v.Cut, "more than") || v.Intact() {
		t.Errorf("%v %+v", err, v)
	}
	b.Reset()
	w = tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: manifest.HeaderName, Size: maxInt, Format: tar.FormatPAX})
	if v, _ := manifest.Check(t.Context(), bytes.NewReader(b.Bytes()), nil); v.Cut == "" {
		t.Errorf("%+v", v)
	}
	if v, _ := manifest.Check(t.Context(), bytes.NewReader(hole(t)), nil); !strings.Contains(v.Cut, "has holes") {
		t.Errorf("%+v", v)
	}
	many := plain(t)
	for range 1000 {
		many = append(many, member{manifest.File("more"), "x\n"})
	}
	if v := check(t, many); v.Count < 1000 || len(v.Problems) > 50 {
		t.Errorf("%d of %d", len(v.Problems), v.Count)
	}
}

// hole is an archive of GNU tar's newest form of a file with a hole: a few bytes that are 1 EiB to read.
func hole(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	// Package tar writes no such keys, so others of the same length.
	records := map[string]string{"XXX.sparse.major": "1", "XXX.sparse.minor": "0", "XXX.sparse.realsize": "1152921504606846976", "XXX.sparse.name": "a"}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "a", Size: 512, Format: tar.FormatPAX, PAXRecords: records}); err != nil {
		t.Fatal(err)
	}
	sparse := make([]byte, 512)
	copy(sparse, "1\n1152921504606846976\n0\n")
	w.Write(sparse)
	w.Close()
	return bytes.ReplaceAll(b.Bytes(), []byte("XXX.sparse."), []byte("GNU.sparse."))
}

const maxInt = 1<<63 - 1

// FuzzParse reads manifests that anybody wrote.
func FuzzParse(f *testing.F) {
	for _, m := range plain(f) {
		if strings.HasPrefix(m.name, manifest.Dir) {
			f.Add([]byte(m.content))
		}
	}
	f.Add([]byte("\n"))
	f.Add([]byte("{}\n{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, s, err := manifest.Parse(b)
		if err == nil && int64(len(lines)) > int64(len(b)) {
			t.Errorf("%d lines of %d bytes", len(lines), len(b))
		}
		s.Signed()
	})
}

// FuzzCheck reads whole archives: their header, their members and their manifests.
func FuzzCheck(f *testing.F) {
	f.Add(archive(f, plain(f)))
	f.Add(hole(f))
	f.Add(archive(f, sealed(f, []member{{manifest.HeaderName, `{"signer":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`}}, map[int]manifest.Seal{0: {Last: true, Signature: "AA=="}})))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := manifest.Check(t.Context(), bytes.NewReader(b), nil)
		if err != nil {
			t.Fatal(err)
		}
		if v.Sealed > v.Members || v.Complete && v.Behind > 0 || int64(len(v.Problems)) > v.Count {
			t.Errorf("%+v", v)
		}
		v.Words()
	})
}
