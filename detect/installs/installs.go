// Package installs tells when packages were unpacked and their scripts ran: what appears in that time without being in
// a package's list was made by a package's own script.
package installs

import (
	"context"
	"iter"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "installs", Title: "Packages installed", IDs: []string{"D33"},
		Doc:    "folds a package manager's log into one span per package installed or upgraded",
		Attack: []string{"T1195.002"},
		Wants:  []event.Kind{event.PackageChanged},
		New:    func(detect.Scene) detect.Fold { return &fold{open: map[string]int{}} },
	}
}

const maxInstalls = 50_000

type fold struct {
	found []detect.Finding
	open  map[string]int // spans that have not ended, by package: index in found
}

// longest is how long an install may take; later words about the package are of another run.
const longest = 2 * time.Hour

func (f *fold) Observe(e *event.Event) {
	name, change := e.Text(event.PackageName), e.Text(event.Change)
	if name == "" || !e.At.Known() {
		return
	}
	i, ok := f.open[name]
	if ok && e.At.Sub(f.found[i].First).Abs() > longest {
		delete(f.open, name)
		ok = false
	}
	switch change {
	case "remove", "purge":
		return
	}
	if !ok {
		if len(f.found) >= maxInstalls {
			return
		}
		i = len(f.found)
		f.open[name] = i
		f.found = append(f.found, detect.Finding{Detection: "D33", What: detect.Installed, Level: detect.Info, Rung: evidence.Effect, First: e.At, Path: name, Service: "dpkg",
			Detail: e.Text(event.PackageVersion), Title: "package " + name + " " + e.Text(event.PackageVersion) + " was installed", Attack: []string{"T1195.002"}})
	}
	r := &f.found[i]
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
	if len(r.For) < 3 {
		r.For = append(r.For, e.Quote())
	}
	if change == "installed" {
		delete(f.open, name)
	}
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, r := range f.found {
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}
