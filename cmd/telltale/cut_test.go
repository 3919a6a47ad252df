//go:build linux

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// box is a machine of one program: its root holds nothing else, so that looking at it is quick.
type box struct{ root string }

func newBox(t *testing.T) *box {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("another root needs root")
	}
	b := &box{t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"proc", "sys", "etc", "out", "small"} {
		os.Mkdir(filepath.Join(b.root, d), 0o755)
	}
	os.WriteFile(filepath.Join(b.root, "etc/hostname"), []byte("web1\n"), 0o644)
	if err := os.WriteFile(filepath.Join(b.root, "telltale"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	b.mount(t, "proc", "proc", "")
	b.mount(t, "tmpfs", "small", "size=128k")
	b.mount(t, "tmpfs", "out", "")
	if err := b.command("version").Run(); err != nil {
		t.Skip("the program does not run alone (is it static?): ", err)
	}
	return b
}

func (b *box) mount(t *testing.T, kind, at, options string) {
	t.Helper()
	at = filepath.Join(b.root, at)
	if err := unix.Mount("x", at, kind, 0, options); err != nil {
		t.Skipf("%s cannot be mounted: %v", kind, err)
	}
	t.Cleanup(func() { unix.Unmount(at, unix.MNT_DETACH) })
}

func (b *box) command(args ...string) *exec.Cmd {
	c := exec.Command("/telltale", args...)
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: b.root}
	c.Dir = "/"
	return c
}

func code(err error) int {
	var x *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &x):
		return x.ExitCode()
	}
	return -1
}

// TestAnswerOutlivesItsCollection lets the destination fail in three ways; the answer has to come all the same.
func TestAnswerOutlivesItsCollection(t *testing.T) {
	b := newBox(t)
	var whole bytes.Buffer
	c := b.command("live", "-q", "--fast", "--to", "/out/whole")
	if c.Stdout = &whole; code(c.Run()) != 0 || whole.Len() == 0 {
		t.Fatalf("%q", &whole)
	}
	for name, start := range map[string]func() (stdout, stderr *bytes.Buffer, err error){
		"a full disk": func() (_, _ *bytes.Buffer, err error) {
			var out, errs bytes.Buffer
			c := b.command("live", "-q", "--fast", "--to", "/small/c")
			c.Stdout, c.Stderr = &out, &errs
			err = c.Run()
			return &out, &errs, err
		},
		"a limit of the shell": func() (_, _ *bytes.Buffer, err error) {
			var out, errs bytes.Buffer
			c := b.command("live", "-q", "--fast", "--to", "/out/limited")
			c.Stdout, c.Stderr = &out, &errs
			if err := c.Start(); err != nil {
				return &out, &errs, err
			}
			if err := unix.Prlimit(c.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}, nil); err != nil {
				t.Error(err)
			}
			err = c.Wait()
			return &out, &errs, err
		},
		"a pipe that nobody reads any more": func() (_, _ *bytes.Buffer, err error) {
			var errs bytes.Buffer
			c := b.command("live", "-q", "--fast", "--to", "-")
			c.Stderr = &errs
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			io.CopyN(io.Discard, out, 1000)
			out.Close()
			return &errs, &errs, c.Wait()
		},
	} {
		out, errs, err := start()
		if code(err) != exitError {
			t.Errorf("%s: exit status %d\n%s", name, code(err), errs)
		}
		for _, want := range []string{"warning: the collection was cut: ", "bytes and no more", "the last seal that went out is of", "an answer above is whole all the same"} {
			if !strings.Contains(errs.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, errs)
			}
		}
		first, _, _ := strings.Cut(strings.TrimSpace(whole.String()), "\n")
		if !strings.Contains(out.String(), first) {
			t.Errorf("%s: no %q in\n%s", name, first, out)
		}
	}
}

