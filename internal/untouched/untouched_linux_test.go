package untouched_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/internal/untouched"
)

// TestOpenLeavesNoMark: a file that was written after it was last read keeps that, though the kernel would mark it (mount(8), relatime).
func TestOpenLeavesNoMark(t *testing.T) {
	p := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().AddDate(0, 0, -9)
	if err := os.Chtimes(p, long, time.Now()); err != nil {
		t.Fatal(err)
	}
	f, err := untouched.Open(p, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != "x" {
		t.Fatalf("%q, %v", b, err)
	}
	var st unix.Stat_t
	if err := unix.Stat(p, &st); err != nil || st.Atim.Sec != long.Unix() {
		t.Errorf("read at %v, was %v: %v", st.Atim.Sec, long.Unix(), err)
	}
}

func TestOpenSaysWhy(t *testing.T) {
	if _, err := untouched.Open(filepath.Join(t.TempDir(), "none"), 0); !os.IsNotExist(err) {
		t.Error(err)
	}
}
