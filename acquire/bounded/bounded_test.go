package bounded_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"telltale/acquire/bounded"
)

func TestReadAtItsLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	want := bytes.Repeat([]byte("0123456789"), 2000)
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{0, 1, 4095, 4096, 4097, len(want) - 1, len(want), len(want) + 1} {
		b, err := bounded.Read(path, limit)
		if long := limit < len(want); errors.Is(err, bounded.ErrLong) != long || !long && err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
		if !bytes.Equal(b, want[:min(limit, len(want))]) {
			t.Errorf("limit %d gave %d bytes", limit, len(b))
		}
	}
}

func TestWhatNeverEndsEnds(t *testing.T) {
	if b, err := bounded.Read("/dev/zero", 1<<16); len(b) != 1<<16 || !errors.Is(err, bounded.ErrLong) {
		t.Errorf("%d bytes: %v", len(b), err)
	}
	began := time.Now()
	if _, err := bounded.Within(10*time.Millisecond, func() (int, error) { time.Sleep(time.Second); return 1, nil }); !errors.Is(err, bounded.ErrLate) {
		t.Error(err)
	}
	if time.Since(began) > 500*time.Millisecond {
		t.Error("it waited")
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for i := range 30 {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := bounded.List(dir, 30); len(names) != 30 || err != nil {
		t.Errorf("%d names: %v", len(names), err)
	}
	if names, err := bounded.List(dir, 29); len(names) != 29 || !errors.Is(err, bounded.ErrLong) {
		t.Errorf("%d names: %v", len(names), err)
	}
	if _, err := bounded.List(filepath.Join(dir, "no"), 9); !bounded.Gone(err) {
		t.Error(err)
	}
}
