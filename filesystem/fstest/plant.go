//go:build linux

package fstest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// planter fills a mounted filesystem. What a variant cannot hold is left out.
type planter struct {
	t     testing.TB
	dir   string
	files int
	rng   *rand.Rand
}

// Plant fills a mounted filesystem with files plain files and what is hard to read: sparse and broken-up files,
// names that are not text, times beyond 32 bits, extended attributes.
func Plant(t testing.TB, dir string, files int) {
	t.Helper()
	p := planter{t, dir, files, rand.New(rand.NewPCG(1, 2))}
	p.bulk()
	p.shapes()
	p.names()
	p.times()
	p.attributes()
}

func (p *planter) ok(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *planter) path(name string) string { return filepath.Join(p.dir, name) }

func (p *planter) write(name string, n int) string {
	p.t.Helper()
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(p.rng.Uint32())
	}
	p.ok(os.WriteFile(p.path(name), b, 0o644))
	return p.path(name)
}

// bulk makes directories of a hundred files, and one that is big enough for an index.
func (p *planter) bulk() {
	files := p.files
	big := files
	if files > 20_000 {
		big = files / 10
	}
	p.ok(os.Mkdir(p.path("big"), 0o755))
	for i := range big {
		p.write(fmt.Sprintf("big/a file with a longer name %06d", i), i%7)
	}
	for i := range files {
		if i%100 == 0 {
			p.ok(os.MkdirAll(p.path(fmt.Sprintf("bulk/%d/%d", i/5000, i/100)), 0o755))
		}
		size := p.rng.IntN(300)
		switch p.rng.IntN(20) {
		case 0:
			size = 0
		case 1:
			size = p.rng.IntN(20_000)
		}
		p.write(fmt.Sprintf("bulk/%d/%d/%d", i/5000, i/100, i), size)
	}
	deep := "deep"
	for i := range 60 {
		deep += fmt.Sprintf("/%d", i)
	}
	p.ok(os.MkdirAll(p.path(deep), 0o700))
	p.write(deep+"/bottom", 10)
}

// shapes makes files whose content lies in unusual ways.
func (p *planter) shapes() {
	for i := range 70 { // around the sizes that fit into inodes
		p.write(fmt.Sprintf("small-%d", i*5), i*5)
		p.ok(os.Symlink(strings.Repeat("x", i*5+1), p.path(fmt.Sprintf("link-%d", i*5+1))))
	}
	p.ok(os.Symlink(strings.Repeat("/y", 490), p.path("link-long")))
	p.ok(os.Symlink("/no/such/file", p.path("link-dangling")))
	p.ok(os.Link(p.path("small-100"), p.path("hard-link")))
	sizes := []int64{64 << 20}
	if p.files > 1000 {
		sizes = append(sizes, 500<<20)
	}
	if FullRun() {
		sizes = append(sizes, 5<<30)
	}
	for i, size := range sizes {
		f, err := os.Create(p.path(fmt.Sprintf("sparse-%d", i)))
		p.ok(err)
		p.ok(f.Truncate(size))
		for _, off := range []int64{0, 5 << 10, 50 << 10, 300 << 10, 17 << 20, size - 5} {
			_, err = f.WriteAt([]byte("island"), off)
			p.ok(err)
		}
		p.ok(f.Close())
	}
	f, err := os.Create(p.path("fragments"))
	p.ok(err)
	for i := range 3000 {
		_, err = fmt.Fprintf(io.NewOffsetWriter(f, int64(i)*8192+int64(i)), "fragment %d", i)
		p.ok(err)
	}
	p.ok(f.Close())
	f, err = os.Create(p.path("preallocated"))
	p.ok(err)
	if unix.Fallocate(int(f.Fd()), 0, 0, 1<<20) == nil {
		_, err = f.WriteAt([]byte("written"), 300<<10)
		p.ok(err)
		unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 1<<20, 1<<20)
	}
	p.ok(f.Close())
	p.write("contiguous", 9<<20)
}

