// Package advisories tells which software on the host has faults that are known and mended elsewhere. It holds what stands there against a built-in
// list of faults by which servers are broken into, and against the advisories that the examiner gives: OSV's, the Debian security tracker's,
// and CISA's list of exploited vulnerabilities. A finding is a state, not an act: it has no rung, and whether the fault was used is for package story.
//
// Distributions mend faults and keep upstream's number. So a package is judged by its distribution's own numbers alone; where only upstream's
// are known, the finding says that it cannot be told (Explained).
package advisories

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection; db is what the examiner gave, nil for nothing.
func New(db *Database) *detect.Detection {
	known, err := List()
	if err != nil { // it is part of the program, and its tests read it
		known = nil
	}
	return &detect.Detection{
		ID: "advisories", Title: "Missing patches", IDs: []string{"D81"},
		Doc:    "holds packages, web applications and daemons built by hand against a list of exploited faults and against advisories that the examiner gives",
		Attack: []string{"T1190", "T1068"},
		Wants:  []event.Kind{event.Package, event.PackageChanged, event.SoftwareSeen, event.Machine},
		New:    func(detect.Scene) detect.Fold { return &fold{db: db, known: known, hosts: map[string]*machine{}} },
	}
}

// The bounds of one case.
const (
	maxPackages = 100_000
	maxChanges  = 200_000
	maxSoftware = 50_000
)

type fold struct {
	db    *Database
	known []Known
	hosts map[string]*machine // by source of evidence
	n     struct{ packages, changes, software int }
}

// machine is what one source of evidence tells of a host.
type machine struct {
	id, release string
	several     bool // two systems tell of themselves: none can be held against a distribution's numbers
	packages    map[string]*pkg
	changes     map[string][]change
	software    map[soft]evidence.Quote
}

// pkg is an installed package.
type pkg struct {
	name, version         string
	source, sourceVersion string
	world                 string        // "deb", "rpm", "apk"
	installed             evidence.Time // where the record says so: rpm
	quote                 evidence.Quote
}

// change is a line of a package manager's log.
type change struct {
	at                evidence.Time
	previous, version string
	gone              bool
	quote             evidence.Quote
}

// soft is software that no package manager put there.
type soft struct{ world, name, version, path string }

func (f *fold) machine(source string) *machine {
	m := f.hosts[source]
	if m == nil {
		m = &machine{packages: map[string]*pkg{}, changes: map[string][]change{}, software: map[soft]evidence.Quote{}}
		f.hosts[source] = m
	}
	return m
}

// Observe takes an event.
func (f *fold) Observe(e *event.Event) {
	m := f.machine(e.Ref.Source)
	switch e.Kind {
	case event.Machine:
		m.system(e.Text(event.OSName), e.Text(event.OSVersion))
	case event.Package:
		if s := e.Get(event.PackageStatus); f.n.packages < maxPackages && (s == nil || bytes.HasSuffix(s, []byte(" installed"))) {
			f.n.packages++
			p := packageOf(e)
			m.packages[p.name+" "+p.version] = p
		}
	case event.PackageChanged:
		if f.n.changes < maxChanges && e.At.Known() {
			f.n.changes++
			c := change{at: e.At, previous: e.Text(event.PackagePrevious), version: e.Text(event.PackageVersion), quote: e.Quote()}
			switch strings.ToLower(e.Text(event.Change)) {
			case "remove", "purge", "erased", "erase", "removed":
				c.gone = true
			}
			name := e.Text(event.PackageName)
			m.changes[name] = append(m.changes[name], c)
		}
	case event.SoftwareSeen:
		if f.n.software < maxSoftware {
			f.n.software++
			m.software[soft{e.Text(event.PackageType), e.Text(event.PackageName), e.Text(event.PackageVersion), e.Text(event.FilePath)}] = e.Quote()
		}
	}
}

// system takes what a machine says of itself.
func (m *machine) system(id, release string) {
	if id == "" {
		return
	}
	if m.id != "" && (m.id != id || m.release != release) {
		m.several = true
	}
	m.id, m.release = id, release
}

// world names the machine's distribution and release as advisories do; "" where it is not one that they tell of.
func (m *machine) world() string {
	major, minor, _ := strings.Cut(m.release, ".")
	minor, _, _ = strings.Cut(minor, ".")
	switch {
	case m.several || major == "":
		return ""
	case m.id == "debian":
		return "Debian:" + major
	case m.id == "ubuntu":
		return "Ubuntu:" + m.release
	case m.id == "alpine":
		return "Alpine:" + major + "." + minor
	case m.id == "almalinux":
		return "AlmaLinux:" + major
	case m.id == "rocky":
		return "Rocky:" + major
	case m.id == "rhel", m.id == "centos" && (major == "6" || major == "7"): // from 8 on CentOS may be Stream, which has numbers of its own
		return "Red Hat:" + major
	case m.id == "opensuse-leap":
		return "openSUSE:" + major + "." + minor
	}
	return ""
}

// packageOf reads a record of a package manager.
func packageOf(e *event.Event) *pkg {
	p := &pkg{name: e.Text(event.PackageName), version: e.Text(event.PackageVersion), world: e.Text(event.PackageType), quote: e.Quote()}
	p.source, p.sourceVersion = p.name, p.version
	if t, err := time.Parse(time.RFC3339, e.Text(event.PackageInstalled)); err == nil {
		p.installed = evidence.At(t, time.Second)
	}
	s := e.Text(event.PackageSource)
	if p.world == "rpm" || s == "" {
		if n, ok := strings.CutSuffix(s, ".src.rpm"); ok {
			p.source = withoutRelease(n)
		}
		return p
	}
	name, ver, ok := strings.Cut(s, " (") // "Source: openssh (1:9.2p1-2)": the version where it is not the package's own
	p.source = name
	if ok {
		p.sourceVersion = strings.TrimSuffix(ver, ")")
	}
	if p.world == "deb" && (p.source == "linux-signed" || strings.HasPrefix(p.source, "linux-signed-")) { // signed by a source of its own, mended in that of the kernel
		p.source, p.sourceVersion = "linux", p.version
	}
	return p
}

// withoutRelease gives the name in "openssl-1.1.1k-7.el8".
func withoutRelease(s string) string {
	for range 2 {
		if i := strings.LastIndexByte(s, '-'); i > 0 {
			s = s[:i]
		}
	}
	return s
}

// Findings gives what has faults.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, source := range slices.Sorted(maps.Keys(f.hosts)) {
			m := f.hosts[source]
			for x := range f.judged(m) {
				if ctx.Err() != nil || !yield(x) {
					return
				}
			}
		}
	}
}

// judged gives the findings of one machine: its packages, then its other software.
func (f *fold) judged(m *machine) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, s := range m.spans() {
			for _, x := range f.ofPackage(m.world(), &s) {
				if !yield(x) {
					return
				}
			}
		}
		list := slices.SortedFunc(maps.Keys(m.software), func(a, b soft) int {
			return strings.Compare(a.path+"\x00"+a.name, b.path+"\x00"+b.name)
		})
		for _, s := range list {
			for _, x := range f.ofSoftware(s, m.software[s]) {
				if !yield(x) {
					return
				}
			}
		}
	}
}
