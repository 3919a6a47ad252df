//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestIsolateVerbs calls the verbs in a network namespace of their own, which ends with the thread.
func TestIsolateVerbs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Logf("no network namespace can be made: %v", err)
			return
		}
		isolateVerbs(t)
	}()
	<-done
}

func isolateVerbs(t *testing.T) {
	call := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run(t.Context(), args, &out, &errs); got != want {
			t.Errorf("%q: exit status %d, want %d\n%s%s", args, got, want, &out, &errs)
		}
		return out.String(), errs.String()
	}
	has := func(s, want string) {
		t.Helper()
		if !strings.Contains(s, want) {
			t.Errorf("no %q in\n%s", want, s)
		}
	}
	t.Setenv("SSH_CONNECTION", "")
	out, errs := call(0, "isolate", "--status")
	has(out, "Not isolated.")
	_, errs = call(1, "isolate", "--confirm")
	has(errs, "hint: telltale isolate --allow")
	out, _ = call(0, "isolate", "--allow", "192.0.2.7", "--for", "1m", "--json")
	var r isolation
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Before == nil || !r.InForce || r.Expires == nil || time.Until(*r.Expires) > time.Minute || r.Allowed[0] != "192.0.2.7/32" || len(r.Rules) == 0 {
		t.Errorf("%v: %s", err, out)
	}
	_, errs = call(1, "isolate", "--allow", "192.0.2.8")
	has(errs, "error: isolate: it is isolated already\nhint: ")
	out, _ = call(0, "isolate", "--status")
	has(out, "Then it ends by itself")
	out, _ = call(0, "isolate", "--confirm", "--for", "2h")
	has(out, "(2h0m0s)")
	out, _ = call(0, "isolate", "--confirm")
	has(out, "until telltale release")
	out, _ = call(0, "release")
	has(out, "Released.")
	call(1, "release")
	call(0, "isolate", "--allow", "none", "--for", "1s")
	time.Sleep(1100 * time.Millisecond)
	out, _ = call(0, "isolate", "--status")
	has(out, "its time is over")
	call(0, "release", "--json")
}

func TestFreezeVerbs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("cgroups need root")
	}
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	defer func() { c.Process.Kill(); c.Wait() }()
	pid := strconv.Itoa(c.Process.Pid)
	var out, errs bytes.Buffer
	if got := run(t.Context(), []string{"live", "freeze", pid, "--tree", "--json"}, &out, &errs); got != 0 {
		t.Skipf("no freezer here: %s", &errs)
	}
	defer run(t.Context(), []string{"live", "thaw", pid}, &out, &errs)
	var r freezing
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || len(r.Processes) != 1 || !r.Processes[0].Frozen || r.Processes[0].Program != "sleep" {
		t.Errorf("%v: %s", err, &out)
	}
	out.Reset()
	if got := run(t.Context(), []string{"live", "thaw", pid, "--tree"}, &out, &errs); got != 0 || !strings.Contains(out.String(), "PID "+pid+" (sleep)") {
		t.Errorf("%d: %s%s", got, &out, &errs)
	}
}
