// Package vmdk reads VMware's virtual disks: one file or a descriptor with its extents, flat,
// sparse (VMDK3, also with compressed grains as in stream-optimized exports) and COWD (ESX sparse),
// and deltas with their parents. Extents and parents are opened by their base name beside the file
// and nowhere else; where one is not there, what lies in it is damage. SESparse and raw device
// mappings are not read. A sector is 512 bytes; offsets and sizes are in bytes where not said otherwise.
//
// Sources: VMware "Virtual Disk Format 5.0" technical note; libvmdk's documentation "VMware Virtual
// Disk Format (VMDK)" (Joachim Metz) for COWD.
package vmdk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/limit"
)

const (
	sector     = 512 // bytes
	maxSectors = 1 << 53
	maxChain   = 64 // parents behind one another
	maxNotes   = 100
	magicVMDK  = "KDMV"
	magicCOWD  = "COWD"
)

// Format describes the member.
func Format() image.Format {
	return image.Format{
		Name:  "vmdk",
		Doc:   "VMware virtual disk (VMDK)",
		Probe: probe,
		Open: func(ctx context.Context, f image.File, b *limit.Budget) (image.Disk, error) {
			return open(ctx, f, b, nil)
		},
	}
}

func probe(head, _ []byte) bool {
	return len(head) >= 4 && (string(head[:4]) == magicVMDK || string(head[:4]) == magicCOWD) || isDescriptor(head)
}

// disk is a virtual disk: a row of extents.
type disk struct {
	extent.Disk
	file    image.File
	budget  *limit.Budget
	desc    descriptor
	extents []part
	missing string // why what is not allocated cannot be had: the parent is not there
	facts   []image.Fact
	notes   []string
	tables  *extent.LRU[tableKey, []byte]
	inflate inflater
}

// part is where an extent lies on the disk. It is sparse, flat (of data, from at on), zeros, or lost.
type part struct {
	start, end int64
	sparse     *sparse
	flat       image.File
	at         int64
	isFlat     bool
	lost       string
}

var _ image.Describer = (*disk)(nil)

func open(ctx context.Context, f image.File, b *limit.Budget, chain []string) (*disk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cache := extent.CacheFor(len(chain))
	if err := b.Take(2*int64(cache), "caches of a VMDK"); err != nil {
		return nil, err
	}
	d := &disk{file: f, budget: b, tables: extent.NewLRU[tableKey, []byte](cache)}
	d.Cache = cache
	head, err := extent.Bytes(f, 0, min(f.Size, sector), sector, "header")
	if err != nil {
		return nil, fmt.Errorf("open VMDK %q: %w", f.Name, err)
	}
	if isDescriptor(head) {
		err = d.openDescriptor(f)
	} else {
		err = d.openSingle(f)
	}
	if err != nil {
		return nil, fmt.Errorf("open VMDK %q: %w", f.Name, err)
	}
	if err := d.openParent(ctx, append(slices.Clone(chain), f.Name)); err != nil {
		return nil, err
	}
	d.describe()
	d.setUp()
	return d, nil
}

// openSingle opens a sparse file; its embedded descriptor, if there is one, names the parent.
func (d *disk) openSingle(f image.File) error {
	s, err := d.openSparse(f)
	if err != nil {
		return err
	}
	if d.desc, err = s.descriptor(f); err != nil {
		d.note("the embedded descriptor cannot be read: %v", err)
	}
	if d.desc.value("createType") == "" && s.kind == magicVMDK {
		d.note("the file has no descriptor: if it is one extent of several, open the descriptor (a small text file) instead")
	}
	d.extents = []part{{end: s.size, sparse: s}}
	return nil
}

// openDescriptor opens the extents that a descriptor file names. Those that cannot be opened are damage.
func (d *disk) openDescriptor(f image.File) (err error) {
	text, err := extent.Bytes(f, 0, min(f.Size, maxDescriptor), maxDescriptor, "descriptor")
	if err != nil {
		return err
	}
	if d.desc, err = parse(text); err != nil {
		return err
	}
	at := int64(0)
	for _, l := range d.desc.extents {
		if err := d.budget.Take(200, "extents"); err != nil {
			return err
		}
		p := part{start: at, end: at + l.sectors*sector}
		if p.end < at || p.end > maxSectors*sector {
			return errors.New("the extents are too many sectors")
		}
		if err := d.openExtent(&p, l); err != nil {
			if errors.Is(err, limit.ErrLimit) {
				return err
			}
			p.lost = fmt.Sprintf("lies in the extent %q: %v", l.name, err)
			d.note("extent %q: %v: what lies in it cannot be read", l.name, err)
		}
		at = p.end
		d.extents = append(d.extents, p)
	}
	if len(d.extents) == 0 {
		return errors.New("the descriptor names no extents")
	}
	return nil
}

