package examine

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"telltale/casefile"
	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/carve"
	"telltale/internal/lines"
	"telltale/internal/logclock"
	"telltale/internal/unpack"
)

// Bounds of what is kept of carved lines.
const (
	maxCarved      = 3 << 20  // lines; each is kept by its place and hash, 40 bytes
	maxRemovedText = 32 << 20 // bytes of removed lines that are read again
	maxRemovedTold = 50_000   // lines that are shown to the detections one by one
	loginRecord    = 384      // bytes, sizeof(struct utmp)
)

// origin is where lines were carved from.
type origin struct {
	h      *seenHost
	r      io.ReaderAt
	source string
	path   string // of the evidence.Ref
	file   string // the deleted file's path, "" for raw space
}

// carved is one line that was found outside of living files.
type carved struct {
	hash     uint64
	off      int64
	origin   int32
	family   int32 // index of the living log that has it, -1 for none
	size     uint16
	form     carve.Form
	adjacent bool
	again    bool // the same line was found before
}

// shovel holds all carved lines of a run.
type shovel struct {
	seed     maphash.Seed
	lines    []carved
	origins  []origin
	families []*job // the newest file of each living log
	index    map[string]int32
	byHash   []int32 // indices into lines, by hash
	filter   []uint64
	full     bool
}

const filterBits = 1 << 24

// unearth carves lines, takes out those that still stand in a log, and keeps those that were removed as logs to be read.
func (r *run) unearth() error {
	s := &shovel{seed: maphash.MakeSeed(), index: map[string]int32{}}
	if err := r.carveAll(s); err != nil || len(s.lines) == 0 {
		return err
	}
	s.sort()
	for _, h := range r.hosts {
		done := map[string]bool{}
		for _, j := range h.jobs {
			if !j.art.Log || done[j.entry.Path] || j.art.Random && j.art.Name != "utmp" {
				continue
			}
			done[j.entry.Path] = true
			r.stage("holding what was found against " + j.entry.Path)
			if err := r.subtract(s, h, j); err != nil {
				return err
			}
		}
	}
	return r.removedLogs(s, s.removed())
}

