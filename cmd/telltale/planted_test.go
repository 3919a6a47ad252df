//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/examine"
	"telltale/image"
	"telltale/image/ewf"
	"telltale/report"
)

// The planted case of a disk (lab/planted.sh): what an intruder deleted comes back, what he took out of a log is told. The counts are
// gates; what other tools find of the same is printed beside.

// plantedCase makes the case once for all tests, or takes one from TELLTALE_PLANTED_DIR.
func plantedCase(t *testing.T, kind string) string {
	t.Helper()
	if os.Getenv("TELLTALE_PLANTED") == "" {
		t.Skip("TELLTALE_PLANTED is not set: it needs root, loop devices, 6 GB of disk and two minutes")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root to mount images")
	}
	dir := filepath.Join(os.Getenv("TELLTALE_PLANTED_DIR"), kind)
	if os.Getenv("TELLTALE_PLANTED_DIR") == "" {
		dir = t.TempDir()
	}
	if _, err := os.Stat(filepath.Join(dir, "dirty.dd")); err == nil {
		return dir
	}
	gib := "2"
	if kind == "ext4" && os.Getenv("TELLTALE_FULL") != "" {
		gib = "4"
	}
	if out, err := exec.Command("bash", "../../lab/planted.sh", dir, kind, gib).CombinedOutput(); err != nil {
		t.Fatalf("lab/planted.sh: %v\n%s", err, out)
	}
	return dir
}

