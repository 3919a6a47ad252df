package luks

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/xts"

	"telltale/internal/limit"
	"telltale/volume"
	"telltale/volume/volumetest"
)

func member(raw []byte) volume.Member {
	return volume.Member{ReaderAt: bytes.NewReader(raw), Size: int64(len(raw)), Name: "disk"}
}

// TestAsCryptsetup: the volume key is the one that cryptsetup gives, for all that headers may ask for.
func TestAsCryptsetup(t *testing.T) {
	if _, err := exec.LookPath("cryptsetup"); err != nil {
		t.Skip("needs cryptsetup")
	}
	dir := t.TempDir()
	secret := []byte("open sesame")
	words := filepath.Join(dir, "words")
	if err := os.WriteFile(words, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, o := range []string{
		"--type luks1 --cipher aes-xts-plain64 --key-size 512 --hash sha256 --pbkdf-force-iterations 1000",
		"--type luks1 --cipher aes-xts-plain --key-size 256 --hash sha1 --pbkdf-force-iterations 1000",
		"--type luks1 --cipher aes-cbc-plain64 --key-size 192 --hash ripemd160 --pbkdf-force-iterations 1000",
		"--type luks1 --cipher aes-cbc-essiv:sha256 --key-size 256 --hash sha512 --pbkdf-force-iterations 1000",
		"--type luks2 --cipher aes-xts-plain64 --key-size 512 --pbkdf pbkdf2 --hash sha512 --pbkdf-force-iterations 1000",
		"--type luks2 --cipher aes-cbc-plain --key-size 128 --pbkdf argon2i --pbkdf-memory 512 --pbkdf-force-iterations 5 --pbkdf-parallel 4",
		"--type luks2 --cipher aes-xts-plain64 --key-size 256 --pbkdf argon2id --pbkdf-memory 4096 --pbkdf-force-iterations 4 --pbkdf-parallel 1 --sector-size 2048 --label case",
	} {
		img, key := filepath.Join(dir, fmt.Sprint("img", i)), filepath.Join(dir, fmt.Sprint("key", i))
		if err := os.WriteFile(img, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(img, 20<<20); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"-q", "luksFormat"}, strings.Fields(o)...)
		if out, err := exec.Command("cryptsetup", append(args, img, words)...).CombinedOutput(); err != nil {
			t.Logf("%s: %v: %s", o, err, out) // a hash or cipher that this one has not
			continue
		}
		if out, err := exec.Command("cryptsetup", "-q", "luksDump", "--dump-volume-key", "--volume-key-file", key, "--key-file", words, img).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", o, err, out)
		}
		want, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(img)
		if err != nil {
			t.Fatal(err)
		}
		h, err := read(member(raw), limit.New(limit.Memory))
		if err != nil {
			t.Errorf("%s: %v", o, err)
			continue
		}
		keys := make([][]byte, len(h.digests))
		if err := h.try(t.Context(), member(raw), bytes.Clone(secret), keys, nil); err != nil || !bytes.Equal(keys[0], want) {
			t.Errorf("%s: %v%s: the key is not cryptsetup's", o, err, h.unusable())
		}
	}
}

// encrypt writes sectors as dm-crypt does.
func encrypt(t *testing.T, spec string, key, p []byte, sectorSize int, tweak uint64) {
	t.Helper()
	for i := 0; i < len(p); i += sectorSize {
		n, s := tweak+uint64(i/512), p[i:i+sectorSize]
		if strings.HasSuffix(spec, "-plain") {
			n &= 1<<32 - 1
		}
		if strings.Contains(spec, "xts") {
			c, err := xts.NewCipher(aes.NewCipher, key)
			if err != nil {
				t.Fatal(err)
			}
			c.Encrypt(s, s, n)
			continue
		}
		c, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		iv := make([]byte, 16)
		binary.LittleEndian.PutUint64(iv, n)
		cipher.NewCBCEncrypter(c, iv).CryptBlocks(s, s)
	}
}

