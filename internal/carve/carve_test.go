package carve_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale/internal/carve"
)

const (
	sshd   = "Mar  2 10:00:00 web1 sshd[77]: Accepted password for root from 203.0.113.66 port 4022 ssh2"
	iso    = "2026-03-02T10:00:00.123456+00:00 web1 sshd[77]: Accepted password for root from 203.0.113.66 port 4022 ssh2"
	access = `203.0.113.66 - - [02/Mar/2026:10:00:00 +0000] "POST /up.php HTTP/1.1" 200 12 "-" "curl/8"`
	audit  = `type=USER_LOGIN msg=audit(1772445600.123:77): pid=77 uid=0 auid=0 ses=3 msg='op=login acct="root"'`
	apache = "[Mon Mar 02 10:00:00.123456 2026] [php:error] [pid 77] [client 203.0.113.66:4022] PHP Warning"
	nginx  = "2026/03/02 10:00:00 [error] 77#77: *1 open() failed"
)

func record(user, host string) []byte {
	b := make([]byte, 384)
	b[0] = 7
	binary.LittleEndian.PutUint32(b[4:], 77)
	copy(b[8:], "pts/0")
	copy(b[44:], user)
	copy(b[76:], host)
	binary.LittleEndian.PutUint32(b[340:], 1772445600)
	return b
}

func scan(t testing.TB, data []byte, extents ...carve.Extent) (out []carve.Piece) {
	if len(extents) == 0 {
		extents = []carve.Extent{{Len: int64(len(data))}}
	}
	for p, err := range carve.Scan(context.Background(), bytes.NewReader(data), slices.Values(extents)) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Off < 0 || p.Off+int64(len(p.Text)) > int64(len(data)) || !bytes.Equal(data[p.Off:p.Off+int64(len(p.Text))], p.Text) {
			t.Fatalf("%d bytes at %d are not what is given", len(p.Text), p.Off)
		}
		p.Text = bytes.Clone(p.Text)
		out = append(out, p)
	}
	return out
}

func TestFormsAreTold(t *testing.T) {
	for line, want := range map[string]carve.Form{sshd: carve.Syslog, iso: carve.Syslog, "<38>1 " + iso: carve.Syslog, "<38>" + sshd: carve.Syslog, access: carve.Access, audit: carve.Audit, apache: carve.Error, nginx: carve.Error,
		"::1 - bob " + access[15:]: carve.Access, "node=web1 " + audit: carve.None,
		"Marching as to war with the cross of Jesus": carve.None, "2026 was a good year for wine, they say": carve.None, "<html><body class=\"x\">text of a page</body>": carve.None,
		"[section]\tand a setting that goes on": carve.None, "type=text name=field value=nothing at all here": carve.None, "1.2.3.4 [02/Mar/2026:10:00:00 +0000] \"GET /\"": carve.None} {
		if got := carve.FormOf([]byte(line)); got != want {
			t.Errorf("%q is told as %q, want %q", line, got, want)
		}
	}
}

// What lies in noise, over the edges of windows and extents, is found where it lies.
func TestFoundInNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	data := make([]byte, 13<<20)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	want := map[int64]string{}
	put := func(at int, s string) {
		copy(data[at:], "\n"+s+"\n")
		want[int64(at+1)] = s
	}
	for i, at := range []int{5000, 4<<20 - 40, 8<<20 - 1, 9 << 20} {
		put(at, fmt.Sprintf("%s %d", []string{sshd, iso, access, audit}[i], i))
	}
	copy(data[100_000:], "\n"+sshd+" one\n"+sshd+" two\n"+sshd+" thr\x01ee\n"+sshd+" four\n")
	rec := map[int64]bool{}
	for _, at := range []int{128 * 3000, 128*5000 - 384, 128 * 5000, 12<<20 - 256} { // 2 and 3 touch
		copy(data[at:], record("root", "203.0.113.66"))
		rec[int64(at)] = true
	}
	got, adjacent := 0, 0
	for _, p := range scan(t, data) {
		if p.Form == carve.Login {
			if !rec[p.Off] {
				t.Errorf("a record at %d that nobody put there", p.Off)
			}
			delete(rec, p.Off)
			continue
		}
		if p.Adjacent {
			adjacent++
		}
		if s, ok := want[p.Off]; ok && s == string(p.Text) {
			got++
		} else if !strings.HasPrefix(string(p.Text), sshd) || p.Off < 100_000 || p.Off > 101_000 {
			t.Errorf("%q at %d", p.Text, p.Off)
		}
	}
	if got != len(want) || len(rec) > 0 || adjacent != 1 {
		t.Errorf("%d of %d lines, records left %v, %d adjacent", got, len(want), rec, adjacent)
	}
}

func TestExtentsDoNotTouch(t *testing.T) {
	data := []byte(strings.Repeat(sshd+"\n", 3))
	n := int64(len(sshd) + 1)
	if got := scan(t, data, carve.Extent{Off: 0, Len: n}, carve.Extent{Off: 2 * n, Len: n}); len(got) != 2 || got[1].Adjacent {
		t.Errorf("%+v", got)
	}
	if got := scan(t, data, carve.Extent{Off: 0, Len: n - 10}); len(got) != 0 {
		t.Errorf("half a line was given: %+v", got)
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("\n"+sshd+"\n"+access+"\n"), 3)
	f.Add(append([]byte(audit+"\n"+apache+"\n"), record("a", "b")...), 100)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		at := int64(max(0, min(cut, len(data))))
		scan(t, data, carve.Extent{Off: 0, Len: at}, carve.Extent{Off: at, Len: int64(len(data)) - at})
	})
}

func BenchmarkScan(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	random := make([]byte, 64<<20)
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	for name, data := range map[string][]byte{"lines": bytes.Repeat([]byte(iso+"\n"), 500_000), "zeros": make([]byte, 64<<20), "random": random,
		"source": bytes.Repeat([]byte("\tif err != nil {\n\t\treturn err\n\t}\n// A comment\n"), 1<<20)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				for range carve.Scan(context.Background(), bytes.NewReader(data), slices.Values([]carve.Extent{{Len: int64(len(data))}})) {
				}
			}
		})
	}
}
