package pkgdb_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host/pkgdb"
)

// memTree is a tree in memory.
type memTree map[string]memFile

type memFile struct {
	b            []byte
	mtime, ctime evidence.Time
}

func (t memTree) file(p string) *pkgdb.File {
	f := t[p]
	return &pkgdb.File{ReaderAt: bytes.NewReader(f.b), Path: p, Size: int64(len(f.b)), Mtime: f.mtime, Ctime: f.ctime, Ref: evidence.Ref{Source: "s1", Path: p}}
}

func (t memTree) Open(p string) (*pkgdb.File, error) {
	if _, ok := t[p]; !ok {
		return nil, filesystem.ErrNotExist
	}
	return t.file(p), nil
}

func (t memTree) Files(dir string) iter.Seq2[*pkgdb.File, error] {
	return func(yield func(*pkgdb.File, error) bool) {
		for p := range t {
			if path.Dir(p) == dir && !yield(t.file(p), nil) {
				return
			}
		}
	}
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := io.Copy(&out, z); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func dpkgSample(t testing.TB) memTree {
	t.Helper()
	m := memTree{}
	r := tar.NewReader(bytes.NewReader(sample(t, "dpkg.tar.gz")))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			b := make([]byte, h.Size)
			if _, err := io.ReadFull(r, b); err != nil {
				t.Fatal(err)
			}
			m["/"+h.Name] = memFile{b: b, mtime: evidence.At(h.ModTime, time.Second)}
		}
	}
}

// rpmSamples are the forms, each under the path where rpm has it.
var rpmSamples = map[string]string{"rpmdb.sqlite.gz": "/var/lib/rpm/rpmdb.sqlite", "Packages.db.gz": "/usr/lib/sysimage/rpm/Packages.db", "Packages.hash.gz": "/var/lib/rpm/Packages",
	"Packages.bigendian.gz": "/var/lib/rpm/Packages", "Packages.btree.gz": "/var/lib/rpm/Packages"}

