//go:build linux

package process

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"telltale/acquire"
	"telltale/internal/state"
)

func TestVDSOSpan(t *testing.T) {
	for maps, want := range map[string]uint64{
		"7ffd1000-7ffd3000 r-xp 00000000 00:00 0                          [vdso]\n":        0x7ffd1000,
		"7ffd1000-7ffd3000 r-xp 00000000 fe:00 12                         /tmp/x [vdso]\n": 0,
		"7ffd1000-ffffffffffffffff r-xp 00000000 00:00 0 [vdso]\n":                         0,
		"7ffd1000-7ffd1000 r-xp 00000000 00:00 0 [vdso]\n":                                 0,
		"[vdso]\n": 0, "": 0, "x y [vdso]": 0,
	} {
		if from, _ := vdsoSpan([]byte(maps)); from != want {
			t.Errorf("%q: %#x", maps, from)
		}
	}
}

func FuzzVDSOSpan(f *testing.F) {
	f.Add([]byte("7ffd1000-7ffd3000 r-xp 00000000 00:00 0                          [vdso]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if from, to := vdsoSpan(b); to < from || to-from > maxShared {
			t.Errorf("%#x-%#x", from, to)
		}
	})
}

// contradictions is an Out that keeps those.
type contradictions struct{ all []*state.Contradiction }

func (c *contradictions) Record(_ string, v any) error {
	if x, ok := v.(*state.Contradiction); ok && strings.HasPrefix(x.Subject, "vdso") {
		c.all = append(c.all, x)
	}
	return nil
}
func (c *contradictions) File(_ string, _ int64, _ time.Time, r io.Reader) error { return nil }
func (c *contradictions) Failed(string, error)                                   {}

func taken(t *testing.T) (*acquire.Box, []*state.Contradiction) {
	t.Helper()
	box, _, err := acquire.NewBox(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Skip(err)
	}
	c := &contradictions{}
	if err := New(Options{}).Step().Take(t.Context(), box, c); err != nil {
		t.Fatal(err)
	}
	return box, c.all
}

// One byte in the vDSO of a process is changed, as a debugger would set a breakpoint, and no other process is told.
func TestAChangedVDSOIsTold(t *testing.T) {
	if _, all := taken(t); len(all) != 0 {
		t.Fatalf("%+v", all[0])
	}
	c := exec.Command("sleep", "100")
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	defer func() { c.Process.Kill(); c.Wait() }()
	time.Sleep(200 * time.Millisecond)
	maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", c.Process.Pid))
	_, to := vdsoSpan(maps)
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", c.Process.Pid), os.O_RDWR, 0)
	if err != nil || to == 0 {
		t.Skipf("its memory cannot be changed: %v", err)
	}
	defer mem.Close()
	if _, err := mem.WriteAt([]byte{0xcc}, int64(to)-1); err != nil {
		t.Skipf("its memory cannot be changed: %v", err)
	}
	box, all := taken(t)
	if len(all) != 1 || all[0].PID != c.Process.Pid || all[0].Holds() || all[0].Repeats != state.Passes {
		t.Fatalf("%d: %+v", c.Process.Pid, all)
	}
	if p := box.Process(c.Process.Pid); p.Waits == "" {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", c.Process.Pid))
		t.Logf("what it waits for is not told: %q", bytes.TrimSpace(b))
	}
}
