package examine

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"telltale/artifact"
	"telltale/artifact/journald"
	"telltale/evidence"
	"telltale/internal/carve"
)

// Entries of systemd's journals that were found outside of living ones. An entry counts as removed only where, in the file that still has it,
// it lies between two that stand in a living journal: then that is a copy from which it was left out. The others went with their file, which
// journald does with old ones of itself: they are read, and held against nobody.

// Bounds of what is kept of them.
const (
	maxLostEntries  = 400_000 // that are found; each is kept by its place and times, 80 bytes
	maxReadEntries  = 100_000 // that are put together, the newest
	maxJournalBoots = 10_000
	standingBits    = 1 << 27
	standingHashes  = 4
)

// lostHead is an entry by its head.
type lostHead struct {
	off    int64
	run    journald.Run
	origin int32
	stands bool
	head   journald.Head
}

// journals holds what was found of journals.
type journals struct {
	seed     maphash.Seed
	stands   []uint64 // the stamps of all entries that living journals have: a filter that errs towards "stands"
	boots    map[[16]byte]*seenHost
	machines map[[16]byte]*seenHost
	broken   bool // a living journal could not be read whole: what seems to be missing may stand there
	heads    []lostHead
	file     int64 // the last header in the source at hand, -1 for none
	inOf     int32 // the source
	full     bool
	before   []int // by head: the one before it in the same run that stands, -1 for none
	after    []int
}

// journalPiece takes what the carver found of a journal.
func (r *run) journalPiece(s *shovel, origin int32, p carve.Piece) {
	j := s.journals
	if j == nil {
		j = &journals{seed: s.seed, inOf: -1, boots: map[[16]byte]*seenHost{}, machines: map[[16]byte]*seenHost{}}
		s.journals = j
		r.standingJournals(j)
	}
	if origin != j.inOf {
		j.inOf, j.file = origin, -1
	}
	if p.Form == carve.JournalFile {
		if _, ok := journald.Machine(p.Text); ok {
			j.file = p.Off
		}
		return
	}
	h := journald.HeadOf(p.Text)
	x := lostHead{off: p.Off, run: journald.Run{From: p.In.Off, To: p.In.Off + p.In.Len, Header: j.file}, origin: origin, stands: j.standing(h.Stamp, false), head: h}
	if n := len(j.heads); x.stands && n > 1 && j.heads[n-1].stands && j.heads[n-2].stands && j.heads[n-2].run == x.run && j.heads[n-2].origin == origin {
		j.heads[n-1] = x // of a row that stands the first and the last are enough
		return
	}
	if len(j.heads) >= maxLostEntries {
		j.full = true
		return
	}
	j.heads = append(j.heads, x)
}

// standing tells whether a living journal has an entry; put notes that one has.
func (j *journals) standing(s journald.Stamp, put bool) bool {
	a := maphash.Bytes(j.seed, s[:])
	step := a>>32 | 1
	all := true
	for i := range uint64(standingHashes) {
		bit := (a + i*step) % standingBits
		if put {
			j.stands[bit/64] |= 1 << (bit % 64)
		}
		all = all && j.stands[bit/64]>>(bit%64)&1 == 1
	}
	return all
}

// standingJournals reads the living journals of all hosts.
func (r *run) standingJournals(j *journals) {
	j.stands = make([]uint64, standingBits/64)
	for _, h := range r.hosts {
		if b, err := h.ReadFile("/etc/machine-id"); err == nil {
			if id, err := hex.DecodeString(strings.TrimSpace(string(b))); err == nil && len(id) == 16 {
				j.machines[[16]byte(id)] = h
			}
		}
		for _, x := range h.jobs {
			if x.art.Name != "journald" || x.inside != nil {
				continue
			}
			r.stage("holding what was found against " + x.entry.Path)
			f := h.File(&x.entry)
			machine, whole, err := journald.Heads(r.ctx, f, f.Size(), func(e journald.Head) {
				j.standing(e.Stamp, true)
				if len(j.boots) < maxJournalBoots {
					j.boots[e.Boot] = h
				}
			})
			j.broken = j.broken || err != nil || !whole
			if err == nil && machine != [16]byte{} {
				j.machines[machine] = h
			}
		}
	}
}

// found is an entry that stands in no living journal, put together.
type found struct {
	journald.LostEntry
	h    *seenHost
	line oldLine
	gap  int // the head before it that stands, -1 for none
}

// lostJournals puts together the entries that no living journal has, and makes journals of them, one for each place that they stood in.
func (r *run) lostJournals(s *shovel) error {
	j := s.journals
	if j == nil {
		return nil
	}
	r.stage("putting entries of lost journals together")
	picked := j.pick()
	j.neighbours()
	reader := &journalReader{run: r, s: s, anchors: map[int]anchor{}}
	byPath := map[string][]found{}
	strangers := 0
	seen := map[journald.Stamp]bool{}
	for _, i := range picked {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if seen[j.heads[i].head.Stamp] {
			continue
		}
		f, ok := reader.read(i)
		if !ok {
			continue
		}
		if seen[f.Stamp] = true; f.h == nil {
			strangers++
			continue
		}
		p := pathOfJournal(&f)
		byPath[p] = append(byPath[p], f)
	}
	left := maxRemovedText
	paths := make([]string, 0, len(byPath))
	for p := range byPath {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		r.buryJournal(p, byPath[p], &left)
	}
	r.tellJournals(j, strangers, reader.full, left)
	return nil
}

// pick gives the newest entries that stand nowhere, in the order in which they lie.
func (j *journals) pick() (out []int) {
	for i := range j.heads {
		if !j.heads[i].stands {
			out = append(out, i)
		}
	}
	if len(out) > maxReadEntries {
		slices.SortFunc(out, func(a, b int) int { return cmp.Compare(j.heads[b].head.Real, j.heads[a].head.Real) })
		out = out[:maxReadEntries]
		slices.Sort(out)
		j.full = true
	}
	return out
}

// tellJournals says what was left out.
func (r *run) tellJournals(j *journals, strangers int, full bool, left int) {
	tell := func(format string, a ...any) { r.damage(evidence.Damage{Reason: fmt.Sprintf(format, a...)}) }
	if j.full || full || left < 0 {
		tell("more entries of lost journals lie outside of living ones than are read: the newest %d were", maxReadEntries)
	}
	if strangers > 0 {
		tell("%d entries of journals that are in no living one were not read: nothing says that they are this host's", strangers)
	}
}

// neighbours finds for each head those around it that stand, in the same run.
func (j *journals) neighbours() {
	j.before, j.after = make([]int, len(j.heads)), make([]int, len(j.heads))
	same := func(a, b int) bool {
		return j.heads[a].origin == j.heads[b].origin && j.heads[a].run.From == j.heads[b].run.From
	}
	last := -1
	for i := range j.heads {
		if last >= 0 && !same(last, i) {
			last = -1
		}
		if j.before[i] = last; j.heads[i].stands {
			last = i
		}
	}
	last = -1
	for i := len(j.heads) - 1; i >= 0; i-- {
		if last >= 0 && !same(last, i) {
			last = -1
		}
		if j.after[i] = last; j.heads[i].stands {
			last = i
		}
	}
}

// journalArtifact gives the artefact that reads journals, nil where it was not asked for.
func (r *run) journalArtifact() *artifact.Artifact {
	for _, a := range r.o.Artifacts {
		if a.Name == "journald" {
			return a
		}
	}
	return nil
}