func (p *planter) names() {
	for _, n := range []string{"\xff\xfe", "new\nline", "ünïcödé", " ", "...", ".. ", "-rf", strings.Repeat("n", 255), "\x01\x1b[31m"} {
		if err := os.WriteFile(p.path(n), []byte(n), 0o600); err != nil {
			p.t.Logf("%q: %v", n, err)
		}
	}
	p.ok(unix.Mknod(p.path("fifo"), unix.S_IFIFO|0o600, 0))
	p.ok(unix.Mknod(p.path("socket"), unix.S_IFSOCK|0o600, 0))
	p.ok(unix.Mknod(p.path("char"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	p.ok(unix.Mknod(p.path("block"), unix.S_IFBLK|0o660, int(unix.Mkdev(8, 1))))
	p.ok(unix.Mknod(p.path("char-minor"), unix.S_IFCHR|0o666, int(unix.Mkdev(300, 70000))))
	if err := unix.Mknod(p.path("char-new"), unix.S_IFCHR|0o666, int(unix.Mkdev(4000, 70000))); err != nil {
		p.t.Logf("char-new: %v", err) // XFS takes no major beyond 511
	}
	for i, mode := range []uint32{0o4755, 0o2755, 0o1777, 0o6777, 0} {
		p.ok(unix.Chmod(p.write(fmt.Sprintf("mode-%d", i), 3), mode))
	}
	for i, id := range []uint32{1, 65534, 65536, 70_000, 1 << 31, 4_000_000_000} {
		p.ok(os.Lchown(p.write(fmt.Sprintf("owner-%d", i), 3), int(id), int(id-1)))
	}
}

func (p *planter) times() {
	for i, s := range []string{"1901-12-14T01:02:03.5Z", "1960-01-02T03:04:05.123456789Z", "1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z",
		"2031-01-01T00:00:00.000000001Z", "2038-01-19T03:14:08Z", "2040-06-01T00:00:00.25Z", "2100-02-28T23:59:59.75Z", "2446-05-10T22:38:55Z"} {
		at, err := time.Parse(time.RFC3339Nano, s)
		p.ok(err)
		ts, err := unix.TimeToTimespec(at)
		p.ok(err)
		p.ok(unix.UtimesNanoAt(unix.AT_FDCWD, p.write(fmt.Sprintf("time-%d", i), 1), []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW))
	}
}

func (p *planter) attributes() {
	set := func(path, name string, v []byte) {
		if err := unix.Lsetxattr(path, name, v, 0); err != nil {
			p.t.Logf("%s %s: %v", filepath.Base(path), name, err)
		}
	}
	for i, n := range []int{0, 1, 20, 100, 700, 3000, 40_000, 65_536} {
		path := p.write(fmt.Sprintf("xattr-%d", i), 5)
		set(path, "user.test", bytes.Repeat([]byte{byte(i)}, n))
		set(path, "trusted.test", []byte("t"))
		set(path, "security.test", []byte("s"))
	}
	many := p.write("xattr-many", 5)
	for i := range 30 {
		set(many, fmt.Sprintf("user.n%d", i), []byte(strings.Repeat("v", i)))
	}
	acl, err := hex.DecodeString("02000000" + "01000600ffffffff" + "0200040001000000" + "04000400ffffffff" + "10000400ffffffff" + "20000400ffffffff")
	p.ok(err)
	set(p.write("acl", 5), "system.posix_acl_access", acl)
	p.ok(os.Mkdir(p.path("acl-dir"), 0o755))
	set(p.path("acl-dir"), "system.posix_acl_default", acl)
	capability, err := hex.DecodeString("0100000200200000000000000000000000000000")
	p.ok(err)
	set(p.write("capability", 5), "security.capability", capability)
	for name, flag := range map[string]int{"immutable": 0x10, "append-only": 0x20} {
		f, err := os.Open(p.write(name, 5))
		p.ok(err)
		if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flag); err != nil {
			p.t.Logf("%s: %v", name, err)
		}
		f.Close()
	}
}
