package lines_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"telltale/internal/limit"
	"telltale/internal/lines"
)

func all(t *testing.T, r io.Reader) (got []lines.Line, err error) {
	t.Helper()
	lr := lines.NewReader(r)
	for l, ok := lr.Next(); ok; l, ok = lr.Next() {
		l.Text = bytes.Clone(l.Text)
		got = append(got, l)
	}
	return got, lr.Err()
}

func TestLines(t *testing.T) {
	got, err := all(t, iotest.OneByteReader(strings.NewReader("one\r\n\ntwo\nopen")))
	if err != nil || len(got) != 4 {
		t.Fatalf("%d lines, %v", len(got), err)
	}
	want := []lines.Line{{Text: []byte("one"), Off: 0, Len: 4, Num: 1}, {Text: []byte{}, Off: 5, Num: 2}, {Text: []byte("two"), Off: 6, Len: 3, Num: 3}, {Text: []byte("open"), Off: 10, Len: 4, Num: 4, Open: true}}
	for i, w := range want {
		g := got[i]
		if string(g.Text) != string(w.Text) || g.Off != w.Off || g.Len != w.Len || g.Num != w.Num || g.Open != w.Open {
			t.Errorf("line %d: got %+v, want %+v", i, g, w)
		}
	}
}

func TestALongLineIsCutAndTheNextIsRead(t *testing.T) {
	long := strings.Repeat("x", 3*limit.LineLength)
	got, err := all(t, strings.NewReader("a\n"+long+"\nb\n"+long))
	if err != nil || len(got) != 4 {
		t.Fatalf("%d lines, %v", len(got), err)
	}
	if !got[1].Cut || len(got[1].Text) != limit.LineLength || got[1].Len != int64(len(long)) {
		t.Errorf("cut %v, %d bytes of %d", got[1].Cut, len(got[1].Text), got[1].Len)
	}
	if string(got[2].Text) != "b" || got[2].Off != int64(len(long))+3 || got[2].Num != 3 {
		t.Errorf("after the long line: %+v", got[2])
	}
	if !got[3].Cut || !got[3].Open {
		t.Errorf("the last long line: cut %v open %v", got[3].Cut, got[3].Open)
	}
}

func TestNoLineIsLongerThanItsLimit(t *testing.T) {
	for _, n := range []int{limit.LineLength - 1, limit.LineLength, limit.LineLength + 1, limit.LineLength + 300_000, 2 * limit.LineLength} {
		got, err := all(t, strings.NewReader(strings.Repeat("x", n)+"\nb\n"))
		if err != nil || len(got) != 2 || len(got[0].Text) != min(n, limit.LineLength) || got[0].Cut != (n > limit.LineLength) || got[0].Len != int64(n) || string(got[1].Text) != "b" {
			t.Errorf("%d bytes: %d lines, the first of %d, cut %v, %v", n, len(got), len(got[0].Text), got[0].Cut, err)
		}
	}
}

func TestAFailureIsTold(t *testing.T) {
	broken := errors.New("disk gone")
	got, err := all(t, io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)))
	if len(got) != 2 || !errors.Is(err, broken) {
		t.Fatalf("%d lines, %v", len(got), err)
	}
}

func BenchmarkLines(b *testing.B) {
	data := bytes.Repeat([]byte("Jan  2 03:04:05 web1 sshd[1]: Failed password for root from 203.0.113.5 port 5 ssh2\n"), 10000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r := lines.NewReader(bytes.NewReader(data))
		for _, ok := r.Next(); ok; _, ok = r.Next() {
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\nc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lr := lines.NewReader(bytes.NewReader(data))
		var end int64
		for l, ok := lr.Next(); ok; l, ok = lr.Next() {
			if l.Off < end || l.Off+l.Len > int64(len(data)) {
				t.Fatalf("line %d lies at %d+%d of %d", l.Num, l.Off, l.Len, len(data))
			}
			end = l.Off + l.Len
		}
	})
}

// endless never ends a line.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestALineWithoutEndEnds: what a few megabytes of gzip unpack to must not be read for ever.
func TestALineWithoutEndEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("reads four gigabytes")
	}
	got, err := all(t, io.MultiReader(strings.NewReader("a\n"), endless{}))
	if !errors.Is(err, limit.ErrLimit) || len(got) != 2 || !got[1].Cut || got[1].Len < limit.EndlessLog || got[1].Len > limit.EndlessLog+8<<20 {
		t.Errorf("%d lines, %v", len(got), err)
	}
}