// TestKilled kills a run at many moments, and reads what is left.
func TestKilled(t *testing.T) {
	b := newBox(t)
	keys := filepath.Join(t.TempDir(), "keys")
	var said bytes.Buffer
	if run(t.Context(), []string{"key", "new", "--to", keys}, &said, &said) != 0 {
		t.Fatal(&said)
	}
	recipient, err := os.ReadFile(filepath.Join(keys, "age-recipient.txt"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i := range 12 {
		args := []string{"live", "-q", "--fast", "--to"}
		left := filepath.Join(b.root, "out", "c")
		os.Remove(left)
		if i%2 == 0 {
			args = append(args, "/out/c")
		} else {
			args = append(args, "-")
		}
		if i%4 >= 2 {
			args = append(args, "--recipient", strings.TrimSpace(string(recipient)))
		}
		c := b.command(args...)
		if i%2 == 1 {
			f, err := os.Create(left)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			c.Stdout = f
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for range 200 { // until it has begun to write
			if st, err := os.Stat(left); err == nil && st.Size() > 0 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Duration(i) * 10 * time.Millisecond)
		c.Process.Kill()
		c.Wait()
		var out, errs bytes.Buffer
		got := run(t.Context(), []string{"verify", left, "--identity", filepath.Join(keys, "age-identity.txt")}, &out, &errs)
		if got == exitUnreadable && strings.Contains(out.String(), "the last seal is of") {
			found++
		} else if got != exitOK { // it was quicker than the kill
			t.Logf("%d: exit status %d: %s%s", i, got, &out, &errs)
		}
		if strings.Contains(out.String(), "is not what was written") {
			t.Errorf("%d: %s", i, &out)
		}
	}
	if found < 3 {
		t.Errorf("of 12 runs that were killed %d left something with a seal", found)
	}
	left := filepath.Join(b.root, "out", "c")
	os.Remove(left)
	if err := b.command("live", "-q", "--fast", "--quick", "--to", "/out/c", "--recipient", strings.TrimSpace(string(recipient))).Run(); err != nil {
		t.Fatal(err)
	}
	examineCut(t, left, filepath.Join(keys, "age-identity.txt"))
}

// examineCut examines a collection that was cut: it is read, and what is missing is told.
func examineCut(t *testing.T, name, identity string) {
	t.Helper()
	all, err := os.ReadFile(name)
	if err != nil || len(all) == 0 {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut")
	os.WriteFile(cut, all[:len(all)-70000], 0o600)
	var out, errs bytes.Buffer
	if got := run(t.Context(), []string{"examine", "-q", "--json", "--case", filepath.Join(t.TempDir(), "case"), "--identity", identity, cut}, &out, &errs); got != exitUnreadable || !strings.Contains(out.String(), "ended before its time: the last seal is of") {
		t.Errorf("exit status %d: %s\n%s", got, &errs, &out)
	}
}

// TestInterrupted presses Ctrl-C while files are copied: the last seal still goes out, and says why.
func TestInterrupted(t *testing.T) {
	b := newBox(t)
	for i := range 3000 {
		os.WriteFile(filepath.Join(b.root, "etc", "f"+strings.Repeat("x", i%50)+time.Duration(i).String()), []byte("x"), 0o644)
	}
	c := b.command("live", "-q", "--fast", "--collect-only", "--to", "/out/c")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(b.root, "out", "c")
	for range 400 {
		if st, err := os.Stat(left); err == nil && st.Size() > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.Process.Signal(os.Interrupt)
	got := code(c.Wait())
	if got == exitOK {
		t.Skip("it was quicker than the interruption")
	}
	var out, errs bytes.Buffer
	if v := run(t.Context(), []string{"verify", left}, &out, &errs); got != exitInterrupt || v != exitUnreadable || !strings.Contains(out.String(), `the last seal is of "end"`) || !strings.Contains(out.String(), "context canceled") {
		t.Errorf("exit status %d, %d: %s%s", got, v, &out, &errs)
	}
}