// list writes a database as make.sh has rpm write it.
func list(d *pkgdb.Database) string {
	var lines []string
	for p, e := range d.All() {
		if strings.HasPrefix(p, "/usr/share/many/file") {
			continue
		}
		mode := fmt.Sprintf("%o", uint32(e.Mode)|map[filesystem.Type]uint32{filesystem.Regular: 0o100000, filesystem.Directory: 0o40000, filesystem.Symlink: 0o120000}[e.Type])
		flags := 0
		for _, f := range []struct {
			our pkgdb.Flags
			rpm int
		}{{pkgdb.Config, 1}, {pkgdb.Doc, 2}, {pkgdb.Ghost, 64}} {
			if e.Flags&f.our != 0 {
				flags |= f.rpm
			}
		}
		if p == "/etc/ssh/sshd_config" {
			flags |= 16 // noreplace
		}
		version := e.Package.Version[strings.IndexByte(e.Package.Version, ':')+1:]
		lines = append(lines, fmt.Sprintf("%s %s %s %s %s %s %d %d %s\n", e.Package.Name, version, e.Package.Arch, p, hex.EncodeToString(e.Sum), mode, flags, e.Size, e.User))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// TestRPM holds every form against what rpm says.
func TestRPM(t *testing.T) {
	want, err := os.ReadFile("testdata/rpm.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range rpmSamples {
		t.Run(name, func(t *testing.T) {
			d := pkgdb.Read(memTree{at: {b: sample(t, name)}})
			if !d.Read || d.From != at || len(d.Damage) > 0 || len(d.Notes) > 0 || len(d.Packages) != 5 {
				t.Fatalf("read %v from %q, %d packages, damage %v, notes %v", d.Read, d.From, len(d.Packages), d.Damage, d.Notes)
			}
			if got := list(d); got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			for i := range d.Packages {
				if p := &d.Packages[i]; len(p.Doubts) > 0 || !p.Installed.Known() || p.Vendor != "Example Linux" {
					t.Errorf("%+v", p)
				}
			}
			for e := range d.Claims("/usr/sbin/sshcap") {
				if e.Caps != "cap_net_raw=ep" || e.Algo != pkgdb.SHA256 || e.Package.Version != "2:8.7-1.el9" {
					t.Errorf("%+v of %+v", e, e.Package)
				}
			}
			if d.Of("/sbin/sshd") != "openssh-server" || d.Of("/usr/bin/none") != "" {
				t.Error("the owner of a path")
			}
		})
	}
}

// TestForgedRecord changes a digest within a record: the digest over the record shows it.
func TestForgedRecord(t *testing.T) {
	b := sample(t, "Packages.db.gz")
	i := bytes.Index(b, []byte("26a6e5ad8ece50bd"))
	copy(b[i:], "0000")
	d := pkgdb.Read(memTree{"/var/lib/rpm/Packages.db": {b: b}})
	for i := range d.Packages {
		if p := &d.Packages[i]; len(p.Doubts) > 0 != (p.Name == "openssh-server") {
			t.Errorf("%s: doubts %q", p.Name, p.Doubts)
		}
	}
}

func TestDpkg(t *testing.T) {
	d := pkgdb.Read(dpkgSample(t))
	if !d.Read || d.From != "/var/lib/dpkg/info" || len(d.Packages) != 4 || len(d.Damage) > 0 {
		t.Fatalf("%d packages, %v", len(d.Packages), d.Damage)
	}
	for p, want := range map[string]string{"/bin/ls": "coreutils", "/usr/bin/ls": "coreutils", "/usr/bin/dash": "dash", "/lib/x86_64-linux-gnu/security/pam_unix.so": "libpam-modules", "/usr/lib/x86_64-linux-gnu/libc.so.6": "libc6", "/usr/bin/none": ""} {
		if got := d.Of(p); got != want {
			t.Errorf("%s belongs to %q, want %q", p, got, want)
		}
	}
	n := 0
	for e := range d.Claims("/usr/bin/ls") {
		n++
		if e.Algo != pkgdb.MD5 || len(e.Sum) != 16 || !e.Package.Whole() || !e.Package.Installed.Known() || e.Package.Version == "" {
			t.Errorf("%+v of %+v", e, e.Package)
		}
	}
	conf := false
	for e := range d.Claims("/etc/security/limits.conf") {
		conf = e.Flags&pkgdb.Config != 0 && len(e.Sum) == 16
	}
	if n != 1 || !conf {
		t.Errorf("%d claims, conffile %v", n, conf)
	}
}

func TestDpkgDiversionsAndDoubts(t *testing.T) {
	at := func(h int) evidence.Time { return evidence.Unix(1700000000+int64(h)*3600, 0, time.Second) }
	sum := strings.Repeat("0", 31)
	m := memTree{
		"/var/lib/dpkg/status":               {b: []byte("Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\nPackage: b\nStatus: install ok half-installed\nArchitecture: amd64\nVersion: 2\nConffiles:\n /etc/b " + sum + "4\n /etc/old " + sum + "5 obsolete\n\nPackage: c\nStatus: deinstall ok config-files\n")},
		"/var/lib/dpkg/info/a.list":          {b: []byte("/.\n/bin\n/bin/tool\n"), mtime: at(0), ctime: at(0)},
		"/var/lib/dpkg/info/a.md5sums":       {b: []byte(sum + "1  bin/tool\n"), mtime: at(-100), ctime: at(0)},
		"/var/lib/dpkg/info/b:amd64.list":    {b: []byte("/bin\n/bin/tool\n/etc/b\n"), mtime: at(0), ctime: at(0)},
		"/var/lib/dpkg/info/b:amd64.md5sums": {b: []byte(sum + "2  bin/tool\n"), mtime: at(50), ctime: at(50)},
		"/var/lib/dpkg/info/x.list":          {b: []byte("/bin/x\n"), mtime: at(0), ctime: at(0)},
		"/var/lib/dpkg/info/c.postrm":        {b: []byte("#!/bin/sh\n")},
		"/var/lib/dpkg/diversions":           {b: []byte("/bin/tool\n/bin/tool.distrib\na\n")},
		"/var/lib/dpkg/statoverride":         {b: []byte("root adm 4750 /bin/x\n")},
	}
	d := pkgdb.Read(m)
	if d.Of("/bin/tool") != "a" || d.Of("/bin/tool.distrib") != "b" {
		t.Errorf("owners %q and %q", d.Of("/bin/tool"), d.Of("/bin/tool.distrib"))
	}
	if by, ok := d.Diverted("/usr/bin/tool"); by != "a" || !ok {
		t.Errorf("diverted by %q", by)
	}
	for i := range d.Packages {
		p := &d.Packages[i]
		if doubts := map[string]int{"a": 0, "b": 2, "x": 1}[p.Name]; len(p.Doubts) != doubts || p.Whole() != (p.Name == "a") {
			t.Errorf("%+v", p)
		}
	}
	for e := range d.Claims("/bin/x") {
		if !e.HasMode || e.Mode != 0o4750 || e.Group != "adm" {
			t.Errorf("%+v", e)
		}
	}
	if len(d.Packages) != 3 {
		t.Errorf("%d packages", len(d.Packages))
	}
}

func TestApk(t *testing.T) {
	db := "C:Q1x=\nP:busybox\nV:1.36.1-r5\nA:x86_64\no:busybox\nm:Somebody\nF:bin\nR:busybox\na:0:0:755\nZ:Q1Za+Uj0ZDP4IAWJd5ZnlBYBMWmTk=\nR:bbsuid\na:0:0:4111\nF:etc\nR:securetty\nZ:Q1mB95Hq2NUTZ599RDiSsj9w5FrOU=\n\nP:musl\nV:1\nF:lib\nR:ld-musl-x86_64.so.1\n\n"
	for _, at := range []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed"} {
		d := pkgdb.Read(memTree{at: {b: []byte(db)}})
		if d.From != at || len(d.Packages) != 2 || d.Of("/bin/busybox") != "busybox" || d.Of("/lib/ld-musl-x86_64.so.1") != "musl" {
			t.Fatalf("%+v", d.Packages)
		}
		for e := range d.Claims("/bin/bbsuid") {
			if e.Mode != 0o4111 || !e.HasMode {
				t.Errorf("%+v", e)
			}
		}
		for e := range d.Claims("/bin/busybox") {
			if e.Algo != pkgdb.SHA1 || len(e.Sum) != 20 || e.Package.Version != "1.36.1-r5" {
				t.Errorf("%+v", e)
			}
		}
	}
}

// TestMutants damages every form at many places: nothing panics, and most of the packages are still there.
func TestMutants(t *testing.T) {
	for name, at := range rpmSamples {
		t.Run(name, func(t *testing.T) {
			whole := sample(t, name)
			rnd := rand.New(rand.NewPCG(1, 2))
			total, told := 0, 0
			for range 150 {
				b := bytes.Clone(whole)
				from := 4096
				n := rnd.IntN(8) + 1
				for i := rnd.IntN(len(b)-from-n) + from; n > 0; n-- {
					b[i] = byte(rnd.Uint32())
					i++
				}
				d := pkgdb.Read(memTree{at: {b: b}})
				total += len(d.Packages)
				if len(d.Packages) < 5 {
					if len(d.Damage) == 0 {
						t.Errorf("%d packages and no damage", len(d.Packages))
					}
					told++
				}
			}
			if total < 150*4 {
				t.Errorf("of 750 packages %d were read", total)
			}
			t.Logf("%d of 750 packages; %d databases with fewer, all told", total, told)
			for _, n := range []int{0, 1, 31, 32, 71, 72, 100, 512, 4096, 5000, len(whole) / 2, len(whole) - 1} {
				pkgdb.Read(memTree{at: {b: whole[:n]}})
			}
		})
	}
}

// TestCycle points an overflow page at itself.
func TestCycle(t *testing.T) {
	b := sample(t, "Packages.hash.gz")
	for p := 0; p+4096 <= len(b); p += 4096 {
		if b[p+25] == 7 {
			binary.LittleEndian.PutUint32(b[p+16:], uint32(p/4096))
		}
	}
	d := pkgdb.Read(memTree{"/var/lib/rpm/Packages": {b: b}})
	t.Logf("%d packages, %d places damaged", len(d.Packages), len(d.Damage))
	if len(d.Damage) == 0 {
		t.Error("nothing was told")
	}
}

// TestMemory builds a database of 300,000 files with digests.
func TestMemory(t *testing.T) {
	m := memTree{}
	for p := range 1000 {
		var l, s bytes.Buffer
		for f := range 300 {
			fmt.Fprintf(&l, "/usr/lib/python3/dist-packages/package%d/module%d/file_of_it_%d.py\n", p, f%10, f)
			fmt.Fprintf(&s, "%032x  usr/lib/python3/dist-packages/package%d/module%d/file_of_it_%d.py\n", p*300+f, p, f%10, f)
		}
		m[fmt.Sprintf("/var/lib/dpkg/info/p%d.list", p)] = memFile{b: l.Bytes()}
		m[fmt.Sprintf("/var/lib/dpkg/info/p%d.md5sums", p)] = memFile{b: s.Bytes()}
	}
	var a, b runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&a)
	d := pkgdb.Read(m)
	runtime.GC()
	runtime.ReadMemStats(&b)
	used := int64(b.HeapAlloc) - int64(a.HeapAlloc)
	t.Logf("%d files: %d MB", d.Files(), used>>20)
	if d.Files() != 300_000 || used > 60<<20 {
		t.Errorf("%d files take %d bytes", d.Files(), used)
	}
	runtime.KeepAlive(d)
	runtime.KeepAlive(m)
}

