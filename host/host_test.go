package host_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/filesystem"
	"telltale/host"
)

type file struct {
	name, body, link string
	mode             int64
}

var server = []file{
	{name: "etc/"}, {name: "etc/passwd", body: "root:x:0:0:root:/root:/bin/bash\namy:x:1000:1000::/home/amy:/bin/sh\nbroken\n"},
	{name: "etc/hostname", body: "web1\nsecond line"}, {name: "etc/os-release", body: "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"},
	{name: "etc/localtime", link: "/usr/share/zoneinfo/Europe/Berlin"},
	{name: "etc/out", link: "/../../../../../../etc/shadow"}, {name: "etc/up", link: "../../../etc/hostname"}, {name: "etc/abs", link: "/etc/hostname"},
	{name: "etc/loop1", link: "loop2"}, {name: "etc/loop2", link: "loop1"}, {name: "etc/self", link: "self/x"},
	{name: "var/log/auth.log", body: "Jan  2 03:04:05 web1 sshd[1]: hello\n"},
	{name: "../../escape", body: "outside"}, {name: "/abs/file", body: "inside"}, {name: "odd/\xff\xfe", body: "odd name"},
	{name: "etc/apache2/envvars", body: "export APACHE_LOG_DIR=/var/log/apache2\n"},
	{name: "etc/apache2/sites-enabled/a.conf", body: "<VirtualHost *:80>\n DocumentRoot \"/srv/my site\"\n LogFormat \"%h %t \\\"%r\\\" %>s\" short\n CustomLog ${APACHE_LOG_DIR}/a.log short\n ErrorLog logs/err\n</VirtualHost>\n"},
	{name: "etc/nginx/nginx.conf", body: "http { log_format tiny '$remote_addr '\n '$status'; server { root /srv/ng; access_log /var/log/nginx/b.log tiny; error_log /var/log/nginx/e.log; } }\n"},
}

func tarball(t testing.TB, files []file) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.body)), ModTime: time.Unix(1704164645, 0), Typeflag: tar.TypeReg, Format: tar.FormatGNU}
		switch {
		case f.link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		case strings.HasSuffix(f.name, "/"):
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, name string, b []byte) (*host.Input, error) {
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b, 0o644); err != nil {
		t.Fatal(err)
	}
	in, err := host.Open(context.Background(), p, host.Options{Source: "s1", Spool: t.TempDir()})
	if err == nil {
		t.Cleanup(func() { in.Close() })
	}
	return in, err
}

func gzipped(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

func zipped(t testing.TB, files []file) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		if f.link != "" || strings.HasSuffix(f.name, "/") {
			continue
		}
		m, err := w.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(m, f.body)
	}
	w.Close()
	return b.Bytes()
}

func TestAServerInAnArchive(t *testing.T) {
	in, err := open(t, "x.tgz", gzipped(tarball(t, server)))
	if err != nil || len(in.Hosts) != 1 || in.Kind != host.KindArchive || in.SHA256 == "" {
		t.Fatalf("%+v %v", in, err)
	}
	h := in.Hosts[0]
	if h.Name != "web1" || h.OS != "Debian GNU/Linux 12 (bookworm)" || h.ZoneName != "Europe/Berlin" || len(h.Users) != 2 || h.Flat {
		t.Errorf("%q %q %q %v", h.Name, h.OS, h.ZoneName, h.Users)
	}
	if got := strings.Join(h.Sites.Roots, " "); !strings.Contains(got, "/srv/my site") || !strings.Contains(got, "/srv/ng") {
		t.Errorf("web roots %q", got)
	}
	if f := h.Sites.Formats["/var/log/apache2/a.log"]; f.Format != `%h %t "%r" %>s` {
		t.Errorf("apache's format %+v of %+v", f, h.Sites.Formats)
	}
	if f := h.Sites.Formats["/var/log/nginx/b.log"]; f.Format != "$remote_addr $status" {
		t.Errorf("nginx's format %+v", f)
	}
}

