package host

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
)

var packed = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// tarOf packs files by their names; those of www belong to 33.
func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, n := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: n, Size: int64(len(files[n])), Mode: 0o644, ModTime: packed, Typeflag: tar.TypeReg}
		if strings.Contains(n, "www") {
			h.Uid, h.Gid = 33, 33
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[n])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(t *testing.T, b []byte) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func zipOf(t *testing.T, files map[string]string, flags uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range slices.Sorted(maps.Keys(files)) {
		h := &zip.FileHeader{Name: n, Method: zip.Store, Flags: flags, Modified: packed}
		if n == "metadata.json" {
			h.Flags = 0
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[n])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lay writes files into a folder.
func lay(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for n, s := range files {
		p := filepath.Join(dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// forms gives the three forms in which a collection comes.
func forms(t *testing.T, name string, files map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	out := map[string]string{"folder": lay(t, filepath.Join(dir, name), files)}
	for ext, b := range map[string][]byte{".tar.gz": []byte(gz(t, tarOf(t, files))), ".zip": zipOf(t, files, 0)} {
		out[ext] = filepath.Join(dir, name+ext)
		if err := os.WriteFile(out[ext], b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func open(t *testing.T, path string) *Input {
	t.Helper()
	in, err := Open(t.Context(), path, Options{Source: "s1", Spool: t.TempDir()})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

const uacLogText = "2026-11-23 08:45:43 +0000 INF UAC 3.1.0\n2026-11-23 08:46:00 +0000 ERR lastb failed\n2026-11-23 08:47:00 +0000 INF done\n"

func uacFiles() map[string]string {
	return map[string]string{
		"uac.log": uacLogText, "[root]/etc/passwd": "root:x:0:0::/root:/bin/bash\n", "[root]/var/www/html/a.php": "<?php eval($_POST[1]);",
		"bodyfile/bodyfile.txt": "0|/var/www/html/a.php|12|-rw-r--r--|33|33|22|1795423200|1795423201|1795423202|1795423203\n" +
			"0|/usr/bin/a|b|13|-rwsr-xr-x|0|0|999|1795423200|1795423201|1795423202\n0|/bin -> usr/bin|14|lrwxrwxrwx|0|0|7|1|1|1|1\nnonsense\n",
		"live_response/network/hostname.txt": "web1\n", "live_response/system/uname_-a.txt": "Linux web1 6.1.0-27-amd64 #1 SMP x86_64 GNU/Linux\n",
	}
}

func TestUAC(t *testing.T) {
	for form, path := range forms(t, "uac-web1-linux-20261123084543", uacFiles()) {
		t.Run(form, func(t *testing.T) {
			in := open(t, path)
			h := in.Hosts[0]
			if in.Kind != KindCollection || h.State == nil || h.State.Kind != "uac" || h.Name != "web1" || h.State.Kernel != "Linux 6.1.0-27-amd64 #1 SMP x86_64 GNU/Linux" || h.State.Taken.Std() != time.Date(2026, 11, 23, 8, 45, 43, 0, time.UTC) {
				t.Fatalf("kind %q, state %+v, name %q", in.Kind, h.State, h.Name)
			}
			e, err := h.Lookup("/var/www/html/a.php")
			if err != nil || e.Meta.UID != 33 || e.Meta.Ctime.Sec != 1795423202 || e.Meta.Crtime.Sec != 1795423203 || h.CopyTimes {
				t.Errorf("collected: %+v %v copied %v", e.Meta, err, h.CopyTimes)
			}
			if b, err := h.ReadFile("/var/www/html/a.php"); err != nil || string(b) != "<?php eval($_POST[1]);" {
				t.Errorf("content: %q %v", b, err)
			}
			e, err = h.Lookup("/bin/a|b") // by a link that only the list tells
			if err != nil || e.Meta.Mode != 0o4755 || e.Meta.Size != 999 || e.Meta.Flags&filesystem.Untaken == 0 || e.Meta.Crtime.Known() {
				t.Errorf("listed: %+v %v", e.Meta, err)
			}
			if _, err := h.ReadFile("/bin/a|b"); err == nil {
				t.Error("what was not collected can be read")
			}
			notes := strings.Join(in.Notes, "\n")
			for _, want := range []string{"that UAC made", "1 of its steps failed", "its times are seconds", "2 files are known by that list alone", "1 lines of its bodyfile", "may have replaced"} {
				if !strings.Contains(notes, want) {
					t.Errorf("notes do not say %q:\n%s", want, notes)
				}
			}
			if r := h.Ref(&e); !strings.Contains(r.Path, "[root]/") {
				t.Errorf("ref %q", r.Path)
			}
		})
	}
}

// Without the list, owners and change times of a copy are nobody's.
func TestUACWithoutBodyfile(t *testing.T) {
	files := uacFiles()
	delete(files, "bodyfile/bodyfile.txt")
	for form, path := range forms(t, "x", files) {
		in := open(t, path)
		if got, want := in.Hosts[0].CopyTimes, form != ".tar.gz"; got != want {
			t.Errorf("%s: copied %v", form, got)
		}
		if !strings.Contains(strings.Join(in.Notes, "\n"), "no bodyfile") {
			t.Errorf("%s: %q", form, in.Notes)
		}
	}
}

// A folder is no collection because of a name.
func TestNoCollection(t *testing.T) {
	for _, files := range []map[string]string{
		{"uac.log": "Nov 23 08:45:43 something else\n", "[root]/etc/passwd": "root:x:0:0::/root:/bin/bash\n"},
		{"uac.log": uacLogText, "auth.log": "x\n"},
		{"uploads.json": "[]", "uploads/a.txt": "x"},
		{"collection_context.json": "{\"a\":1}", "uploads/a.txt": "x"},
		{"collection_context.json": "not json", "results/a.txt": "x"},
		{"catscale_out/x.txt": "x"},
		{"Process_and_Network/a.txt": "x", "System_Info/a.txt": "x", "h-20261123-0845-console-error-log.txt": "x"},
		{"fs/etc/passwd": "root:x:0:0::/root:/bin/bash\n"},
	} {
		in := open(t, lay(t, t.TempDir(), files))
		for _, h := range in.Hosts {
			if h.State != nil {
				t.Errorf("%v: taken for %q", slices.Sorted(maps.Keys(files)), h.State.Kind)
			}
		}
	}
}

// Collections lie about in a machine's own tree: they are not the machine.
func TestCollectionWithinMachine(t *testing.T) {
	for _, at := range []string{"srv/", ""} { // somewhere, and where an intruder would put one to be read in the machine's stead
		files := map[string]string{"etc/passwd": "root:x:0:0::/root:/bin/bash\n", "etc/hostname": "own\n"}
		for n, s := range uacFiles() {
			files[at+n] = s
		}
		for form, path := range forms(t, "machine", files) {
			if in := open(t, path); in.Hosts[0].Name != "own" || in.Hosts[0].State != nil {
				t.Errorf("%s at %q: %q %+v", form, at, in.Hosts[0].Name, in.Hosts[0].State)
			}
		}
	}
}

func velociraptorFiles() map[string]string {
	return map[string]string{
		"collection_context.json": `{"session_id":"F.X","create_time":1795423543000000,"artifacts_with_results":["Linux.Sys.Pslist"]}`,
		"client_info.json":        `{"Hostname":"web1","KernelVersion":"6.1.0-27-amd64"}`,
		"uploads.json":            `{"vfs_path":"/uploads/auto/etc/passwd","file_size":28,"uploaded_size":28}` + "\n" + `{"vfs_path":"/x","file_size":9,"uploaded_size":1}` + "\n",
		"uploads/auto/etc/passwd": "root:x:0:0::/root:/bin/bash\n", "uploads/auto/root/%2Ebash_history": "id\n", "uploads/auto/var/www/html/a%3Ab.php": "<?php eval($_POST[1]);",
		"uploads/auto/x/%2e%2e%2fescape": "1", "uploads/auto/x/%2e%2e": "2", "uploads/auto/x/%00": "3", "uploads/auto/y/%61": "decoded", "uploads/auto/y/a": "plain", "uploads/ext4/z": "raw",
		"results/Linux.Sys.Pslist.json":                               `{"Pid":1}` + "\n",
		"results/Generic.Collectors.File%2FAll Matches Metadata.json": `{"SourceFile":"/root/.bash_history","Modified":"2026-11-23T08:00:05Z","Changed":"2026-11-23T08:00:06Z","Created":1795420000}` + "\nnull\n{\"SourceFile\":7}\n",
	}
}

func checkVelociraptor(t *testing.T, in *Input) {
	t.Helper()
	h := in.Hosts[0]
	if h.State == nil || h.State.Kind != "velociraptor" || h.Name != "web1" || h.State.Kernel != "6.1.0-27-amd64" || h.State.Taken.Sec != 1795423543 || !h.CopyTimes {
		t.Fatalf("state %+v, name %q", h.State, h.Name)
	}
	for p, want := range map[string]string{"/root/.bash_history": "id\n", "/var/www/html/a:b.php": "<?php eval($_POST[1]);", "/y/a": ""} {
		b, err := h.ReadFile(p)
		if err != nil || want != "" && string(b) != want {
			t.Errorf("%s: %q %v", p, b, err)
		}
	}
	e, err := h.Lookup("/root/.bash_history")
	if err != nil || e.Meta.Mtime.Std() != time.Date(2026, 11, 23, 8, 0, 5, 0, time.UTC) {
		t.Errorf("%+v %v", e.Meta, err)
	}
	err = h.Walk(t.Context(), func(p string, err error) { t.Errorf("%s: %v", p, err) }, func(e *Entry) error {
		if strings.Contains(e.Path, "/../") || strings.Contains(e.Path, "//") {
			t.Errorf("a path that leaves its directory: %q", e.Path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	both := map[string]bool{}
	for _, n := range []string{"/y/a", "/y/%61"} {
		b, _ := h.ReadFile(n)
		both[string(b)] = true
	}
	notes := strings.Join(in.Notes, "\n")
	if !both["decoded"] || !both["plain"] || !strings.Contains(notes, "two files bear the name") {
		t.Errorf("two names that are one: %v %s", both, notes)
	}
	for _, want := range []string{"of 1 files less was taken", "uploads/ext4", "its results are of: Linux.Sys.Pslist, Generic.Collectors.File", "owners, modes and change times"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes do not say %q:\n%s", want, notes)
		}
	}
}

func TestVelociraptor(t *testing.T) {
	files := velociraptorFiles()
	for form, path := range forms(t, "Collection-web1", files) {
		t.Run(form, func(t *testing.T) { checkVelociraptor(t, open(t, path)) })
	}
	outer := filepath.Join(t.TempDir(), "outer.zip") // as a server packs it without a key
	if err := os.WriteFile(outer, zipOf(t, map[string]string{"data.zip": string(zipOf(t, files, 0)), "metadata.json": "[]"}, 0), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Run("zip in zip", func(t *testing.T) { checkVelociraptor(t, open(t, outer)) })
}

func TestEncrypted(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		says string
	}{
		"a.tar.enc": {append([]byte("ENCRYPTEDACQUIRE\x01"), make([]byte, 4096)...), "private key"},
		"x509.zip":  {zipOf(t, map[string]string{"data.zip": "xxxx", "metadata.json": `[{"EncryptedPass":"x","Scheme":"X509"}]`}, 1), "private key of the server"},
		"pgp.zip":   {zipOf(t, map[string]string{"data.zip": "xxxx", "metadata.json": `[{"Scheme":"PGP"}]`}, 1), "PGP"},
		"word.zip":  {zipOf(t, map[string]string{"data.zip": "xxxx", "metadata.json": `[{"Scheme":"Password"}]`}, 1), "by the password"},
		"uac.zip":   {zipOf(t, uacFiles(), 1), "by that password"},
	} {
		p := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(p, c.b, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), p, Options{Spool: t.TempDir()})
		if !errors.Is(err, filesystem.ErrEncrypted) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func catscaleFiles(t *testing.T) map[string]string {
	x := "web1-20261123-0845"
	nested := func(files map[string]string) string { return gz(t, tarOf(t, files)) }
	return map[string]string{
		"catscale_out/" + x + "-console-error-log.txt": "oscheck: debian\n", "catscale_out/Process_and_Network/" + x + "-ss-anepo.txt": "Netid State\n",
		"catscale_out/System_Info/" + x + "-release.txt":               "PRETTY_NAME=x\nKERNELVERSION(uname -r)=6.1.0-27-amd64\n",
		"catscale_out/System_Info/" + x + "-etc-key-files.tar.gz":      nested(map[string]string{"etc/passwd": "root:x:0:0::/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/false\n", "etc/group": "www-data:x:33:\n", "etc/cron.d/x": "key"}),
		"catscale_out/System_Info/" + x + "-etc-modified-files.tar.gz": nested(map[string]string{"etc/cron.d/x": "modified", "etc/cron.d/y": "y"}),
		"catscale_out/Logs/" + x + "-var-log.tar.gz":                   nested(map[string]string{"var/log/auth.log": "a\n"}),
		"catscale_out/Logs/" + x + "-var-crash.tar.gz":                 "",
		"catscale_out/Persistence/" + x + "-cron-folder.tar.gz":        "no gzip at all",
		"catscale_out/User_Files/hidden-user-home-dir.tar.gz":          nested(map[string]string{"root/.bash_history": "id\n"}),
		"catscale_out/Misc/" + x + "-pot-webshell-first-1000.txt":      "==> /var/www/s.php <==\n<?php\n==> /etc/shadow <==\neval($_POST[1]);\n\n==> /var/www/t.php <==\nlast",
		"catscale_out/Misc/" + x + "-full-timeline.csv": "Inode,Hard link Count,Full Path,Last Access,Last Modification,Last Status Change,File Creation,User,Group,File Permissions,File Size(bytes)\n" +
			"7,1,/var/www/a,b.php,2026-11-23 08:00:01.5 +0000,2026-11-23 08:00:02.000000001 +0000,2026-11-23 09:00:03.25 +0100,-,www-data,www-data,-rw-r--r--,22\n" +
			"8,1,/root/.bash_history,2026-11-23 08:00:01.5 +0000,2026-11-23 08:00:02.000000001 +0000,2026-11-23 08:00:09 +0000,2026-11-22 08:00:00 +0000,root,root,-rw-------,3\nbroken\n",
	}
}

func TestCatScale(t *testing.T) {
	for form, path := range forms(t, "catscale_web1", catscaleFiles(t)) {
		t.Run(form, func(t *testing.T) {
			in := open(t, path)
			h := in.Hosts[0]
			if h.State == nil || h.State.Kind != "catscale" || h.Name != "web1" || h.State.Kernel != "Linux 6.1.0-27-amd64" || h.State.Taken.Std() != time.Date(2026, 11, 23, 8, 45, 0, 0, time.UTC) || h.State.Mount.Base != "/catscale_out" {
				t.Fatalf("state %+v, name %q", h.State, h.Name)
			}
			if b, _ := h.ReadFile("/etc/cron.d/x"); string(b) != "key" {
				t.Errorf("the first does not win: %q", b)
			}
			for p, want := range map[string]string{"/var/www/s.php": "<?php\n==> /etc/shadow <==\neval($_POST[1]);\n", "/var/www/t.php": "last"} {
				if b, err := h.ReadFile(p); err != nil || string(b) != want {
					t.Errorf("%s: %q %v", p, b, err)
				}
			}
			if exists(h, "/etc/shadow") {
				t.Error("a line within a script made a file")
			}
			for _, p := range []string{"/etc/cron.d/y", "/var/log/auth.log", "/root/.bash_history"} {
				if _, err := h.ReadFile(p); err != nil {
					t.Error(err)
				}
			}
			e, err := h.Lookup("/var/www/a,b.php")
			if err != nil || e.Meta.UID != 33 || e.Meta.Mtime.Nsec != 1 || e.Meta.Ctime.Std() != time.Date(2026, 11, 23, 8, 0, 3, 250e6, time.UTC) || e.Meta.Flags&filesystem.Untaken == 0 {
				t.Errorf("%+v %v", e.Meta, err)
			}
			if len(in.Damage) != 1 || !strings.Contains(in.Damage[0].Ref.Path, "cron-folder") {
				t.Errorf("damage %v", in.Damage)
			}
			if notes := strings.Join(in.Notes, "\n"); !strings.Contains(notes, "empty: Logs/") || !strings.Contains(notes, "1 lines of its full-timeline.csv") {
				t.Error(notes)
			}
		})
	}
}

func TestAcquire(t *testing.T) {
	for layout, files := range map[string]map[string]string{
		"new": {"fs/$rootfs$/etc/passwd": "root:x:0:0::/root:/bin/bash\n", "fs/$rootfs$/proc/1/status": "Name:\tinit\n", "fs/boot/x": "x"},
		"old": {"fs/etc/passwd": "root:x:0:0::/root:/bin/bash\n", "$metadata$/command-output/a": "x"},
	} {
		for form, path := range forms(t, "web1_20261123084543", files) {
			t.Run(layout+form, func(t *testing.T) {
				in := open(t, path)
				h := in.Hosts[0]
				if h.State == nil || h.State.Kind != "acquire" || h.Name != "web1" || !h.CopyTimes || h.State.Taken.Std() != time.Date(2026, 11, 23, 8, 45, 43, 0, time.UTC) {
					t.Fatalf("state %+v, name %q", h.State, h.Name)
				}
				if h.State.Still != (layout == "old") {
					t.Errorf("still: %v", h.State.Still)
				}
				if len(h.Users) != 1 {
					t.Errorf("users %v", h.Users)
				}
			})
		}
	}
}

// Several collections in one folder are several machines.
func TestSeveralCollections(t *testing.T) {
	dir := t.TempDir()
	lay(t, filepath.Join(dir, "one"), uacFiles())
	lay(t, filepath.Join(dir, "two"), velociraptorFiles())
	if in := open(t, dir); len(in.Hosts) != 2 {
		t.Errorf("%d hosts", len(in.Hosts))
	}
}

// An archive within that grows without end, a list of the whole world, a tree without a bottom.
func TestHostileCollections(t *testing.T) {
	files := uacFiles()
	files["[root]/"+strings.Repeat("d/", 250)+"f"] = "x"
	var list strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&list, "0|/%s%d|1|drwxr-xr-x|0|0|1|1|1|1|1\n", strings.Repeat("x/", i%300), i)
	}
	list.WriteString("0|" + strings.Repeat("/..", 100) + "/etc/passwd|1|-rwsr-xr-x|0|0|1|1|1|1|1\n0|/etc|1|-rw-r--r--|0|0|1|1|1|1|1\n")
	files["bodyfile/bodyfile.txt"] = list.String()
	p := filepath.Join(t.TempDir(), "u.tar")
	if err := os.WriteFile(p, tarOf(t, files), 0o644); err != nil {
		t.Fatal(err)
	}
	in := open(t, p)
	if e, err := in.Hosts[0].Lookup("/etc/passwd"); err != nil || e.Meta.Mode != 0o644 {
		t.Errorf("%+v %v", e.Meta, err)
	}

	x := catscaleFiles(t)
	x["catscale_out/Logs/web1-20261123-0845-var-log.tar.gz"] = gz(t, make([]byte, 8<<20)) // zeros: no tar
	inner := string(tarOf(t, map[string]string{"etc/hosts": strings.Repeat("x", 5000)}))
	x["catscale_out/Process_and_Network/web1-20261123-0845-ssh-folders.tar.gz"] = gz(t, []byte(inner[:1500])) // cut short
	in = open(t, lay(t, t.TempDir(), x))
	if len(in.Damage) < 3 {
		t.Errorf("damage %v", in.Damage)
	}
	if _, err := in.Hosts[0].ReadFile("/etc/cron.d/x"); err != nil {
		t.Error(err)
	}
}

func FuzzListings(f *testing.F) {
	for _, s := range []string{"0|/a|b|12|-rw-r--r--|33|33|22|1|2|3|4", "0|/l -> t|1|lrwxrwxrwx|0|0|1|1|1|1", "7,1,/a,b,2026-11-23 08:00:01.5 +0000,-,-,-,root,root,-rwsr-sr-t,22",
		`{"SourceFile":"/x","Modified":"2026-11-23T08:00:05Z","Ctime":1795420000000}`, "%2e%2e%2fa%00%", uacLogText, "==> /a.php <==\nx\n\n==> /a.php/b.php <==\n==> /b.jsp <=="} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, _, _, ok := body(b); ok && n == "" {
			t.Error("a file without a name")
		}
		if n, _, ok := timelineRow(b, map[string]uint32{"root": 0}, nil); ok && n == "" {
			t.Error("a file without a name")
		}
		metadataRow(b)
		if h, err := readHeads(t.Context(), io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), webScript); err == nil {
			v := View{Mounts: []Mount{{At: "/", FS: h}}}
			v.Walk(t.Context(), func(string, error) {}, func(e *Entry) error {
				if _, err := h.ReadAt(e.Meta.Inode, make([]byte, 10), 0); e.Meta.Type == filesystem.Regular && e.Meta.Size >= 10 && err != nil {
					t.Error(err)
				}
				return nil
			})
		}
		if d := percentDecode(string(b)); d == ".." || d == "." || d != string(b) && strings.ContainsAny(d, "/\x00") {
			if string(b) != d {
				t.Errorf("%q leaves its directory: %q", b, d)
			}
		}
	})
}

// FuzzCollection gives the makers a tree of crafted texts.
func FuzzCollection(f *testing.F) {
	f.Add([]byte(uacLogText), []byte("0|/a|1|-rw-r--r--|0|0|1|1|1|1|1\n"), []byte(`{"session_id":"x","create_time":1e30}`))
	f.Fuzz(func(t *testing.T, log, list, json []byte) {
		files := map[string][]byte{"uac.log": log, "[root]/etc/passwd": list, "bodyfile/bodyfile.txt": list, "collection_context.json": json, "client_info.json": json, "uploads.json": json, "uploads/auto/%41": log,
			"results/Generic.Collectors.File%2Fx.json": json, "catscale_out/x-console-error-log.txt": log, "catscale_out/System_Info/x": log, "catscale_out/Process_and_Network/a-ssh-folders.tar.gz": list, "catscale_out/Misc/x-full-timeline.csv": list}
		m, err := newMemory(files, evidence.Time{})
		if err != nil {
			t.Skip()
		}
		in := &Input{}
		defer in.Close()
		if _, err := in.foreign(t.Context(), m, "tar:", "x", true, Options{Spool: t.TempDir()}); err != nil && !errors.Is(err, io.EOF) {
			t.Log(err)
		}
		for _, h := range in.Hosts {
			h.Walk(t.Context(), func(string, error) {}, func(*Entry) error { return nil })
		}
	})
}
