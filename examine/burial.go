package examine

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"telltale/casefile"
	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/host"
	"telltale/internal/carve"
	"telltale/internal/logclock"
	"time"
)

// oldLine is a removed line with its place.
type oldLine struct {
	at   evidence.Time
	text []byte
	ref  evidence.Ref
	file string
	left leftPlace // where it lies in the space of a file that has nothing to do with it
	h    *seenHost

	gone    evidence.Time // when the file that still had it was deleted
	removed bool          // taken out of the log, not lost with its end
	mixed   bool          // together with lines about other addresses
}

// removedLogs makes logs of the lines that no log has any more, to be read like others.
func (r *run) removedLogs(s *shovel, removed map[int32][]oldRun) error {
	left := maxRemovedText
	sites := s.tallies(removed, func(l *carved) []byte {
		b := make([]byte, l.size)
		n, _ := s.origins[l.origin].r.ReadAt(b, l.off)
		return b[:n]
	})
	for f := range s.families {
		j := s.families[f]
		var old []oldLine
		c := casefile.Removed{Path: printable(j.entry.Path)}
		for _, run := range removed[int32(f)] {
			if t := sites[s.siteOf(run.from, int32(f))]; t != nil && t.extract() {
				continue
			}
			run.closed = run.closed && !s.voices[f].broken
			lines := r.linesOfRun(s, run, j, &left)
			for _, l := range lines {
				if c.Source = l.h.Source; l.removed {
					c.Lines++
					c.First, c.Last = earlier(c.First, l.at.String()), later(c.Last, l.at.String())
				} else {
					c.Lost++
				}
			}
			old = append(old, lines...)
		}
		if len(old) == 0 {
			continue
		}
		slices.SortStableFunc(old, func(a, b oldLine) int {
			return a.at.Compare(b.at)
		})
		r.buried = append(r.buried, newBurial(j, old))
		r.res.Removed = append(r.res.Removed, c)
	}
	if s.full {
		r.damage(evidence.Damage{Reason: fmt.Sprintf("more than %d lines of logs lie in free space: the rest was not looked at", maxCarved)})
	}
	return r.ctx.Err()
}

