package examine_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	artall "telltale/artifact/all"
	"telltale/detect"
	"telltale/detect/secrets"
	"telltale/examine"
)

// node is a file or, with a slash at its end, a folder.
type node struct {
	path     string
	mode     int64
	uid, gid int
	content  string
}

var site = []node{
	{"./", 0o755, 0, 0, ""}, {"./etc/", 0o755, 0, 0, ""}, {"./home/", 0o755, 0, 0, ""}, {"./var/", 0o755, 0, 0, ""}, {"./var/www/", 0o755, 0, 0, ""}, {"./var/www/html/", 0o755, 0, 0, ""}, {"./etc/ssl/", 0o755, 0, 0, ""}, {"./var/lib/", 0o755, 0, 0, ""},
	{"./etc/passwd", 0o644, 0, 0, "root:x:0:0::/root:/bin/bash\namy:x:1000:1000::/home/amy:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\npostgres:x:110:110::/:/bin/sh\n"},
	{"./etc/group", 0o644, 0, 0, "ssl-cert:x:108:postgres\nwww-data:x:33:\n"},
	{"./etc/os-release", 0o644, 0, 0, "ID=debian\n"},
	{"./etc/shadow", 0o640, 0, 42, "root:$y$j9T$hunter2hunter2:1::::::\n"},
	{"./etc/ssl/private/", 0o710, 0, 108, ""},
	{"./etc/ssl/private/site.key", 0o644, 0, 0, "-----BEGIN PRIVATE KEY-----\nhunter2\n"},
	{"./var/www/html/wp-config.php", 0o640, 0, 33, "<?php define('DB_PASSWORD', 'hunter2');\n"},
	{"./var/www/html/index.php", 0o644, 0, 33, "<?php\n"},
	{"./home/amy/", 0o700, 1000, 1000, ""}, {"./home/amy/.ssh/", 0o755, 1000, 1000, ""},
	{"./home/amy/.ssh/id_rsa", 0o644, 1000, 1000, "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n"},
	{"./home/amy/.ssh/id_rsa.pub", 0o644, 1000, 1000, "ssh-rsa AAAA\n"},
	{"./var/lib/mysql/", 0o700, 111, 111, ""}, {"./var/lib/mysql/shop/", 0o700, 111, 111, ""}, {"./var/lib/mysql/sys/", 0o700, 111, 111, ""}, {"./var/lib/mysql/ibdata1", 0o600, 111, 111, "x"},
	{"./srv/.env", 0o644, 0, 0, "DB_PASSWORD=hunter2\n"}, // in a folder that the archive only implies
}

// packed writes the nodes as an archive.
func packed(t *testing.T, ns []node) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, n := range ns {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: n.path, Size: int64(len(n.content)), Mode: n.mode, Uid: n.uid, Gid: n.gid, ModTime: time.Unix(1.7e9, 0)}
		if strings.HasSuffix(n.path, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(n.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "server.tar")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// lying examines evidence for secrets: by path, who may read each and what more is told.
func lying(t *testing.T, evidence string) map[string]string {
	var found []detect.Finding
	spy := *secrets.New()
	made := spy.New
	spy.New = func(s detect.Scene) detect.Fold { return &keeper{made(s), &found} }
	if _, err := examine.Run(t.Context(), examine.Options{Evidence: []string{evidence}, Spool: t.TempDir(), Artifacts: artall.Artifacts(), Detections: []*detect.Detection{&spy}}); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range secretsOf(found) {
		out[f.Path] = strings.TrimSpace(f.Mechanism + " " + strings.Join(f.Accounts, ",") + " " + f.Detail)
		for _, q := range f.For {
			if strings.Contains(q.Text+f.Title+f.Detail, "hunter2") {
				t.Errorf("%s: the secret itself is told: %q", f.Path, q.Text)
			}
		}
	}
	return out
}

func secretsOf(all []detect.Finding) (out []detect.Finding) {
	for _, f := range all {
		if f.What == detect.Secret {
			out = append(out, f)
		}
	}
	return out
}

func TestSecretsAndTheirReaders(t *testing.T) {
	got := lying(t, packed(t, site))
	want := map[string]string{
		"/etc/shadow":                 "shadow root of 1 with a password",
		"/etc/ssl/private/site.key":   "tls-key root,postgres not protected by a passphrase",
		"/var/www/html/wp-config.php": "wordpress root,www-data",
		"/home/amy/.ssh/id_rsa":       "ssh-key root,amy not protected by a passphrase",
		"/var/lib/mysql":              "database-files root shop",
		"/srv/.env":                   "environment  it sets DB_PASSWORD",
	}
	for p, w := range want {
		if got[p] != w {
			t.Errorf("%s: got %q, want %q", p, got[p], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
}

func TestACopyTellsNoReaders(t *testing.T) {
	dir := t.TempDir()
	for _, n := range site {
		if !strings.HasSuffix(n.path, "/") {
			leave(t, dir, n.path[1:], n.content, 0o644)
		}
	}
	got := lying(t, dir)
	if len(got) != 5 || got["/etc/shadow"] != "shadow  of 1 with a password" || got["/var/www/html/wp-config.php"] != "wordpress" {
		t.Errorf("%v", got)
	}
}
