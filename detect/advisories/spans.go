package advisories

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"telltale/evidence"
	"telltale/internal/version"
)

// span is the time in which a version of a package stood on the host, as far as the package manager's log tells. Packages that came of one source
// and have one version are one.
type span struct {
	pkg
	from, to evidence.Time // unknown: from before the log, and until now
	quotes   []evidence.Quote
}

// spans gives the versions that stood on the host, now and before.
func (m *machine) spans() []span {
	by := map[string]*span{}
	for _, key := range slices.Sorted(maps.Keys(m.packages)) {
		p := m.packages[key]
		for _, s := range p.history(m.changes[p.name]) {
			k := strings.Join([]string{s.source, s.sourceVersion, s.to.String()}, "\x00")
			if p.world == "rpm" { // advisories name each package
				k = p.name + "\x00" + k
			}
			if old := by[k]; old != nil {
				old.from = earlier(old.from, s.from)
				continue
			}
			by[k] = &s
		}
	}
	var out []span
	for _, k := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[k])
	}
	return kernels(out)
}

// earlier: an unknown beginning lies before the log.
func earlier(a, b evidence.Time) evidence.Time {
	if !a.Known() || !b.Known() {
		return evidence.Time{}
	}
	return evidence.Min(a, b)
}

// history cuts the time of a package at the changes that its log tells of.
func (p *pkg) history(changes []change) []span {
	now := span{pkg: *p, quotes: []evidence.Quote{p.quote}}
	sort.SliceStable(changes, func(i, j int) bool { return changes[i].at.Before(changes[j].at) })
	steps := states(changes)
	if len(steps) == 0 || noEpoch(steps[len(steps)-1].version) != noEpoch(p.version) { // the log does not tell of what stands there: it is another's, or was cut
		now.from = p.installed
		return []span{now}
	}
	now.from = steps[len(steps)-1].at
	now.quotes = append(now.quotes, steps[len(steps)-1].quote)
	out := []span{now}
	for i, c := range steps {
		s := span{pkg: *p, to: c.at, quotes: []evidence.Quote{c.quote}}
		s.version = c.previous
		if i > 0 {
			s.version, s.from = steps[i-1].version, steps[i-1].at
			s.quotes = append(s.quotes, steps[i-1].quote)
		}
		if s.version = p.withEpoch(s.version); s.version != "" && p.ofSource(&s.pkg) {
			out = append(out, s)
		}
	}
	return out
}

// states gives the changes that made another version of what was there.
func states(changes []change) (out []change) {
	last := ""
	for _, c := range changes {
		if c.gone {
			c.version = ""
		}
		if c.previous == "<none>" {
			c.previous = ""
		}
		if c.version == last && len(out) > 0 {
			continue
		}
		last = c.version
		out = append(out, c)
	}
	return out
}

// withEpoch gives a version from a log that leaves epochs out the one that the package has now.
func (p *pkg) withEpoch(v string) string {
	if i := strings.IndexByte(p.version, ':'); p.world == "rpm" && v != "" && i > 0 && !strings.Contains(v, ":") {
		return p.version[:i+1] + v
	}
	return v
}

func noEpoch(v string) string {
	if i := strings.IndexByte(v, ':'); i >= 0 {
		return v[i+1:]
	}
	return v
}

// ofSource finds the source's version of an older package; false where it cannot be known, for the log has only the package's.
func (p *pkg) ofSource(old *pkg) bool {
	old.sourceVersion = old.version
	if p.sourceVersion == p.version {
		return true
	}
	cut := func(v string) string { // "+b1": built again, without a change
		if i := strings.LastIndex(v, "+b"); i > 0 && strings.Trim(v[i+2:], "0123456789") == "" {
			return v[:i]
		}
		return v
	}
	old.sourceVersion = cut(old.version)
	return cut(p.version) == p.sourceVersion
}

// kernels gives each kernel the time from its own installation to that of the next newer one: older ones stay beside it and do not run after the
// next start. Where it is not known when the newer one came, the older one is left out.
func kernels(all []span) (out []span) {
	families := map[string][]span{}
	for _, s := range all {
		if kernel(&s) {
			families[s.shown()] = append(families[s.shown()], s)
		} else {
			out = append(out, s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		list := families[name]
		slices.SortStableFunc(list, func(a, b span) int { return version.Compare(a.kind(), a.sourceVersion, b.sourceVersion) })
		first := 0
		for i := range list {
			if list[i].sourceVersion != list[first].sourceVersion {
				first = i
			}
			list[first].from = earlier(list[first].from, list[i].from)
			list[first].to = evidence.Time{}
			if next := i + 1; next < len(list) && list[next].sourceVersion == list[first].sourceVersion {
				continue
			}
			if i+1 < len(list) {
				if list[first].to = began(list[i+1:]); !list[first].to.Known() {
					continue
				}
			}
			out = append(out, list[first])
		}
	}
	return out
}

// began tells when the first version of a list came; unknown where one of its packages was there before the log.
func began(list []span) evidence.Time {
	t := list[0].from
	for _, s := range list[1:] {
		if s.sourceVersion == list[0].sourceVersion {
			t = earlier(t, s.from)
		}
	}
	return t
}

func kernel(s *span) bool {
	return s.source == "linux" || strings.HasPrefix(s.source, "linux-") || s.source == "kernel" || strings.HasPrefix(s.source, "kernel-")
}

// shown gives the name that advisories use: the source's, of rpm the package's.
func (s *span) shown() string {
	if s.world == "rpm" {
		return s.name
	}
	return s.source
}

func (p *pkg) kind() version.Kind {
	switch p.world {
	case "deb":
		return version.Deb
	case "rpm":
		return version.RPM
	case "apk":
		return version.Apk
	}
	return version.Plain
}
