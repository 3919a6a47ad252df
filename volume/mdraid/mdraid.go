// Package mdraid reads arrays of Linux' md driver (software RAID): superblocks 0.90 (of both byte orders),
// 1.0, 1.1 and 1.2, levels linear, 0, 1, 4, 5, 6 and 10, with members missing where the level allows it.
// Members that fell out of the array are left out; of a mirror they are given as its earlier state. A
// write journal or partial parity log is not replayed, which is said. Sizes and offsets are in bytes.
//
// Source: Linux 6.1, include/uapi/linux/raid/md_p.h and drivers/md/md.c; md(4).
package mdraid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"

	"telltale/internal/limit"
	"telltale/volume"
	"telltale/volume/internal/raid"
)

// Levels that are no number of RAID (md_p.h).
const (
	levelLinear    = -1
	levelContainer = -100
)

// maxNotes bounds what hostile superblocks make us say of one array.
const maxNotes = 100

var errNotSupported = errors.New("not supported")

// Manager describes the member.
func Manager() volume.Manager {
	return volume.Manager{Name: "mdraid", Doc: "Linux software RAID (md)", Probe: probe, Make: assemble}
}

func probe(m volume.Member) bool {
	_, err := find(m)
	return !errors.Is(err, errNone)
}

// member is a source with its superblock.
type member struct {
	volume.Member
	*super
}

// array is the members that say they belong together.
type array struct {
	members []member
	newest  *super
	notes   []string
}

func (a *array) note(format string, args ...any) {
	if len(a.notes) < maxNotes {
		a.notes = append(a.notes, fmt.Sprintf(format, args...))
	}
}

func assemble(ctx context.Context, ms []volume.Member, o volume.Options) (vs []volume.Volume, notes []string, err error) {
	var arrays []*array
	for _, m := range ms {
		s, err := find(m)
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s is left out: %v", m.Name, err))
			continue
		}
		arrays = group(arrays, member{m, s})
	}
	for _, a := range arrays {
		if err := ctx.Err(); err != nil {
			return vs, notes, err
		}
		made, err := a.volumes(o.Budget)
		if err != nil {
			notes = append(notes, append(a.notes, fmt.Sprintf("%s (%s) is not read: %v", a.newest.volumeName(), a.newest.levelName(), err))...)
			continue
		}
		vs = append(vs, made...)
	}
	return vs, notes, nil
}

func group(arrays []*array, m member) []*array {
	for _, a := range arrays {
		if a.newest.uuid == m.uuid {
			a.members = append(a.members, m)
			if m.events > a.newest.events {
				a.newest = m.super
			}
			return arrays
		}
	}
	return append(arrays, &array{members: []member{m}, newest: m.super})
}

// volumes gives the array, and behind it what members that fell out of a mirror hold.
func (a *array) volumes(b *limit.Budget) ([]volume.Volume, error) {
	s := a.newest
	if s.features&^uint32(featuresKnown) != 0 {
		return nil, fmt.Errorf("it has unknown features %#x: %w", s.features&^uint32(featuresKnown), errNotSupported)
	}
	if n := s.places(); s.disks < 1 || n > maxRoles {
		return nil, fmt.Errorf("it has %d members: %w", n, raid.ErrGeometry)
	}
	chosen, stale := a.choose()
	a.tell(chosen)
	legs, err := a.legs(chosen, b)
	if err != nil {
		return nil, err
	}
	name := s.volumeName()
	lay := a.lay
	if s.features&featureReshape != 0 {
		lay = a.reshaped
	}
	r, err := lay(name, legs)
	if err != nil {
		return nil, err
	}
	vs := []volume.Volume{{ReaderAt: r, Size: r.Size, Name: name, Made: s.created, Notes: a.notes}}
	if s.level == 1 {
		vs = append(vs, a.earlier(name, stale)...)
	}
	return vs, nil
}

