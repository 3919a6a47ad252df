package namespace

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
)

func TestMountsOfOurOwnChangeNoTable(t *testing.T) {
	before, _ := os.ReadFile("/proc/self/mountinfo")
	path, shut, err := Mount("proc", "/proc")
	if err != nil {
		t.Skip(err)
	}
	defer shut()
	fd, err := privately("proc", "/proc") // what older kernels get
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, dir := range []string{path, filepath.Join("/proc/self/fd", strconv.Itoa(fd))} {
		if b, err := bounded.Read(filepath.Join(dir, strconv.Itoa(os.Getpid()), "comm"), 64); err != nil || len(b) == 0 {
			t.Errorf("%s: %q %v", dir, b, err)
		}
	}
	if names, err := bounded.List(path, 1<<20); err != nil || len(names) < 10 {
		t.Errorf("%d names: %v", len(names), err)
	}
	if after, _ := os.ReadFile("/proc/self/mountinfo"); string(after) != string(before) {
		t.Errorf("the table of mounts was changed:\n%s", after)
	}
	if _, _, err := Mount("no-such-filesystem", "/proc"); err == nil {
		t.Error("an unknown type was mounted")
	}
}

func TestSpacesBeginWithOurs(t *testing.T) {
	all := Spaces(&acquire.Box{Proc: "/proc"}, "net")
	if len(all) != 1 || all[0].PID != os.Getpid() || all[0].ID == 0 {
		t.Errorf("%+v", all)
	}
	if ID("/proc/self/ns/none") != 0 {
		t.Error("a namespace of no kind")
	}
}
