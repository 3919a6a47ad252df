package tamper

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

const (
	maxBreaks = 20_000
	lostNear  = 3600 // seconds around a hole within which the kernel's complaint explains it: it is made once in a while, not for each record
	startNear = 120  // seconds around a hole within which the machine or a daemon started or stopped
	maxReach  = 1000
)

// interruption is something that explains why a log is silent, or lacks records.
type interruption struct {
	at   int64 // seconds since 1970
	what string
	lost bool // the kernel says that audit records were lost
}

// serials is from which serial to which one file of the audit log goes.
type serials struct {
	path         string
	first, last  uint64
	from, to     int64
	begins, ends bool // it begins with, or ends with, a start or stop of the daemon or the machine
	quote        evidence.Quote
}

// interrupted notes what explains silence.
func (f *fold) interrupted(e *event.Event) {
	if !e.At.Known() || len(f.breaks) >= maxBreaks {
		return
	}
	b := interruption{at: e.At.Sec}
	switch e.Kind {
	case event.Boot:
		b.what = "the machine started"
	case event.Shutdown:
		b.what = "the machine went down"
	case event.ClockChanged:
		b.what = "the clock was set"
	case event.KernelNotice:
		if string(e.Get(event.Change)) != "audit records were lost" {
			return
		}
		b.what, b.lost = "the kernel says that audit records were lost", true
	case event.LoggingChanged:
		b.what = e.Text(event.ServiceName) + " " + e.Text(event.Change)
	}
	f.breaks = append(f.breaks, b)
}

// explained names what happened in a silence, or just before or behind it, that makes it innocent; "" for nothing.
func (f *fold) explained(from, to int64, lost bool) string {
	for _, b := range f.breaks {
		near := int64(startNear)
		if b.lost {
			if near = lostNear; !lost {
				continue
			}
		}
		if b.at >= from-near && b.at <= to+near {
			return fmt.Sprintf("%s at %s", b.what, evidence.Unix(b.at, 0, time.Second))
		}
	}
	return ""
}

// reaches takes from where to where the serials of one file go.
func (f *fold) reaches(e *event.Event) {
	if len(f.audit) >= maxReach {
		return
	}
	p, ok := parsePiece(e.Text(event.SettingValue) + " 0")
	if !ok {
		return
	}
	change := e.Text(event.Change)
	f.audit = append(f.audit, serials{path: detect.HostPath(e.Ref.Path), first: p.first, last: p.last, from: p.from, to: p.to,
		begins: strings.Contains(change, "begins"), ends: strings.Contains(change, "ends"), quote: e.Quote()})
}

// audited judges the holes in the audit log's serials. Alone they say that events were not written, not why: what the limit of records a second
// drops, what finds the queue to auditd full, and what auditd cannot write because its disk is full has a serial and no record.
func (f *fold) audited() (out []detect.Finding) {
	for _, r := range f.silent {
		r.What, r.Level = detect.LogEdited, detect.Medium
		r.Title = fmt.Sprintf("%s says nothing from %s to %s, though %d events were numbered meanwhile", r.Path, r.First, r.Last, r.Count)
		if why := f.explained(r.First.Sec, r.Last.Sec, true); why != "" || r.Mechanism != "" {
			if why == "" {
				why = "a limit of records a second is set"
			}
			r.What, r.Level, r.Explained = detect.RecordsLost, detect.Info, why
			r.Detail += "; " + why
		} else {
			r.Detail = "lacks the records of that time (" + r.Detail + "); no start or stop of the machine or of auditd, no clock that was set and no loss that the kernel tells of explains it, a full disk that auditd is told to ignore would"
		}
		r.Mechanism = ""
		out = append(out, r)
	}
	for _, r := range f.scattered {
		out = append(out, f.lacking(r))
	}
	return append(out, f.auditFiles()...)
}

// lacking judges single serials that are missing: together with a file that is younger than what it tells, they speak of lines taken out.
func (f *fold) lacking(r detect.Finding) detect.Finding {
	r.What, r.Level = detect.RecordsLost, detect.Info
	r.Title = fmt.Sprintf("%d serial numbers are missing from %s", r.Count, r.Path)
	for _, x := range f.files {
		if x.path != r.Path || x.kind != "file" || !f.scene.ChangeTimes || !x.crtime.Known() || x.crtime.Sec-r.First.Sec < truncatedAfter || f.copied(x) || f.bornWith(x, 60) > 2 {
			continue
		}
		r.What, r.Level = detect.LogEdited, detect.High
		r.Title = fmt.Sprintf("%s was written anew by something that is not auditd, and lacks %d serial numbers", r.Path, r.Count)
		r.Detail = fmt.Sprintf("the file was born %s, and its first record is of %s; %s", x.crtime, r.First, r.Detail)
		r.First, r.Last = x.crtime, x.crtime
		r.For = append(r.For, x.quote)
		return r
	}
	r.Explained = "a limit of records a second, a queue or a disk that was full leave the same; nothing else speaks of lines taken out"
	r.Detail += "; " + r.Explained
	return r
}

// auditFiles looks for rotations of the audit log that are gone from the middle: auditd removes the oldest.
func (f *fold) auditFiles() (out []detect.Finding) {
	sort.SliceStable(f.audit, func(i, j int) bool { return f.audit[i].from < f.audit[j].from })
	for i := 1; i < len(f.audit); i++ {
		a, b := f.audit[i-1], f.audit[i]
		if f.current(a.path) != f.current(b.path) || a.path == b.path || a.ends || b.begins || b.first <= a.last || b.first-a.last <= fileEntries || b.from-a.to < fileSeconds {
			continue
		}
		if f.explained(a.to, b.from, true) != "" {
			continue
		}
		first, last := evidence.Unix(a.to, 0, time.Second), evidence.Unix(b.from, 0, time.Second)
		n := int64(b.first - a.last - 1)
		out = append(out, detect.Finding{Detection: "D58", What: detect.LogEdited, Level: detect.Medium, Rung: evidence.Effect, Path: f.current(b.path), Count: n, First: first, Last: last, Attack: []string{"T1070.002"},
			Title:  fmt.Sprintf("a rotation of %s is gone: %d events from %s to %s", f.current(b.path), n, first, last),
			Detail: fmt.Sprintf("%s ends with serial %d and %s begins with %d, and neither the machine nor auditd started or stopped between; auditd itself removes the oldest file, and an older one is there; whoever collected the evidence may have left it out", a.path, a.last, b.path, b.first),
			For:    []evidence.Quote{b.quote, a.quote}})
	}
	return out
}