// choose gives for each role the member that is up to date, nil for none, and what is not.
func (a *array) choose() (chosen []*member, stale []*member) {
	sort.SliceStable(a.members, func(i, j int) bool { return a.members[i].events > a.members[j].events })
	chosen = make([]*member, a.newest.places())
	for i := range a.members {
		m := &a.members[i]
		switch {
		case m.role == roleJournal:
			a.note("%s is the array's write journal, which is not replayed: the last writes may be missing", m.Name)
		case m.role >= len(chosen):
			a.note("%s is a spare or a failed member, and left out", m.Name)
		case a.newest.events-m.events > 1: // the kernel takes one that is one behind
			a.note("%s is left out: it is stale (%d events, last written %s; the array has %d, %s)", m.Name, m.events, m.updated, a.newest.events, a.newest.updated)
			stale = append(stale, m)
		case chosen[m.role] != nil && chosen[m.role].Size == m.Size && same(chosen[m.role], m):
			a.note("%s is the same member as %s", m.Name, chosen[m.role].Name)
		case chosen[m.role] != nil:
			a.note("%s and %s both say that they are member %d; the first is used", chosen[m.role].Name, m.Name, m.role)
		default:
			chosen[m.role] = m
		}
	}
	return chosen, stale
}

// same tells whether two sources have the same superblock: the same disk, imaged twice.
func same(a, b *member) bool {
	x, y := make([]byte, superSize), make([]byte, superSize)
	n, _ := a.ReadAt(x, a.at) // what cannot be read is not the same
	m, _ := b.ReadAt(y, b.at)
	return n == m && n > 0 && bytes.Equal(x, y)
}

// tell notes what a user must know of the array.
func (a *array) tell(chosen []*member) {
	s, missing := a.newest, 0
	for _, m := range chosen {
		if m == nil {
			missing++
		}
	}
	if missing > 0 {
		a.note("it is degraded: %d of %d members are missing", missing, len(chosen))
	}
	if s.dirty && (s.level >= 4 || s.level == 1) {
		a.note("it was not in sync when it was last written (not stopped in order, or still building)")
	}
	if s.features&featureJournal != 0 {
		a.note("it has a write journal, which is not replayed")
	}
	if s.features&(featurePPL|featureMultiplePPLs) != 0 {
		a.note("it has partial parity logs, which are not replayed")
	}
	if s.features&featureClustered != 0 {
		a.note("it is shared by a cluster")
	}
}

// legs gives the data areas of the members in use. A member that is missing has the size of the others.
func (a *array) legs(chosen []*member, b *limit.Budget) ([]raid.Leg, error) {
	legs := make([]raid.Leg, len(chosen))
	var size int64
	alike := true
	for i, m := range chosen {
		if m == nil {
			continue
		}
		if m.dataOff >= m.Size || m.dataSize <= 0 {
			a.note("%s: its data lie beyond its end at byte %d: left out", m.Name, m.Size)
			continue
		}
		legs[i] = a.leg(m, b)
		alike = alike && (size == 0 || size == m.dataSize)
		size = max(size, m.dataSize)
	}
	if size == 0 {
		return nil, errors.New("none of its members is here")
	}
	for i := range legs {
		if legs[i].ReaderAt == nil {
			legs[i].Size = size
			if a.newest.size == 0 && !alike {
				return nil, fmt.Errorf("member %d is missing, and the others are of several sizes, so that its size is not known", i)
			}
		}
	}
	return legs, nil
}

// leg gives the data area of a member, and notes what of it is not read.
func (a *array) leg(m *member, b *limit.Budget) raid.Leg {
	area := &data{m: *m, off: m.dataOff}
	if m.dataSize > m.Size-m.dataOff {
		a.note("%s is cut: its data should go to byte %d, it has %d", m.Name, m.dataOff+m.dataSize, m.Size)
	}
	if err := area.badBlocks(b); err != nil {
		a.note("%s: its list of bad blocks cannot be read: %v", m.Name, err)
	}
	if n := len(area.bad); n > 0 {
		a.note("%s has a list of %d runs of bad blocks, which are not read from it", m.Name, n)
	}
	if m.features&featureRecovery != 0 && m.recovered < m.dataSize {
		a.note("%s was being rebuilt: only its first %d bytes are used", m.Name, m.recovered)
		return raid.Leg{ReaderAt: area, Size: m.recovered}
	}
	return raid.Leg{ReaderAt: area, Size: m.dataSize}
}

