package advisories_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/detect/advisories"
)

// samples are the forms of files, made by hand after each form's documentation.
func samples(t testing.TB) map[string][]byte {
	out := map[string][]byte{}
	for _, n := range []string{"osv-openssh.json", "tracker.json", "kev.json"} {
		b, err := os.ReadFile("testdata/" + n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = b
	}
	return out
}

func add(t testing.TB, d *advisories.Database, name string, b []byte) error {
	return d.Add(t.Context(), name, bytes.NewReader(b), int64(len(b)), time.Date(2024, 7, 3, 0, 0, 0, 0, time.UTC))
}

func loaded(t testing.TB) *advisories.Database {
	d := advisories.NewDatabase()
	for n, b := range samples(t) {
		if err := add(t, d, n, b); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestForms(t *testing.T) {
	d := loaded(t)
	for _, f := range d.Files {
		want := map[string]string{"osv-openssh.json": "osv-openssh.json (osv, 1 entries, as of 2024-07-02)", "tracker.json": "tracker.json (debian-tracker, 4 entries, as of 2024-07-03)", "kev.json": "kev.json (kev, 2 entries, as of 2024-07-02)"}[f.Name]
		if f.Words() != want {
			t.Errorf("got %q, want %q", f.Words(), want)
		}
	}
	for _, c := range []struct{ world, name, version, want string }{
		{"Debian:12", "openssh", "1:9.2p1-2+deb12u2", "DSA-5724-1 CVE-2024-6387 1:9.2p1-2+deb12u3"},
		{"Debian:12", "openssh", "1:9.2p1-2+deb12u3", ""},
		{"Debian:11", "openssh", "1:8.4p1-5", ""},
		{"Debian:9", "exim4", "4.89-2+deb9u3", "CVE-2019-10149 CVE-2019-10149 4.89-2+deb9u4"},
		{"Debian:9", "exim4", "4.89-2+deb9u4", ""},
		{"Debian:9", "zlib", "1:1.2.8.dfsg-5", "CVE-2018-25032 CVE-2018-25032 1:1.2.8.dfsg-5+deb9u1"},
	} {
		var got []string
		for _, f := range d.Find(c.world, c.name, c.version) {
			got = append(got, strings.Join(append(append([]string{f.Advisory}, f.CVE...), f.Fixed), " "))
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s %s %s: got %q, want %q", c.world, c.name, c.version, s, c.want)
		}
	}
	if !d.Exploited("CVE-2019-10149") || d.Exploited("CVE-2024-6387") {
		t.Error("the list of exploited faults was not read")
	}
}

// osv makes an advisory of one range.
func osv(ecosystem, name, events string) []byte {
	return fmt.Appendf(nil, `{"id":"X-1","modified":"2024-01-01T00:00:00Z","aliases":["CVE-2024-1"],"related":["CVE-2024-9"],"affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":"ECOSYSTEM","events":[%s]}]}]}`, ecosystem, name, events)
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		what, ecosystem, events string
		world, version          string
		has                     bool
	}{
		{"an end that has the fault", "Alpine:v3.18", `{"introduced":"0"},{"last_affected":"1.2-r1"}`, "Alpine:3.18", "1.2-r1", true},
		{"behind it", "Alpine:v3.18", `{"introduced":"0"},{"last_affected":"1.2-r1"}`, "Alpine:3.18", "1.2-r2", false},
		{"between two ranges", "Packagist", `{"introduced":"1.0"},{"fixed":"1.5"},{"introduced":"2.0"},{"fixed":"2.5"}`, "Packagist", "1.7", false},
		{"in the second range", "Packagist", `{"introduced":"1.0"},{"fixed":"1.5"},{"introduced":"2.0"},{"fixed":"2.5"}`, "Packagist", "2.1", true},
		{"before the first", "Packagist", `{"introduced":"1.0"},{"fixed":"1.5"}`, "Packagist", "0.9", false},
		{"Ubuntu's long term releases", "Ubuntu:22.04:LTS", `{"introduced":"0"},{"fixed":"4.95-4ubuntu2.7"}`, "Ubuntu:22.04", "4.95-4ubuntu2.6", true},
		{"Red Hat's products", "Red Hat:enterprise_linux:9::baseos", `{"introduced":"0"},{"fixed":"0:1.2-3.el9"}`, "Red Hat:9", "1.2-2.el9", true},
		{"an epoch", "AlmaLinux:9", `{"introduced":"0"},{"fixed":"1:1.2-3.el9"}`, "AlmaLinux:9", "1:1.2-3.el9", false},
		{"another stream of modules", "Rocky Linux:8", `{"introduced":"0"},{"fixed":"0:8.0.30-1.module+el8.9"}`, "Rocky:8", "7.4.33-1.module+el8.9", false},
		{"the same stream", "Rocky Linux:8", `{"introduced":"0"},{"fixed":"0:8.0.30-1.module+el8.9"}`, "Rocky:8", "8.0.27-1.module+el8.7", true},
	} {
		d := advisories.NewDatabase()
		if err := add(t, d, "x", osv(c.ecosystem, "a", c.events)); err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		got := d.Find(c.world, "a", c.version)
		if (len(got) > 0) != c.has {
			t.Errorf("%s: %+v", c.what, got)
		}
		if len(got) > 0 && !slices.Equal(got[0].CVE, []string{"CVE-2024-1"}) {
			t.Errorf("%s: %v", c.what, got[0].CVE)
		}
	}
}

// TestWrongFiles: what is no such file is refused, and so is one that nothing can come of.
func TestWrongFiles(t *testing.T) {
	for what, b := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "a list": []byte("[1]"), "another object": []byte(`{"a":1}`), "cut": []byte(`{"exim4":{"CVE-1":{"releases":{"stretch":{"status":"resolved","fixed_version":"1"}}}`),
		"only what no server has": osv("crates.io", "a", `{"introduced":"0"},{"fixed":"1"}`), "never mended": osv("Debian:12", "a", `{"introduced":"0"}`),
	} {
		if err := add(t, advisories.NewDatabase(), what, b); !errors.Is(err, advisories.ErrForm) && what != "cut" && what != "empty" || err == nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestArchives(t *testing.T) {
	s := samples(t)
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	w.Write(s["tracker.json"])
	w.Close()
	d := advisories.NewDatabase()
	if err := add(t, d, "tracker.json.gz", gz.Bytes()); err != nil || d.Files[0].Rows != 4 {
		t.Errorf("%v %+v", err, d.Files)
	}
	if err := add(t, d, "all.zip", zipped(t, 3)); err != nil || d.Files[1].Rows != 6 {
		t.Errorf("%v %+v", err, d.Files)
	}
}

// zipped makes an archive as OSV gives it out, with advisories of two releases each.
func zipped(t testing.TB, n int) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range n {
		w, err := z.Create(fmt.Sprintf("DEBIAN-CVE-2024-%d.json", i))
		if err != nil {
			t.Fatal(err)
		}
		var versions []string
		for j := range 40 {
			versions = append(versions, fmt.Sprintf(`"%d.%d-%d"`, i%97, j, i))
		}
		fmt.Fprintf(w, `{"id":"DEBIAN-CVE-2024-%d","modified":"2024-01-01T00:00:00Z","upstream":["CVE-2024-%d"],"details":"%x","affected":[`, i, i, strings.Repeat(fmt.Sprint(i*7919), 60))
		for j, r := range []string{"11", "12"} {
			if j > 0 {
				w.Write([]byte(","))
			}
			fmt.Fprintf(w, `{"package":{"ecosystem":"Debian:%s","name":"pkg%d"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"%d.%d-1"}]}],"versions":[%s]}`, r, i%3000, i%50, i%17, strings.Join(versions, ","))
		}
		w.Write([]byte("]}"))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// BenchmarkZip reads an archive of about 50 MB.
func BenchmarkZip(b *testing.B) {
	z := zipped(b, 102_000)
	b.Logf("%d bytes", len(z))
	b.SetBytes(int64(len(z)))
	b.ReportAllocs()
	var d *advisories.Database
	before := heap()
	for b.Loop() {
		d = advisories.NewDatabase()
		if err := d.Add(b.Context(), "all.zip", bytes.NewReader(z), int64(len(z)), time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(heap()-before)/1e6, "MB-kept")
	runtime.KeepAlive(d)
	runtime.KeepAlive(z)
}

// heap gives the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func FuzzAdd(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	f.Add(zipped(f, 1))
	f.Add(osv("Debian:12", "a", `{"introduced":"0"},{"last_affected":"1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := advisories.NewDatabase()
		if add(t, d, "x", b) == nil && len(d.Files) == 0 {
			t.Fatal("nothing was read, and nothing was said")
		}
		d.Find("Debian:12", "openssh", "1")
	})
}
