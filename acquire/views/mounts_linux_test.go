package views

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/internal/state"
)

func TestMountsHere(t *testing.T) {
	k := newKept(t)
	b := testBox(t)
	began := time.Now()
	if err := Mounts(Options{}).Take(t.Context(), b, k); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(began))
	k.views()
	k.quiet()
	if len(k.records[state.MountFile]) == 0 || len(b.Mounts) == 0 {
		t.Error("no mounts")
	}
}

// Files and folders under mounts are seen by name and size; the test runs in a mount namespace of its own.
func TestWhatLiesBeneath(t *testing.T) {
	if os.Getenv("TELLTALE_PRIVATE_MOUNTS") == "" {
		again(t, "TestWhatLiesBeneath")
		return
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat("/etc"); err != nil {
		t.Skip(err)
	}
	must(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	for unix.Unmount("/run/netns", unix.MNT_DETACH) == nil { // who removes a namespace elsewhere takes its mount from here, too
	}
	must(unix.Mount("none", "/etc", "tmpfs", 0, "")) // a place of our own to play in: it covers the real one
	must(os.WriteFile("/etc/hidden", []byte("12345"), 0o600))
	must(os.Mkdir("/etc/dir", 0o700))
	must(os.WriteFile("/etc/dir/secret", []byte("1234567"), 0o600))
	must(os.Mkdir("/etc/empty", 0o700))
	must(os.Mkdir("/etc/itself", 0o700))
	clean := filepath.Join("/etc", "clean")
	must(os.WriteFile(clean, nil, 0o600))
	must(unix.Mount(clean, "/etc/hidden", "", unix.MS_BIND, ""))
	must(unix.Mount("none", "/etc/dir", "tmpfs", 0, ""))
	must(unix.Mount("none", "/etc/empty", "tmpfs", 0, ""))
	must(unix.Mount("/etc/itself", "/etc/itself", "", unix.MS_BIND, ""))
	before, _ := os.ReadFile("/proc/self/mountinfo")
	k := newKept(t)
	must(Mounts(Options{}).Take(t.Context(), testBox(t), k))
	if after, _ := os.ReadFile("/proc/self/mountinfo"); string(after) != string(before) {
		t.Errorf("the table of mounts was changed:\n%s", after)
	}
	for at, detail := range map[string]string{"/etc/hidden": "a file of 5 bytes", "/etc/dir": `"secret" (7 bytes)`, "/etc": `"passwd"`} {
		c := k.about("mount", at)
		if c == nil || !c.Holds() || at != "/etc" && !strings.Contains(c.Detail, detail) || !slices.Contains(c.Shown, viewBeneath) {
			t.Errorf("%s: %+v", at, c)
		}
	}
	if c := k.about("mount", "/etc/empty"); c == nil || c.Holds() {
		t.Errorf("%+v", c)
	}
	if c := k.about("mount", "/etc/itself"); c != nil {
		t.Errorf("%+v", c)
	}
	must(unix.Mount("none", "/etc/dir", "tmpfs", 0, "")) // and another upon it: its path leads no more to the one below
	k = newKept(t)
	must(Mounts(Options{}).Take(t.Context(), testBox(t), k))
	for _, c := range k.contradictions() {
		t.Logf("%+v", c)
	}
}
