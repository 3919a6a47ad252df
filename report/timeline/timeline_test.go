package timeline

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"telltale/evidence"
)

func at(s string) evidence.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return evidence.At(t, time.Nanosecond)
}

var files = []File{
	{Source: "s1", Host: "web1", Path: "/bin/ls", Type: "file", Inode: 12, Mode: 0o4755, Size: 99, Modified: at("2026-03-02T10:00:00.5Z"), Accessed: at("2026-03-02T10:00:00.5Z"), Changed: at("2026-03-03T00:00:00Z"), Born: at("1969-12-31T23:59:59.25Z")},
	{Source: "s1", Path: "/tmp/=cmd|'\n\x1b[2J\"x\",\xff", Type: "file", State: "deleted", Inode: 13, Mode: 0o644, Modified: at("2026-03-01T00:00:00Z"), Deleted: at("2026-03-02T11:00:00Z")},
	{Source: "s1", Path: "/lib", Target: "usr/lib", Type: "symlink", Inode: 14, Mode: 0o777, Modified: at("2200-01-01T00:00:00Z")},
}

var event = Event{At: at("2026-03-02T10:30:00Z"), Kind: "auth accepted", Source: "s1", Host: "web1", Path: "ext4:/var/log/auth.log", Line: 7, Message: "=1+1 accepted\n", Attrs: []Attr{{"user.name", "root"}, {"source.ip", "203.0.113.66"}}}

func write(t testing.TB, name string) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range Formats() {
		if f.Name != name {
			continue
		}
		w := f.New(&b, t.TempDir())
		for i := range files {
			if err := w.File(&files[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Event(&event); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	for name, want := range map[string]string{
		"bodyfile": `0|/bin/ls|12|r/rrwsr-xr-x|0|0|99|1772445600.500000000|1772445600.500000000|1772496000|-0.750000000
0|/tmp/=cmd\x7c'\n\x1b[2J"x",\u{fffd} (deleted)|13|r/rrw-r--r--|0|0|0|0|1772323200|0|0
0|/lib -> usr/lib|14|l/lrwxrwxrwx|0|0|0|0|7258118400|0|0
`,
		"csv": `Date,Size,Type,Mode,UID,GID,Meta,File Name
1969-12-31T23:59:59.250000000Z,99,...b,r/rrwsr-xr-x,0,0,12,"/bin/ls"
2026-03-01T00:00:00.000000000Z,0,m...,r/rrw-r--r--,0,0,13,"/tmp/=cmd|'\n\x1b[2J""x"",\u{fffd} (deleted)"
2026-03-02T10:00:00.500000000Z,99,ma..,r/rrwsr-xr-x,0,0,12,"/bin/ls"
2026-03-02T10:30:00.000000000Z,0,"auth accepted",,,,"s1 ext4:/var/log/auth.log line 7","'=1+1 accepted\n"
2026-03-02T11:00:00.000000000Z,0,gone,r/rrw-r--r--,0,0,13,"/tmp/=cmd|'\n\x1b[2J""x"",\u{fffd} (deleted)"
2026-03-03T00:00:00.000000000Z,99,..c.,r/rrwsr-xr-x,0,0,12,"/bin/ls"
2200-01-01T00:00:00.000000000Z,0,m...,l/lrwxrwxrwx,0,0,14,"/lib -> usr/lib"
`,
	} {
		if got := write(t, name); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// Whatever stands in a name, each row has the columns of its format.
func TestRowsStayWhole(t *testing.T) {
	for name, columns := range map[string]int{"csv": 8, "l2tcsv": 17} {
		rows, err := csv.NewReader(strings.NewReader(write(t, name))).ReadAll()
		if err != nil || len(rows) != 8 {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		for _, r := range rows {
			if len(r) != columns {
				t.Errorf("%s: %d columns in %q", name, len(r), r)
			}
			for _, c := range r {
				if c != "" && strings.IndexByte("=+@", c[0]) >= 0 {
					t.Errorf("%s: %q is a formula", name, c)
				}
			}
		}
	}
	last := int64(-1 << 62)
	for _, l := range strings.Split(strings.TrimSpace(write(t, "jsonl")), "\n") {
		var row map[string]any
		if err := json.Unmarshal([]byte(l), &row); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"message", "datetime", "timestamp_desc"} {
			if s, _ := row[k].(string); s == "" {
				t.Errorf("no %s in %s", k, l)
			}
		}
		if n := int64(row["timestamp"].(float64)); n < last {
			t.Errorf("out of order: %s", l)
		} else {
			last = n
		}
	}
}

// What does not fit into memory comes in the same order.
func TestSortsWhatDoesNotFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	out := [2]bytes.Buffer{}
	sorters := [2]*sorter{newSorter(&out[0], t.TempDir()), newSorter(&out[1], t.TempDir())}
	sorters[1].limit = 4000
	for i := range 5000 {
		tm := evidence.Time{Sec: rng.Int64N(50) - 20, Nsec: int32(rng.IntN(3))}
		for _, s := range sorters {
			if err := s.add(tm, fmt.Appendf(s.begin(), "%d.%d %d", tm.Sec, tm.Nsec, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(sorters[1].runs) < 10 {
		t.Fatal("nothing was put aside")
	}
	for _, s := range sorters {
		if err := s.finish(); err != nil {
			t.Fatal(err)
		}
	}
	if out[0].String() != out[1].String() || strings.Count(out[0].String(), "\n") != 5000 {
		t.Error("the two orders differ")
	}
}

func BenchmarkCSV(b *testing.B) {
	f := files[0]
	b.ReportAllocs()
	for b.Loop() {
		w := newCSV(&bytes.Buffer{}, b.TempDir())
		for i := range 100_000 {
			f.Modified.Sec = int64(i * 7919 % 100_003)
			w.File(&f)
		}
		w.Close()
	}
}