func TestLinksStayWithin(t *testing.T) {
	in, err := open(t, "x.tar", tarball(t, server))
	if err != nil {
		t.Fatal(err)
	}
	h := in.Hosts[0]
	for _, p := range []string{"/etc/up", "/etc/abs", "/etc/../etc/hostname", "/../../etc/hostname"} {
		if b, err := h.ReadFile(p); err != nil || !strings.HasPrefix(string(b), "web1") {
			t.Errorf("%s: %q %v", p, b, err)
		}
	}
	if _, err := h.ReadFile("/etc/out"); !errors.Is(err, filesystem.ErrNotExist) {
		t.Errorf("a link that leads out: %v", err)
	}
	for _, p := range []string{"/etc/loop1", "/etc/self"} {
		if _, err := h.ReadFile(p); err == nil {
			t.Errorf("%s, which leads to itself, was read", p)
		}
	}
	if b, err := h.ReadFile("/abs/file"); err != nil || string(b) != "inside" {
		t.Errorf("an absolute name: %q %v", b, err)
	}
	if b, err := h.ReadFile("/odd/\xff\xfe"); err != nil || string(b) != "odd name" {
		t.Errorf("a name that is not UTF-8: %q %v", b, err)
	}
}

func TestWalkSeesEveryFileOnce(t *testing.T) {
	for name, b := range map[string][]byte{"tar": tarball(t, server), "zip": zipped(t, server)} {
		in, err := open(t, "x."+name, b)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		err = in.Hosts[0].Walk(t.Context(), func(p string, err error) { t.Errorf("%s: %s: %v", name, p, err) }, func(e *host.Entry) error { seen[e.Path]++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		for p, n := range seen {
			if n != 1 {
				t.Errorf("%s: %s was met %d times", name, p, n)
			}
		}
		for _, p := range []string{"/", "/etc/passwd", "/var/log/auth.log", "/%2e%2e/%2e%2e/escape"} {
			if seen[p] != 1 {
				t.Errorf("%s: %s was not met", name, p)
			}
		}
	}
}

func TestSeveralServersSideBySide(t *testing.T) {
	var files []file
	for _, dir := range []string{"collection/web1/[root]/", "collection/web2/[root]/"} {
		for _, f := range server[:4] {
			f.name = dir + f.name
			files = append(files, f)
		}
	}
	files = files[:len(files):len(files)]
	in, err := open(t, "x.tar", tarball(t, files))
	if err != nil || len(in.Hosts) != 2 {
		t.Fatalf("%d hosts, %v", len(in.Hosts), err)
	}
}

func TestADamagedArchive(t *testing.T) {
	b := tarball(t, server)
	clear(b[1536:2048]) // the header of etc/hostname
	b[1536] = 'x'
	in, err := open(t, "x.tar", b)
	if err != nil || len(in.Damage) == 0 {
		t.Fatalf("damage %v, %v", in, err)
	}
	if _, err := in.Hosts[0].ReadFile("/var/log/auth.log"); err != nil {
		t.Errorf("what lies behind the damage: %v", err)
	}
	cut := tarball(t, server)
	in, err = open(t, "y.tgz", gzipped(cut)[:len(gzipped(cut))-30])
	if err != nil || len(in.Damage) == 0 {
		t.Errorf("a cut stream is not told: %+v %v", in, err)
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "auth.log"), []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "secure")); err != nil {
		t.Fatal(err)
	}
	in, err := host.Open(t.Context(), dir, host.Options{Source: "s1"})
	if err != nil || in.Kind != host.KindLogs || !in.Hosts[0].Flat {
		t.Fatalf("%+v %v", in, err)
	}
	defer in.Close()
	if b, err := in.Hosts[0].ReadFile("/secure"); err == nil {
		t.Errorf("a link led to the examiner's own disk: %q", b[:min(len(b), 20)])
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(tarball(f, server))
	f.Add(zipped(f, server))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := open(t, "x", b)
		if err != nil {
			return
		}
		for _, h := range in.Hosts {
			h.Walk(t.Context(), func(string, error) {}, func(e *host.Entry) error {
				if e.Meta.Type == filesystem.Regular {
					io.Copy(io.Discard, io.LimitReader(h.File(e), 1<<16))
				}
				return nil
			})
		}
	})
}
