package qcow2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

// openData opens the external data file, which holds what is not compressed.
func (d *disk) openData() {
	if d.h.incompatible&featureDataFile == 0 {
		return
	}
	f, err := extent.Beside(d.file, d.h.dataFile)
	if err != nil {
		d.noData = fmt.Sprintf("lies in the data file %q, which is not beside the image (%v)", d.h.dataFile, err)
		d.note("the external data file %q is not beside the image: what lies in it cannot be read", d.h.dataFile)
		return
	}
	d.data = f
	d.folderNote(d.h.dataFile, f.Name)
}

func (d *disk) folderNote(named, opened string) {
	if _, folder := extent.BaseName(named); folder {
		d.note("the image names %q; %q beside it was taken", named, opened)
	}
}

// openBacking opens what unallocated clusters are read from. What is not there is no error: its clusters are damage.
func (d *disk) openBacking(ctx context.Context, b *limit.Budget, chain []string) error {
	if d.h.backing == "" {
		return nil
	}
	lost := func(format string, a ...any) {
		why := fmt.Sprintf(format, a...)
		d.missing = fmt.Sprintf("lies in the backing file %q, %s", d.h.backing, why)
		d.note("the backing file %q %s: what lies in it cannot be read", d.h.backing, strings.TrimPrefix(why, "which "))
	}
	if strings.HasPrefix(d.h.backing, "json:") {
		lost("which is named in a way that is not read")
		return nil
	}
	base, _ := extent.BaseName(d.h.backing)
	if slices.Contains(chain, base) || len(chain) > maxChain {
		return fmt.Errorf("open qcow2 image %q: its chain of backing files leads back to %q or has more than %d", chain[0], base, maxChain)
	}
	f, err := extent.Beside(d.file, d.h.backing)
	if err != nil {
		lost("which is not beside the image (%v)", err)
		return nil
	}
	d.folderNote(d.h.backing, f.Name)
	raw, why := backingRaw(f, d.h.backingFormat)
	switch {
	case why != "":
		lost("which is %s: not supported", why)
	case raw:
		d.Parent, d.ParentSize = io.NewSectionReader(f, 0, f.Size), f.Size
	default:
		p, err := open(ctx, f, b, chain)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, limit.ErrLimit) {
				return err
			}
			lost("which cannot be opened (%v)", err)
			return nil
		}
		d.Parent, d.ParentSize = p, p.Size()
		for _, n := range p.notes {
			d.note("backing file %q: %s", f.Name, n)
		}
	}
	return nil
}

// backingRaw tells whether a backing file is a raw disk. Where the image does not say, its first bytes do.
func backingRaw(f image.File, format string) (raw bool, why string) {
	head := make([]byte, 4)
	n, _ := f.ReadAt(head, 0)
	isQcow2 := string(head[:n]) == magic
	switch format {
	case "raw":
		return true, ""
	case "qcow2", "":
		return !isQcow2 && format == "", ""
	}
	return false, fmt.Sprintf("of the format %q", format)
}

// readSnapshots reads the table of internal snapshots. What cannot be read of it is noted.
func (d *disk) readSnapshots(b *limit.Budget) {
	at := d.h.snapshotsAt
	for i := range min(d.h.snapshots, maxSnapshots) {
		s, size, err := d.snapshot(at, b)
		if size == 0 {
			d.note("snapshot %d of %d: %v: it and those behind it cannot be read", i+1, d.h.snapshots, err)
			return
		}
		if err != nil {
			d.note("snapshot %q: %v", s.Name, err)
		} else {
			d.snaps = append(d.snaps, s)
		}
		at += size
	}
	if d.h.snapshots > maxSnapshots {
		d.note("the image has %d snapshots; %d were read", d.h.snapshots, maxSnapshots)
	}
}

// snapshot reads an entry of the snapshot table; size 0 says that the next one cannot be found.
func (d *disk) snapshot(at int64, b *limit.Budget) (s image.Snapshot, size int64, err error) {
	const fixed, maxExtra, maxName = 40, 1024, 65535
	head, err := extent.Bytes(d.file, at, fixed, fixed, "snapshot table")
	if err != nil {
		return s, 0, err
	}
	c := bin.Big(head)
	l1, entries := int64(c.U64()), int64(c.U32())
	idLen, nameLen := int64(c.U16()), int64(c.U16())
	sec, nsec := c.U32(), c.U32()
	extra := int64(c.Skip(12).U32())
	if extra > maxExtra {
		return s, 0, fmt.Errorf("%d bytes of extra data", extra)
	}
	rest, err := extent.Bytes(d.file, at+fixed, extra+idLen+nameLen, maxExtra+2*maxName, "snapshot table")
	if err != nil {
		return s, 0, err
	}
	size = (fixed + extra + idLen + nameLen + 7) &^ 7
	c = bin.Big(rest)
	diskSize := d.h.size
	if extra >= 16 {
		diskSize = int64(c.Skip(8).U64())
	}
	name := string(c.Seek(int(extra + idLen)).Bytes(int(nameLen)))
	s = image.Snapshot{Name: name}
	if sec != 0 {
		s.Made = evidence.Unix(int64(sec), int64(nsec), time.Nanosecond)
	}
	if diskSize < 0 || diskSize > 1<<62 {
		return s, size, fmt.Errorf("size %d", diskSize)
	}
	e := &disk{file: d.file, data: d.data, h: d.h, tabs: d.tabs, pools: d.pools, missing: d.missing, noData: d.noData}
	e.Parent, e.ParentSize, e.Cache = d.Parent, d.ParentSize, extent.CacheFor(1)
	if err := b.Take(int64(e.Cache), "cache of a snapshot"); err != nil {
		return s, size, err
	}
	if e.l1, err = e.readL1(l1, entries, diskSize, b); err != nil {
		return s, size, err
	}
	e.setUp(diskSize)
	s.Disk = e
	return s, size, nil
}
