package examine

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"telltale/artifact/journald"
	"telltale/casefile"
	"telltale/detect"
	"telltale/evidence"
	"telltale/host"
)

// journalReader puts entries together, source by source.
type journalReader struct {
	run     *run
	s       *shovel
	lost    *journald.Lost
	of      int32 // the origin that lost reads
	anchors map[int]anchor
	full    bool
}

// anchor is an entry that stands in a living journal, as it lies in a lost one.
type anchor struct {
	base   int64
	number uint64
	ok     bool
}

// read puts an entry together and says whose it is.
func (x *journalReader) read(i int) (f found, ok bool) {
	j := x.s.journals
	e, ok := x.entry(i)
	if !ok {
		return f, false
	}
	l := &j.heads[i]
	o := &x.s.origins[l.origin]
	f = found{LostEntry: e, h: j.boots[e.Boot], gap: -1}
	if e.Proved && j.machines[e.Machine] != nil {
		f.h = j.machines[e.Machine]
		if len(j.boots) < maxJournalBoots {
			j.boots[e.Boot] = f.h
		}
	}
	f.line = oldLine{at: e.At, text: lineOfEntry(&e), ref: evidence.Ref{Source: o.source, Path: o.path, Off: l.off, Len: e.Size}, file: o.file, left: o.leftAt(l.off), gone: o.gone, h: f.h}
	if before, after := j.before[i], j.after[i]; before >= 0 && after >= 0 && !j.broken {
		a, b := x.anchor(before), x.anchor(after)
		f.line.removed = a.ok && b.ok && a.base == e.Base && b.base == e.Base && a.number < e.Number && e.Number < b.number
		f.gap = before
	}
	return f, true
}

func (x *journalReader) entry(i int) (journald.LostEntry, bool) {
	l := &x.s.journals.heads[i]
	if x.lost == nil || x.of != l.origin {
		x.lost, x.of = journald.NewLost(x.s.origins[l.origin].r), l.origin
	}
	e, ok := x.lost.Entry(l.off, l.run)
	x.full = x.full || x.lost.Full()
	return e, ok
}

func (x *journalReader) anchor(i int) anchor {
	a, known := x.anchors[i]
	if !known {
		e, ok := x.entry(i)
		a = anchor{e.Base, e.Number, ok}
		x.anchors[i] = a
	}
	return a
}

// lineOfEntry writes an entry as a line.
func lineOfEntry(e *journald.LostEntry) []byte {
	get := func(names ...string) string {
		for _, n := range names {
			for _, f := range e.Fields {
				if v, ok := strings.CutPrefix(f, n); ok {
					return v
				}
			}
		}
		return ""
	}
	b := e.At.Std().AppendFormat(nil, "2006-01-02T15:04:05.000000Z ")
	b = append(b, strings.TrimLeft(get("_HOSTNAME=")+" "+get("SYSLOG_IDENTIFIER=", "_COMM="), " ")...)
	if p := get("SYSLOG_PID=", "_PID="); p != "" {
		b = append(append(append(b, '['), p...), ']')
	}
	return append(append(b, ": "...), get("MESSAGE=")...)
}

// buryJournal makes journals of the entries that one path had, one for each host.
func (r *run) buryJournal(p string, all []found, left *int) {
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.Real, a.Real) })
	for len(all) > 0 {
		h, mine, others := all[0].h, all[:0:0], all[:0:0]
		for _, f := range all {
			if f.h == h {
				mine = append(mine, f)
			} else {
				others = append(others, f)
			}
		}
		r.buryEntries(h, p, mine, left)
		all = others
	}
}

// buryEntries makes a journal of one host's entries, of which the newest come first.
func (r *run) buryEntries(h *seenHost, p string, all []found, left *int) {
	for i := range all {
		if *left -= len(all[i].line.text) + 200; *left < 0 {
			all = all[:i]
			break
		}
	}
	art := r.journalArtifact()
	if len(all) == 0 || art == nil {
		return
	}
	slices.Reverse(all)
	markMixed(all)
	c := casefile.Removed{Source: h.Source, Path: printable(p), First: all[0].At.String(), Last: all[len(all)-1].At.String()}
	made := journald.NewMade()
	b := burial{h: h}
	var places []place
	for i := range all {
		l := all[i].line
		places = append(places, place{made.Add(&all[i].LostEntry), l.ref, l.removed})
		b.lines = append(b.lines, l)
		if l.removed {
			c.Lines++
		} else {
			c.Lost++
		}
	}
	e := host.Alone(p, bytes.NewReader(made.Bytes()), int64(made.Len()), all[len(all)-1].At)
	b.job = &job{entry: e, art: art, family: "lost journal", places: places}
	r.buried = append(r.buried, b)
	r.res.Removed = append(r.res.Removed, c)
}

// markMixed marks what was taken out together with entries about other addresses.
func markMixed(all []found) {
	about := map[int]string{}
	mixed := map[int]bool{}
	for i := range all {
		if a := detect.AddressIn(string(all[i].line.text)); all[i].line.removed && a != "" {
			g := all[i].gap
			mixed[g] = mixed[g] || about[g] != "" && about[g] != a
			about[g] = a
		}
	}
	for i := range all {
		all[i].line.mixed = mixed[all[i].gap]
	}
}

// pathOfJournal gives the path of a lost journal as far as it is known.
func pathOfJournal(f *found) string {
	p, _, _ := strings.Cut(f.line.file, " in the ")
	switch {
	case strings.HasPrefix(p, "/"):
		return p
	case f.Proved:
		return "/var/log/journal/" + hex.EncodeToString(f.Machine[:])
	}
	return "/var/log/journal"
}
