package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"telltale/lab"
	"telltale/lab/container"
	"telltale/lab/score"
	"telltale/report"
)

// TestStillRunning looks at a hacked server while it runs, as an administrator with a stick does: a deleted program that a mount hides, a process named as a thread of the
// kernel that holds a connection, a forced library, a replaced ls, mail to sinks. The answer given there and the one given elsewhere, from the collection, are both scored, and the
// program's file is got back.
func TestStillRunning(t *testing.T) {
	if os.Getenv("TELLTALE_CONTAINERS") == "" {
		t.Skip("takes minutes: set TELLTALE_CONTAINERS=1")
	}
	if err := container.Ready(); err != nil {
		t.Skip(err)
	}
	program, dir := built(t), filepath.Join(t.TempDir(), "case")
	if out, err := exec.CommandContext(t.Context(), program, "lab", "make", "still-running", "--tier", "container", "--seed", "23", "--to", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	truth, err := lab.ReadTruth(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() ([]byte, error){
		"there":     func() ([]byte, error) { return os.ReadFile(filepath.Join(dir, "live-report.json")) },
		"elsewhere": func() ([]byte, error) { return elsewhere(t, program, filepath.Join(dir, truth.Evidence[0])) },
	} {
		t.Run(name, func(t *testing.T) {
			b, err := read()
			if err != nil {
				t.Fatal(err)
			}
			var d report.Document
			if err := json.Unmarshal(b, &d); err != nil {
				t.Fatal(err)
			}
			r := score.Of(truth, &d)
			for _, a := range r.Answers {
				if a.Outcome != score.Found {
					t.Errorf("%s: %s: want %q, got %q", a.Question, a.Outcome, a.Want, a.Got)
				}
			}
			if r.WrongAccusation > 0 {
				t.Errorf("accused: %q", r.Accusations)
			}
		})
	}
	t.Run("its state alone", func(t *testing.T) { stillWeak(t, program, filepath.Join(dir, truth.Evidence[0]), truth) })
	t.Run("saved", func(t *testing.T) { saved(t, dir, truth) })
}

// elsewhere examines a collection.
func elsewhere(t *testing.T, program, collection string) ([]byte, error) {
	return exec.CommandContext(t.Context(), program, "examine", "-q", "--json", "--case", filepath.Join(t.TempDir(), "k"), collection).Output()
}

// saved looks for the deleted program in the collection: it was a copy of the base's sleep.
func saved(t *testing.T, dir string, truth *lab.Truth) {
	work := os.Getenv("LAB_WORK")
	if work == "" {
		work = "/var/tmp/lab-work"
	}
	bases, _ := filepath.Glob(filepath.Join(work, "*/usr/bin/sleep"))
	var want [][32]byte
	for _, b := range bases {
		if c, err := os.ReadFile(b); err == nil {
			want = append(want, sha256.Sum256(c))
		}
	}
	found := false
	eachMember(t, filepath.Join(dir, truth.Evidence[0]), func(name string, r io.Reader) bool {
		if !strings.HasPrefix(name, "saved/") || !strings.HasSuffix(name, ".exe") {
			return true
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			t.Fatal(err)
		}
		found = slices.Contains(want, [32]byte(sum.Sum(nil)))
		return !found
	})
	if !found {
		t.Errorf("none of the saved programs is the one that was deleted (%d bases)", len(bases))
	}
}

// eachMember gives the files of a collection until f has enough.
func eachMember(t *testing.T, collection string, f func(name string, r io.Reader) bool) {
	t.Helper()
	c, err := os.Open(collection)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	z, err := zstd.NewReader(c)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg && !f(h.Name, r) {
			return
		}
	}
}