// program builds the program once.
func program(t *testing.T) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "telltale")
	if out, err := exec.Command("go", "build", "-o", p, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// timed runs a command and gives its time and the most memory that it held, in MiB.
func timed(t *testing.T, name string, args ...string) (time.Duration, int64) {
	t.Helper()
	c := exec.Command(name, args...)
	var errs bytes.Buffer
	c.Stderr = &errs
	forgetPeak()
	start := time.Now()
	err := c.Run()
	took := time.Since(start)
	if c.ProcessState == nil || err != nil && c.ProcessState.ExitCode() != 3 && name != "dpkg" && name != "sh" {
		t.Fatalf("%s %q: %v\n%s", name, args, err, errs.String())
	}
	return took, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
}

// forgetPeak makes this process small, and forgets how large it was: a child starts in its parent's memory, and Linux counts the most that was
// ever in there as the child's, so that what a test held once would be told of every program that it starts later.
func forgetPeak() {
	debug.FreeOSMemory()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

func TestPlantedComesBack(t *testing.T) {
	for kind, least := range map[string]struct{ files, lines int }{"ext4": {400, 400}, "xfs": {400, 0}, "btrfs": {408, 400}} {
		t.Run(kind, func(t *testing.T) {
			dir := plantedCase(t, kind)
			tool := program(t)
			to := filepath.Join(t.TempDir(), "to")
			took, rss := timed(t, tool, "recover", filepath.Join(dir, "case.dd"), "--to", to)
			want := plantedFiles(t, filepath.Join(dir, "deleted"))
			exact := 0
			for _, l := range recoveredLines(t, filepath.Join(to, "recovered.jsonl")) {
				if sum, ok := want[l.Path]; ok && sum == l.SHA256 && l.Written != "" && l.Reused == 0 {
					delete(want, l.Path)
					exact++
				}
			}
			t.Logf("%s: %d of %d deleted files byte-exact with their path (%v, %d MiB)", kind, exact, exact+len(want), took, rss)
			if exact < least.files {
				t.Errorf("fewer than %d; missing %v", least.files, slices.Sorted(mapsKeys(want))[:min(5, len(want))])
			}
			plantedLines(t, tool, dir, least.lines)
			if kind == "ext4" {
				othersRecover(t, filepath.Join(dir, "case.dd"), dir)
			}
		})
	}
}

func mapsKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// plantedLines examines the case: the removed lines, and who they tell of.
func plantedLines(t *testing.T, tool, dir string, least int) {
	t.Helper()
	k := filepath.Join(t.TempDir(), "case")
	took, rss := timed(t, tool, "examine", "-q", "--case", k, filepath.Join(dir, "case.dd"))
	raw, err := os.ReadFile(filepath.Join(k, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d report.Document
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	lines := int64(0)
	for _, r := range d.Removed {
		lines += r.Lines
	}
	t.Logf("%d of 400 removed lines; %s; examine with verdict: %v, %d MiB", lines, d.Verdict.Summary, took, rss)
	if lines < int64(least) || lines > 400 {
		t.Errorf("%d removed lines", lines)
	}
	if least > 0 && (d.Verdict.Status != "compromised" || len(d.Entry) == 0 || !slices.Contains(d.Entry[0].Sources, "203.0.113.66")) {
		t.Errorf("%s: %s", d.Verdict.Status, d.Verdict.Summary)
	}
	if took > time.Minute || rss > 300 {
		t.Errorf("%v and %d MiB, the bars are a minute and 300", took, rss)
	}
}

func recoveredLines(t *testing.T, p string) (out []examine.RecoveredFile) {
	t.Helper()
	f, err := os.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for d := json.NewDecoder(bufio.NewReader(f)); d.More(); {
		var l examine.RecoveredFile
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// plantedFiles gives the digests of what was deleted, by path.
func plantedFiles(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		out[strings.TrimPrefix(p, root)] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil || len(out) < 400 {
		t.Fatalf("%d files, %v", len(out), err)
	}
	return out
}

// othersRecover prints what Debian's tools bring back of the same case.
func othersRecover(t *testing.T, image, dir string) {
	t.Helper()
	want := map[string]bool{}
	for _, sum := range plantedFiles(t, filepath.Join(dir, "deleted")) {
		want[sum] = true
	}
	const most = 8 << 20 // no planted file is larger; a tool may leave one as large as the disk
	part := filepath.Join(t.TempDir(), "part")
	exec.Command("dd", "if="+image, "of="+part, "bs=1M", "skip=1", "conv=sparse", "status=none").Run()
	for name, args := range map[string][]string{"tsk_recover": {"tsk_recover", "-o", "2048", image, "TO"}, "extundelete": {"extundelete", part, "--restore-all", "-o", "TO"}, "ext4magic": {"ext4magic", part, "-M", "-d", "TO"}} {
		to := t.TempDir()
		if _, err := exec.LookPath(name); err != nil {
			t.Logf("%s is not installed", name)
			continue
		}
		for i := range args {
			if args[i] == "TO" {
				args[i] = to
			}
		}
		err := exec.Command("timeout", append([]string{"120"}, args...)...).Run()
		found, all := 0, 0
		filepath.WalkDir(to, func(p string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil
			}
			all++
			if st, err := d.Info(); err != nil || st.Size() > most {
				return nil
			}
			if b, err := os.ReadFile(p); err == nil && want[fmt.Sprintf("%x", sha256.Sum256(b))] {
				found++
			}
			return nil
		})
		t.Logf("%s: %d of %d right, %d files in all (%v)", name, found, len(want), all, err)
	}
}

// The copy of a running machine shows what was synchronised only in its journal.
func TestPlantedSnapshotIsReplayed(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			dir := plantedCase(t, kind)
			to := filepath.Join(t.TempDir(), "body")
			timed(t, program(t), "timeline", filepath.Join(dir, "dirty.dd"), "--format", "bodyfile", "--to", to)
			body, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for i := range 50 {
				var b strings.Builder
				for n := i + 1; n <= 2000; n++ {
					fmt.Fprintln(&b, n)
				}
				name := fmt.Sprintf("|/srv/file%d|", i+1)
				if _, rest, ok := bytes.Cut(body, []byte(name)); ok {
					f := strings.SplitN(string(rest[:min(200, len(rest))]), "|", 6)
					if len(f) > 4 && f[4] == fmt.Sprint(b.Len()) {
						found++
					}
				}
			}
			if t.Logf("%s: %d of 50 synchronised files", kind, found); found != 50 {
				t.Error("some are missing")
			}
		})
	}
}

// How long the same takes others, medians of five; the ratios are what counts, for machines are noisy.
func TestPlantedSpeed(t *testing.T) {
	dir := plantedCase(t, "ext4")
	image, tool, tmp := filepath.Join(dir, "case.dd"), program(t), t.TempDir()
	runs := 5
	median := func(f func() time.Duration) time.Duration {
		var ds []time.Duration
		for range runs {
			ds = append(ds, f())
		}
		slices.Sort(ds)
		return ds[len(ds)/2]
	}
	body := filepath.Join(tmp, "body")
	theirs := median(func() time.Duration {
		d, _ := timed(t, "sh", "-c", fmt.Sprintf("fls -r -m / -o 2048 %s >%s && mactime -b %s -d -z UTC >%s.csv", image, body, body, body))
		return d
	})
	ours := median(func() time.Duration {
		os.Remove(filepath.Join(tmp, "tl"))
		d, _ := timed(t, tool, "timeline", image, "--files-only", "--to", filepath.Join(tmp, "tl"))
		return d
	})
	t.Logf("timeline: %v, fls and mactime %v: %.2f times theirs (bar 1)", ours, theirs, ours.Seconds()/theirs.Seconds())
	if ours > 2*theirs {
		t.Error("twice as slow as fls and mactime")
	}
	var rss int64
	all := median(func() time.Duration {
		k := filepath.Join(tmp, "k")
		os.RemoveAll(k)
		d, m := timed(t, tool, "examine", "-q", "--case", k, image)
		rss = max(rss, m)
		return d
	})
	st, err := os.Stat(image)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("examine with verdict: %v for %d MiB, %d MiB of memory (bars 60 s, 300 MiB)", all, st.Size()>>20, rss)
	mnt := t.TempDir()
	if out, err := exec.Command("mount", "-o", "ro,noload,loop,offset=1048576", image, mnt).CombinedOutput(); err == nil {
		runs = 1
		dpkg := median(func() time.Duration { d, _ := timed(t, "dpkg", "--root="+mnt, "--verify"); return d })
		runs = 5
		exec.Command("umount", mnt).Run()
		t.Logf("packages are compared within those %v; dpkg --verify alone takes %v: %.2f of it (bar 0.5)", all, dpkg, all.Seconds()/dpkg.Seconds())
	} else {
		t.Logf("dpkg --verify was not measured: %s", out)
	}
	if _, err := exec.LookPath("ewfacquire"); err == nil {
		runs = 3
		e01(t, tool, image, tmp, median)
	}
}

// readE01 reads a whole disk out of its container.
func readE01(t *testing.T, p string) time.Duration {
	t.Helper()
	f, err := os.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	d, err := ewf.Format().Open(t.Context(), image.File{ReaderAt: f, Size: st.Size(), Name: filepath.Base(p)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{io.NewSectionReader(d, 0, d.Size())}, make([]byte, 4<<20)); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

func e01(t *testing.T, tool, disk, tmp string, median func(func() time.Duration) time.Duration) {
	t.Helper()
	if out, err := exec.Command("ewfacquire", "-u", "-c", "fast", "-f", "encase6", "-t", filepath.Join(tmp, "case"), disk).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	export := median(func() time.Duration {
		d, _ := timed(t, "sh", "-c", "ewfexport -q -u -f raw -t - "+filepath.Join(tmp, "case.E01")+" >/dev/null 2>&1")
		return d
	})
	read := median(func() time.Duration { return readE01(t, filepath.Join(tmp, "case.E01")) })
	t.Logf("reading an E01: %v, ewfexport %v: %.1f times as fast (bar 2)", read, export, export.Seconds()/read.Seconds())
	k := filepath.Join(tmp, "k2")
	timed(t, tool, "examine", "-q", "--case", k, filepath.Join(tmp, "case.E01"))
	theirs := median(func() time.Duration { d, _ := timed(t, "ewfverify", "-q", filepath.Join(tmp, "case.E01")); return d })
	ours := median(func() time.Duration { d, _ := timed(t, tool, "verify", k); return d })
	t.Logf("an E01's own digests, and its SHA-256 too: %v, ewfverify %v: %.1f times as fast (bar 2)", ours, theirs, theirs.Seconds()/ours.Seconds())
}
