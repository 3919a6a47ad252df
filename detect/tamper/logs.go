package tamper

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// emptied finds logs of size zero whose rotations or neighbours say that they had content, and logs that
// were put in place anew by something else than their rotation.
func (f *fold) emptied() (out []detect.Finding) {
	for _, x := range f.files {
		if !strings.HasPrefix(x.path, "/var/log/") {
			continue
		}
		switch path.Base(x.path) {
		case "wtmp", "lastlog", "btmp", "auth.log", "secure", "messages", "syslog":
		default:
			continue
		}
		switch {
		case x.kind == "symlink" && x.target == "/dev/null":
			out = append(out, cut(x, detect.Critical, "is a link to /dev/null"))
		case x.kind == "file" && x.size > 0 && path.Base(x.path) == "btmp":
			if r, ok := f.beheaded(x); ok {
				out = append(out, r)
			}
		case x.kind == "file" && x.size > 0 && path.Base(x.path) == "wtmp":
			if r, ok := f.beheadedLogins(x); ok {
				out = append(out, r)
			}
		case x.kind == "file" && (x.size > 0 || path.Base(x.path) != "btmp" && path.Base(x.path) != "wtmp" && path.Base(x.path) != "lastlog" && f.rotation(x.path) != nil):
			if r, ok := f.truncated(x); ok {
				out = append(out, r)
			}
		case x.kind != "file" || x.size > 0:
		case path.Base(x.path) == "btmp" && f.refused(x.crtime.Sec, 1<<62) > 5 && f.rotation(x.path) == nil:
			out = append(out, cut(x, detect.Medium, fmt.Sprintf("is empty, though %d refused logins are logged elsewhere and it was not rotated", f.refused(x.crtime.Sec, 1<<62))))
		case path.Base(x.path) != "btmp" && f.rotation(x.path) == nil:
			out = append(out, cut(x, detect.Medium, "is empty and was not rotated"))
		}
	}
	return out
}

// beheaded finds a btmp that begins late: it was there, and logins were refused, before its first record.
func (f *fold) beheaded(x *file) (detect.Finding, bool) {
	if f.bad.events == 0 || f.rotation(x.path) != nil || !x.crtime.Known() {
		return detect.Finding{}, false
	}
	n := f.refused(x.crtime.Sec, f.bad.first.Sec)
	if n < 5 {
		return detect.Finding{}, false
	}
	r := cut(x, detect.Medium, fmt.Sprintf("begins at %s, though it was there and %d logins were refused before", f.bad.first, n))
	r.First, r.Last = f.lastRefused(f.bad.first.Sec), f.bad.first
	r.For = append(r.For, f.badQuote)
	return r, true
}

// lastRefused gives the last refused login before a time: what emptied btmp came behind it.
func (f *fold) lastRefused(before int64) evidence.Time {
	last := int64(0)
	for m := range f.failures {
		if t := (m + 1) * slotSeconds; t <= before && t > last {
			last = t
		}
	}
	return evidence.Unix(last, 0, slotSeconds*time.Second)
}

// beheadedLogins finds a wtmp that begins late: it was there, and sessions began, before its first record.
func (f *fold) beheadedLogins(x *file) (detect.Finding, bool) {
	if f.logins.events == 0 || f.rotation(x.path) != nil || !x.crtime.Known() {
		return detect.Finding{}, false
	}
	var n int64
	var last evidence.Time
	var quote evidence.Quote
	for _, s := range f.sessions.opened {
		if s.remote && s.at.Sec > x.crtime.Sec+60 && s.at.Sec < f.logins.first.Sec-60 {
			n++
			if last = evidence.Max(last, s.at); last == s.at {
				quote = s.quote
			}
		}
	}
	if n < 2 {
		return detect.Finding{}, false
	}
	r := cut(x, detect.Medium, fmt.Sprintf("begins at %s, though it was there and %d sessions began before", f.logins.first, n))
	r.First, r.Last = last, f.logins.first
	r.For = append(r.For, quote)
	return r, true
}