// carveAll looks through deleted logs, free space and swap.
func (r *run) carveAll(s *shovel) error {
	for i := range r.graves {
		g := &r.graves[i]
		for f, p := range g.oldLogs() {
			o := origin{h: g.h, r: io.NewSectionReader(f.Content, 0, f.Meta.Size), source: g.h.Source, path: g.ref(f).Path, file: p}
			if err := r.carve(s, o, oneExtent(0, min(f.Meta.Size, maxOldLog))); err != nil {
				return err
			}
		}
	}
	for _, h := range r.hosts {
		for i := range h.Mounts {
			m := &h.Mounts[i]
			if _, ok := m.FS.(filesystem.FreeSpacer); !ok || m.Raw == nil || h.MountedBefore(i) {
				continue
			}
			r.stage("looking for removed lines in the free space of " + strings.TrimRight(m.Prefix, ":!"))
			if err := r.carve(s, origin{h: h, r: m.Raw, source: h.Source, path: m.Prefix + "free space"}, r.freeSpace(m, h.Source)); err != nil {
				return err
			}
		}
	}
	if err := r.earlierLogs(s); err != nil {
		return err
	}
	for i, in := range r.inputs {
		for _, w := range in.Swaps {
			if len(in.Hosts) == 0 {
				continue
			}
			r.stage("looking for removed lines in swap space")
			o := origin{h: r.hostOf(in.Hosts[0]), r: w, source: r.res.Sources[min(i, len(r.res.Sources)-1)].ID, path: w.Prefix}
			if err := r.carve(s, o, oneExtent(w.Skip, w.Size-w.Skip)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) hostOf(h *host.Host) *seenHost {
	for _, x := range r.hosts {
		if x.Host == h {
			return x
		}
	}
	return nil
}

func (r *run) carve(s *shovel, o origin, extents iter.Seq[carve.Extent]) error {
	if o.h == nil {
		return nil
	}
	s.origins = append(s.origins, o)
	n, faults := int32(len(s.origins)-1), 0
	for p, err := range carve.Scan(r.ctx, o.r, extents) {
		if err != nil {
			if r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			if faults++; faults < 100 {
				r.damage(evidence.Damage{Ref: evidence.Ref{Source: o.source, Path: o.path}, Reason: err.Error()})
			}
			continue
		}
		if len(s.lines) >= maxCarved {
			s.full = true
			return nil
		}
		s.lines = append(s.lines, carved{hash: maphash.Bytes(s.seed, p.Text), off: p.Off, origin: n, family: -1, size: uint16(len(p.Text)), form: p.Form, adjacent: p.Adjacent})
	}
	return r.ctx.Err()
}

// sort makes the index by hash, and marks what was found more than once.
func (s *shovel) sort() {
	s.byHash = make([]int32, len(s.lines))
	s.filter = make([]uint64, filterBits/64)
	for i := range s.lines {
		s.byHash[i] = int32(i)
		h := s.lines[i].hash % filterBits
		s.filter[h/64] |= 1 << (h % 64)
	}
	slices.SortFunc(s.byHash, func(a, b int32) int {
		return cmp.Or(cmp.Compare(s.lines[a].hash, s.lines[b].hash), cmp.Compare(a, b))
	})
	for i := 1; i < len(s.byHash); i++ {
		a, b := &s.lines[s.byHash[i-1]], &s.lines[s.byHash[i]]
		b.again = a.hash == b.hash
	}
}

// stands marks a line that a living log has.
func (s *shovel) stands(b []byte, family int32) {
	hash := maphash.Bytes(s.seed, b)
	if h := hash % filterBits; s.filter[h/64]&(1<<(h%64)) == 0 {
		return
	}
	i, ok := slices.BinarySearchFunc(s.byHash, hash, func(x int32, h uint64) int { return cmp.Compare(s.lines[x].hash, h) })
	for ; ok && i < len(s.byHash) && s.lines[s.byHash[i]].hash == hash; i++ {
		s.lines[s.byHash[i]].family = family
	}
}

// subtract reads one living log.
func (r *run) subtract(s *shovel, h *seenHost, j *job) error {
	key := h.id + " " + j.family
	f, ok := s.index[key]
	if !ok {
		f = int32(len(s.families))
		s.index[key], s.families = f, append(s.families, j)
	}
	s.families[f] = j // jobs are oldest first: the newest stays
	src, _, err := unpack.Reader(readAhead(h.File(&j.entry)))
	if err != nil {
		return nil // told when it is parsed
	}
	defer src.Close()
	if j.art.Name == "utmp" {
		b := make([]byte, loginRecord)
		for {
			if _, err := io.ReadFull(src, b); err != nil {
				return r.ctx.Err()
			}
			s.stands(b, f)
		}
	}
	n := 0
	lr := lines.NewReader(src)
	for l, ok := lr.Next(); ok; l, ok = lr.Next() {
		if n++; n%4096 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		s.stands(l.Text, f)
	}
	return r.ctx.Err()
}

// run is a row of lines that no log has, behind one that still stands in a log.
type oldRun struct {
	from, to int32 // indices into lines, to not included
	closed   bool  // a line that stands in the same log follows: the row was taken out of it. Else the log was put in place anew, and what the log daemon wrote to the old one afterwards is lost, too
}

// removed gives the rows of lines that no log has, by the log that they stood in.
func (s *shovel) removed() map[int32][]oldRun {
	out := map[int32][]oldRun{}
	family, form, open := int32(-1), carve.None, false
	end := func() { family, open = -1, false }
	for i := range s.lines {
		l := &s.lines[i]
		if !l.adjacent || i == 0 || s.lines[i-1].origin != l.origin || l.form != form && form != carve.None && family >= 0 {
			end()
		}
		switch {
		case l.family >= 0:
			if open && l.family == family {
				out[family][len(out[family])-1].closed = true
			}
			family, form, open = l.family, l.form, false
		case family < 0:
		case open:
			out[family][len(out[family])-1].to = int32(i) + 1
		default:
			out[family] = append(out[family], oldRun{from: int32(i), to: int32(i) + 1})
			open = true
		}
	}
	return out
}

// oldLine is a removed line with its place.
type oldLine struct {
	at   evidence.Time
	text []byte
	ref  evidence.Ref
	file string
	h    *seenHost

	removed bool // taken out of the log, not lost with its end
	mixed   bool // together with lines about other addresses
}

// removedLogs makes logs of the lines that no log has any more, to be read like others.
func (r *run) removedLogs(s *shovel, removed map[int32][]oldRun) error {
	left := maxRemovedText
	for f := range s.families {
		j := s.families[f]
		var old []oldLine
		c := casefile.Removed{Path: printable(j.entry.Path)}
		for _, run := range removed[int32(f)] {
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
			return cmp.Or(cmp.Compare(a.at.Sec, b.at.Sec), cmp.Compare(a.at.Nsec, b.at.Nsec))
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
			file: o.file, h: o.h, removed: run.closed})
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
	case strings.Contains(l.file, " in the snapshot "):
		from = l.file
	case l.file != "":
		from = "the deleted " + l.file
	}
	ev.AddText(event.Change, "found in "+from)
	if l.mixed {
		ev.AddText(event.RecordType, "mixed")
	}
	ev.Raw = text
	r.emit(&ev)
}
