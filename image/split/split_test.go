package split_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"telltale/image"
	"telltale/image/imagetest"
	"telltale/image/split"
)

// cut gives the parts of b under the names that marks give.
func cut(b []byte, size int, mark func(i int) string) (map[string][]byte, string) {
	parts, first := map[string][]byte{}, ""
	for i := 0; len(b) > 0; i++ {
		n := min(size, len(b))
		parts[mark(i)] = b[:n]
		if i == 0 {
			first = mark(0)
		}
		b = b[n:]
	}
	return parts, first
}

func TestJoinsParts(t *testing.T) {
	content := imagetest.Content(1, 300_000)
	for _, tc := range []struct {
		name string
		mark func(i int) string
	}{
		{"from one", func(i int) string { return fmt.Sprintf("disk.%03d", i+1) }},
		{"from zero", func(i int) string { return fmt.Sprintf("disk.%03d", i) }},
		{"two digits", func(i int) string { return fmt.Sprintf("disk.%02d", i) }},
		{"behind dd", func(i int) string { return fmt.Sprintf("disk.dd.%03d", i+1) }},
		{"two letters", func(i int) string { return fmt.Sprintf("disk.%c%c", 'a'+i/26, 'a'+i%26) }},
		{"three letters", func(i int) string { return fmt.Sprintf("disk.a%c%c", 'a'+i/26, 'a'+i%26) }},
		{"big letters", func(i int) string { return fmt.Sprintf("DISK.%c%c", 'A'+i/26, 'A'+i%26) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			parts, first := cut(content, 7000, tc.mark)
			f, notes, ok := split.Joined(imagetest.Mem(parts, first))
			if !ok {
				t.Fatal("not joined")
			}
			imagetest.Compare(t, disk{f}, content)
			if len(notes) != 1 || !strings.Contains(notes[0], "joined 43 parts") {
				t.Errorf("notes %q", notes)
			}
		})
	}
}

type disk struct{ image.File }

func (d disk) Size() int64 { return d.File.Size }

func TestLeavesOtherFilesAlone(t *testing.T) {
	for _, names := range [][]string{{"disk.dd"}, {"disk.001"}, {"disk.002", "disk.003"}, {"x.E01", "x.E02"}, {"disk.ab", "disk.ac"}, {".001", ".002"}, {"001", "002"}} {
		folder := map[string][]byte{}
		for _, n := range names {
			folder[n] = []byte("x")
		}
		if _, _, ok := split.Joined(imagetest.Mem(folder, names[0])); ok {
			t.Errorf("%q was joined", names)
		}
	}
	if _, _, ok := split.Joined(image.File{Name: "disk.001"}); ok {
		t.Error("a file without a folder was joined")
	}
}

func TestNotesWhatIsOdd(t *testing.T) {
	folder := map[string][]byte{"d.001": make([]byte, 100), "d.002": make([]byte, 90), "d.003": make([]byte, 101), "d.005": nil}
	f, notes, ok := split.Joined(imagetest.Mem(folder, "d.001"))
	if !ok || f.Size != 291 || f.Name != "d" {
		t.Fatalf("%v %d %q", ok, f.Size, f.Name)
	}
	for _, want := range []string{`"d.002" has 90 bytes`, `last part "d.003" is bigger`, `"d.004" is missing, though "d.005" is there`} {
		if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("no note of %q in %q", want, notes)
		}
	}
}

func FuzzJoined(f *testing.F) {
	f.Add("disk.001", []byte("content"), 3, int64(2))
	f.Add("disk.aa", []byte("content"), 1, int64(-1))
	f.Fuzz(func(t *testing.T, name string, b []byte, size int, off int64) {
		folder := map[string][]byte{name: b}
		if size > 0 && len(name) > 1 {
			folder[name[:len(name)-1]+string(name[len(name)-1]+1)] = b
		}
		w, _, ok := split.Joined(imagetest.Mem(folder, name))
		if !ok || off < 0 {
			return
		}
		p := make([]byte, 32)
		n, err := w.ReadAt(p, off)
		if n < len(p) && err == nil || int64(n) > max(0, w.Size-off) || err != nil && err != io.EOF {
			t.Fatalf("%d, %v", n, err)
		}
		if off == 0 && !bytes.HasPrefix(p, b[:min(len(b), 32)]) {
			t.Fatal("wrong bytes")
		}
	})
}
