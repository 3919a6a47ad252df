package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/acquire/chain"
	"telltale/acquire/custody"
)

// sourceFile makes a disk whose begin and end are noise; the middle is a hole.
func sourceFile(t *testing.T, size int64) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk.img"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 3<<20)
	rand.NewChaCha8([32]byte{9}).Read(b)
	for _, off := range []int64{0, size - int64(len(b))} {
		if _, err := f.WriteAt(b, off); err != nil {
			t.Fatal(err)
		}
	}
	return f.Name()
}

// goOn goes on with a copy, which must then be the source.
func goOn(t *testing.T, tool, source, raw string) {
	t.Helper()
	if out, err := exec.Command(tool, "acquire", "disk", source, "--to", raw, "--sparse", "--resume").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command("cmp", source, raw).CombinedOutput(); err != nil {
		t.Errorf("%v %s", err, out)
	}
	rec, err := custody.Load(custody.Beside(raw, ".json"))
	if err != nil || rec.State != custody.Finished || len(rec.Resumed) != 1 || rec.Verified == nil || !rec.Verified.OK {
		t.Errorf("%+v, %v", rec, err)
	}
}

func TestAcquireEndsEarly(t *testing.T) {
	tool := program(t)
	source := sourceFile(t, 300<<20)
	for name, sig := range map[string]syscall.Signal{"interrupt": syscall.SIGINT, "kill": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			raw := filepath.Join(t.TempDir(), "x.raw")
			c := exec.Command(tool, "acquire", "disk", source, "--to", raw, "--no-verify")
			var errs bytes.Buffer
			c.Stderr = &errs
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			for i := 0; ; i++ {
				if st, err := os.Stat(raw); err == nil && st.Size() >= 2*chain.Piece || i > 3000 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			if err := c.Process.Signal(sig); err != nil {
				t.Skipf("it ended too early: %v", err)
			}
			err := c.Wait()
			rec, e := custody.Load(custody.Beside(raw, ".json"))
			if err == nil && e == nil && rec.State == custody.Finished {
				t.Skip("it was finished before the signal came")
			}
			if e != nil || rec.State != custody.Unfinished {
				t.Fatalf("%+v, %v", rec, e)
			}
			if sig == syscall.SIGINT && (c.ProcessState.ExitCode() != exitInterrupt || len(rec.Copy.Links) == 0 || !strings.Contains(errs.String(), "hint: --resume goes on with it")) {
				t.Errorf("status %d, %d links, %q", c.ProcessState.ExitCode(), len(rec.Copy.Links), errs.String())
			}
			goOn(t, tool, source, raw)
		})
	}
}

func TestAcquireToAFullMedium(t *testing.T) {
	tool, dir := program(t), t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=40m"); err != nil {
		t.Skipf("mount: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	source, raw := sourceFile(t, 60<<20), filepath.Join(dir, "x.raw")
	out, err := exec.Command(tool, "acquire", "disk", source, "--to", raw).CombinedOutput()
	var x *exec.ExitError
	if !errors.As(err, &x) || x.ExitCode() != exitError || !bytes.Contains(out, []byte("no space left")) || !bytes.Contains(out, []byte("33554432 of 62914560 bytes are there")) {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=200m"); err != nil {
		t.Fatal(err)
	}
	goOn(t, tool, source, raw)
}