// lay lays the array over its members.
func (a *array) lay(name string, legs []raid.Leg) (*raid.Array, error) {
	s := a.newest
	size := s.size
	if size <= 0 {
		size = legs[0].Size
	}
	switch s.level {
	case levelLinear:
		if s.chunk > 0 {
			for i := range legs {
				legs[i].Size = legs[i].Size / s.chunk * s.chunk
			}
		}
		return raid.Linear(name, legs)
	case 0:
		return raid.Stripe(name, legs, s.chunk, a.original(legs))
	case 1:
		if n, at := raid.Differ(legs, size); n > 0 {
			a.note("its members differ in %d of up to %d places looked at, first at byte %d: the first member that can be read is used", n, raid.Places, at)
		}
		return raid.Mirror(name, legs, size)
	case 4, 5, 6:
		return a.parity(name, legs, s.chunk, s.layout)
	case 10:
		return raid.Ten(name, legs, s.chunk, s.layout, size)
	}
	return nil, fmt.Errorf("its level is %s: %w", s.levelName(), errNotSupported)
}

// reshaped lays an array that was growing or changing its layout over its members: one side of where it
// had come to is new, the other old.
func (a *array) reshaped(name string, legs []raid.Leg) (*raid.Array, error) {
	s := a.newest
	if s.level < 4 || s.level > 6 || s.newLevel != s.level {
		return nil, fmt.Errorf("it was being reshaped, to level %d, and had come to byte %d: %w", s.newLevel, s.reshape, errNotSupported)
	}
	a.note("it was being reshaped, from %d members to %d, and had come to byte %d: what lies before and behind is read by the layout that each had", s.disks-s.delta, s.disks, s.reshape)
	moved := make([]raid.Leg, s.disks)
	for i := range moved {
		moved[i] = legs[i]
		if d, ok := legs[i].ReaderAt.(*data); ok {
			moved[i].ReaderAt = &data{m: d.m, bad: d.bad, off: d.off + d.m.newOffset}
		}
	}
	before, err := a.parity(name, legs[:s.disks-s.delta], s.chunk, s.layout)
	if err != nil {
		return nil, err
	}
	after, err := a.parity(name, moved, s.newChunk, s.newLayout)
	if err != nil {
		return nil, err
	}
	if s.features&featureBackwards != 0 || s.delta < 0 {
		return raid.Split(name, s.reshape, before, after), nil
	}
	return raid.Split(name, s.reshape, after, before), nil
}

func (a *array) parity(name string, legs []raid.Leg, chunk int64, layout uint32) (*raid.Array, error) {
	if a.newest.level == 4 {
		layout = raid.ParityN
	}
	return raid.Parity(name, legs, a.newest.level, chunk, layout, a.newest.size)
}

// original tells which of level 0's two layouts an array of members of several sizes has. Only new
// superblocks say it.
func (a *array) original(legs []raid.Leg) bool {
	const original, alternate = 1, 2 // RAID0_ORIG_LAYOUT, RAID0_ALT_MULTIZONE_LAYOUT
	s, several := a.newest, false
	for _, l := range legs {
		several = several || s.chunk > 0 && l.Size/s.chunk != legs[0].Size/s.chunk
	}
	if !several {
		return false
	}
	if s.features&featureRaid0Layout != 0 && (s.layout == original || s.layout == alternate) {
		a.note("its members are of several sizes, laid out as the superblock says (%s)", map[bool]string{true: "original", false: "alternate"}[s.layout == original])
		return s.layout == original
	}
	a.note("its members are of several sizes, and the superblock does not say in which of two layouts: that of Linux 3.14 and later is taken, and what lies beyond the smallest member may be wrong")
	return false
}

// earlier gives the members that fell out of a mirror: what the array was when they did.
func (a *array) earlier(name string, stale []*member) (vs []volume.Volume) {
	for _, m := range stale {
		if m.dataOff >= m.Size || m.dataSize <= 0 {
			continue
		}
		size := m.size
		if size <= 0 {
			size = m.dataSize
		}
		own := fmt.Sprintf("%s@%d", name, m.events)
		r, err := raid.Mirror(own, []raid.Leg{{ReaderAt: &data{m: *m, off: m.dataOff}, Size: m.dataSize}}, size)
		if err != nil {
			a.note("%s: %v", m.Name, err)
			continue
		}
		vs = append(vs, volume.Volume{ReaderAt: r, Size: r.Size, Name: own, Earlier: true, Of: name, Made: m.updated,
			Notes: []string{fmt.Sprintf("%s fell out of %s: what it holds was last written %s", m.Name, name, m.updated)}})
	}
	return vs
}
