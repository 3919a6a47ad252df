package alarms

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// place tells how much it matters what lies somewhere.
type place uint8

const (
	elsewhere place = iota
	mail            // or a store of what was found: letters bring viruses to all
	program         // where something runs from
)

func (f *fold) place(p string) place {
	low := strings.ToLower(p)
	for _, w := range []string{"/maildir/", "/var/mail/", "/var/vmail/", "/var/spool/", "quarantine", "/amavis", "/mail/", "/.trash", "/cur/", "/new/", "/backup", "/.cache/", "/virusmails/"} {
		if strings.Contains(low, w) {
			return mail
		}
	}
	for _, r := range f.scene.WebRoots {
		if strings.HasPrefix(p, r+"/") {
			return program
		}
	}
	for _, w := range []string{"/public_html/", "/htdocs/", "/wp-content/", "/httpdocs/"} {
		if strings.Contains(low, w) {
			return program
		}
	}
	for _, d := range []string{"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/etc/", "/root/", "/opt/", "/boot/"} {
		if strings.HasPrefix(p, d) {
			return program
		}
	}
	if detect.InVolatileDir(p) {
		return program
	}
	return elsewhere
}

// infected gives the files that a virus scanner named, each once.
func (f *fold) infected() (out []detect.Finding) {
	for _, x := range f.files {
		if x.change != "infected" && x.change != "quarantined" && x.change != "found" {
			continue
		}
		low := strings.ToLower(x.message)
		r := detect.Finding{Detection: "D54", What: detect.Alarm, Level: detect.Medium, Rung: evidence.Effect, Service: x.service, Path: x.path, First: x.first, Last: x.last, Count: x.count, Attack: []string{"T1505.003"}, For: []evidence.Quote{x.quote},
			Title: fmt.Sprintf("%s found %s in %s", x.service, what(x.message), x.path), Detail: fmt.Sprintf("%s; it is the tool's word, and the file is to be looked at", x.change)}
		switch where := f.place(x.path); {
		case strings.Contains(low, "eicar") || strings.HasPrefix(low, "pua.") || strings.HasPrefix(low, "heuristics."):
			r.Level = detect.Low // a test, or a guess
		case where == mail:
			r.Level, r.Rung = detect.Low, evidence.Attempt
			r.Detail = "where mail or what was found before lies; letters bring such to everybody"
		case where == program && x.change != "found":
			r.Level = detect.High
		case where == elsewhere && x.change == "found":
			r.Level = detect.Low
		}
		out = append(out, r)
	}
	return first(out)
}

func what(message string) string {
	if message == "" {
		return "something"
	}
	return message[:min(len(message), 120)]
}

func first(out []detect.Finding) []detect.Finding {
	slices.SortFunc(out, func(a, b detect.Finding) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(a.First.Sec, b.First.Sec), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Service, b.Service))
	})
	return out[:min(len(out), maxTold)]
}

const day = 24 * 3600

// updated tells whether packages changed on the day of an alarm or the two before it: the tools run once a day.
func (f *fold) updated(at evidence.Time) bool {
	d := at.Sec / day
	return f.changes[d] || f.changes[d-1] || f.changes[d-2]
}

// changed gives, for each tool, the files that it found changed. An update changes hundreds; without one, programs stay as they are.
func (f *fold) changed() (out []detect.Finding) {
	by := map[string]*detect.Finding{}
	grave := map[string][]*file{}
	for _, x := range f.files {
		switch x.change {
		case "file changed", "file added", "file removed":
		default:
			continue
		}
		r := by[x.service]
		if r == nil {
			r = &detect.Finding{Detection: "D52", What: detect.Alarm, Level: detect.Low, Rung: evidence.Effect, Service: x.service, Attack: []string{"T1554"}}
			by[x.service] = r
		}
		r.Count += x.count
		r.First, r.Last = evidence.Min(r.First, x.first), evidence.Max(r.Last, x.last)
		if len(f.changes) > 0 && x.first.Known() && sensitive(x.path) && !f.updated(x.first) {
			grave[x.service] = append(grave[x.service], x)
		} else if len(r.For) < maxQuotes {
			r.For = append(r.For, x.quote)
		}
	}
	for service, r := range by {
		r.Title = fmt.Sprintf("%s found %s changed, added or removed", service, detect.Plural(r.Count, "file", "files"))
		r.Detail = "updates do that, too"
		if g := grave[service]; len(g) > 0 {
			slices.SortFunc(g, func(a, b *file) int {
				return cmp.Or(cmp.Compare(a.first.Sec, b.first.Sec), cmp.Compare(a.path, b.path))
			})
			r.Level, r.Path, r.First = detect.Medium, g[0].path, g[0].first
			r.For = nil
			var names []string
			for _, x := range g[:min(len(g), 8)] {
				names = append(names, x.path)
				r.For = append(r.For, x.quote)
			}
			r.Detail = fmt.Sprintf("%s of them though no package was installed in the two days before: %s", detect.Plural(int64(len(g)), "program", "programs"), strings.Join(names, ", "))
		}
		out = append(out, *r)
	}
	return first(out)
}

// sensitive tells files that only packages change: programs, and what decides who may log in.
func sensitive(p string) bool {
	switch path.Dir(p) {
	case "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/lib/security", "/lib64/security", "/usr/lib/security", "/usr/lib64/security", "/etc/pam.d":
		return true
	}
	return strings.Contains(p, "/security/pam_") || p == "/etc/ld.so.preload"
}
