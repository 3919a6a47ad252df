//go:build linux

package freeze

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/internal/procread"
)

// TestMain lets the test program play a process that never rests, with a child that does not either.
func TestMain(m *testing.M) {
	switch os.Getenv("TELLTALE_TEST_BUSY") {
	case "":
		os.Exit(m.Run())
	case "parent":
		c := exec.Command("/proc/self/exe")
		c.Env, c.SysProcAttr = []string{"TELLTALE_TEST_BUSY=child"}, dieWithParent()
		if err := c.Start(); err != nil {
			panic(err)
		}
	}
	for {
	}
}

func dieWithParent() *unix.SysProcAttr { return &unix.SysProcAttr{Pdeathsig: unix.SIGKILL} }

// busy starts a process that uses time, and gives its number.
func busy(t *testing.T, role string) int {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("cgroups need root")
	}
	c := exec.Command(os.Args[0])
	c.Env, c.SysProcAttr = []string{"GOMAXPROCS=1", "TELLTALE_TEST_BUSY=" + role}, dieWithParent()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		Thaw(t.Context(), c.Process.Pid, Options{Tree: true, Stop: true})
		c.Process.Kill()
		c.Wait()
	})
	wait(t, "it runs", func() bool { return runs(c.Process.Pid) })
	return c.Process.Pid
}

func wait(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 200 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// runs tells whether a process uses time.
func runs(pid int) bool {
	a, _ := procread.Of(pid)
	time.Sleep(60 * time.Millisecond)
	b, err := procread.Of(pid)
	return err == nil && b.Ticks > a.Ticks
}

func cgroups(t *testing.T, pid int) string {
	m, err := memberOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(m.lines, "\n")
}

func TestFreezeAndThaw(t *testing.T) {
	for _, how := range []string{ByV1, ByV2, ByStop} {
		t.Run(how, func(t *testing.T) {
			pid := busy(t, "alone")
			before := cgroups(t, pid)
			o := Options{Only: how, Stop: how == ByStop}
			list, err := Freeze(t.Context(), pid, o)
			if errors.Is(err, ErrCannot) {
				t.Skip(err)
			}
			if err != nil || len(list) != 1 || !list[0].Frozen || list[0].How != how || strings.Join(list[0].Cgroups, "\n") != before {
				t.Fatalf("%+v, %v", list, err)
			}
			t.Logf("%+v", list[0])
			if runs(pid) {
				t.Error("it still uses time")
			}
			if how != ByStop {
				if !strings.Contains(cgroups(t, pid), fmt.Sprintf("/telltale-freeze-%d", pid)) {
					t.Error(cgroups(t, pid))
				}
				if _, err := Freeze(t.Context(), pid, o); !errors.Is(err, ErrRefused) {
					t.Errorf("a second time: %v", err)
				}
			}
			if list, err = Thaw(t.Context(), pid, o); err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			if got := cgroups(t, pid); got != before {
				t.Errorf("it was in\n%s\nand is in\n%s", before, got)
			}
			wait(t, "it goes on", func() bool { return runs(pid) })
			if _, err := os.Stat(list[0].Where + "/" + prefix + strconv.Itoa(pid)); how != ByStop && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the group is left: %v", err)
			}
			if _, err := Thaw(t.Context(), pid, o); !errors.Is(err, ErrNotHeld) {
				t.Errorf("a second time: %v", err)
			}
		})
	}
}

