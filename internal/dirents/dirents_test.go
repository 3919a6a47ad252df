package dirents_test

import (
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/internal/dirents"
)

// list gives what the kernel says of a real directory.
func list(t testing.TB, dir string) []byte {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 64<<10)
	n, err := unix.Getdents(fd, buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func names(b []byte) (shown, hidden []string) {
	dirents.Parse(b, func(e dirents.Entry) bool {
		if e.Hidden {
			hidden = append(hidden, string(e.Name))
		} else {
			shown = append(shown, string(e.Name))
		}
		return true
	})
	return shown, hidden
}

// hide does what code that hides a file does: the record before swallows the file's.
func hide(b []byte, name string) []byte {
	b = slices.Clone(b)
	before := -1
	for at := 0; at < len(b); {
		size := int(binary.NativeEndian.Uint16(b[at+16:]))
		if got, _ := names(b[at : at+size]); before >= 0 && got[0] == name {
			binary.NativeEndian.PutUint16(b[before+16:], uint16(at-before+size))
			return b
		}
		before, at = at, at+size
	}
	return nil // it is the first: there is no record before it
}

func TestRealDirectories(t *testing.T) {
	for _, dir := range []string{"/", "/proc", "/sys", "/dev", "/etc", "/usr/bin"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		shown, hidden := names(list(t, dir))
		if len(hidden) > 0 || len(shown) == 0 || len(shown) > len(entries)+2 && dir != "/proc" {
			t.Errorf("%s: %d shown, hidden: %q", dir, len(shown), hidden)
		}
	}
}

func TestHidden(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"a", "secret", "z", "a-rather-long-name-of-a-file"} {
		if err := os.WriteFile(dir+"/"+n, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"secret", "a-rather-long-name-of-a-file"} {
		b := hide(list(t, dir), n)
		if b == nil {
			continue
		}
		if _, hidden := names(b); len(hidden) != 1 || hidden[0] != n {
			t.Errorf("%s hidden, found: %q", n, hidden)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(list(f, "/"))
	for _, n := range []string{"etc", "usr", "proc"} {
		f.Add(hide(list(f, "/"), n))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		spare, _ := dirents.Parse(b, func(e dirents.Entry) bool { n += len(e.Name); return true })
		if spare > len(b) || n > len(b) {
			t.Fatalf("%d bytes of names and %d spare in %d", n, spare, len(b))
		}
	})
}
