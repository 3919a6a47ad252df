//go:build linux

package examine

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/casefile"
	"telltale/event"
	"telltale/host"
)

// TestVerifySpeed compares with dpkg --verify over a copy of this machine's programs, or over the tree that TELLTALE_ROOT names.
func TestVerifySpeed(t *testing.T) {
	if os.Getenv("TELLTALE_FULL") == "" {
		t.Skip("copies this machine's /usr: set TELLTALE_FULL=1")
	}
	if _, err := exec.LookPath("dpkg"); err != nil || os.Geteuid() != 0 {
		t.Skip("needs dpkg and root")
	}
	dir := os.Getenv("TELLTALE_ROOT")
	if dir == "" {
		dir = copySystem(t)
	}
	began := time.Now()
	dpkg := exec.Command("dpkg", "--root="+dir, "--verify")
	dpkg.Run() // fails where anything differs
	theirs := time.Since(began)
	t.Logf("dpkg --verify took %v of processors' time", dpkg.ProcessState.UserTime()+dpkg.ProcessState.SystemTime())
	began = time.Now()
	cpu := used(t)
	in, err := host.Open(t.Context(), dir, host.Options{Source: "s1"})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	h := &seenHost{Host: in.Hosts[0], owners: in.Hosts[0].Owners()}
	read := time.Since(began)
	r := &run{ctx: t.Context(), o: Options{Log: slog.New(slog.DiscardHandler)}, res: &Result{Sources: []casefile.Source{{ID: "s1"}}}}
	if err := r.walk(h); err != nil {
		t.Fatal(err)
	}
	walked := time.Since(began)
	cpuWalked := used(t)
	if err := r.verify(h); err != nil {
		t.Fatal(err)
	}
	ours := time.Since(began)
	compared := used(t) - cpuWalked
	t.Logf("comparing took %v of processors' time, walking %v", compared, cpuWalked-cpu)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("dpkg --verify %v; here %v: database %v, walk %v, comparing %v; %d MB from the system", theirs, ours, read, walked-read, ours-walked, m.Sys>>20)
	t.Logf("%s", strings.Join(r.res.Sources[0].Notes, "\n"))
	for _, e := range h.verify.events {
		if os.Getenv("TELLTALE_ROOT") != "" {
			t.Log(e.Kind, e.Text(event.FilePath), e.Text(event.PackageName), e.Text(event.Change), e.Text(event.RecordType), e.Text(event.Message))
		}
	}
	if lone := dpkg.ProcessState.UserTime() + dpkg.ProcessState.SystemTime(); compared/verifyWorkers > lone/2 { // the walk is made anyway; the clock on the wall depends on what else runs
		t.Errorf("comparing took %v on %d processors, dpkg %v on one", compared, verifyWorkers, lone)
	}
}

// used gives the processors' time of this process.
func used(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func copySystem(t *testing.T) string {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "var/lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"cp", "-a", "/var/lib/dpkg", filepath.Join(dir, "var/lib")}, {"cp", "-a", "/etc", dir}, {"cp", "-a", "/usr", dir}} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %.300s", c, err, out)
		}
	}
	for _, l := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+l, filepath.Join(dir, l)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
