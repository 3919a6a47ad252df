package examine_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// member is a file in an archive that keeps change times, as a disk does.
type member struct {
	path, content string
	mode          int64
	uid           int
	mtime, ctime  time.Time
	caps          string
}

func archive(t *testing.T, ms []member) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range ms {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: m.path, Size: int64(len(m.content)), Mode: m.mode, Uid: m.uid, ModTime: m.mtime, ChangeTime: m.ctime, AccessTime: m.ctime, Format: tar.FormatPAX}
		if m.caps != "" {
			h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": m.caps}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.content); err != nil {
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

// TestRightsGained looks at modes, owners and capabilities, which dpkg does not keep and rpm does.
func TestRightsGained(t *testing.T) {
	at := func(s string) time.Time {
		x, err := time.Parse("2006-01-02", s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	built, installed, later := at("2024-01-02"), at("2024-02-02"), at("2024-05-02")
	ms := []member{{path: "etc/os-release", content: "ID=debian\n", mode: 0o644, mtime: built, ctime: installed}, {path: "etc/passwd", content: "root:x:0:0:root:/root:/bin/bash\n", mode: 0o644, mtime: built, ctime: installed},
		{path: "var/lib/dpkg/status", content: "Package: core\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n", mode: 0o644, mtime: installed, ctime: installed}}
	list, sums := "", ""
	for _, name := range []string{"a", "b", "c", "d", "wall", "su"} {
		m := member{path: "usr/bin/" + name, content: "\x7fELF " + name, mode: 0o755, mtime: built, ctime: installed}
		switch name {
		case "su": // as it was shipped
			m.mode = 0o4755
		case "wall":
			m.mode, m.ctime = 0o4755, later
		}
		list, sums = list+"/"+m.path+"\n", sums+sum(m.content)+"  "+m.path+"\n"
		ms = append(ms, m)
	}
	ms = append(ms, member{path: "var/lib/dpkg/info/core.list", content: list, mode: 0o644, mtime: installed, ctime: installed},
		member{path: "var/lib/dpkg/info/core.md5sums", content: sums, mode: 0o644, mtime: built, ctime: installed})
	expect(t, verify(t, archive(t, ms), nil), "D39 medium /usr/bin/wall of package core has rights that the package does not give it")

	ms = []member{{path: "etc/os-release", content: "ID=rhel\n", mode: 0o644}, {path: "etc/passwd", content: "root:x:0:0:root:/root:/bin/bash\n", mode: 0o644},
		{path: "var/lib/rpm/Packages", content: rpmSample(t), mode: 0o644, mtime: installed, ctime: installed},
		{path: "usr/bin/ls", content: "ls\n", mode: 0o4755}, {path: "usr/bin/cat", content: "cat\n", mode: 0o755, uid: 1000}, {path: "usr/bin/su", content: "su\n", mode: 0o4755}, {path: "usr/bin/oldtool", content: "new\n", mode: 0o755},
		{path: "usr/sbin/sshd", content: "sshd\n", mode: 0o755, caps: "\x01\x00\x00\x02"}, {path: "usr/sbin/sshcap", content: "c\n", mode: 0o755, caps: "\x01\x00\x00\x02"}, {path: "etc/ssh/sshd_config", content: "other\n", mode: 0o600},
		{path: "usr/lib64/security/pam_unix.so", content: "\x7fELF not pam", mode: 0o755}}
	expect(t, verify(t, archive(t, ms), nil),
		"D39 medium /usr/bin/ls of package coreutils has rights that the package does not give it",
		"D52 low /usr/bin/cat of package coreutils belongs to another account",
		"D52 medium /usr/bin/oldtool of package oldsums has another content",
		"D39 medium /usr/sbin/sshd of package openssh-server has capabilities that the package does not give it",
		"D51 high /usr/lib64/security/pam_unix.so of package pam has another content")
}

// rpmSample is a Berkeley DB of rpm's, with the packages that the test's files belong to.
func rpmSample(t *testing.T) string {
	t.Helper()
	f, err := os.Open("../host/pkgdb/testdata/Packages.hash.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, z); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