func earlier(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

func later(a, b string) string { return max(a, b) }

// linesOfRun reads the lines of a row, but for those that were found elsewhere, too.
func (r *run) linesOfRun(s *shovel, run oldRun, j *job, left *int) (out []oldLine) {
	about := ""
	mixed := false
	for i := run.from; i < run.to; i++ {
		l := &s.lines[i]
		o := &s.origins[l.origin]
		if *left -= int(l.size) + 1; l.again || *left < 0 {
			continue
		}
		b := make([]byte, l.size)
		if n, err := o.r.ReadAt(b, l.off); n < len(b) {
			r.damage(evidence.Damage{Ref: evidence.Ref{Source: o.source, Path: o.path, Off: l.off, Len: int64(l.size)}, Reason: err.Error()})
			continue
		}
		if a := detect.AddressIn(string(b)); a != "" {
			mixed = mixed || about != "" && about != a
			about = a
		}
		out = append(out, oldLine{at: stampOf(b, l.form, o.h.Zone, j.entry.Meta.Mtime), text: b, ref: evidence.Ref{Source: o.source, Path: o.path, Off: l.off, Len: int64(l.size)},
			file: o.file, left: o.leftAt(l.off), gone: o.gone, h: o.h, removed: run.closed})
	}
	for i := range out {
		out[i].mixed = mixed
	}
	return out
}

// burial is a log made of removed lines.
type burial struct {
	h     *seenHost
	job   *job
	lines []oldLine
}

func newBurial(of *job, old []oldLine) burial {
	var b bytes.Buffer
	places := make([]place, 0, len(old))
	for _, l := range old {
		places = append(places, place{int64(b.Len()), l.ref, l.removed})
		b.Write(l.text)
		if of.art.Name != "utmp" {
			b.WriteByte('\n')
		}
	}
	e := host.Alone(of.entry.Path, bytes.NewReader(b.Bytes()), int64(b.Len()), of.entry.Meta.Mtime)
	return burial{old[0].h, &job{entry: e, art: of.art, family: "removed from " + of.family, places: places}, old}
}

// place says where the bytes of a made log from start on really lie.
type place struct {
	start   int64
	ref     evidence.Ref
	removed bool
}

// really gives the place of what a made log's event refers to, and what has become of the line.
func (j *job) really(ref evidence.Ref) (evidence.Ref, string) {
	i, ok := slices.BinarySearchFunc(j.places, ref.Off, func(p place, off int64) int { return cmp.Compare(p.start, off) })
	if !ok {
		i--
	}
	if i < 0 {
		return ref, ""
	}
	if j.places[i].removed {
		return j.places[i].ref, "removed"
	}
	return j.places[i].ref, "lost"
}

// stampOf gives a line's time; a stamp without a year is of the last year that is not after the log's last change.
func stampOf(b []byte, form carve.Form, zone *time.Location, until evidence.Time) evidence.Time {
	year := until.Std().Year()
	if !until.Known() {
		year = time.Now().Year()
	}
	switch form {
	case carve.Access:
		if i := bytes.IndexByte(b, '['); i >= 0 {
			t, _ := logclock.CLF(b[i+1:])
			return t
		}
	case carve.Audit:
		if _, rest, ok := bytes.Cut(b, []byte("msg=audit(")); ok {
			var sec, ms int64
			fmt.Sscanf(string(rest[:min(len(rest), 32)]), "%d.%d", &sec, &ms)
			return evidence.Unix(sec, ms*1e6, time.Millisecond)
		}
	case carve.Login:
		if len(b) == loginRecord {
			le := func(at int) int64 { return int64(b[at]) | int64(b[at+1])<<8 | int64(b[at+2])<<16 | int64(b[at+3])<<24 }
			return evidence.Unix(le(340), le(344)*1000, time.Microsecond)
		}
	case carve.Error:
		c := logclock.Clock{Zone: zone}
		t, _ := c.Asctime(b[1:])
		return t
	case carve.Syslog:
		if b[0] == '<' {
			if i := bytes.IndexByte(b, '>'); i > 0 {
				b = bytes.TrimPrefix(b[i+1:], []byte("1 "))
			}
		}
		for ; ; year-- {
			c := logclock.Clock{Zone: zone, Year: year}
			t, n := c.BSD(b)
			if n == 0 {
				t, _ = c.ISO(b)
				return t
			}
			if !until.Known() || !t.After(until.Add(24*time.Hour)) || year < until.Std().Year() {
				return t
			}
		}
	}
	return evidence.Time{}
}

// exhume shows the detections the removed lines: as what they tell, and each as removed.
func (r *run) exhume() {
	told := 0
	for i := range r.buried {
		b := &r.buried[i]
		r.stage("reading lines that were removed from " + b.job.entry.Path)
		r.parse(b.h, b.job)
		for k := range b.lines {
			if !b.lines[k].removed {
				continue
			}
			if told++; told > maxRemovedTold {
				return
			}
			r.showRemoved(b, &b.lines[k])
		}
	}
}

func (r *run) showRemoved(b *burial, l *oldLine) {
	ev := event.Event{Kind: event.LineRemoved, At: l.at, Ref: l.ref}
	ev.AddText(event.FilePath, b.job.entry.Path)
	text := l.text
	if b.job.art.Name == "utmp" && len(text) == loginRecord {
		field := func(from, to int) string { return strings.TrimRight(string(text[from:to]), "\x00") }
		text = []byte(fmt.Sprintf("record of %s on %s from %s at %s", field(44, 76), field(8, 40), field(76, 332), l.at))
	}
	ev.Add(event.Message, text)
	from := "free space"
	switch {
	case strings.Contains(l.file, " in the snapshot "), strings.HasPrefix(l.file, inSpace):
		from = l.file
	case l.file != "":
		from = "the deleted " + l.file
	}
	ev.AddText(event.Change, "found in "+from)
	ev.AddText(event.FileCtime, exact(l.gone))
	if l.mixed {
		ev.AddText(event.RecordType, "mixed")
	}
	ev.Raw = text
	r.emit(&ev)
}