// unit makes a group of version 2 and puts processes into it.
func unit(t *testing.T, pids ...int) string {
	t.Helper()
	_, v2, err := hierarchies()
	if err != nil || v2 == nil {
		t.Skipf("cgroup v2 is not mounted: %v", err)
	}
	dir := filepath.Join(v2.mount, fmt.Sprintf("telltale-test-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("no group can be made: %v", err)
	}
	t.Cleanup(func() {
		for range 100 {
			if os.Remove(dir) == nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%s is left", dir)
	})
	for _, pid := range pids {
		old, _ := memberOf(pid)
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.WriteFile(filepath.Join(v2.mount, old.v2, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0) })
	}
	return dir
}

func TestAloneInItsUnit(t *testing.T) {
	pid := busy(t, "alone")
	dir := unit(t, pid)
	before := cgroups(t, pid)
	list, err := Freeze(t.Context(), pid, Options{})
	if err != nil || !list[0].Frozen || list[0].How != ByOwn || list[0].Where != dir || runs(pid) || cgroups(t, pid) != before {
		t.Fatalf("%+v, %v", list, err)
	}
	if list, err = Thaw(t.Context(), pid, Options{}); err != nil || list[0].How != ByOwn {
		t.Fatalf("%+v, %v", list, err)
	}
	wait(t, "it goes on", func() bool { return runs(pid) })
}

// TestFrozenAbove thaws a process in a group that somebody else has frozen.
func TestFrozenAbove(t *testing.T) {
	pid := busy(t, "alone")
	dir := unit(t, pid)
	if list, err := Freeze(t.Context(), pid, Options{Only: ByV2}); err != nil {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.freeze"), []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Thaw(t.Context(), pid, Options{}); err == nil || !strings.Contains(err.Error(), "is still frozen (frozen 1)") {
		t.Error(err)
	}
	if _, err := Thaw(t.Context(), pid, Options{}); err != nil {
		t.Error(err)
	}
	wait(t, "it goes on", func() bool { return runs(pid) })
}

func TestWholeUnit(t *testing.T) {
	a, b := busy(t, "alone"), busy(t, "alone")
	dir := unit(t, a, b)
	list, err := Freeze(t.Context(), a, Options{Unit: true})
	if err != nil || list[0].Where != dir || runs(a) || runs(b) {
		t.Fatalf("%+v, %v", list, err)
	}
	if _, err := Thaw(t.Context(), b, Options{}); err != nil {
		t.Fatal(err)
	}
	wait(t, "it goes on", func() bool { return runs(a) })
	// One that must not be frozen is in the group.
	if list, err := Freeze(t.Context(), a, Options{Unit: true, Protect: []int{b}}); !errors.Is(err, ErrRefused) || errors.Is(err, ErrCannot) {
		t.Errorf("%+v, %v", list, err)
	}
	wait(t, "what was refused goes on", func() bool { return runs(a) })
}

func TestTree(t *testing.T) {
	pid := busy(t, "parent")
	var child int
	wait(t, "a child", func() bool {
		list, _ := descendants(pid)
		if len(list) == 1 {
			child = list[0]
		}
		return child != 0 && runs(child)
	})
	list, err := Freeze(t.Context(), pid, Options{Tree: true})
	if errors.Is(err, ErrCannot) {
		t.Skip(err)
	}
	if err != nil || len(list) != 2 || runs(pid) || runs(child) {
		t.Fatalf("%+v, %v", list, err)
	}
	if list, err = Thaw(t.Context(), pid, Options{Tree: true}); err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	wait(t, "both go on", func() bool { return runs(pid) && runs(child) })
}

func TestRefused(t *testing.T) {
	for _, pid := range []int{-1, 0, 1, 2, os.Getpid(), os.Getppid()} {
		if list, err := Freeze(t.Context(), pid, Options{Stop: pid != os.Getpid()}); !errors.Is(err, ErrRefused) {
			t.Errorf("%d: %+v, %v", pid, list, err)
		}
	}
	if _, err := Freeze(t.Context(), 1<<22-1, Options{}); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
	pid := busy(t, "alone")
	if _, err := Freeze(t.Context(), pid, Options{Protect: []int{pid}}); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	wait(t, "what was refused goes on", func() bool { return runs(pid) })
}

func TestMountsAndMemberships(t *testing.T) {
	v1, v2 := parseMounts("x\n30 1 0:2 / /a\\040b rw - cgroup2 cgroup2 rw\n31 1 0:3 /x /f rw shared:1 - cgroup cgroup rw,freezer\n32 1 0:4 / /g rw - cgroup cgroup rw,cpu\n")
	if v2 == nil || v2.mount != "/a b" || v1 == nil || v1.mount != "/f" || v1.root != "/x" {
		t.Fatalf("%+v, %+v", v1, v2)
	}
	m := parseMembership("12:freezer:/a:b\n1:name=systemd:/x\n0::/user.slice\n")
	if m.v1 != "/a:b" || m.v2 != "/user.slice" || len(m.lines) != 3 {
		t.Fatalf("%+v", m)
	}
	// What is not the kernel's is not written to.
	h := &hierarchy{version: 2, mount: t.TempDir(), root: "/"}
	if _, err := h.open("/"); !errors.Is(err, ErrCannot) {
		t.Error(err)
	}
	if _, err := h.open("/../x"); !errors.Is(err, ErrCannot) {
		t.Error(err)
	}
	h.root = "/a"
	if _, err := h.open("/ab"); !errors.Is(err, ErrCannot) {
		t.Error(err)
	}
}

func FuzzProc(f *testing.F) {
	for _, n := range []string{"mountinfo", "cgroup"} {
		b, _ := procread.File("/proc/self/"+n, procread.TableFile)
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, s string) {
		parseMounts(s)
		parseMembership(s)
	})
}
