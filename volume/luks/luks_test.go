package luks_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale/volume/luks"
	"telltale/volume/volumetest"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	return volumetest.Disks(t, "testdata/"+name+".tar.gz")["luks-"+name+".img"]
}

func make1(t testing.TB, raw []byte, secret func(string, int) ([]byte, error)) volumetest.Made {
	t.Helper()
	return volumetest.Make(t, luks.Manager(), volumetest.Members(map[string][]byte{"disk": raw}), secret)
}

func TestSamples(t *testing.T) {
	truths := volumetest.Truths(t, "testdata/luks.truth")
	for _, name := range []string{"1-essiv", "2-essiv"} {
		made := make1(t, sample(t, name), secret("wrong", passphrase))
		if len(made.Volumes) != 1 {
			t.Fatalf("%s: %s", name, made.Describe())
		}
		truths[name].Equal(t, name, made.Volumes[0])
	}
}

func TestSecrets(t *testing.T) {
	for _, name := range []string{"1-essiv", "2-essiv"} {
		raw := sample(t, name)
		given := []byte(passphrase)
		for _, tc := range []struct {
			secret func(string, int) ([]byte, error)
			want   string
		}{
			{nil, "1 key slot): no passphrase or key was given"},
			{secret(), "no passphrase or key was given"},
			{secret("hunter2", "hunter3"), "no key slot opens with it (of 2 given)"},
			{func(string, int) ([]byte, error) { return []byte("hunter4"), nil }, "of 16 given"},
			{func(string, int) ([]byte, error) { return nil, errors.New("no such file") }, "no such file"},
			{func(string, int) ([]byte, error) { return given, nil }, ""},
		} {
			made := make1(t, raw, tc.secret)
			all := string(made.Describe())
			if !strings.Contains(all, tc.want) || strings.Contains(all, "hunter") || len(made.Volumes) > 0 != (tc.want == "") {
				t.Errorf("%s, %q: %s", name, tc.want, all)
			}
		}
		if !bytes.Equal(given, make([]byte, len(given))) {
			t.Errorf("%s: the passphrase was not wiped", name)
		}
	}
}

// seal2 makes the checksum of a LUKS2 header right again.
func seal2(raw []byte, at int) {
	size := int(binary.BigEndian.Uint64(raw[at+8:]))
	clear(raw[at+448 : at+512])
	sum := sha256.Sum256(raw[at : at+size])
	copy(raw[at+448:], sum[:])
}

// edit2 replaces words of the JSON text in both headers; the text may grow, as zeros follow.
func edit2(t *testing.T, raw []byte, old, new string) {
	t.Helper()
	for _, at := range []int{0, 16 << 10} {
		text := raw[at+4096 : at+16<<10]
		end := bytes.IndexByte(text, 0)
		now := strings.ReplaceAll(string(text[:end]), old, new)
		if now == string(text[:end]) {
			t.Fatalf("%q is not in %s", old, text[:end])
		}
		clear(text)
		copy(text, now)
		seal2(raw, at)
	}
}

func TestSecondHeader(t *testing.T) {
	want := volumetest.Truths(t, "testdata/luks.truth")["2-essiv"]
	for name, spoil := range map[string]func(b []byte){
		"checksum":  func(b []byte) { b[5000]++ },
		"magic":     func(b []byte) { b[0] = 'X' },
		"wiped":     func(b []byte) { clear(b[:4096]) },
		"size":      func(b []byte) { b[8] = 0xff },
		"both fine": func([]byte) {},
		"second":    func(b []byte) { b[16<<10+5000]++ },
		"older":     func(b []byte) { binary.BigEndian.PutUint64(b[16:], 0); seal2(b, 0) },
	} {
		raw := sample(t, "2-essiv")
		spoil(raw)
		made := make1(t, raw, secret(passphrase))
		if len(made.Volumes) != 1 {
			t.Errorf("%s: %s", name, made.Describe())
			continue
		}
		want.Equal(t, name, made.Volumes[0])
		if told := strings.Contains(string(made.Describe()), "second header is used"); told == (name == "both fine" || name == "second") {
			t.Errorf("%s: %s", name, made.Describe())
		}
	}
	raw := sample(t, "2-essiv")
	copy(raw, "a filesystem that was made later")
	clear(raw[168:208])
	if luks.Manager().Probe(volumetest.Members(map[string][]byte{"disk": raw})[0]) {
		t.Error("a leftover second header was taken for the whole")
	}
}

