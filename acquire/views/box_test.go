package views

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"telltale/acquire"
	"telltale/internal/state"
)

// kept is an Out that keeps what it is given.
type kept struct {
	t        testing.TB
	records  map[string][]any
	failures []string
}

func newKept(t testing.TB) *kept { return &kept{t: t, records: map[string][]any{}} }

func (k *kept) Record(file string, v any) error {
	k.records[file] = append(k.records[file], v)
	return nil
}

func (k *kept) File(name string, _ int64, _ time.Time, r io.Reader) error {
	n, err := io.Copy(io.Discard, r)
	k.t.Logf("file %s: %d bytes", name, n)
	return err
}

func (k *kept) Failed(what string, err error) {
	k.failures = append(k.failures, what+": "+err.Error())
	k.t.Logf("failed: %s: %v", what, err)
}

func (k *kept) contradictions() []*state.Contradiction {
	var all []*state.Contradiction
	for _, v := range k.records[state.ContradictionsFile] {
		all = append(all, v.(*state.Contradiction))
	}
	return all
}

// about gives the contradiction of a kind about a subject, nil for none.
func (k *kept) about(what, subject string) *state.Contradiction {
	for _, c := range k.contradictions() {
		if c.What == what && c.Subject == subject {
			return c
		}
	}
	return nil
}

// tell prints what was found, and fails for what holds.
func (k *kept) quiet() {
	k.t.Helper()
	for _, c := range k.contradictions() {
		b, _ := json.Marshal(c)
		if c.Holds() {
			k.t.Errorf("a false alarm: %s", b)
		} else {
			k.t.Logf("explained or a lead: %s", b)
		}
	}
}

func (k *kept) views() {
	for _, v := range k.records[state.ViewFile] {
		b, _ := json.Marshal(v)
		k.t.Logf("%s", b)
	}
}

// testBox fills a Box by a simple listing.
func testBox(t testing.TB) *acquire.Box {
	t.Helper()
	b := &acquire.Box{Root: "/", Proc: "/proc", Sys: "/sys", Self: os.Getpid()}
	for pid := range look("/proc", osList, false).procs {
		p := &state.Process{PID: pid}
		dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
		fds, _ := os.ReadDir(dir)
		for _, fd := range fds {
			n, _ := strconv.Atoi(fd.Name())
			to, _ := os.Readlink(filepath.Join(dir, fd.Name()))
			p.Files = append(p.Files, state.Open{FD: n, Target: to})
		}
		b.Processes = append(b.Processes, p)
	}
	return b
}

func osList(dir string, _ int) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}