func BenchmarkReadRPM(b *testing.B) {
	s := sample(b, "Packages.db.gz")
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		pkgdb.Read(memTree{"/var/lib/rpm/Packages.db": {b: s}})
	}
}

func BenchmarkReadDpkg(b *testing.B) {
	m := dpkgSample(b)
	var n int64
	for _, f := range m {
		n += int64(len(f.b))
	}
	b.SetBytes(n)
	b.ReportAllocs()
	for b.Loop() {
		pkgdb.Read(m)
	}
}

func BenchmarkOf(b *testing.B) {
	d := pkgdb.Read(dpkgSample(b))
	b.ReportAllocs()
	for b.Loop() {
		d.Of("/usr/bin/ls")
	}
}

// TestBrokenPage wipes each page of the SQLite form: what lies on others is read.
func TestBrokenPage(t *testing.T) {
	whole := sample(t, "rpmdb.sqlite.gz")
	few, silent := 0, 0
	for p := 4096; p+4096 <= len(whole); p += 4096 {
		b := bytes.Clone(whole)
		for i := p; i < p+4096; i++ {
			b[i] = 0xa5
		}
		d := pkgdb.Read(memTree{"/var/lib/rpm/rpmdb.sqlite": {b: b}})
		if len(d.Packages) < 4 {
			few++
		}
		if len(d.Packages) < 5 && len(d.Damage) == 0 {
			silent++
		}
	}
	t.Logf("of %d pages, %d cost more than one package, %d cost one and were not told", len(whole)/4096-1, few, silent)
	if silent > 0 || few > 4 { // four hold the schema or a page of rows
		t.Error("a broken page costs too much, or is not told")
	}
}