// TestSectors reads in all sizes at all borders.
func TestSectors(t *testing.T) {
	key := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 4)
	for _, spec := range []string{"aes-xts-plain64", "aes-xts-plain", "aes-cbc-plain64", "aes-cbc-plain"} {
		for _, sectorSize := range []int{512, 1024, 4096} {
			for _, tweak := range []uint64{0, 1<<32 - 3, 1 << 40} {
				plain := make([]byte, 5*4096)
				for i := range plain {
					plain[i] = byte(i ^ i>>8)
				}
				raw := append(make([]byte, 100), plain...)
				encrypt(t, spec, key, raw[100:], sectorSize, tweak)
				m, err := newMode(spec, key)
				if err != nil {
					t.Fatal(err)
				}
				d := &decrypted{src: member(raw), off: 100, size: int64(len(plain)), name: "v", sectorSize: int64(sectorSize), tweak: tweak, mode: m}
				for _, off := range []int{0, 1, 511, 512, 513, 4095, 4096, 4097, 3*4096 - 1, len(plain) - 1} {
					for _, n := range []int{1, 511, 512, 513, 4096, 5000, 9000} {
						got := make([]byte, n)
						k, err := d.ReadAt(got, int64(off))
						if want := plain[off:min(off+n, len(plain))]; !bytes.Equal(got[:k], want) || (err == nil) != (k == n) {
							t.Fatalf("%s, sectors of %d, from %#x: %d bytes at %d: %d, %v", spec, sectorSize, tweak, n, off, k, err)
						}
					}
				}
			}
		}
	}
}

// TestDiffuse is the anti-forensic split's hash on a vector of its own: one part that is whole and one cut.
func TestDiffuse(t *testing.T) {
	b := []byte("0123456789abcdefghijABCDE")
	diffuse(b, hashes["sha1"]())
	if got := hex.EncodeToString(b); len(got) != 50 || got[:8] == hex.EncodeToString([]byte("0123")) {
		t.Errorf("%s", got)
	}
}

// cheap tells whether trying a slot takes little time: a fuzzer soon finds what takes a minute.
func cheap(h *header) bool {
	for _, s := range h.slots {
		if s.err == nil && (s.kdf.iterations > 5000 || s.kdf.time*s.kdf.memory > 1<<14) {
			return false
		}
	}
	for _, d := range h.digests {
		if d.iterations > 5000 {
			return false
		}
	}
	return true
}

func openAll(t *testing.T, m volume.Member) {
	if !probe(m) {
		return
	}
	h, err := read(m, limit.New(limit.Memory))
	if err != nil || !cheap(h) {
		return
	}
	vs, _, err := open(t.Context(), []volume.Member{m}, volume.Options{Budget: limit.New(limit.Memory), Secret: func(_ string, try int) ([]byte, error) {
		if try > 0 {
			return nil, volume.ErrNoSecret
		}
		return []byte("open sesame"), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	volumetest.Probe(t, vs)
}

// FuzzHeader edits the headers of the samples, and makes the checksums of LUKS2 right again.
func FuzzHeader(f *testing.F) {
	one := volumetest.Disks(f, "testdata/1-essiv.tar.gz")["luks-1-essiv.img"]
	two := volumetest.Disks(f, "testdata/2-essiv.tar.gz")["luks-2-essiv.img"]
	lines := [][]int64{volumetest.Busy(one, headerSize1), volumetest.Busy(two, minHeader)}
	f.Add(false, []byte{})
	f.Add(true, []byte{})
	f.Add(true, []byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, second bool, edits []byte) {
		if !second {
			openAll(t, volume.Member{ReaderAt: volumetest.Edit(one, lines[0], edits), Size: int64(len(one)), Name: "disk"})
			return
		}
		head := make([]byte, minHeader)
		if _, err := volumetest.Edit(two, lines[1], edits).ReadAt(head, 0); err != nil {
			t.Fatal(err)
		}
		openAll(t, sealed(head, two))
	})
}

// FuzzMetadata reads any JSON text.
func FuzzMetadata(f *testing.F) {
	two := volumetest.Disks(f, "testdata/2-essiv.tar.gz")["luks-2-essiv.img"]
	text := two[binarySize:minHeader]
	f.Add(text[:bytes.IndexByte(text, 0)])
	f.Fuzz(func(t *testing.T, text []byte) {
		head := make([]byte, minHeader)
		copy(head, two[:binarySize])
		copy(head[binarySize:], text)
		openAll(t, sealed(head, two))
	})
}

// sealed puts a header before a disk, with its checksum right.
func sealed(head, disk []byte) volume.Member {
	if h := hashes["sha256"](); binary.BigEndian.Uint64(head[8:]) == minHeader {
		clear(head[sumAt : sumAt+64])
		h.Write(head)
		copy(head[sumAt:], h.Sum(nil))
	}
	return volume.Member{ReaderAt: &volumetest.Edited{Raw: append(head, disk[minHeader:]...)}, Size: int64(len(disk)), Name: "disk"}
}

func BenchmarkXTS(b *testing.B) {
	m, err := newMode("aes-xts-plain64", make([]byte, 64))
	if err != nil {
		b.Fatal(err)
	}
	d := &decrypted{src: member(make([]byte, 1<<20)), size: 1 << 20, sectorSize: 512, mode: m}
	buf := make([]byte, 1<<20)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.ReadAt(buf, 0); err != nil {
			b.Fatal(err)
		}
	}
}