func TestCrafted2(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{`"memory":1024`, `"memory":4194304`, "argon2id with 4194304 KiB of memory"},
		{`"memory":1024`, `"memory":-1`, "limit reached"},
		{`"time":4`, `"time":99999999999`, "passes"},
		{`"time":4`, `"time":0`, "limit reached"},
		{`"cpus":1`, `"cpus":255`, "lanes"},
		{`"stripes":4000`, `"stripes":4000000`, "stripes: limit"},
		{`"key_size":16`, `"key_size":-16`, "limit reached"},
		{`"argon2id"`, `"scrypt"`, `key derivation "scrypt": not supported`},
		{`"encryption":"aes-cbc-essiv:sha256","key_size"`, `"encryption":"serpent-xts-plain64","key_size"`, `cipher "serpent-xts-plain64": not supported`},
		{`"encryption":"aes-cbc-essiv:sha256"`, `"encryption":"aes-lrw-plain"`, `cipher "aes-lrw-plain": not supported`},
		{`"sector_size":512`, `"sector_size":8192`, "sectors of 8192"},
		{`"sector_size":512`, `"sector_size":0`, "sectors of 0"},
		{`"offset":"1048576"`, `"offset":"0"`, "detached"},
		{`"offset":"1048576"`, `"offset":"99999999999999"`, "detached"},
		{`"offset":"1048576"`, `"offset":"-1"`, "is no number"},
		{`"offset":"32768"`, `"offset":"9223372036854775807"`, "does not lie in the source"},
		{`"type":"crypt"`, `"type":"linear2"`, `of type "linear2": not supported`},
		{`"config":{`, `"config":{"requirements":{"mandatory":["online-reencrypt-v2"]},`, "requires \"online-reencrypt-v2\": not supported"},
		{`"segments":["0"]`, `"segments":["7"]`, "has no digest"},
		{`"keyslots":["0"]`, `"keyslots":[]`, "bound to no segment"},
		{`{"keyslots"`, `{{"keyslots"`, "JSON"},
		{`"iterations":1000`, `"iterations":2000000000`, "no key slot opens"},
	} {
		raw := sample(t, "2-essiv")
		if tc.old == `"cpus":1` && !bytes.Contains(raw[:16<<10], []byte(tc.old)) {
			tc.old = `"cpus":2`
		}
		if tc.old == `"offset":"1048576"` && !bytes.Contains(raw[:16<<10], []byte(tc.old)) {
			i := bytes.Index(raw, []byte(`"segments":{"0":{`))
			j := i + bytes.Index(raw[i:], []byte(`"offset":"`))
			tc.old = string(raw[j : j+bytes.Index(raw[j+10:], []byte(`"`))+11])
		}
		edit2(t, raw, tc.old, tc.new)
		made := make1(t, raw, secret(passphrase))
		if all := string(made.Describe()); len(made.Volumes) > 0 || !strings.Contains(all, tc.want) {
			t.Errorf("%s: %s", tc.new, all)
		}
	}
}

func TestCrafted1(t *testing.T) {
	put := binary.BigEndian.PutUint32
	for _, tc := range []struct {
		name  string
		spoil func(b []byte)
		want  string
	}{
		{"cipher", func(b []byte) { copy(b[8:], "serpent\x00") }, "cipher \"serpent-cbc-essiv:sha256\": not supported"},
		{"hash", func(b []byte) { copy(b[72:], "whirlpool\x00") }, "hash \"whirlpool\": not supported"},
		{"detached", func(b []byte) { put(b[104:], 0) }, "detached"},
		{"payload beyond all", func(b []byte) { put(b[104:], 1<<32-1) }, "detached"},
		{"key size", func(b []byte) { put(b[108:], 1<<32-1) }, "limit reached"},
		{"iterations", func(b []byte) { put(b[208+4:], 1<<32-1) }, "iterations of PBKDF2"},
		{"no iterations", func(b []byte) { put(b[208+4:], 0) }, "iterations of PBKDF2"},
		{"stripes", func(b []byte) { put(b[208+44:], 1<<32-1) }, "limit reached"},
		{"material", func(b []byte) { put(b[208+40:], 1<<32-1) }, "does not lie in the source"},
		{"no slots", func(b []byte) { put(b[208:], 0xdead) }, "0 key slots"},
	} {
		raw := sample(t, "1-essiv")
		tc.spoil(raw)
		made := make1(t, raw, secret(passphrase))
		if all := string(made.Describe()); len(made.Volumes) > 0 || !strings.Contains(all, tc.want) {
			t.Errorf("%s: %s", tc.name, all)
		}
	}
}

