package examine_test

import (
	"context"
	"iter"
	"os"
	"testing"

	"telltale/artifact"
	artall "telltale/artifact/all"
	"telltale/detect"
	"telltale/detect/persistence"
	"telltale/examine"
)

// TestCleanTree holds what persistence says above info of a tree that nobody broke into, named by TELLTALE_CLEAN_TREE, against nothing: a
// distribution's own entries are no findings. With TELLTALE_CLEAN_ALL it tells the others, too.
func TestCleanTree(t *testing.T) {
	dir := os.Getenv("TELLTALE_CLEAN_TREE")
	if dir == "" {
		t.Skip("TELLTALE_CLEAN_TREE names no tree")
	}
	spy := *persistence.New()
	made := spy.New
	var found []detect.Finding
	spy.New = func(s detect.Scene) detect.Fold { return &keeper{made(s), &found} }
	var state []*artifact.Artifact
	for _, a := range artall.Artifacts() {
		if !a.Log {
			state = append(state, a)
		}
	}
	res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: state, Detections: []*detect.Detection{&spy}})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, f := range found {
		counts[f.Mechanism+" "+f.Level.String()]++
		if f.Level > detect.Info {
			t.Errorf("%s %s: %s runs %q as %s: %s (package %q)", f.Level, f.Mechanism, f.Path, f.Runs, f.As, f.Detail, f.Package)
		} else if os.Getenv("TELLTALE_CLEAN_ALL") != "" {
			t.Logf("%s: %s runs %q as %s: %s (package %q)", f.Mechanism, f.Path, f.Runs, f.As, f.Detail, f.Package)
		}
	}
	t.Logf("%d events, %v", res.Events, counts)
}

// keeper keeps what a fold finds.
type keeper struct {
	detect.Fold
	found *[]detect.Finding
}

func (k *keeper) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for f := range k.Fold.Findings(ctx) {
			*k.found = append(*k.found, f)
			if !yield(f) {
				return
			}
		}
	}
}
