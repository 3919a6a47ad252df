package ewf_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"fmt"
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

func open(t testing.TB, f image.File) image.Disk {
	t.Helper()
	d, err := ewf.Format().Open(t.Context(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func notes(d image.Disk) []string { return d.(image.Describer).Info().Notes }

func facts(d image.Disk) map[string]string {
	m := map[string]string{}
	for _, f := range d.(image.Describer).Info().Facts {
		m[f.Name] = f.Value
	}
	return m
}

// acquire makes an image with ewfacquire and gives its first segment.
func acquire(t testing.TB, content []byte, args ...string) string {
	t.Helper()
	imagetest.Need(t, "ewfacquire")
	src := imagetest.Write(t, "disk.raw", content)
	target := filepath.Join(t.TempDir(), "case")
	imagetest.Run(t, "ewfacquire", append(append([]string{"-u", "-q", "-t", target}, args...), src)...)
	m, _ := filepath.Glob(target + ".*01")
	if len(m) != 1 {
		t.Fatalf("segments %q", m)
	}
	return m[0]
}

func TestReadsWhatLibewfWrites(t *testing.T) {
	content := imagetest.Content(1, 5_000_000/512*512)
	for _, format := range []string{"ewf", "smart", "ftk", "encase1", "encase2", "encase3", "encase4", "encase5", "encase6", "encase7", "linen5", "linen6", "linen7", "ewfx"} {
		levels := []string{"fast"}
		if imagetest.Full() || format == "encase6" {
			levels = []string{"none", "empty-block", "fast", "best"}
		}
		for _, level := range levels {
			t.Run(format+" "+level, func(t *testing.T) {
				path := acquire(t, content, "-f", format, "-c", level, "-S", "1048576", "-d", "sha1", "-C", "c 17", "-e", "K. Holm", "-D", "web", "-E", "e1", "-N", "a note")
				d := open(t, imagetest.Open(t, path))
				imagetest.Compare(t, d, content)
				if n := notes(d); len(n) != 0 {
					t.Errorf("notes %q", n)
				}
				f := facts(d)
				if f["case number"] != "c 17" || f["examiner"] != "K. Holm" || f["description"] != "web" || f["notes"] != "a note" || f["evidence number"] != "e1" {
					t.Errorf("facts %q", f)
				}
				verifies(t, d, content)
			})
		}
	}
}

// verifies checks that each stored digest is held against the bytes, and right.
func verifies(t *testing.T, d image.Disk, content []byte) {
	t.Helper()
	last := int64(0)
	checks, err := d.(image.Verifier).Verify(t.Context(), func(done, total int64) {
		if done < last || done > total {
			t.Errorf("progress %d after %d of %d", done, last, total)
		}
		last = done
	})
	if err != nil || last != int64(len(content)) {
		t.Fatalf("%v, %d bytes", err, last)
	}
	want := map[string]string{"MD5 of the disk": fmt.Sprintf("%x", md5.Sum(content)), "SHA1 of the disk": fmt.Sprintf("%x", sha1.Sum(content))}
	for _, c := range checks {
		if !c.OK || want[c.What] != "" && c.Found != want[c.What] {
			t.Errorf("%+v", c)
		}
	}
}

func TestSizesAndChunks(t *testing.T) {
	for _, size := range []int{512, 32768, 32768 + 512, 3*32768 - 512, 1 << 20} {
		for _, sectors := range []string{"16", "64", "32768"} {
			content := imagetest.Content(uint64(size), size)
			d := open(t, imagetest.Open(t, acquire(t, content, "-f", "encase6", "-c", "fast", "-b", sectors)))
			imagetest.Compare(t, d, content)
			verifies(t, d, content)
		}
	}
	content := imagetest.Content(4, 4096*300)
	d := open(t, imagetest.Open(t, acquire(t, content, "-f", "encase6", "-P", "4096")))
	imagetest.Compare(t, d, content)
}

func TestReadsAStream(t *testing.T) {
	imagetest.Need(t, "ewfacquirestream", "sh")
	content := imagetest.Content(9, 3_000_000/512*512)
	src := imagetest.Write(t, "disk.raw", content)
	target := filepath.Join(t.TempDir(), "case")
	imagetest.Run(t, "sh", "-c", "ewfacquirestream -q -f encase6 -c fast -S 1048576 -t "+target+" <"+src)
	d := open(t, imagetest.Open(t, target+".E01"))
	imagetest.Compare(t, d, content)
}

// sections gives where the sections of a version 1 segment lie.
func sections(b []byte) (kinds []string, offs []int) {
	for at := 13; at+76 <= len(b); {
		kinds, offs = append(kinds, string(bytes.TrimRight(b[at:at+16], "\x00"))), append(offs, at)
		next := int(b[at+16]) | int(b[at+17])<<8 | int(b[at+18])<<16 | int(b[at+19])<<24
		if next <= at {
			break
		}
		at = next
	}
	return kinds, offs
}

// written makes a set in memory by our own writer.
func written(t testing.TB, content []byte, o ewf.Options) (map[string][]byte, *ewf.Writer) {
	t.Helper()
	folder := memory{}
	o.Name, o.Size = "case", int64(len(content))
	w, err := ewf.NewWriter(folder.create, o)
	if err != nil {
		t.Fatal(err)
	}
	for p := content; len(p) > 0; {
		n, err := w.Write(p[:min(len(p), 77_777)])
		if err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return folder, w
}

func TestABrokenChunkIsLostAlone(t *testing.T) {
	content := imagetest.Content(2, 40*32768)
	for _, level := range []ewf.Compression{ewf.None, ewf.Fast} {
		folder, _ := written(t, content, ewf.Options{Compression: level})
		b := folder["case.E01"]
		kinds, offs := sections(b)
		b[offs[slices.Index(kinds, "sectors")]+76+100] ^= 0x40
		d := open(t, imagetest.Mem(folder, "case.E01"))
		got, lost := imagetest.Salvage(t, d)
		if len(lost) != 1 || lost[0].Ref.Off%32768 != 0 || lost[0].Ref.Len != 32768 || lost[0].Ref.Path != "case.E01" {
			t.Fatalf("lost %+v", lost)
		}
		if at := lost[0].Ref.Off; !bytes.Equal(got[at+32768:], content[at+32768:]) || !bytes.Equal(got[:at], content[:at]) {
			t.Error("other chunks differ")
		}
		checks, err := d.(image.Verifier).Verify(t.Context(), nil)
		if err != nil || checks[0].OK || len(checks[0].Damage) != 1 || checks[1].OK || checks[2].OK {
			t.Errorf("%+v, %v", checks, err)
		}
	}
}

func TestUsesTheSecondTable(t *testing.T) {
	content := imagetest.Content(3, 40*32768)
	for _, at := range []int{76, 76 + 24 + 5} { // in the header, in the entries
		folder, _ := written(t, content, ewf.Options{Compression: ewf.Fast})
		b := folder["case.E01"]
		kinds, offs := sections(b)
		b[offs[slices.Index(kinds, "table")]+at] ^= 0x41
		d := open(t, imagetest.Mem(folder, "case.E01"))
		imagetest.Compare(t, d, content)
		if n := notes(d); len(n) == 0 {
			t.Error("nobody said so")
		}
		b[offs[slices.Index(kinds, "table2")]+at] ^= 0x41
		imagetest.Salvage(t, open(t, imagetest.Mem(folder, "case.E01")))
	}
}

func TestMissingSegments(t *testing.T) {
	content := imagetest.Content(5, 6<<20)
	folder, _ := written(t, content, ewf.Options{Compression: ewf.None, SegmentSize: 1 << 20})
	for _, gone := range [][]string{{"case.E02"}, {"case.E03", "case.E04"}, {"case.E05"}} {
		part := map[string][]byte{}
		for n, b := range folder {
			if !slices.Contains(gone, n) {
				part[n] = b
			}
		}
		d := open(t, imagetest.Mem(part, "case.E01"))
		got, lost := imagetest.Salvage(t, d)
		if len(lost) != 1 || !slices.ContainsFunc(notes(d), func(n string) bool { return strings.Contains(n, "missing") }) {
			t.Fatalf("without %q: %+v, %q", gone, lost, notes(d))
		}
		for i := range got {
			off := int64(i)
			if in := off >= lost[0].Ref.Off && off < lost[0].Ref.Off+lost[0].Ref.Len; !in && got[i] != content[i] {
				t.Fatalf("without %q: byte %d differs", gone, i)
			}
		}
		if lost[0].Ref.Len > int64(len(gone))<<21 {
			t.Errorf("without %q: %d bytes lost", gone, lost[0].Ref.Len)
		}
	}
}

func TestCutSegmentsGiveTheRest(t *testing.T) {
	content := imagetest.Content(6, 3<<20)
	folder, _ := written(t, content, ewf.Options{Compression: ewf.Fast, SegmentSize: 1 << 20})
	for name, b := range folder {
		for cut := 0; cut < len(b); cut += len(b)/40 + 1 {
			part := map[string][]byte{}
			for n, b := range folder {
				part[n] = b
			}
			part[name] = b[:cut]
			d, err := ewf.Format().Open(t.Context(), imagetest.Mem(part, "case.E01"), nil)
			if err != nil {
				if name != "case.E01" {
					t.Errorf("%s cut at %d: %v", name, cut, err)
				}
				continue
			}
			got, lost := imagetest.Salvage(t, d)
			if len(lost) == 0 && !bytes.Equal(got, content) {
				t.Errorf("%s cut at %d: wrong bytes and no damage", name, cut)
			}
			at := int64(0)
			for _, l := range lost {
				if !bytes.Equal(got[at:l.Ref.Off], content[at:l.Ref.Off]) {
					t.Fatalf("%s cut at %d: wrong bytes before %d", name, cut, l.Ref.Off)
				}
				at = l.Ref.Off + l.Ref.Len
			}
			if !bytes.Equal(got[at:], content[at:]) {
				t.Fatalf("%s cut at %d: wrong bytes behind the damage", name, cut)
			}
			if len(notes(d)) == 0 {
				t.Errorf("%s cut at %d: no note", name, cut)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, head := range []string{"", "EVF", "EVF\x09\x0d\x0a\xff\x00", "LVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00", "EVF\x09\x0d\x0a\xff\x00\x01\x02\x00\x00\x00",
		"EVF2\x0d\x0a\x81\x00\x03\x01", "LEF2\x0d\x0a\x81\x00"} {
		if _, err := ewf.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a.E01": []byte(head)}, "a.E01"), nil); err == nil {
			t.Errorf("%q was opened", head)
		}
	}
}

func BenchmarkReadZlib(b *testing.B)   { benchmark(b, ewf.Fast) }
func BenchmarkReadStored(b *testing.B) { benchmark(b, ewf.None) }

func benchmark(b *testing.B, level ewf.Compression) {
	folder, _ := written(b, imagetest.Content(8, 64<<20), ewf.Options{Compression: level})
	imagetest.Throughput(b, open(b, imagetest.Mem(folder, "case.E01")))
}

// TestBesideEwfverify prints how long libewf and this package take for the same image.
func TestBesideEwfverify(t *testing.T) {
	if !imagetest.Full() {
		t.Skip("set TELLTALE_FULL to compare speeds")
	}
	imagetest.Need(t, "ewfverify")
	path := acquire(t, imagetest.Content(8, 256<<20), "-f", "encase6", "-c", "fast")
	for range 2 {
		start := time.Now()
		imagetest.Run(t, "ewfverify", "-q", path)
		theirs := time.Since(start)
		start = time.Now()
		if _, err := open(t, imagetest.Open(t, path)).(image.Verifier).Verify(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		ours := time.Since(start)
		t.Logf("256 MiB: ewfverify %v (%.0f MB/s), Verify %v (%.0f MB/s)", theirs, 268/theirs.Seconds(), ours, 268/ours.Seconds())
	}
	if st, err := os.Stat(path); err == nil {
		t.Logf("the first segment has %d bytes", st.Size())
	}
}
