package views

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/state"
)

func testHunt(t testing.TB, list lister) (*hunt, *kept) {
	k := newKept(t)
	b := testBox(t)
	slices.SortFunc(b.Processes, func(a, b *state.Process) int { return a.PID - b.PID })
	return &hunt{proc: "/proc", box: b, out: k, list: list, calls: calls, o: Options{Describe: func(proc string, pid int) (*state.Process, error) {
		st, err := readStat(filepath.Join(proc, strconv.Itoa(pid)))
		return &state.Process{PID: pid, Name: st.name}, err
	}}}, k
}

// hiding gives a lister that leaves a name out of /proc and not out of other folders.
func hiding(name string) lister {
	return func(dir string, limit int) ([]string, error) {
		names, err := bounded.List(dir, limit)
		if dir == "/proc" {
			names = slices.DeleteFunc(names, func(n string) bool { return n == name })
		}
		return names, err
	}
}

func sleeper(t testing.TB, attr *syscall.SysProcAttr) *exec.Cmd {
	t.Helper()
	c := exec.Command("sleep", "100")
	c.SysProcAttr = attr
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

func TestNothingIsHiddenHere(t *testing.T) {
	h, k := testHunt(t, bounded.List)
	began := time.Now()
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(began))
	k.views()
	k.quiet()
}

func TestAHiddenProcessIsFound(t *testing.T) {
	c := sleeper(t, nil)
	pid := strconv.Itoa(c.Process.Pid)
	h, k := testHunt(t, hiding(pid))
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := k.about("process", pid)
	if got == nil || !got.Holds() || got.PID != c.Process.Pid {
		t.Fatalf("%+v", got)
	}
	b, _ := json.MarshalIndent(got, "", " ")
	t.Logf("%s", b)
	views := []string{viewPath, viewChildren, "kill", "getpgid", "getsid", "sched_getscheduler", "sched_getaffinity", "getpriority"}
	if _, shut, err := FreshProc(); err == nil {
		shut()
		views = append(views, viewFresh)
	}
	for _, view := range views {
		if !slices.Contains(got.Shown, view) {
			t.Errorf("%s did not show it", view)
		}
	}
	if len(k.records[state.ProcessFile]) != 1 || h.box.Process(c.Process.Pid) == nil || h.box.Process(c.Process.Pid).Name != "sleep" {
		t.Errorf("records: %v", k.records[state.ProcessFile])
	}
	for _, c := range k.contradictions() {
		if c != got && c.Holds() {
			t.Errorf("%+v", c)
		}
	}
}

// A root-kit that covers all calls by number, and not the allocator.
func TestTheOracleAloneSuffices(t *testing.T) {
	testOracle(t)
	c := sleeper(t, nil)
	pid := strconv.Itoa(c.Process.Pid)
	h, k := testHunt(t, hiding(pid))
	h.calls = func() []probe {
		all := calls()
		for i, p := range all {
			all[i].ask = func(n int) (bool, error) {
				if n == c.Process.Pid {
					return false, nil
				}
				return p.ask(n)
			}
		}
		return all
	}
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := k.about("process", pid)
	if got == nil || !got.Holds() || !slices.Contains(got.Shown, viewOracle) || !slices.Contains(got.Missing, "kill") {
		t.Fatalf("%+v", got)
	}
}

// The proc filesystem of another pid namespace, or none, is not compared with ours.
func TestAnotherProcIsNotCompared(t *testing.T) {
	h, k := testHunt(t, bounded.List)
	h.proc = t.TempDir()
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(k.contradictions()) != 0 || len(k.failures) != 1 {
		t.Errorf("%v %v", k.contradictions(), k.failures)
	}
}

// A thread that the list of its process leaves out.
func TestAHiddenThreadIsFound(t *testing.T) {
	release, tids := make(chan struct{}), make(chan int)
	go bounded.Thread(time.Minute, func() (int, error) {
		tids <- unix.Gettid()
		<-release
		return 0, nil
	})
	tid := <-tids
	defer close(release)
	h, k := testHunt(t, func(dir string, limit int) ([]string, error) {
		names, err := bounded.List(dir, limit)
		if dir == "/proc/"+strconv.Itoa(os.Getpid())+"/task" {
			names = slices.DeleteFunc(names, func(n string) bool { return n == strconv.Itoa(tid) })
		}
		return names, err
	})
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := k.about("process", strconv.Itoa(tid))
	if got == nil || !got.Holds() || got.PID != os.Getpid() || !strings.Contains(got.Detail, fmt.Sprintf("a thread of process %d", os.Getpid())) {
		t.Fatalf("%+v", got)
	}
	if len(k.records[state.ProcessFile]) != 0 {
		t.Error("a thread was written down as a process")
	}
}

