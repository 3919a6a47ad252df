package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/rogpeppe/go-internal/txtar"

	"telltale/lab"
	"telltale/lab/scenarios"
	"telltale/lab/tree"
	"telltale/report"
)

// TestIncidents puts what well-known break-ins leave, each as public analyses describe it, into a busy server's evidence, and asks for the verdict,
// the way in and the address. Each file of testdata/incidents is one: "want STATUS [VECTOR [ADDRESS]] [root|no-root]", then files to add ("/path uid= gid= mode= at=")
// and lines to add to logs ("+/path"). "@30:iso@" is the time half a minute behind the server's last line, in that log's form; "ELF" at a file's
// beginning stands for a program's, "ELFLIB" for a library's. A second line "keep etc/ home/" leaves only these of the server's own files, "keep -" none.
func TestIncidents(t *testing.T) {
	base := quietServer(t)
	files, err := filepath.Glob("testdata/incidents/*.txtar")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d incidents, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(f)
			if err != nil {
				t.Fatal(err)
			}
			evidence := filepath.Join(t.TempDir(), "evidence.tar")
			if err := os.WriteFile(evidence, base.with(t, a), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			if code := run(t.Context(), []string{"examine", "-q", "--json", "--case", t.TempDir() + "/case", evidence}, &out, &errs); code != exitOK {
				t.Fatalf("exit status %d: %s", code, errs.String())
			}
			var r report.Document
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			want, _, _ := strings.Cut(string(a.Comment), "\n")
			wanted(t, strings.Fields(want), &r)
		})
	}
}

// wanted holds a report against "want STATUS [VECTOR [ADDRESS]] [root|no-root]".
func wanted(t *testing.T, want []string, r *report.Document) {
	t.Helper()
	if len(want) < 2 || want[0] != "want" {
		t.Fatalf("no want: %q", want)
	}
	if r.Verdict.Status != want[1] {
		t.Errorf("%s (%s), want %s: %s", r.Verdict.Status, r.Verdict.Confidence, want[1], r.Verdict.Summary)
	}
	if lost := want[len(want)-1]; lost == "root" || lost == "no-root" {
		want = want[:len(want)-1]
		if root := r.Verdict.Root != nil && *r.Verdict.Root; (lost == "root") != root {
			t.Errorf("root is lost: %v, want %s: %s", root, lost, r.Verdict.Summary)
		}
	}
	if len(want) < 3 {
		return
	}
	if len(r.Entry) == 0 || r.Entry[0].Vector != want[2] || len(want) > 3 && !slices.Contains(r.Entry[0].Sources, want[3]) {
		t.Errorf("%+v, want %v", r.Entry, want[2:])
	}
	for _, e := range r.Entry {
		for _, s := range e.Sources {
			if len(want) > 3 && s != want[3] && want[2] != "mail-account" {
				t.Errorf("%s is held to have come in by %s", s, e.Vector)
			}
		}
	}
}

// server is the evidence of a server on which nothing happened, file by file.
type server struct {
	heads    []*tar.Header
	contents map[string][]byte
	last     time.Time
	zone     *time.Location
	host     string
}

// quietServer makes one.
func quietServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	if _, err := lab.Make(t.Context(), scenarios.Find("quiet"), tree.New(true), 77, dir); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "evidence.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{contents: map[string][]byte{}}
	r := tar.NewReader(z)
	for h, err := r.Next(); err != io.EOF; h, err = r.Next() {
		if err != nil {
			t.Fatal(err)
		}
		c, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		h.Name = strings.TrimPrefix(strings.TrimPrefix(h.Name, "."), "/")
		s.heads, s.contents[h.Name] = append(s.heads, h), c
		if h.ModTime.After(s.last) {
			s.last = h.ModTime
		}
	}
	if s.zone, err = time.LoadLocation(strings.TrimSpace(string(s.contents["etc/timezone"]))); err != nil {
		t.Fatal(err)
	}
	s.host = strings.TrimSpace(string(s.contents["etc/hostname"]))
	return s
}