func (d *disk) openExtent(p *part, l line) error {
	switch l.kind {
	case "ZERO":
		return nil
	case "FLAT", "VMFS", "SPARSE", "VMFSSPARSE":
	default:
		return fmt.Errorf("type %q: %w", l.kind, image.ErrNotSupported)
	}
	f, err := extent.Beside(d.file, l.name)
	if err != nil {
		return fmt.Errorf("it is not beside the descriptor (%w)", err)
	}
	if _, folder := extent.BaseName(l.name); folder {
		d.note("the descriptor names %q; %q beside it was taken", l.name, f.Name)
	}
	if l.kind == "FLAT" || l.kind == "VMFS" {
		p.flat, p.at, p.isFlat = f, l.offset*sector, true
		if f.Size-p.at < p.end-p.start {
			d.note("extent %q has %d bytes, %d are wanted from byte %d on: it is cut", f.Name, f.Size, p.end-p.start, p.at)
		}
		return nil
	}
	s, err := d.openSparse(f)
	if err != nil {
		return err
	}
	if s.size < p.end-p.start {
		d.note("extent %q holds %d bytes of the disk, the descriptor says %d", f.Name, s.size, p.end-p.start)
	}
	p.sparse = s
	return nil
}

// setUp finds what the compressed extents have in common: all must be cut at the same places.
func (d *disk) setUp() {
	unit := int64(0)
	for i := range d.extents {
		e := &d.extents[i]
		if e.sparse == nil || !e.sparse.packed {
			continue
		}
		if unit == 0 {
			unit = e.sparse.grain
		}
		if e.sparse.grain != unit || e.start%unit != 0 {
			e.lost = fmt.Sprintf("its grains of %d bytes are cut by the extents: %v", e.sparse.grain, image.ErrNotSupported)
			d.note("extent from byte %d on: %s", e.start, e.lost)
		}
	}
	size := d.extents[len(d.extents)-1].end
	d.Disk = extent.Disk{Name: d.file.Name, Bytes: size, Unit: max(unit, 1), Map: d.piece, Decode: d.decode, Cache: d.Cache, Parent: d.Parent, ParentSize: d.ParentSize}
}

func (d *disk) part(off int64) *part {
	i := sort.Search(len(d.extents), func(i int) bool { return d.extents[i].end > off })
	if i == len(d.extents) {
		return nil
	}
	return &d.extents[i]
}

// piece is the map of the disk.
func (d *disk) piece(off, n int64) extent.Piece {
	p := d.part(off)
	if p == nil {
		return extent.Piece{}
	}
	left := p.end - off
	switch {
	case p.lost != "":
		return extent.Piece{Kind: extent.Lost, Len: left, Why: p.lost}
	case p.isFlat:
		return extent.Piece{Kind: extent.Data, Len: left, Src: p.flat, Off: p.at + off - p.start}
	case p.sparse == nil:
		return extent.Piece{Kind: extent.Zero, Len: left}
	}
	q := extent.Join(func(at int64) extent.Piece { return d.grain(p, at) }, off, min(n, left))
	q.Len = min(q.Len, left)
	return q
}

func (d *disk) unallocated(n int64) extent.Piece {
	switch {
	case d.missing != "":
		return extent.Piece{Kind: extent.Lost, Len: n, Why: d.missing}
	case d.Parent != nil:
		return extent.Piece{Kind: extent.Under, Len: n}
	}
	return extent.Piece{Kind: extent.Zero, Len: n}
}

// openParent opens what a delta leaves out. What is not there is no error: it is damage where it is wanted.
func (d *disk) openParent(ctx context.Context, chain []string) error {
	if id := d.desc.value("parentCID"); id == "" || strings.EqualFold(id, noParent) {
		return nil
	}
	hint := d.desc.value("parentFileNameHint")
	base, folder := extent.BaseName(hint)
	if slices.Contains(chain, base) || len(chain) > maxChain {
		return fmt.Errorf("open VMDK %q: its chain of parents leads back to %q or has more than %d", chain[0], base, maxChain)
	}
	f, err := extent.Beside(d.file, hint)
	var p *disk
	if err == nil {
		p, err = open(ctx, f, d.budget, chain)
	}
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, limit.ErrLimit) {
			return err
		}
		d.missing = fmt.Sprintf("lies in the parent %q, which is not beside the image or cannot be opened (%v)", hint, err)
		d.note("the parent %q cannot be opened (%v): what lies in it cannot be read", hint, err)
		return nil
	}
	if folder {
		d.note("the image names its parent %q; %q beside it was taken", hint, f.Name)
	}
	if got, want := p.desc.value("CID"), d.desc.value("parentCID"); !strings.EqualFold(got, want) {
		d.note("the parent %q has the content id %s, the image was made over %s: the parent was changed since", f.Name, got, want)
	}
	for _, n := range p.notes {
		d.note("parent %q: %s", f.Name, n)
	}
	d.Parent, d.ParentSize = p, p.Size()
	return nil
}

func (d *disk) note(format string, a ...any) {
	if n := fmt.Sprintf(format, a...); len(d.notes) < maxNotes && !slices.Contains(d.notes, n) {
		d.notes = append(d.notes, n)
	}
}

// Info gives the descriptor's fields and what had to be done to read the disk.
func (d *disk) Info() image.Info {
	return image.Info{Facts: slices.Clone(d.facts), Notes: slices.Clone(d.notes)}
}

func (d *disk) describe() {
	for _, f := range d.desc.fields {
		switch f.Name {
		case "version", "encoding", "isNativeSnapshot":
		default:
			d.facts = append(d.facts, f)
		}
	}
	d.facts = append(d.facts, image.Fact{Name: "extents", Value: fmt.Sprint(len(d.extents))})
	for _, p := range d.extents {
		if p.sparse != nil {
			d.facts = append(d.facts, image.Fact{Name: "grain size", Value: fmt.Sprintf("%d bytes", p.sparse.grain)})
			return
		}
	}
}
