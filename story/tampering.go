package story

import (
	"fmt"

	"telltale/detect"
	"telltale/evidence"
)

// maxLost bounds the logs of which it is told that they lack records for an ordinary reason.
const maxLost = 20

// lacking tells of logs that lack records for an ordinary reason.
func (b *builder) lacking() {
	for i, f := range b.by[detect.RecordsLost] {
		if i < maxLost && f.Explained != "" {
			b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: utf8(f.Explained)})
		}
	}
}

// tampering tells logs edited, cut and silent, and histories that are gone.
func (b *builder) tampering() {
	for _, f := range b.by[detect.LogEdited] {
		if f.Source == "" {
			b.rewritten(f)
			continue
		}
		id := b.claim(fmt.Sprintf("%s missing from %s: all of them about %s. %s.", plural(f.Count, "line is", "lines are"), f.Path, f.Source, upper(f.Detail)), f.Rung, f.First, Confirmed, f.For, nil)
		b.told[f] = id
		if b.suspects[f.Source] == nil {
			continue // lines of an address that never got in: told as a finding, held against nobody
		}
		b.altered(f, "log-edited", "every line of "+f.Source, "none or few of them", id)
		var when evidence.Time
		if len(f.When) > 0 {
			when = f.When[0]
		}
		b.action("removed lines from a log", "T1070.002", when, "", f.Path, id)
	}
	b.lacking()
	for _, f := range b.by[detect.LogSilent] {
		id := b.claim(f.Title+" ("+f.Detail+").", f.Rung, f.First, Likely, f.For, nil)
		b.told[f] = id
		if len(b.suspects) == 0 {
			b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: "a log may stop for many reasons; nothing else speaks of an intruder"})
			continue
		}
		if f.Detection == "D57" { // it goes on behind the silence
			b.altered(f, "log-cut", "its regular lines from "+f.First.String()+" to "+f.Last.String(), "none of them", id)
			continue
		}
		b.altered(f, "log-cut", "lines up to "+f.Last.String(), "ends at "+f.First.String(), id)
	}
	for _, f := range b.by[detect.LogCut] {
		s := b.rootThen(f.First, evidence.Max(f.First, f.Last))
		if s == nil && f.Level < detect.Critical || s != nil && s.doubted && !s.proved && f.Level < detect.High && len(b.effect) == 0 {
			b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: "an empty log alone is no proof: a rotation or a new system leaves one too"})
			continue
		}
		at := evidence.Max(f.First, f.Last)
		id := b.claim(fmt.Sprintf("%s %s; it was emptied before %s.", f.Path, f.Detail, clock(at)), f.Rung, at, Likely, f.For, nil)
		b.told[f] = id
		b.altered(f, "log-cut", "records", "none", id)
		b.action("emptied a log, at this time or before", "T1070.002", at, "", f.Path, id)
	}
	for _, f := range b.by[detect.HistoryGone] {
		s, _, _ := b.whose(&detect.Finding{What: detect.HistoryGone, Account: f.Account, First: f.First, Last: f.First})
		if s == nil && f.Level < detect.High {
			continue
		}
		if s == nil && (len(b.suspects) == 0 || b.allDoubted()) {
			b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: "some administrators switch their history off; nothing else speaks of an intruder"})
			continue
		}
		id := b.claim(fmt.Sprintf("%s %s since %s.", f.Path, f.Detail, clock(f.First)), f.Rung, f.First, Likely, f.For, nil)
		b.told[f] = id
		b.altered(f, "history-wiped", "the commands of "+f.Account, f.Detail, id)
		b.action("removed a shell's history", "T1070.003", f.First, f.Account, f.Path, id)
	}
}

// allDoubted tells whether all who are suspected are so for what honest people do, too.
func (b *builder) allDoubted() bool {
	for _, s := range b.suspects {
		if !s.doubted {
			return false
		}
	}
	return true
}

// rewritten tells a log that was edited, though nobody knows what was taken out.
func (b *builder) rewritten(f *detect.Finding) {
	s := b.rootThen(f.First, f.Last)
	if s == nil {
		b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: "an administrator may edit or restore a log; nobody who is suspected was there then"})
		return
	}
	id := b.claim(fmt.Sprintf("%s: %s (while %s could act as root).", f.Title, f.Detail, s.source), f.Rung, f.First, Likely, f.For, nil)
	b.told[f] = id
	b.altered(f, "log-edited", "the file that the log daemon made", f.Detail, id)
	b.action("removed lines from a log", "T1070.002", f.First, "", f.Path, id)
}

// rootThen gives a suspect who could act as root at some moment of a time.
func (b *builder) rootThen(from, to evidence.Time) *suspect {
	for _, s := range b.ordered() {
		for _, x := range s.spans {
			if !to.Before(x.from) && !from.After(x.to) && b.could(s, x, &detect.Finding{What: detect.LogCut, Account: "root"}) {
				return s
			}
		}
	}
	return nil
}

func (b *builder) altered(f *detect.Finding, kind, expected, found, id string) {
	for i := range b.s.Altered {
		if a := &b.s.Altered[i]; a.Path == f.Path && a.Kind == kind {
			a.Claims = ids(append(a.Claims, id)...)
			return
		}
	}
	b.effect = ids(append(b.effect, id)...)
	b.s.Altered = append(b.s.Altered, Altered{Path: utf8(f.Path), Kind: kind, Expected: utf8(expected), Found: utf8(found), Claims: ids(id)})
}
