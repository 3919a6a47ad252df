package scenarios_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/lab"
	"telltale/lab/scenarios"
	"telltale/lab/site"
	"telltale/lab/tree"
)

func TestAtLeastSixteenAndEachNameOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios.All() {
		if seen[s.Name] || s.Title == "" || s.Question == "" || scenarios.Find(s.Name) == nil {
			t.Errorf("%+v", s)
		}
		seen[s.Name] = true
	}
	if len(seen) < 16 {
		t.Errorf("%d scenarios", len(seen))
	}
}

// TestEveryScenarioOnTheWrittenTier plays each by three seeds, which needs no rights, and looks at what came of it.
func TestEveryScenarioOnTheWrittenTier(t *testing.T) {
	for _, s := range scenarios.Played(lab.Tree) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			var all []*lab.Truth
			for seed := range uint64(3) {
				dir := t.TempDir()
				truth, err := lab.Make(t.Context(), s, tree.New(false), seed+1, dir)
				if err != nil {
					t.Fatalf("seed %d: %v", seed+1, err)
				}
				sound(t, truth, dir)
				all = append(all, truth)
			}
			differ(t, all[0], all[1])
			differ(t, all[1], all[2])
		})
	}
}

// sound checks the truth against itself and the evidence's form.
func sound(t *testing.T, truth *lab.Truth, dir string) {
	t.Helper()
	if len(truth.Acts) < 5 || len(truth.Evidence) == 0 || truth.Clock == "" {
		t.Fatalf("%+v", truth)
	}
	last := ""
	for _, a := range truth.Acts {
		from, err1 := time.Parse(time.RFC3339Nano, a.Start)
		to, err2 := time.Parse(time.RFC3339Nano, a.End)
		if err1 != nil || err2 != nil || to.Before(from) || a.By == "" || a.What == "" {
			t.Errorf("act %+v: %v %v", a, err1, err2)
		}
		last = a.Start
	}
	for _, e := range truth.Expect.Entry {
		if from, _, err := truth.ActOf(e.FirstAct); err != nil || e.First != lab.Stamp(from) || e.First > last {
			t.Errorf("entry %+v: %v", e, err)
		}
		for _, src := range e.Sources {
			for _, innocent := range truth.MustNot.Addresses {
				if src == innocent {
					t.Errorf("%s is both the intruder's and innocent", src)
				}
			}
		}
	}
	read, err := lab.ReadTruth(filepath.Join(dir, "truth.json"))
	if err != nil || read.Name != truth.Name || len(read.Acts) != len(truth.Acts) {
		t.Errorf("the truth does not read back: %v", err)
	}
	for _, e := range truth.Evidence {
		if st, err := os.Stat(filepath.Join(dir, e)); err != nil || st.Size() < 100_000 {
			t.Errorf("%s: %v", e, err)
		}
		if !strings.HasSuffix(e, ".img") {
			continue
		}
		fsck, err := exec.LookPath("e2fsck")
		if err != nil {
			fsck = "/usr/sbin/e2fsck"
		}
		if out, err := exec.Command(fsck, "-fn", filepath.Join(dir, e)).CombinedOutput(); err != nil {
			t.Errorf("e2fsck: %v: %s", err, out)
		}
	}
}

// differ checks that nothing of one seed helps with another.
func differ(t *testing.T, a, b *lab.Truth) {
	t.Helper()
	if a.Hostname == b.Hostname && a.Zone == b.Zone {
		t.Errorf("the same host, %s", a.Hostname)
	}
	times := map[string]bool{}
	for _, x := range a.Acts {
		times[x.Start] = true
	}
	for _, x := range b.Acts {
		if times[x.Start] {
			t.Errorf("both seeds have an act at %s", x.Start)
		}
	}
	for i := range min(len(a.Expect.Entry), len(b.Expect.Entry)) {
		x, y := a.Expect.Entry[i], b.Expect.Entry[i]
		if len(x.Sources) > 0 && len(y.Sources) > 0 && x.Sources[0] == y.Sources[0] && x.Account == y.Account {
			t.Errorf("the same entry: %+v", x)
		}
	}
	paths := map[string]bool{}
	for _, f := range a.Expect.Files {
		paths[f] = true
	}
	for _, f := range b.Expect.Files {
		if paths[f] && f != site.Theme { // the one file that the theme editor writes
			t.Errorf("the same file: %s", f)
		}
	}
}

// TestTheSameSeedTellsTheSame makes a case twice.
func TestTheSameSeedTellsTheSame(t *testing.T) {
	var got [2][]byte
	for i := range got {
		dir := t.TempDir()
		if _, err := lab.Make(t.Context(), scenarios.Find("web-upload"), tree.New(true), 5, dir); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
		if err != nil {
			t.Fatal(err)
		}
		got[i] = b
	}
	if string(got[0]) != string(got[1]) {
		t.Error("one seed, two cases")
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lab.Make(ctx, scenarios.Find("quiet"), tree.New(true), 1, t.TempDir()); err == nil {
		t.Error("a case was made though it was interrupted")
	}
}
