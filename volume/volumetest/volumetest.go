// Package volumetest holds what the tests of the managers share: archives of disks, what the kernel read
// of the volumes on them, and a source that a fuzzer edits.
package volumetest

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"telltale/evidence"
	"telltale/internal/limit"
	"telltale/volume"
)

// Disks gives the files of a .tar.gz by name.
func Disks(t testing.TB, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	disks := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return disks
		}
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, r); err != nil {
			t.Fatal(err)
		}
		disks[strings.TrimPrefix(h.Name, "./")] = b.Bytes()
	}
}

// Files gives the files that a pattern matches, by their base names.
func Files(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	disks := map[string][]byte{}
	for _, p := range paths {
		if disks[filepath.Base(p)], err = os.ReadFile(p); err != nil {
			t.Fatal(err)
		}
	}
	return disks
}

// Members gives disks as members, in the order of their names.
func Members(disks map[string][]byte) (ms []volume.Member) {
	var names []string
	for n := range disks {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		ms = append(ms, volume.Member{ReaderAt: bytes.NewReader(disks[n]), Size: int64(len(disks[n])), Name: n})
	}
	return ms
}

// Made is what a manager made.
type Made struct {
	Volumes []volume.Volume
	Notes   []string
}

// Make has m make volumes of all disks that it recognises.
func Make(t testing.TB, m volume.Manager, ms []volume.Member, secret func(string, int) ([]byte, error)) Made {
	t.Helper()
	var own []volume.Member
	for _, x := range ms {
		if m.Probe(x) {
			own = append(own, x)
		}
	}
	vs, notes, err := m.Make(context.Background(), own, volume.Options{Secret: secret, Budget: limit.New(limit.Memory)})
	if err != nil {
		t.Fatal(err)
	}
	return Made{vs, notes}
}

// Find gives the volume of that name.
func (m Made) Find(t testing.TB, name string) volume.Volume {
	t.Helper()
	for _, v := range m.Volumes {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("there is no volume %q; notes: %s", name, strings.Join(m.Notes, "; "))
	return volume.Volume{}
}

// Describe gives all that was made in words, with the digest of each volume.
func (m Made) Describe() []byte {
	var b bytes.Buffer
	for _, v := range m.Volumes {
		sum, err := Digest(v)
		fmt.Fprintf(&b, "%s %d %s", v.Name, v.Size, sum)
		if v.Earlier {
			fmt.Fprintf(&b, " earlier of %s", v.Of)
		}
		fmt.Fprintf(&b, " made %s\n", v.Made)
		if err != nil {
			fmt.Fprintf(&b, "  error %v\n", err)
		}
		for _, n := range v.Notes {
			fmt.Fprintf(&b, "  note %s\n", n)
		}
	}
	for _, n := range m.Notes {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	return b.Bytes()
}

// Digest gives the SHA-256 of all that a volume gives, and the first error. It reads in pieces of an odd
// size, so that they cross every border.
func Digest(v volume.Volume) (string, error) {
	h, buf := sha256.New(), make([]byte, 70_001)
	for off := int64(0); off < v.Size; {
		n, err := v.ReadAt(buf[:min(int64(len(buf)), v.Size-off)], off)
		h.Write(buf[:n])
		off += int64(n)
		if err != nil && !(errors.Is(err, io.EOF) && off == v.Size) {
			return hex.EncodeToString(h.Sum(nil)), fmt.Errorf("at %d: %w", off, err)
		}
		if n == 0 {
			return "", fmt.Errorf("no byte and no error at %d", off)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Damaged tells whether err is damage.
func Damaged(err error) bool {
	var d *evidence.Damage
	return errors.As(err, &d)
}

// Truth is what the kernel read of a volume.
type Truth struct {
	Size   int64
	Digest string
}

// Truths reads a list of them: size, SHA-256, name.
func Truths(t testing.TB, path string) map[string]Truth {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]Truth{}
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadString('\n')
		var x Truth
		var name string
		if n, _ := fmt.Sscan(line, &x.Size, &x.Digest, &name); n == 3 {
			all[name] = x
		}
		if err != nil {
			return all
		}
	}
}

// Equal fails the test unless v reads as the kernel read it.
func (x Truth) Equal(t testing.TB, what string, v volume.Volume) {
	t.Helper()
	sum, err := Digest(v)
	if err != nil || v.Size != x.Size || sum != x.Digest {
		t.Errorf("%s: %d bytes %s (%v), the kernel read %d bytes %s", what, v.Size, sum, err, x.Size, x.Digest)
	}
}

// Edited is a disk with four bytes changed here and there: fuzzing whole disks would spend its time on
// zeros.
type Edited struct {
	Raw   []byte
	edits []edit
}

type edit struct {
	off   int64
	bytes [4]byte
}

// Busy gives the offsets of the 16-byte lines below most that are not zero.
func Busy(raw []byte, most int) (lines []int64) {
	for i := 0; i+16 <= min(len(raw), most); i += 16 {
		if binary.LittleEndian.Uint64(raw[i:])|binary.LittleEndian.Uint64(raw[i+8:]) != 0 {
			lines = append(lines, int64(i))
		}
	}
	return lines
}

// Edit makes the edits that a fuzzer asks for: rows of six bytes, where (an index into lines, and a byte
// there) and what.
func Edit(raw []byte, lines []int64, edits []byte) *Edited {
	e := &Edited{Raw: raw}
	for ; len(edits) >= 6 && len(e.edits) < 32 && len(lines) > 0; edits = edits[6:] {
		line := lines[int(binary.LittleEndian.Uint16(edits)>>2)*17%len(lines)]
		e.edits = append(e.edits, edit{line + int64(edits[0]&3)*4, [4]byte(edits[2:6])})
	}
	return e
}

// ReadAt gives the edited bytes.
func (e *Edited) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(e.Raw)) {
		return 0, io.EOF
	}
	n := copy(p, e.Raw[off:])
	for _, x := range e.edits {
		for i, v := range x.bytes {
			if at := x.off + int64(i) - off; at >= 0 && at < int64(n) {
				p[at] = v
			}
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Probe reads a little of each volume, as a fuzz target does: it must end, and not panic.
func Probe(t testing.TB, vs []volume.Volume) {
	buf := make([]byte, 10_000)
	for _, v := range vs {
		if v.Size < 0 {
			t.Fatalf("volume %q has %d bytes", v.Name, v.Size)
		}
		for _, off := range []int64{0, 4096, v.Size / 2, v.Size - 100} {
			if n, err := v.ReadAt(buf, max(off, 0)); n < 0 || n > len(buf) || n < len(buf) && err == nil {
				t.Fatalf("volume %q: %d bytes, %v", v.Name, n, err)
			}
		}
	}
}