// A call that denies a process which is listed.
func TestALyingCallIsFound(t *testing.T) {
	c := sleeper(t, nil)
	h, k := testHunt(t, bounded.List)
	h.calls = func() []probe {
		all := calls()
		ask := all[0].ask
		all[0].ask = func(n int) (bool, error) {
			if n == c.Process.Pid {
				return false, nil
			}
			return ask(n)
		}
		return all
	}
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := k.about("process", strconv.Itoa(c.Process.Pid))
	if got == nil || !got.Holds() || !slices.Equal(got.Missing, []string{"kill"}) {
		t.Fatalf("%+v", got)
	}
}

// An orphaned process group keeps its number taken: the leader has ended, a member lives on.
func TestAnOrphanedGroupIsExplained(t *testing.T) {
	testOracle(t)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil { // so that we can take the member's leave
		t.Skip(err)
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	c := exec.Command("sh", "-c", "sleep 100 & echo $!")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Stdin, c.Stderr = nil, nil
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Stdout = w
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	w.Close()
	var buf [32]byte
	n, _ := r.Read(buf[:])
	c.Wait()
	member, err := strconv.Atoi(string(buf[:max(n-1, 0)]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { unix.Kill(member, unix.SIGKILL); unix.Wait4(member, nil, 0, nil) }()
	h, k := testHunt(t, bounded.List)
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := k.about("process", strconv.Itoa(c.Process.Pid))
	if got == nil || got.Explained == "" || got.Holds() {
		t.Fatalf("%+v", got)
	}
	k.quiet()
}

// Processes that come and go while we look, many threads, and a zombie: none is an alarm.
func TestAFastForkerIsNoAlarm(t *testing.T) {
	stop := make(chan struct{})
	done := make(chan struct{})
	forks := 0
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				if exec.Command("true").Run() == nil {
					forks++
				}
			}
		}
	}()
	defer func() { close(stop); <-done; t.Logf("%d forks meanwhile", forks) }()
	zombie := exec.Command("true")
	if err := zombie.Start(); err != nil {
		t.Skip(err)
	}
	defer zombie.Wait()
	runs := 3
	if testing.Short() {
		runs = 2
	}
	for range runs {
		h, k := testHunt(t, bounded.List)
		if err := h.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		k.quiet()
	}
}

// What is mounted over a process' folder hides it; the test runs itself in a mount namespace of its own.
func TestAMountOverAProcess(t *testing.T) {
	if os.Getenv("TELLTALE_PRIVATE_MOUNTS") == "" {
		again(t, "TestAMountOverAProcess")
		return
	}
	c := sleeper(t, nil)
	pid := strconv.Itoa(c.Process.Pid)
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("/proc/1", "/proc/"+pid, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	h, k := testHunt(t, bounded.List)
	if err := h.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := k.about("process", pid)
	if got == nil || !got.Holds() || !got.Structural {
		t.Fatalf("%+v", got)
	}
	b, _ := json.MarshalIndent(got, "", " ")
	t.Logf("%s", b)
	if p := h.box.Process(c.Process.Pid); p == nil || p.Name != "sleep" || p.Found != viewMounts {
		t.Errorf("%+v", p)
	}
}

// again runs a test of this program in a mount namespace of its own.
func again(t *testing.T, name string) {
	t.Helper()
	c := exec.Command("/proc/self/exe", "-test.run=^"+name+"$", "-test.v")
	c.Env = append(os.Environ(), "TELLTALE_PRIVATE_MOUNTS=1")
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	out, err := c.CombinedOutput()
	if pe, ok := err.(*os.PathError); ok {
		t.Skip("no mount namespaces of our own: ", pe)
	}
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

func TestFreshProc(t *testing.T) {
	path, shut, err := FreshProc()
	if err != nil {
		t.Skip(err)
	}
	defer shut()
	if st, err := readStat(filepath.Join(path, strconv.Itoa(os.Getpid()))); err != nil || st.name == "" {
		t.Errorf("%+v %v", st, err)
	}
}

// How far numbers are asked for follows from how many were given.
func TestReach(t *testing.T) {
	for name, tc := range map[string]struct {
		pidMax, loadavg, stat string
		bound                 int
		short                 bool
	}{
		"few numbers":      {"32768", "0 0 0 1/85 20000", "processes 900", 32768, false},
		"not yet around":   {"4194304", "0 0 0 1/85 5000", "cpu 1\nprocesses 4900", 6024, true},
		"been around":      {"4194304", "0 0 0 1/85 5000", "processes 90000000", 4194304, false},
		"wrapped unseen":   {"4194304", "0 0 0 1/85 500", "processes 4000000", 4194304, false},
		"nothing is known": {"", "", "", 32768, false},
		"absurd":           {"999999999", "x", "processes x", maxNames, false},
	} {
		dir := t.TempDir()
		for file, text := range map[string]string{"sys/kernel/pid_max": tc.pidMax, "loadavg": tc.loadavg, "stat": tc.stat} {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h := &hunt{proc: dir}
		if bound, _ := h.reach(); bound != tc.bound || h.short != tc.short {
			t.Errorf("%s: %d, %v", name, bound, h.short)
		}
	}
}
