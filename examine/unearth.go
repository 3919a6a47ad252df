package examine

import (
	"cmp"
	"errors"
	"hash/maphash"
	"io"
	"iter"
	"runtime/debug"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/carve"
	"telltale/internal/lines"
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
	path   string        // of the evidence.Ref
	file   string        // the deleted file's path, "" for raw space
	gone   evidence.Time // when it was deleted, where that is known
	left   *leftovers    // space that files never wrote to, nil for another source
}

// carved is one line that was found outside of living files.
type carved struct {
	hash     uint64
	off      int64
	origin   int32
	family   int32 // index of the living log that has it, -1 for none
	start    int32 // index of the first line of the row without a break that it is in
	size     uint16
	about    uint16 // of the hash of the address that it names, 0 for none
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
	voices   []voices
	index    map[string]int32
	byHash   []int32 // indices into lines, by hash
	filter   []uint64
	full     bool
	journals *journals // what was found of systemd's journals, nil for nothing
}

const filterBits = 1 << 24

// unearth carves lines, takes out those that still stand in a log, and keeps those that were removed as logs to be read.
func (r *run) unearth() error {
	s := &shovel{seed: maphash.MakeSeed(), index: map[string]int32{}}
	if err := r.carveAll(s); err != nil {
		return err
	}
	defer r.nameLeftovers()
	if err := r.lostJournals(s); err != nil || len(s.lines) == 0 {
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

// carveAll looks through deleted logs, free space, space that was never written, snapshots and swap.
func (r *run) carveAll(s *shovel) error {
	for i := range r.graves {
		g := &r.graves[i]
		for f, p := range g.oldLogs() {
			o := origin{h: g.h, r: io.NewSectionReader(f.Content, 0, f.Meta.Size), source: g.h.Source, path: g.ref(f).Path, file: p, gone: goneOf(f)}
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
			if err := r.carveLeftovers(s, h, m); err != nil {
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
		if p.Form == carve.JournalFile || p.Form == carve.JournalEntry {
			r.journalPiece(s, n, p)
			continue
		}
		if len(s.lines) >= maxCarved {
			s.full = true
			return nil
		}
		l := carved{hash: maphash.Bytes(s.seed, p.Text), off: p.Off, origin: n, family: -1, start: int32(len(s.lines)), size: uint16(len(p.Text)), form: p.Form, adjacent: p.Adjacent}
		if i := len(s.lines) - 1; p.Adjacent && i >= 0 && s.lines[i].origin == n {
			l.start = s.lines[i].start
		}
		if a := detect.AddressIn(string(p.Text)); a != "" {
			l.about = uint16(maphash.String(s.seed, a)) | 1
		}
		s.lines = append(s.lines, l)
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
		s.index[key], s.families, s.voices = f, append(s.families, j), append(s.voices, voices{})
	}
	s.families[f] = j // jobs are oldest first: the newest stays
	src, _, err := unpack.Reader(readAhead(h.File(&j.entry)))
	if err != nil {
		s.voices[f].broken = true
		return nil // told when it is parsed
	}
	defer src.Close()
	if j.art.Name == "utmp" {
		b := make([]byte, loginRecord)
		for {
			if _, err := io.ReadFull(src, b); err != nil {
				s.voices[f].broken = s.voices[f].broken || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
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
		if j.art.Name == "syslogfile" {
			s.voices[f].hear(s.seed, l.Text)
		}
	}
	s.voices[f].broken = s.voices[f].broken || lr.Err() != nil
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

// collectOften is how much the heap may grow between two collections of garbage while disks are examined, percent: what is looked through is large
// there, and little of it is kept.
const collectOften = 50

// sparing keeps memory low where there is a disk that removed lines are looked for on; what it gives undoes that.
func (r *run) sparing() (restore func()) {
	if !slices.ContainsFunc(r.hosts, func(h *seenHost) bool { return h.Kind == host.KindDisk || h.Kind == host.KindVolume }) {
		return func() {}
	}
	before := debug.SetGCPercent(collectOften)
	return func() { debug.SetGCPercent(before) }
}
