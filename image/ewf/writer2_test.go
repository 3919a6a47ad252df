package ewf_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/image"
	"telltale/image/ewf"
	"telltale/image/imagetest"
)

func TestVersion2IsWrittenAndRead(t *testing.T) {
	for _, level := range []ewf.Compression{ewf.None, ewf.Fast, ewf.Best} {
		for _, size := range []int{0, 512, 32768, 32768 + 512, 2<<20 - 512, 20<<20 + 1024} {
			t.Run(fmt.Sprintf("level %d, %d bytes", level, size), func(t *testing.T) {
				content := imagetest.Content(uint64(size), size)
				folder, w := written(t, content, ewf.Options{Version2: true, Compression: level, SegmentSize: 3 << 20, Examiner: "K. Hölm", Notes: "tab\there", Acquired: time.Unix(1_700_000_000, 0), SetID: [16]byte{1}})
				for n, b := range folder {
					if len(b) > 3<<20 || len(b)%16 != 0 || !strings.HasPrefix(n, "case.Ex") {
						t.Errorf("%s has %d bytes", n, len(b))
					}
				}
				d := open(t, imagetest.Mem(folder, "case.Ex01"))
				if size > 0 {
					imagetest.Compare(t, d, content)
				}
				verifies(t, d, content)
				md5sum, _ := w.Sums()
				f := facts(d)
				if f["MD5"] != fmt.Sprintf("%x", md5sum) || f["examiner"] != "K. Hölm" || f["notes"] != "tab here" || d.(image.Describer).Info().Made.Sec != 1_700_000_000 {
					t.Errorf("facts %q", f)
				}
				if n := notes(d); len(n) > 0 {
					t.Errorf("notes %q", n)
				}
			})
		}
	}
}

func TestVersion2KeepsReadErrors(t *testing.T) {
	folder := memory{}
	w, err := ewf.NewWriter(folder.create, ewf.Options{Name: "case", Version2: true, Size: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	w.ReadError(7, 3)
	w.ReadError(1<<33, 1) // farther than version 1 can say
	w.Write(make([]byte, 1<<20))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Join(notes(open(t, imagetest.Mem(folder, "case.Ex01"))), "; "); !strings.Contains(n, "3 sectors from 7 on could not be read at acquisition") || !strings.Contains(n, "1 sectors from 8589934592") {
		t.Errorf("%q", n)
	}
}

// readByLibewf prints what libewf reads of a set: the digest of the content, the digests that are kept, the case number and the examiner.
const readByLibewf = `import sys, hashlib, pyewf
h = pyewf.handle(); h.open(pyewf.glob(sys.argv[1]))
v, k = h.get_header_values(), h.get_hash_values()
print(hashlib.sha1(h.read(h.get_media_size())).hexdigest(), k["MD5"], k["SHA1"], v["case_number"], v["examiner_name"], v["model"], v["serial_number"])`

// TestLibewfTakesVersion2 holds what is written against libewf. Its tools in distributions are of 2014 and read no Ex01: the newer one is to be had
// as libewf-python.
func TestLibewfTakesVersion2(t *testing.T) {
	if exec.Command("python3", "-c", "import pyewf").Run() != nil {
		t.Skip("libewf-python is not installed")
	}
	for _, level := range []ewf.Compression{ewf.None, ewf.Fast} {
		content := imagetest.Content(8, 9<<20+1024)
		dir := t.TempDir()
		w, err := ewf.NewWriter(func(n string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, n)) },
			ewf.Options{Name: "case", Version2: true, Size: int64(len(content)), Compression: level, SegmentSize: 4 << 20, CaseNumber: "17/3", Examiner: "K. Holm", Model: "QEMU", SerialNumber: "s1", Physical: true,
				Acquired: time.Unix(1_700_000_000, 0), SetID: [16]byte{6: 0x40, 8: 0x80, 15: 1}})
		if err != nil {
			t.Fatal(err)
		}
		w.ReadError(3, 2)
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		md5sum, sha1sum := w.Sums()
		got := string(imagetest.Run(t, "python3", "-c", readByLibewf, filepath.Join(dir, "case.Ex01")))
		if want := fmt.Sprintf("%x %x %x 17/3 K. Holm QEMU s1\n", sha1sum, md5sum, sha1sum); got != want {
			t.Errorf("level %d: libewf reads %q, want %q", level, got, want)
		}
	}
}
