package procread

import (
	"errors"
	"os"
	"strings"
	"testing"

	"telltale/acquire/bounded"
)

func TestOurself(t *testing.T) {
	s, err := Of(os.Getpid())
	if err != nil || s.PID != os.Getpid() || s.Parent != os.Getppid() || s.Start == 0 || s.Kernel() {
		t.Fatalf("%+v, %v", s, err)
	}
	up, err := Ancestors(os.Getpid())
	if err != nil || len(up) == 0 || up[0].PID != os.Getppid() {
		t.Fatalf("%+v, %v", up, err)
	}
	pids, err := PIDs()
	if err != nil || len(pids) == 0 {
		t.Fatalf("%v, %v", pids, err)
	}
}

func TestStatOfHostileNames(t *testing.T) {
	rest := " S 7 1 1 0 -1 4194560 1 2 3 4 50 60 0 0 20 0 1 0 12345 0 0"
	for _, name := range []string{"a", ") R 1 1", "((", "x) S 1", "\x1b[31m"} {
		s, err := parseStat([]byte("42 (" + name + ")" + rest))
		if err != nil || s.Comm != name || s.Parent != 7 || s.Ticks != 110 || s.Start != 12345 {
			t.Errorf("%q: %+v, %v", name, s, err)
		}
	}
	for _, bad := range []string{"", "42", "42 (a", "42 (a)", "42 (a) S", "-1 (a)" + rest, "9999999999 (a)" + rest} {
		if s, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q: no error: %+v", bad, s)
		}
	}
}

func TestBounds(t *testing.T) {
	b, err := File("/dev/zero", 100<<10)
	if !errors.Is(err, bounded.ErrLong) || len(b) != 100<<10 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if _, err := File("/proc/self", SmallFile); err == nil {
		t.Fatal("a link was followed")
	}
}

func TestJoin(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	if Join() != nil || Join(nil, nil) != nil || Join(nil, a) != a {
		t.Error("nil errors")
	}
	if err := Join(a, nil, b); err.Error() != "a; b" || !errors.Is(err, a) || !errors.Is(err, b) {
		t.Error(err)
	}
}

func FuzzStat(f *testing.F) {
	b, _ := File("/proc/self/stat", SmallFile)
	f.Add(b)
	f.Add([]byte("1 (a) b) S 0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseStat(b); err == nil && !strings.Contains(string(b), s.Comm) {
			t.Fatalf("%q is not in %q", s.Comm, b)
		}
	})
}
