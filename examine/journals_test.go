package examine_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	artifacts "telltale/artifact/all"
	"telltale/casefile"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
	"telltale/image/imagetest"
)

const machineID = "00112233445566778899aabbccddeeff"

// journalEntry gives the n-th login of a machine, in the form of systemd-journal-remote's input.
func journalEntry(n int) string {
	real := 1704164645000000 + n*1_000_000
	return fmt.Sprintf("__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\n_MACHINE_ID=%s\nMESSAGE=Accepted password for alice from 203.0.113.%d port %d ssh2\nSYSLOG_IDENTIFIER=sshd\n_PID=77\n_HOSTNAME=web1\n_UID=0\n_SOURCE_REALTIME_TIMESTAMP=%d\n\n",
		real, 5_000_000+n*1_000_000, machineID, n%250, 4000+n, real-7)
}

// journalOf writes a journal of some entries by systemd's own program.
func journalOf(t *testing.T, name string, env string, keep func(n int) bool) {
	t.Helper()
	const remote = "/lib/systemd/systemd-journal-remote"
	imagetest.Need(t, remote, "mke2fs", "debugfs")
	var b strings.Builder
	for n := range 300 {
		if keep(n) {
			b.WriteString(journalEntry(n))
		}
	}
	in := filepath.Join(t.TempDir(), "in")
	must(t, os.WriteFile(in, []byte(b.String()), 0o600))
	c := exec.Command(remote, "-o", name, in)
	c.Env = append(os.Environ(), env)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	id := []byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	_, err = f.WriteAt(id, 40) // the program writes its own machine's
	must(t, err)
	must(t, f.Close())
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestDeletedJournals puts entries together that lie in free space: of a journal that was deleted, and of one that was copied without some of them.
func TestDeletedJournals(t *testing.T) {
	const folder = "var/log/journal/" + machineID
	all := func(int) bool { return true }
	for _, tc := range []struct {
		name          string
		env           string
		living        func(n int) bool // nil for no journal left
		machine       string
		headless      bool
		wiped         bool // its inode, too: nothing but its blocks are left
		removed, lost int64
	}{
		{"the only one", "NONE=1", nil, machineID, false, false, 0, 300},
		{"not compact", "SYSTEMD_JOURNAL_COMPACT=0", nil, machineID, false, false, 0, 300},
		{"hashes without a key", "SYSTEMD_JOURNAL_KEYED_HASH=0", nil, machineID, false, false, 0, 300},
		{"another machine's", "NONE=1", nil, strings.Repeat("7", 32), false, false, 0, 0},
		{"all stand", "NONE=1", all, machineID, false, false, 0, 0},
		{"copied without three", "NONE=1", func(n int) bool { return n < 100 || n > 102 }, machineID, false, false, 3, 0},
		{"the newer ones live", "NONE=1", func(n int) bool { return n >= 200 }, machineID, false, false, 0, 200},
		{"nothing but blocks", "NONE=1", nil, machineID, false, true, 0, 300},
		{"nothing but blocks without a header", "NONE=1", func(n int) bool { return n > 4 && n < 100 || n > 102 }, machineID, true, true, 3, 5},
		{"the header is overwritten", "NONE=1", func(n int) bool { return n < 100 || n > 102 }, machineID, true, false, 3, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			root := filepath.Join(dir, "root")
			must(t, os.MkdirAll(filepath.Join(root, folder), 0o755))
			must(t, os.MkdirAll(filepath.Join(root, "etc"), 0o755))
			must(t, os.WriteFile(filepath.Join(root, "etc/os-release"), []byte("ID=debian\n"), 0o644))
			must(t, os.WriteFile(filepath.Join(root, "etc/machine-id"), []byte(tc.machine+"\n"), 0o644))
			old := filepath.Join(root, folder, "old.journal")
			journalOf(t, old, tc.env, all)
			if tc.headless {
				f, err := os.OpenFile(old, os.O_RDWR, 0)
				must(t, err)
				_, err = f.WriteAt(bytes.Repeat([]byte("x"), 4096), 0)
				must(t, err)
				must(t, f.Close())
			}
			if tc.living != nil {
				journalOf(t, filepath.Join(root, folder, "system.journal"), tc.env, tc.living)
			}
			image := filepath.Join(dir, "disk.img")
			command(t, "mke2fs", "-q", "-t", "ext4", "-d", root, image, "64M")
			inode := regexp.MustCompile("Inode: ([0-9]+)").FindStringSubmatch(command(t, "debugfs", "-R", "stat /"+folder+"/old.journal", image))
			command(t, "debugfs", "-w", "-R", "rm /"+folder+"/old.journal", image)
			if tc.wiped {
				command(t, "debugfs", "-w", "-R", "clri <"+inode[1]+">", image)
			}
			removed, lost, res := examineJournals(t, image)
			if removed != tc.removed || lost != tc.lost {
				t.Errorf("%d removed and %d lost, want %d and %d: %+v, %+v", removed, lost, tc.removed, tc.lost, res.Removed, res.Damage)
			}
		})
	}
}

// recoveredTold counts what was told of recovered entries.
type recoveredTold struct{ logins, removed *int64 }

func (f recoveredTold) Observe(e *event.Event) {
	switch {
	case e.Kind == event.LineRemoved && strings.Contains(e.Text(event.Message), "sshd[77]: Accepted password for alice"):
		*f.removed++
	case e.Kind == event.AuthAccepted && e.Text(event.LogRecovered) != "" && e.Ref.Off > 0 && (strings.Contains(e.Ref.Path, "free space") || strings.Contains(e.Ref.Path, "deleted!")):
		*f.logins++
	}
}

func (f recoveredTold) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

func examineJournals(t *testing.T, image string) (removed, lost int64, res *examine.Result) {
	t.Helper()
	var logins, told int64
	collect := &detect.Detection{ID: "collect", Wants: []event.Kind{event.LineRemoved, event.AuthAccepted}, New: func(detect.Scene) detect.Fold {
		logins, told = 0, 0
		return recoveredTold{&logins, &told}
	}}
	res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{image}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}})
	must(t, err)
	var sum casefile.Removed
	for _, r := range res.Removed {
		sum.Lines += r.Lines
		sum.Lost += r.Lost
	}
	if logins != sum.Lines+sum.Lost || told != sum.Lines {
		t.Errorf("%d logins and %d removed lines are told of %+v", logins, told, res.Removed)
	}
	return sum.Lines, sum.Lost, res
}