func TestTruncated(t *testing.T) {
	for _, name := range []string{"1-essiv", "2-essiv"} {
		for _, cut := range []int{0, 1, 7, 8, 100, 591, 592, 4096, 16 << 10, 20 << 10, 32 << 10, 60_000, 1<<20 + 700, 1<<20 + 9000} {
			made := make1(t, sample(t, name)[:cut], secret(passphrase))
			volumetest.Probe(t, made.Volumes)
		}
	}
	made := make1(t, sample(t, "1-essiv")[:1<<20+700], secret(passphrase))
	if v := made.Volumes[0]; v.Size != 512 {
		t.Errorf("%d bytes of a volume cut behind 700", v.Size)
	}
}

// need skips a test where a tool is missing.
func need(t testing.TB, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("needs %s", tool)
	}
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// TestAsQemu: what qemu-img writes into a LUKS1 volume is what is read.
func TestAsQemu(t *testing.T) {
	need(t, "qemu-img")
	dir := t.TempDir()
	plain := make([]byte, 1<<20)
	for i := range plain {
		plain[i] = byte(i*7 ^ i>>9)
	}
	from := filepath.Join(dir, "plain")
	if err := os.WriteFile(from, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	variants := []string{
		"cipher-alg=aes-256,cipher-mode=xts,ivgen-alg=plain64,hash-alg=sha256",
		"cipher-alg=aes-128,cipher-mode=xts,ivgen-alg=plain,hash-alg=sha512",
		"cipher-alg=aes-256,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256,hash-alg=sha1",
		"cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=plain,hash-alg=ripemd160",
	}
	if os.Getenv("TELLTALE_FULL") == "" {
		variants = variants[:2] // each takes seconds, for qemu-img measures what the machine can do
	}
	for _, o := range variants {
		to := filepath.Join(dir, "luks")
		out, err := exec.Command("qemu-img", "convert", "-f", "raw", "-O", "luks", "--object", "secret,id=s,data="+passphrase, "-o", "key-secret=s,iter-time=50,"+o, from, to).CombinedOutput()
		if err != nil {
			// A busy machine keeps it from measuring its iterations.
			if strings.Contains(string(out), "not supported") || strings.Contains(string(out), "accurate CPU usage") {
				t.Logf("%s: %s", o, out)
				continue
			}
			t.Fatalf("%s: %v: %s", o, err, out)
		}
		raw, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		made := make1(t, raw, secret(passphrase))
		if len(made.Volumes) != 1 {
			t.Errorf("%s: %s", o, made.Describe())
			continue
		}
		got := make([]byte, len(plain))
		if n, err := made.Volumes[0].ReadAt(got, 0); n < len(got) || !bytes.Equal(got, plain) {
			t.Errorf("%s: %d bytes, %v, or others than were written", o, n, err)
		}
	}
}

// TestCryptsetupImages opens the images of cryptsetup's own tests. Their volumes hold filesystems.
func TestCryptsetupImages(t *testing.T) {
	dir := os.Getenv("TELLTALE_CRYPTSETUP")
	if dir == "" {
		t.Skip("TELLTALE_CRYPTSETUP is not set: lab/damaged-images.sh fetches the images")
	}
	var paths []string
	for _, p := range []string{"tests/*.img", "tests/*hdr*", "tests/luks1-images/*.img", "tests/conversion_imgs/l*"} {
		more, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, more...)
	}
	opened := 0
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			continue // a folder
		}
		made := make1(t, raw, secret("compatkey", "L0RD0fTh3R1ngs", "password", "passphrase", "foo", "simple_pass", "Qx3qn46vq0v"))
		volumetest.Probe(t, made.Volumes)
		opened += len(made.Volumes)
		for _, v := range made.Volumes {
			head := make([]byte, 4096)
			n, err := v.ReadAt(head, 0)
			t.Logf("%s: %d bytes, %v, begins %.16x", filepath.Base(p), v.Size, err, head[:n])
		}
		t.Logf("%s: %s", filepath.Base(p), strings.Join(made.Notes, "; "))
	}
	if opened == 0 {
		t.Error("none was opened")
	}
}

func BenchmarkRead(b *testing.B) {
	v := make1(b, sample(b, "1-essiv"), secret(passphrase)).Volumes[0]
	buf := make([]byte, v.Size)
	b.SetBytes(v.Size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.ReadAt(buf, 0); err != nil {
			b.Fatal(err)
		}
	}
}
