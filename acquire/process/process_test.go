//go:build linux

package process_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/process"
	"telltale/internal/state"
)

// kept is an Out that keeps everything.
type kept struct {
	files  map[string][]byte
	contra []*state.Contradiction
	failed []string
}

func (k *kept) Record(file string, v any) error {
	if c, ok := v.(*state.Contradiction); ok {
		k.contra = append(k.contra, c)
	}
	return nil
}

func (k *kept) File(name string, size int64, modified time.Time, r io.Reader) error {
	var b bytes.Buffer
	n, err := io.Copy(&b, r)
	if size >= 0 && n != size {
		err = fmt.Errorf("%s: %d bytes of %d", name, n, size)
	}
	k.files[name] = b.Bytes()
	return err
}

func (k *kept) Failed(what string, err error) { k.failed = append(k.failed, what+": "+err.Error()) }

func take(t testing.TB, o process.Options) (*acquire.Box, *kept) {
	box, _, err := acquire.NewBox(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Skip(err)
	}
	k := &kept{files: map[string][]byte{}}
	if err := process.New(o).Step().Take(t.Context(), box, k); err != nil {
		t.Fatal(err)
	}
	return box, k
}

// begin runs a copy of a program from a folder of the test.
func begin(t testing.TB, name string, args ...string) (*exec.Cmd, string) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	b, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b, 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(p, args...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for range 200 { // until it is that program
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", c.Process.Pid)); exe == p {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	sum := sha256.Sum256(b)
	return c, hex.EncodeToString(sum[:])
}

func TestDeletedProgramIsSavedWhole(t *testing.T) {
	c, sum := begin(t, "kw", "1000")
	if err := os.Remove(c.Path); err != nil {
		t.Fatal(err)
	}
	box, k := take(t, process.Options{Save: true, Raw: true})
	p := box.Process(c.Process.Pid)
	if p == nil || !p.Deleted || p.Replaced || p.Exe != c.Path || p.SHA256 != sum || p.Name != "kw" || p.PPID != os.Getpid() || strings.Join(p.Args, " ") != c.Path+" 1000" {
		t.Fatalf("%+v", p)
	}
	if got := sha256.Sum256(k.files[p.Saved]); hex.EncodeToString(got[:]) != sum {
		t.Errorf("saved as %q with %d bytes: not the program", p.Saved, len(k.files[p.Saved]))
	}
	if len(k.files[fmt.Sprintf("proc/%d/status", p.PID)]) == 0 {
		t.Error("its status was not kept")
	}
	if started, err := time.Parse(time.RFC3339Nano, p.Started); err != nil || time.Since(started).Abs() > time.Minute {
		t.Errorf("started %q", p.Started)
	}
	if len(k.contra) > 0 {
		t.Errorf("%+v", k.contra[0])
	}
}

func TestReplacedProgram(t *testing.T) {
	c, _ := begin(t, "daemon", "1000")
	if err := errors.Join(os.Remove(c.Path), os.WriteFile(c.Path, []byte("new"), 0o755)); err != nil {
		t.Fatal(err)
	}
	box, _ := take(t, process.Options{})
	if p := box.Process(c.Process.Pid); p == nil || !p.Deleted || !p.Replaced || p.Saved != "" {
		t.Fatalf("%+v", p)
	}
}

func TestFilesAndSelf(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("gone\n"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	box, k := take(t, process.Options{Save: true})
	p := box.Process(os.Getpid())
	if p == nil || !p.Self {
		t.Fatalf("%+v", p)
	}
	for _, o := range p.Files {
		if o.Target == f.Name() {
			if !o.Deleted || !o.Write || o.Size != 5 || string(k.files[o.Saved]) != "gone\n" {
				t.Errorf("%+v saved %q", o, k.files[o.Saved])
			}
			return
		}
	}
	t.Error("the open file is not there")
}

// TestNameOfBytes: a process chooses its name and arguments.
func TestNameOfBytes(t *testing.T) {
	c, _ := begin(t, "a) S 1 \n\x1b[31m", "1000")
	box, _ := take(t, process.Options{})
	p := box.Process(c.Process.Pid)
	if p == nil || p.PPID != os.Getpid() || len(p.Odd) > 0 || !strings.HasPrefix(p.Name, "a) S 1 ") {
		t.Fatalf("%+v", p)
	}
}

// TestMemory: a program that never was a file.
func TestMemory(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	b, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.MemfdCreate("x", 0)
	if err != nil {
		t.Skip(err)
	}
	f := os.NewFile(uintptr(fd), "memfd")
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(fmt.Sprintf("/proc/self/fd/%d", 3), "1000")
	c.ExtraFiles = []*os.File{f}
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait(); f.Close() })
	time.Sleep(50 * time.Millisecond)
	box, k := take(t, process.Options{Save: true})
	p := box.Process(c.Process.Pid)
	if p == nil || !p.Memory || !bytes.Equal(k.files[p.Saved], b) {
		t.Fatalf("%+v", p)
	}
}

func BenchmarkTake(b *testing.B) {
	for b.Loop() {
		box, _ := take(b, process.Options{Raw: true, Save: true})
		b.ReportMetric(float64(len(box.Processes)), "processes")
	}
}
