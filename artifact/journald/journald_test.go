package journald_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/journald"
	"telltale/artifact/sshd"
)

// journal builds a journal file (systemd, JOURNAL_FILE_FORMAT) without indexes: the reader needs none.
type journal struct {
	b       []byte
	compact bool
	pack    string
	entries uint64
}

func newJournal(compact bool, pack string) *journal {
	j := &journal{b: make([]byte, 264), compact: compact, pack: pack}
	copy(j.b, "LPKSHHRH")
	if compact {
		j.b[12] = 16
	}
	binary.LittleEndian.PutUint64(j.b[88:], 264)
	return j
}

func (j *journal) object(kind, flags byte, body []byte) int {
	for len(j.b)%8 != 0 {
		j.b = append(j.b, 0)
	}
	at := len(j.b)
	j.b = append(j.b, kind, flags, 0, 0, 0, 0, 0, 0)
	j.b = binary.LittleEndian.AppendUint64(j.b, uint64(16+len(body)))
	j.b = append(j.b, body...)
	return at
}

func (j *journal) data(s string) int {
	head := 48
	if j.compact {
		head = 56
	}
	body, flags := []byte(s), byte(0)
	if len(s) > 30 {
		switch j.pack {
		case "zstd":
			e, _ := zstd.NewWriter(nil)
			body, flags = e.EncodeAll(body, nil), 4
		case "lz4":
			out := make([]byte, lz4.CompressBlockBound(len(s)))
			n, _ := lz4.CompressBlock(body, out, nil)
			body, flags = append(binary.LittleEndian.AppendUint64(nil, uint64(len(s))), out[:n]...), 2
		}
	}
	return j.object(1, flags, append(make([]byte, head), body...))
}

func (j *journal) entry(us uint64, fields ...string) int {
	var items []byte
	for _, f := range fields {
		at := j.data(f)
		if j.compact {
			items = binary.LittleEndian.AppendUint32(items, uint32(at))
		} else {
			items = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(items, uint64(at)), 0)
		}
	}
	j.entries++
	body := binary.LittleEndian.AppendUint64(nil, j.entries)
	body = binary.LittleEndian.AppendUint64(body, us)
	body = append(body, make([]byte, 32)...)
	return j.object(3, 0, append(body, items...))
}

func (j *journal) done() []byte {
	binary.LittleEndian.PutUint64(j.b[152:], j.entries)
	return append(j.b, make([]byte, 4096)...)
}

func login(n int) []string {
	return []string{fmt.Sprintf("MESSAGE=Accepted password for alice from 203.0.113.%d port 4%03d ssh2", n%250, n), "SYSLOG_IDENTIFIER=sshd", "_PID=77", "_HOSTNAME=web1", "_UID=0", "PRIORITY=6"}
}

func read(t testing.TB, b []byte) string {
	in := artifacttest.Input(b)
	in.Messages = artifact.NewDecoders([]*artifact.Artifact{sshd.New()})
	return string(artifacttest.Run(t, journald.New(), in))
}

func sample(compact bool, pack string, n int) []byte {
	j := newJournal(compact, pack)
	for i := range n {
		j.entry(uint64(1704164645000000+i*1000), append(login(i), "FILLER="+strings.Repeat("x", 200))...)
	}
	return j.done()
}

func TestForms(t *testing.T) {
	for _, compact := range []bool{false, true} {
		for _, pack := range []string{"", "zstd", "lz4"} {
			got := read(t, sample(compact, pack, 20))
			if n := strings.Count(got, "auth-accepted "); n != 20 || strings.Contains(got, "damage") {
				t.Errorf("compact %v, %q: %d of 20 logins\n%s", compact, pack, n, got)
			}
			if !strings.Contains(got, "auth-accepted 2024-01-02T03:04:05.001000Z process.pid=77 transport=journal service.name=sshd user.name=alice source.ip=203.0.113.1") {
				t.Errorf("compact %v, %q: %s", compact, pack, got)
			}
		}
	}
}

func TestDamageCostsOnlyWhatItCovers(t *testing.T) {
	whole := sample(false, "", 200)
	hurt := bytes.Clone(whole)
	clear(hurt[20_000:24_096])
	got := read(t, hurt)
	if n := strings.Count(got, "auth-accepted "); n < 180 || n >= 200 {
		t.Errorf("%d of 200 logins are left behind a page of zeros", n)
	}
	if !strings.Contains(got, "the header counts 200 entries") {
		t.Errorf("the loss is not told:\n%s", got[max(0, len(got)-600):])
	}
	if n := strings.Count(read(t, whole[:len(whole)/2]), "auth-accepted "); n < 80 {
		t.Errorf("%d logins in the first half of the file", n)
	}
	if got := read(t, []byte("LPKSHHRH")); !strings.Contains(got, "damage") {
		t.Errorf("a bare signature: %s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range []bool{false, true} {
		for _, p := range []string{"", "zstd", "lz4"} {
			f.Add(sample(c, p, 3))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { read(t, b) })
}

func BenchmarkParse(b *testing.B) {
	data := sample(true, "", 20_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		in := artifacttest.Input(data)
		in.Messages = artifact.NewDecoders([]*artifact.Artifact{sshd.New()})
		for _, err := range journald.New().Parse(b.Context(), in) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
