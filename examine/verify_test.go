package examine_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/detect/all"
	"telltale/examine"
)

// plant writes a tree: path -> content; what ends in "*" is executable.
func plant(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	built, installed := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2024, 2, 2, 3, 4, 5, 0, time.UTC)
	for p, text := range files {
		p, run := strings.CutSuffix(p, "*")
		at := built
		if strings.HasSuffix(p, ".list") {
			at = installed
		}
		if strings.HasPrefix(text, "LATER ") {
			text, at = text[6:], installed.AddDate(0, 3, 0)
		}
		full := filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if run {
			mode = 0o755
		}
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			if err := os.Symlink(target, full); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(full, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(full, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func sum(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }

// system is a small Debian system, as installed.
func system() map[string]string {
	const elf = "\x7fELF "
	m := map[string]string{"etc/os-release": "ID=debian\n", "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "bin": "-> usr/bin", "lib": "-> usr/lib",
		"var/lib/dpkg/diversions": "/usr/bin/diverted\n/usr/bin/diverted.real\ncore\n"}
	status := ""
	pack := func(name, state string, files map[string]string, conf map[string]string) {
		status += "Package: " + name + "\nStatus: install ok " + state + "\nArchitecture: all\nVersion: 1\n"
		list, sums := "/.\n/usr\n/usr/bin\n", ""
		for p, text := range files {
			list += "/" + p + "\n"
			sums += sum(text) + "  " + p + "\n"
			run := ""
			if strings.Contains(p, "bin/") {
				run = "*"
			}
			at := "usr/" + strings.TrimPrefix(p, "usr/")
			if p == "usr/bin/diverted" && name != "core" {
				at = "usr/bin/diverted.real"
			}
			m[at+run] = text
		}
		for p, text := range conf {
			if len(status) > 0 && !strings.HasSuffix(status, "Conffiles:\n") {
				status += "Conffiles:\n"
			}
			status += " /" + p + " " + sum(text) + "\n"
			list += "/" + p + "\n"
			m[p] = text
		}
		status += "\n"
		m["var/lib/dpkg/info/"+name+".list"], m["var/lib/dpkg/info/"+name+".md5sums"] = list, sums
	}
	pack("core", "installed", map[string]string{"bin/ls": elf + "ls", "bin/cat": elf + "cat", "bin/rm": elf + "rm", "usr/bin/sort": elf + "sort", "usr/bin/diverted": elf + "its own", "usr/share/doc/core/README": "read me"}, nil)
	pack("openssh-server", "installed", map[string]string{"usr/sbin/sshd": elf + "sshd"}, map[string]string{"etc/ssh/sshd_config": "Port 22\n"})
	pack("libpam-modules", "installed", map[string]string{"lib/security/pam_unix.so": elf + "pam"}, nil)
	pack("other", "installed", map[string]string{"usr/bin/diverted": elf + "another"}, nil)
	pack("half", "half-installed", map[string]string{"usr/bin/half": elf + "half"}, nil)
	m["var/lib/dpkg/status"] = status
	return m
}

func verify(t testing.TB, dir string, set func(*examine.Options)) *examine.Result {
	t.Helper()
	o := examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: all.Detections()}
	if set != nil {
		set(&o)
	}
	res, err := examine.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// findings gives what is told of packages, one line each.
func packageFindings(res *examine.Result) (out []string) {
	for _, f := range res.Story.Findings {
		if slices.Contains([]string{"D39", "D51", "D52", "D53"}, f.Detection) {
			out = append(out, f.Detection+" "+f.Level+" "+f.Title)
		}
	}
	slices.Sort(out)
	return out
}

func expect(t *testing.T, res *examine.Result, want ...string) {
	t.Helper()
	got := packageFindings(res)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s\nnotes %q", strings.Join(got, "\n"), strings.Join(want, "\n"), res.Sources[0].Notes)
	}
}

func TestUntouchedSystem(t *testing.T) {
	res := verify(t, plant(t, system()), nil)
	expect(t, res)
	if notes := strings.Join(res.Sources[0].Notes, "\n"); !strings.Contains(notes, "9 programs and libraries were compared with the digests of dpkg, 0 differ") {
		t.Errorf("notes %q", notes)
	}
	if len(res.Damage) > 0 {
		t.Errorf("damage %v", res.Damage)
	}
}

func TestChangedSystem(t *testing.T) {
	m := system()
	m["usr/bin/ls*"] = "LATER \x7fELF ls of somebody"
	m["usr/lib/security/pam_door.so"] = "LATER \x7fELF door"
	m["usr/bin/backup*"] = "#!/bin/sh\n"
	m["usr/bin/half*"] = "\x7fELF older half"
	m["etc/ssh/sshd_config"] = "Port 2222\n"
	m["usr/share/doc/core/README"] = "LATER changed"
	m["usr/lib/x/__pycache__/x.so"] = "\x7fELF cache"
	m["usr/local/bin/mine*"] = "\x7fELF mine"
	delete(m, "usr/bin/sort*")
	m["var/lib/dpkg/info/libpam-modules.md5sums"] = "LATER " + m["var/lib/dpkg/info/libpam-modules.md5sums"]
	res := verify(t, plant(t, m), nil)
	expect(t, res,
		"D52 high /usr/bin/ls of package core has another content",
		"D51 high /usr/lib/security/pam_door.so is a PAM module that no package owns",
		"D52 low /usr/bin/backup lies where packages put programs, and no package owns it",
		"D52 low /usr/bin/half of package half has another content",
		"D52 low /usr/bin/sort of package core is gone",
		"D52 medium the record of package libpam-modules may have been changed by hand: its list of digests was written 2024-05-02T03:04:05.000000000Z, after the package was unpacked 2024-02-02T03:04:05.000000000Z")
	st := res.Story
	if v := st.Verdict; v.Status == "clean" || v.Confidence == "confirmed" {
		t.Errorf("verdict %+v", v)
	}
	if len(st.Altered) != 1 || st.Altered[0].Path != "/usr/bin/ls" || st.Altered[0].Kind != "package-file-changed" || st.Altered[0].Expected != "md5:"+sum("\x7fELF ls") || st.Altered[0].Found != "md5:"+sum("\x7fELF ls of somebody") {
		t.Errorf("altered %+v", st.Altered)
	}
	if !strings.Contains(fmt.Sprint(st.Innocent), "half-installed") {
		t.Errorf("innocent %+v", st.Innocent)
	}
}

func TestOneChangedProgram(t *testing.T) {
	m := system()
	m["usr/sbin/sshd*"] = "LATER \x7fELF another"
	res := verify(t, plant(t, m), nil)
	if v := res.Story.Verdict; v.Status != "cannot-tell" || !strings.Contains(v.Summary, "/usr/sbin/sshd") || len(res.Story.Altered) != 1 {
		t.Errorf("verdict %+v, altered %+v", v, res.Story.Altered)
	}
}

// TestFalseOwner hides a changed program behind packages that claim it, too.
func TestFalseOwner(t *testing.T) {
	for _, sums := range []string{"", sum("\x7fELF another") + "  usr/sbin/sshd\n"} {
		m := system()
		m["usr/sbin/sshd*"] = "\x7fELF another"
		m["var/lib/dpkg/info/helper.list"] = "/.\n/usr/sbin/sshd\n"
		m["var/lib/dpkg/info/helper.md5sums"] = sums
		m["var/lib/dpkg/status"] += "Package: helper\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"
		want := "D52 high /usr/sbin/sshd of package openssh-server has another content"
		if sums != "" {
			want = "D52 medium the record of package openssh-server may have been changed by hand: /usr/sbin/sshd fits the digest of package helper, while package openssh-server ships another file there: one of the two is not what it says"
		}
		expect(t, verify(t, plant(t, m), nil), want)
	}
}

func TestBaselineAndKnown(t *testing.T) {
	good := system()
	good["usr/bin/tool*"] = "\x7fELF tool"
	bad := system()
	bad["usr/bin/tool*"] = "\x7fELF tool"
	bad["usr/sbin/listed*"] = "\x7fELF listed"
	bad["usr/sbin/sshd*"] = "LATER \x7fELF another"
	bad["var/lib/dpkg/info/openssh-server.md5sums"] = sum("\x7fELF another") + "  usr/sbin/sshd\n"
	known := filepath.Join(t.TempDir(), "known")
	if err := os.WriteFile(known, []byte("# good\n"+fmt.Sprintf("%x", sha256.Sum256([]byte("\x7fELF listed")))+"  listed\n\"000000206738748EDD92C4E3D2E823896700F849\",\"392126E756571EBF112CB1C1CDEDF926\",\"EBD105A0\",\"I05002T2.PFB\",98865,3095,\"WIN\",\"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	res := verify(t, plant(t, bad), func(o *examine.Options) {
		o.Baseline = plant(t, good)
		var err error
		if o.Known, err = examine.LoadKnown(t.Context(), []string{known}); err != nil {
			t.Fatal(err)
		}
	})
	expect(t, res, "D52 high /usr/sbin/sshd of package openssh-server is another file than in the baseline, though the package's digest fits it")
	if notes := strings.Join(res.Sources[0].Notes, "\n"); !strings.Contains(notes, "2 are explained by what is known to be good") {
		t.Errorf("notes %q", notes)
	}
	if _, err := examine.LoadKnown(t.Context(), []string{plant(t, map[string]string{"x": "nothing\n"}) + "/x"}); err == nil {
		t.Error("a list without digests was taken")
	}
}

// TestPublished asks a filter that has everything: it may lower what only lies there, and must not excuse what anything else speaks against.
func TestPublished(t *testing.T) {
	filter := make([]byte, 48+8)
	for i, v := range []uint64{1, 10, math.Float64bits(0.01), 3, 64, 5, math.MaxUint64} {
		binary.LittleEndian.PutUint64(filter[8*i:], v)
	}
	p := filepath.Join(t.TempDir(), "all.bloom")
	if err := os.WriteFile(p, filter, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := system()
	bad["usr/bin/tool*"] = "\x7fELF tool"
	bad["usr/sbin/sshd*"] = "\x7fELF another"
	res := verify(t, plant(t, bad), func(o *examine.Options) {
		var err error
		if o.Known, err = examine.LoadKnown(t.Context(), []string{p}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { o.Known.Close() })
	})
	expect(t, res, "D52 low /usr/bin/tool lies where packages put programs, and no package owns it", "D52 high /usr/sbin/sshd of package openssh-server has another content")
	if _, err := examine.LoadKnown(t.Context(), []string{plant(t, map[string]string{"x": "\x1f\x8b\x08 packed"}) + "/x"}); err == nil || !strings.Contains(err.Error(), "unpack it first") {
		t.Errorf("a packed filter: %v", err)
	}
}