// with gives the evidence as a tar, with an incident in it.
func (s *server) with(t *testing.T, a *txtar.Archive) []byte {
	t.Helper()
	heads, contents := slices.Clone(s.heads), maps.Clone(s.contents)
	if _, kept, ok := strings.Cut(string(a.Comment), "\nkeep "); ok {
		heads = slices.DeleteFunc(heads, func(h *tar.Header) bool {
			return !slices.ContainsFunc(strings.Fields(kept), func(p string) bool { return strings.HasPrefix(h.Name, p) })
		})
	}
	for _, f := range a.Files {
		p, facts, _ := strings.Cut(f.Name, " uid=")
		p, more := strings.CutPrefix(p, "+")
		p = strings.TrimPrefix(p, "/")
		h := &tar.Header{Name: p, Mode: 0o644, ModTime: s.at(7200), Typeflag: tar.TypeReg}
		if !more {
			h = s.header(t, p, strings.Fields("uid="+facts))
		}
		data := s.dated(f.Data)
		if bytes.HasPrefix(data, []byte("ELFLIB")) {
			data = library()
		} else if bytes.HasPrefix(data, []byte("ELF")) {
			data = append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"), bytes.Repeat([]byte{0x5a}, 4000)...)
		}
		i := slices.IndexFunc(heads, func(x *tar.Header) bool { return x.Name == p })
		switch {
		case i < 0:
			heads = append(heads, h)
		case more: // lines behind those that are there
			x := *heads[i]
			x.ModTime, heads[i] = h.ModTime, &x
			data = append(slices.Clip(contents[p]), data...)
		default:
			heads[i] = h
		}
		contents[p] = data
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range heads {
		x := *h
		x.Size = int64(len(contents[h.Name]))
		if err := w.WriteHeader(&x); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(contents[h.Name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// library is what a linker makes for others to load: it asks for a library itself, and for no linker.
func library() []byte {
	var b bytes.Buffer
	for _, x := range []any{[]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), uint16(3), uint16(62), uint32(1), [3]uint64{0, 64, 0}, uint32(0), [6]uint16{64, 56, 2, 64, 0, 0},
		[2]uint32{1, 5}, [6]uint64{0, 0, 0, 4096, 4096, 4096}, [2]uint32{2, 6}, [6]uint64{176, 176, 176, 32, 32, 8}, [4]uint64{1, 1, 0, 0}} {
		_ = binary.Write(&b, binary.LittleEndian, x)
	}
	return append(b.Bytes(), bytes.Repeat([]byte{0x5a}, 4096-b.Len())...)
}

// header makes one of "uid=33 mode=755 at=30".
func (s *server) header(t *testing.T, p string, words []string) *tar.Header {
	t.Helper()
	h := &tar.Header{Name: p, Mode: 0o644, ModTime: s.at(7200), Typeflag: tar.TypeReg}
	for _, x := range words {
		k, v, _ := strings.Cut(x, "=")
		base := 10
		if k == "mode" {
			base = 8
		}
		n, err := strconv.ParseInt(v, base, 64)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		switch k {
		case "uid":
			h.Uid = int(n)
		case "gid":
			h.Gid = int(n)
		case "mode":
			h.Mode = n
		case "at":
			h.ModTime = s.at(int(n))
		default:
			t.Fatalf("%s: %s", p, x)
		}
	}
	return h
}

// at gives a time behind the server's last line.
func (s *server) at(seconds int) time.Time {
	return s.last.Truncate(time.Second).Add(time.Duration(seconds) * time.Second)
}

// stamps are the forms of times.
var stamps = map[string]string{"iso": "2006-01-02T15:04:05.000000-07:00", "clf": "02/Jan/2006:15:04:05 -0700", "us": "01/02/2006 15:04:05", "plain": "2006-01-02 15:04:05", "ctime": "Mon Jan _2 15:04:05 2006", "slash": "2006/01/02 15:04:05", "compact": "20060102-15:04:05", "redis": "02 Jan 2006 15:04:05", "utc": "2006-01-02T15:04:05Z",
	"bsd": "Jan _2 15:04:05", "comma": "2006-01-02 15:04:05,000", "bracket": "2006-01-02T15:04:05,000", "java": "02-Jan-2006 15:04:05.000", "xfer": "Mon Jan _2 15:04:05 2006", "mysql": "060102 15:04:05", "usual": "2006-01-02 15:04:05.000+0000"}

// dated puts times and the host's name in.
func (s *server) dated(b []byte) []byte {
	return token.ReplaceAllFunc(b, func(m []byte) []byte {
		sec, form, _ := strings.Cut(strings.Trim(string(m), "@"), ":")
		if sec == "host" {
			return []byte(s.host)
		}
		n, err := strconv.Atoi(sec)
		if err == nil && form == "usec" {
			return []byte(strconv.FormatInt(s.at(n).UnixMicro(), 10))
		}
		if err == nil && form == "epoch" {
			return []byte(strconv.FormatInt(s.at(n).Unix(), 10))
		}
		if err != nil || stamps[form] == "" {
			return m
		}
		at := s.at(n).In(s.zone)
		if form == "utc" || form == "usual" {
			at = at.UTC()
		}
		return []byte(at.Format(stamps[form]))
	})
}

var token = regexp.MustCompile(`@(-?[0-9]+:[a-z]+|host)@`)
