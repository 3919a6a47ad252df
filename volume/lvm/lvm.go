// Package lvm reads volume groups of LVM2: linear, striped and mirrored volumes, dm-raid's levels 0, 1, 4,
// 5, 6 and 10, thin pools, and snapshots, thin and old, which are earlier states of their origins. The
// metadata are taken from whichever area has the newest valid copy; what the rings still hold of older
// ones is told. Volumes with a cache are read below it where it wrote through; other caches, VDO and
// integrity are named and not read. Sizes and offsets are in bytes.
//
// Source: lvm2 2.03, lib/format_text/layout.h; Linux 6.1, drivers/md/dm-thin-metadata.c,
// dm-snap-persistent.c, dm-raid.c; libvslvm's "Logical Volume Manager (LVM) format".
package lvm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"telltale/evidence"
	"telltale/internal/limit"
	"telltale/volume"
)

// maxNotes bounds what hostile metadata make us say.
const maxNotes = 200

// maxVolumes is how many volumes of a group are given.
const maxVolumes = 20_000

// Manager describes the member.
func Manager() volume.Manager {
	return volume.Manager{Name: "lvm", Doc: "Logical Volume Manager (LVM2)", Probe: probe, Make: assemble}
}

func probe(m volume.Member) bool {
	_, err := readLabel(m)
	return !errors.Is(err, errNone)
}

// maker gathers what all members say.
type maker struct {
	members map[string]*physical
	newest  map[string]*group // by the group's id
	order   []string
	past    map[string]map[int64]version // by the group's id and seqno
	left    map[string]*group            // the newest of these, by the group's id
	notes   []string
	budget  *limit.Budget
}

// version is what is kept of an older metadata text.
type version struct {
	group       string
	written     evidence.Time
	description string
	visible     map[string]evidence.Time // volumes, and when they were made
}

func (k *maker) note(format string, a ...any) {
	if len(k.notes) < maxNotes {
		k.notes = append(k.notes, fmt.Sprintf(format, a...))
	}
}

func assemble(ctx context.Context, ms []volume.Member, o volume.Options) (vs []volume.Volume, notes []string, err error) {
	k := &maker{members: map[string]*physical{}, newest: map[string]*group{}, past: map[string]map[int64]version{}, left: map[string]*group{}, budget: o.Budget}
	for _, m := range ms {
		if err := ctx.Err(); err != nil {
			return nil, k.notes, err
		}
		k.member(m)
	}
	k.takeLeft()
	for _, id := range k.order {
		if err := ctx.Err(); err != nil {
			return vs, k.notes, err
		}
		vs = append(vs, k.volumes(k.newest[id])...)
		k.tellPast(k.newest[id])
	}
	k.tellStrays()
	return vs, k.notes, nil
}

