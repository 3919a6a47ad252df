package ewf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/image"
	"telltale/image/ewf"
	"telltale/image/imagetest"
)

// memory is a folder that segments are written to.
type memory map[string][]byte

func (m memory) create(name string) (io.WriteCloser, error) {
	if _, ok := m[name]; ok {
		return nil, os.ErrExist
	}
	m[name] = nil
	return &segment{m: m, name: name}, nil
}

type segment struct {
	m    memory
	name string
	buf  bytes.Buffer
}

func (s *segment) Write(p []byte) (int, error) { return s.buf.Write(p) }
func (s *segment) Close() error                { s.m[s.name] = s.buf.Bytes(); return nil }

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, level := range []ewf.Compression{ewf.None, ewf.Fast, ewf.Best} {
		for _, size := range []int{0, 512, 32768, 32768 + 512, 2<<20 - 512, 20<<20 + 1024} {
			t.Run(fmt.Sprintf("level %d, %d bytes", level, size), func(t *testing.T) {
				content := imagetest.Content(uint64(size), size)
				folder, w := written(t, content, ewf.Options{Compression: level, SegmentSize: 3 << 20, Examiner: "K. Hölm", Acquired: time.Unix(1_700_000_000, 0)})
				for n, b := range folder {
					if len(b) > 3<<20 {
						t.Errorf("%s has %d bytes", n, len(b))
					}
				}
				d := open(t, imagetest.Mem(folder, "case.E01"))
				if size > 0 {
					imagetest.Compare(t, d, content)
				}
				verifies(t, d, content)
				md5sum, _ := w.Sums()
				f := facts(d)
				if f["MD5"] != fmt.Sprintf("%x", md5sum) || f["examiner"] != "K. Hölm" || d.(image.Describer).Info().Made.Sec != 1_700_000_000 {
					t.Errorf("facts %q", f)
				}
			})
		}
	}
}

func TestLibewfTakesWhatIsWritten(t *testing.T) {
	imagetest.Need(t, "ewfverify", "ewfinfo", "ewfexport")
	for _, level := range []ewf.Compression{ewf.None, ewf.Fast, ewf.Best} {
		for _, size := range []int{512, 32768 + 512, 1<<20 - 512, 20<<20 + 1024} {
			content := imagetest.Content(uint64(size), size)
			o := ewf.Options{Compression: level, SegmentSize: 4 << 20, CaseNumber: "17/3", EvidenceNumber: "e 1", Examiner: "K. Holm", Notes: "tab\there",
				Description: "web server", OS: "Linux", Version: "telltale", Acquired: time.Unix(1_700_000_000, 0), Physical: true, Model: "QEMU", SerialNumber: "s1"}
			dir := t.TempDir()
			o.Name, o.Size = "case", int64(size)
			w, err := ewf.NewWriter(func(n string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, n)) }, o)
			if err != nil {
				t.Fatal(err)
			}
			if size > 1<<20 {
				w.ReadError(3, 2)
				w.ReadError(100, 64)
			}
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			first := filepath.Join(dir, "case.E01")
			imagetest.Run(t, "ewfverify", "-q", "-d", "sha1", first)
			info := string(imagetest.Run(t, "ewfinfo", first))
			md5sum, sha1sum := w.Sums()
			for _, want := range []string{"17/3", "e 1", "K. Holm", "tab here", "web server", "telltale", "EnCase 6", "Is physical:\t\tyes", "QEMU", "s1", fmt.Sprintf("%x", md5sum), fmt.Sprintf("%x", sha1sum)} {
				if !strings.Contains(info, want) {
					t.Errorf("ewfinfo does not say %q:\n%s", want, info)
				}
			}
			if size > 1<<20 && !strings.Contains(info, "3 - 4 number: 2") {
				t.Errorf("ewfinfo does not give the read errors:\n%s", info)
			}
			imagetest.Run(t, "ewfexport", "-u", "-q", "-f", "raw", "-t", filepath.Join(dir, "out"), first)
			if got, err := os.ReadFile(filepath.Join(dir, "out.raw")); err != nil || !bytes.Equal(got, content) {
				t.Errorf("level %d, %d bytes: ewfexport gives other bytes: %v", level, size, err)
			}
		}
	}
}

func TestReadErrorsAreKept(t *testing.T) {
	folder := memory{}
	w, err := ewf.NewWriter(folder.create, ewf.Options{Name: "case", Size: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	w.ReadError(7, 3)
	w.Write(make([]byte, 1<<20))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := notes(open(t, imagetest.Mem(folder, "case.E01"))); !slices.Contains(n, "3 sectors from 7 on could not be read at acquisition") {
		t.Errorf("%q", n)
	}
	if len(folder["case.E01"]) > 10_000 {
		t.Errorf("zeros take %d bytes", len(folder["case.E01"]))
	}
}

func TestWriterRefuses(t *testing.T) {
	folder := memory{}
	for _, o := range []ewf.Options{{Size: 100}, {Size: -512}, {ChunkSize: 1000}, {ChunkSize: 512 * 3}, {SegmentSize: 1000}, {SegmentSize: 3 << 30}, {SectorSize: -1}, {Size: 1 << 60}} {
		if _, err := ewf.NewWriter(folder.create, o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	w, err := ewf.NewWriter(folder.create, ewf.Options{Name: "a", Size: 1024})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 1025)); err == nil {
		t.Error("too much was taken")
	}
	w.Write(make([]byte, 512))
	if err := w.Close(); err == nil {
		t.Error("too little was taken")
	}
	broken := errors.New("disk full")
	w, _ = ewf.NewWriter(func(string) (io.WriteCloser, error) { return nil, broken }, ewf.Options{Name: "a"})
	if err := w.Close(); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func BenchmarkWriteFast(b *testing.B) {
	content := imagetest.Content(8, 64<<20)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		written(b, content, ewf.Options{Compression: ewf.Fast})
	}
}
