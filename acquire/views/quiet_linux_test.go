package views_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/acquire"
	"telltale/acquire/kernel"
	"telltale/acquire/namespace"
	"telltale/acquire/views"
	"telltale/internal/state"
)

// sink counts what is written and keeps the contradictions.
type sink struct {
	t    *testing.T
	cons []*state.Contradiction
	n    map[string]int
}

func (s *sink) Record(file string, v any) error {
	s.n[file]++
	if c, ok := v.(*state.Contradiction); ok {
		s.cons = append(s.cons, c)
	}
	return nil
}

func (s *sink) File(name string, _ int64, _ time.Time, r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	s.n[name]++
	return err
}

func (s *sink) Failed(what string, err error) { s.t.Logf("failed: %s: %v", what, err) }

// machine fills a box with what the steps for processes and sockets see of an ordinary machine.
func machine(t *testing.T) *acquire.Box {
	t.Helper()
	b := &acquire.Box{Root: "/", Proc: "/proc", Sys: "/sys", Self: os.Getpid(), Boot: time.Now().Add(-time.Hour)}
	holders := map[uint64][]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p := &state.Process{PID: pid, NS: map[string]uint64{}}
		for _, kind := range []string{"mnt", "net", "pid"} {
			p.NS[kind] = namespace.ID(filepath.Join("/proc", e.Name(), "ns", kind))
		}
		fds, _ := os.ReadDir(filepath.Join("/proc", e.Name(), "fd"))
		for _, fd := range fds {
			to, _ := os.Readlink(filepath.Join("/proc", e.Name(), "fd", fd.Name()))
			n, _ := strconv.Atoi(fd.Name())
			p.Files = append(p.Files, state.Open{FD: n, Target: to})
			if s, ok := strings.CutPrefix(to, "socket:["); ok {
				inode, _ := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
				holders[inode] = append(holders[inode], pid)
			}
		}
		b.Processes = append(b.Processes, p)
	}
	slices.SortFunc(b.Processes, func(a, b *state.Process) int { return a.PID - b.PID })
	text, _ := os.ReadFile("/proc/net/tcp")
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != "0A" {
			continue
		}
		inode, _ := strconv.ParseUint(f[9], 10, 64)
		_, hex, _ := strings.Cut(f[1], ":")
		port, _ := strconv.ParseUint(hex, 16, 16)
		b.Sockets = append(b.Sockets, &state.Socket{Protocol: "tcp", Local: "0.0.0.0:" + strconv.FormatUint(port, 10), State: "listen", Inode: inode, PIDs: holders[inode], NetNS: namespace.ID("/proc/self/ns/net")})
	}
	return b
}

// All steps on the machine that the tests run on: nothing that holds, and what is explained is shown.
func TestAQuietRun(t *testing.T) {
	b := machine(t)
	s := &sink{t: t, n: map[string]int{}}
	began := time.Now()
	for _, step := range []acquire.Step{
		views.Mounts(views.Options{}), views.Processes(views.Options{}), views.Ports(views.Options{}), kernel.Facts(kernel.Options{}),
		kernel.Modules(kernel.Options{}), kernel.Hooks(kernel.Options{}), kernel.BPF(kernel.Options{}), kernel.Links(kernel.Options{}), kernel.Memory(kernel.Options{}),
	} {
		from := time.Now()
		if err := step.Take(t.Context(), b, s); err != nil {
			t.Errorf("%s: %v", step.Name, err)
		}
		t.Log(step.Name, time.Since(from))
	}
	t.Log("all", time.Since(began), s.n)
	for _, c := range s.cons {
		text, _ := json.Marshal(c)
		if c.Holds() {
			t.Errorf("a false alarm: %s", text)
		} else {
			t.Logf("explained or a lead: %s", text)
		}
	}
}
