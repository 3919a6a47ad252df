package mdraid

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"

	"telltale/internal/limit"
)

// data is the data area of a member; what its list of bad blocks names is not read.
type data struct {
	m   member
	off int64 // bytes, where it begins
	bad []run // bytes of the member, in order, apart
}

type run struct{ start, end int64 }

var errBad = errors.New("the member's list of bad blocks names it")

// ReadAt reads bytes of the data area.
func (d *data) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > d.m.Size || d.off < 0 || d.off > d.m.Size-off {
		return 0, io.EOF
	}
	at := d.off + off
	i := sort.Search(len(d.bad), func(i int) bool { return d.bad[i].end > at })
	if i < len(d.bad) && d.bad[i].start < at+int64(len(p)) {
		before := max(d.bad[i].start-at, 0)
		n, err := d.m.ReadAt(p[:before], at)
		if int64(n) < before {
			return n, err
		}
		return n, fmt.Errorf("byte %d of %s: %w", at+before, d.m.Name, errBad)
	}
	n, err := d.m.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("byte %d of %s: %w", at+int64(n), d.m.Name, err)
	}
	return n, err
}

// badBlocks reads the list behind the superblock: 54 bits of a sector of the member and 10 bits of a count.
func (d *data) badBlocks(b *limit.Budget) error {
	m := d.m
	if m.features&featureBadBlocks == 0 || m.badLogSize == 0 {
		return nil
	}
	if m.badLogSize > maxBBLog || m.badLogAt < 0 || m.badLogAt > m.Size || m.badLogSize > m.Size-m.badLogAt || m.badShift > 32 {
		return fmt.Errorf("%d bytes at %d of %d", m.badLogSize, m.badLogAt, m.Size)
	}
	if err := b.Take(m.badLogSize, "list of bad blocks"); err != nil {
		return err
	}
	defer b.Give(m.badLogSize)
	list := make([]byte, m.badLogSize)
	if n, err := m.ReadAt(list, m.badLogAt); n < len(list) {
		return err
	}
	for ; len(list) >= 8; list = list[8:] {
		v := binary.LittleEndian.Uint64(list)
		if v == 1<<64-1 {
			break
		}
		start, count := v>>10<<m.badShift, (v&(1<<10-1))<<m.badShift
		if count > 0 && start < uint64(m.Size/sector)+1 {
			d.bad = append(d.bad, run{sectors(start), sectors(start) + sectors(count)})
		}
	}
	d.merge()
	return nil
}

func (d *data) merge() {
	sort.Slice(d.bad, func(i, j int) bool { return d.bad[i].start < d.bad[j].start })
	merged := d.bad[:0]
	for _, r := range d.bad {
		if n := len(merged); n > 0 && r.start <= merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, r.end)
			continue
		}
		merged = append(merged, r)
	}
	d.bad = merged
}