// takeLeft takes the newest text that is left where no area has one in force: their headers are broken.
func (k *maker) takeLeft() {
	for _, id := range slices.Sorted(maps.Keys(k.left)) {
		if g := k.left[id]; k.newest[id] == nil {
			k.newest[id], k.order = g, append(k.order, id)
			k.note("%s: no metadata area is whole: the newest text that is left in one is used, number %d of %s", g.name, g.seqno, g.written)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(k.past)) {
		if k.newest[id] == nil {
			last := slices.Max(slices.Collect(maps.Keys(k.past[id])))
			v := k.past[id][last]
			k.note("%s: this group is no more, removed or merged into another; metadata of it are left, the last number %d of %s, with %d volumes", v.group, last, v.written, len(v.visible))
		}
	}
}

// tellStrays notes physical volumes that no group knows.
func (k *maker) tellStrays() {
	known := map[string]bool{}
	for _, g := range k.newest {
		for _, d := range g.devices {
			known[d.id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(k.members)) {
		if m := k.members[id]; !known[id] {
			k.note("%s is a physical volume (%.32q) of no group that is known here", m.Name, m.uuid)
		}
	}
}

// member reads one physical volume.
func (k *maker) member(m volume.Member) {
	p, err := readLabel(m)
	if err != nil {
		k.note("%s: %v", m.Name, err)
	}
	if p == nil {
		return
	}
	if first := k.members[p.uuid]; first != nil {
		k.note("%s is the same physical volume as %s, which is used", m.Name, first.Name)
		return
	}
	k.members[p.uuid] = p
	for i, e := range p.areas {
		r, err := readRing(p, e, k.budget)
		if err != nil {
			k.note("%s: metadata area %d: %v", m.Name, i, err)
		}
		if r != nil {
			k.texts(p, r, err != nil)
			k.budget.Give(e.size)
		}
	}
}

// texts takes in the text in force and the older ones. Of a broken area the newest of these may be needed.
func (k *maker) texts(p *physical, r *ring, broken bool) {
	if r.text != nil {
		g, err := parseGroup(r.text)
		switch {
		case err != nil:
			k.note("%s: %v", p.Name, err)
		case k.newest[g.id] == nil:
			k.order = append(k.order, g.id)
			k.newest[g.id] = g
		case g.seqno > k.newest[g.id].seqno:
			k.newest[g.id] = g
		}
	}
	for _, text := range r.older() {
		g, err := parseGroup(text)
		if err != nil {
			continue // its start or its end was written over
		}
		if k.past[g.id] == nil {
			k.past[g.id] = map[int64]version{}
		}
		v := version{g.name, g.written, g.description, map[string]evidence.Time{}}
		for _, n := range g.order {
			if l := g.lvs[n]; l.visible && !hidden(l) {
				v.visible[n] = l.created
			}
		}
		k.past[g.id][g.seqno] = v
		if old := k.left[g.id]; broken && (old == nil || g.seqno > old.seqno) {
			k.left[g.id] = g
		}
	}
}

// tellPast notes what the rings still know of the group's past.
func (k *maker) tellPast(g *group) {
	past := k.past[g.id]
	var seqnos []int64
	for n := range past {
		if n < g.seqno {
			seqnos = append(seqnos, n)
		}
	}
	if len(seqnos) == 0 {
		return
	}
	slices.Sort(seqnos)
	first, last := seqnos[0], seqnos[len(seqnos)-1]
	k.note("%s: %d older versions of its metadata are left, number %d of %s to number %d of %s; number %d of %s is in force", g.name, len(seqnos), first, past[first].written, last, past[last].written, g.seqno, g.written)
	told := map[string]bool{}
	for i := len(seqnos) - 1; i >= 0; i-- {
		v, next := past[seqnos[i]], version{written: g.written, description: g.description}
		if i+1 < len(seqnos) {
			next = past[seqnos[i+1]]
		}
		if command(v) == command(next) {
			continue // what a command makes and removes itself
		}
		var names []string
		for n := range v.visible {
			if g.lvs[n] == nil && !told[n] {
				names, told[n] = append(names, n), true
			}
		}
		slices.Sort(names)
		for _, n := range names {
			k.note("%s: volume %q, made %s, was there in number %d of %s and no more at %s: %s", g.name, n, v.visible[n], seqnos[i], v.written, next.written, next.description)
		}
	}
}

// command gives the command that wrote a version: "Write from lvcreate ...", "Write[2] from lvcreate ...".
func command(v version) string {
	_, c, _ := strings.Cut(v.description, " from ")
	return c
}

// hidden tells of volumes that are visible to LVM's user and hold nothing of their own: pools, and what
// ties a snapshot to its origin.
func hidden(l *logical) bool {
	for _, s := range l.segments {
		switch s.kind {
		case "thin-pool", "cache-pool", "vdo-pool", "snapshot":
			return true
		}
	}
	return len(l.segments) == 0
}

// volumes makes the volumes of a group.
func (k *maker) volumes(g *group) (vs []volume.Volume) {
	b := &builder{g: g, members: k.members, nodes: map[string]*node{}, pools: map[string]*pool{}, budget: k.budget}
	for _, n := range slices.Sorted(maps.Keys(g.devices)) {
		if d := g.devices[n]; k.members[d.id] == nil {
			k.note("%s: physical volume %s (%q, %s) is missing", g.name, d.name, d.path, d.id)
		} else if d.away {
			k.note("%s: physical volume %s (%q, %s) was missing when the group last changed: what it holds may be older", g.name, d.name, d.path, d.id)
		}
	}
	stores := map[string]segment{} // exception stores are read as snapshots only
	for _, name := range g.order {
		for _, s := range g.lvs[name].segments {
			if s.kind == "snapshot" {
				stores[s.conf.text("cow_store")] = s
			}
		}
	}
	for _, name := range g.order {
		if len(vs) == maxVolumes {
			k.note("%s has more than %d volumes: the others are not read", g.name, maxVolumes)
			break
		}
		l := g.lvs[name]
		if s, ok := stores[name]; ok {
			vs = k.add(vs, b, name, func() (volume.Volume, error) { return b.snapshot(s) })
		} else if l.visible && !hidden(l) {
			vs = k.add(vs, b, name, func() (volume.Volume, error) { return b.live(l) })
		}
	}
	k.tellThin(b)
	return vs
}

func (k *maker) add(vs []volume.Volume, b *builder, name string, make func() (volume.Volume, error)) []volume.Volume {
	v, err := make()
	if err != nil {
		k.note("%s/%s is not read: %v", b.g.name, name, err)
		return vs
	}
	return append(vs, v)
}

// live gives a volume that is no old snapshot.
func (b *builder) live(l *logical) (volume.Volume, error) {
	n := b.volume(l.name, 0)
	if n.err != nil {
		return volume.Volume{}, n.err
	}
	v := volume.Volume{ReaderAt: n, Size: n.Size, Name: b.g.name + "/" + l.name, Made: l.created, Notes: n.said()}
	if s := l.segments[0]; s.kind == "thin" && s.conf.text("origin") != "" {
		v.Earlier, v.Of = true, b.g.name+"/"+s.conf.text("origin")
	}
	return v, nil
}

// said gives a volume's notes.
func (n *node) said() []string {
	notes := slices.Clone(n.notes)
	if len(n.lacks) > 0 {
		notes = append(notes, "it lies in part on what is missing: "+strings.Join(n.lacks, ", "))
	}
	return notes
}

// snapshot gives an old snapshot: its origin and its exception store put together.
func (b *builder) snapshot(s segment) (volume.Volume, error) {
	origin, name := s.conf.text("origin"), s.conf.text("cow_store")
	if m := s.conf.text("merging_store"); m != "" {
		return volume.Volume{}, fmt.Errorf("%q is being merged into its origin: %w", m, errRefused)
	}
	o, store := b.volume(origin, 0), b.volume(name, 0)
	if err := errors.Join(o.err, store.err); err != nil {
		return volume.Volume{}, err
	}
	c, err := openCow(o, o.Size, store, b.budget)
	if err != nil {
		return volume.Volume{}, err
	}
	both := &node{}
	if err := errors.Join(both.add(o, 1), both.add(store, 1)); err != nil {
		return volume.Volume{}, err
	}
	return volume.Volume{ReaderAt: c, Size: o.Size, Name: b.g.name + "/" + name, Earlier: true, Of: b.g.name + "/" + origin, Made: b.g.lvs[name].created, Notes: both.said()}, nil
}

// tellThin notes thin devices that no volume names, and pools whose metadata are of another transaction.
func (k *maker) tellThin(b *builder) {
	named := map[string]map[uint64]bool{}
	for _, l := range b.g.lvs {
		for _, s := range l.segments {
			if s.kind == "thin" {
				p := s.conf.text("thin_pool")
				if named[p] == nil {
					named[p] = map[uint64]bool{}
				}
				named[p][uint64(s.conf.number("device_id"))] = true
			}
		}
	}
	for _, name := range b.g.order {
		p := b.pools[name]
		if p == nil || p.err != nil {
			continue
		}
		if t := b.g.lvs[name].segments[0].conf.number("transaction_id"); uint64(t) != p.transaction {
			k.note("%s/%s: the pool is at transaction %d, the group's metadata say %d", b.g.name, name, p.transaction, t)
		}
		if p.needsCheck {
			k.note("%s/%s: the pool's metadata are marked as damaged", b.g.name, name)
		}
		const detailSize = 24 // bytes of struct disk_device_details
		ids, err := p.keys(p.details, detailSize, 0, nil, maxDevices)
		if err != nil {
			k.note("%s/%s: its list of devices cannot be read: %v", b.g.name, name, err)
		}
		for _, id := range ids {
			if !named[name][id] {
				k.note("%s/%s: thin device %d is in the pool, and no volume names it", b.g.name, name, id)
			}
		}
	}
}