// truncated finds a syslog file that was there long before its first line: a log daemon makes the file with its first line. A rotation that
// copies and truncates leaves the same, but then its copy ends where the file begins.
func (f *fold) truncated(x *file) (detect.Finding, bool) {
	if !x.crtime.Known() {
		return detect.Finding{}, false
	}
	var w, before witness // of the file, and of its rotations
	for p, k := range f.paths {
		switch h := detect.HostPath(p); {
		case h == x.path:
			w = *k
		case f.current(p) == x.path:
			before.first, before.last = evidence.Min(before.first, k.first), evidence.Max(before.last, k.last)
			before.events += k.events
		}
	}
	begins := w.first
	if x.size == 0 {
		begins = evidence.Max(f.better.last, x.mtime) // it has not begun at all
	} else if w.events == 0 {
		return detect.Finding{}, false
	}
	if begins.Sec-x.crtime.Sec < 60 || before.events > 0 && before.last.Sec > x.crtime.Sec+60 {
		return detect.Finding{}, false
	}
	// Another witness has to tell what the file should hold: a quiet service makes a late first line, too.
	var n int64
	var quotes []evidence.Quote
	for _, ip := range slices.Sorted(maps.Keys(f.told)) {
		t := f.told[ip]
		k, _ := t.best(func(told times) int64 { return told.between(x.crtime.Sec+1, begins.Sec-1) })
		if n += k; k > 0 && len(quotes) < 4 {
			quotes = append(quotes, f.sample[ip]...)
		}
	}
	base := path.Base(x.path)
	if n < 2 || !w.ssh && base != "auth.log" && base != "secure" {
		return detect.Finding{}, false
	}
	why := fmt.Sprintf("begins at %s, though it was made %s and another witness tells of %d logins or refusals between", begins, x.crtime, n)
	if x.size == 0 {
		why = fmt.Sprintf("is empty, though it was made %s and another witness tells of %d logins or refusals since", x.crtime, n)
		begins = evidence.Max(x.mtime, x.ctime)
	}
	r := cut(x, detect.High, why)
	r.First, r.Last, r.Rung = begins, begins, evidence.Witnessed
	r.For = append(r.For, quotes[:min(len(quotes), 4)]...)
	return r, true
}

// truncatedAfter is how much younger, in seconds, than its first line a log may be.
const truncatedAfter = 600

// rewritten finds a syslog file that is younger than its first line: an editor, or sed -i, wrote it anew and put it in
// place of the old one. Files that were born together with it were copied, as when a server moves.
func (f *fold) rewritten() (out []detect.Finding) {
	if !f.scene.ChangeTimes {
		return nil
	}
	for _, x := range f.files {
		if x.kind != "file" || !x.crtime.Known() || !strings.HasPrefix(x.path, "/var/log/") || f.copied(x) {
			continue
		}
		for p, w := range f.paths {
			all := f.current(x.path) == x.path && w.events > 1 && w.last.Before(x.crtime) // no line of it is as young as the file
			if detect.HostPath(p) != x.path || x.crtime.Sec-w.first.Sec < truncatedAfter && (!all || f.bornWith(x, 20) > 2) || x.crtime.Sec-w.first.Sec >= truncatedAfter && f.bornWith(x, 60) > 2 {
				continue
			}
			out = append(out, detect.Finding{Detection: "D59", What: detect.LogEdited, Level: detect.High, Rung: evidence.Effect, Path: f.current(x.path), First: x.crtime, Last: x.crtime, Count: 1,
				Attack: []string{"T1070.002"}, For: []evidence.Quote{x.quote}, Title: x.path + " was written anew by something that is not its log daemon",
				Detail: fmt.Sprintf("the file was born %s, and its first line tells of %s", x.crtime, w.first)})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

// copied tells whether a rotated log is a copy: packed, or copied and then truncated, so that the log itself is older. One that was renamed keeps
// its birth.
func (f *fold) copied(x *file) bool {
	log := f.current(x.path)
	if log == x.path {
		return false
	}
	if c := path.Ext(x.path); c == ".gz" || c == ".xz" || c == ".bz2" || c == ".zst" {
		return true
	}
	for _, y := range f.files {
		if y.path == log && y.crtime.Known() {
			return y.crtime.Before(x.crtime)
		}
	}
	return true // nothing to compare with
}

// bornWith counts other logs that were born within so many seconds of one.
func (f *fold) bornWith(x *file, seconds int64) (n int) {
	for _, y := range f.files {
		if d := y.crtime.Sec - x.crtime.Sec; y != x && strings.HasPrefix(y.path, "/var/log/") && y.crtime.Known() && d > -seconds && d < seconds {
			n++
		}
	}
	return n
}

func cut(x *file, l detect.Level, why string) detect.Finding {
	return detect.Finding{Detection: "D58", What: detect.LogCut, Level: l, Rung: evidence.Effect, Path: x.path, First: evidence.Max(x.mtime, x.ctime), Detail: why, Attack: []string{"T1070.002"},
		Title: x.path + " " + why, For: []evidence.Quote{x.quote}}
}

// rotation gives a rotated sibling of a log.
func (f *fold) rotation(p string) *file {
	for _, x := range f.files {
		if strings.HasPrefix(x.path, p+".") || strings.HasPrefix(x.path, p+"-") {
			return x
		}
	}
	return nil
}
