package vhdx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

const (
	logSector    = 4 << 10
	maxLog       = 64 << 20  // bytes; 1 MiB is usual
	maxLogWork   = 512 << 20 // bytes that are checksummed to find the entries: each place may claim to be one of any length
	maxLogPages  = 256 << 10 // pages of 4 KiB that the log may change, zeros included
	entryHeader  = 64
	descriptor   = 32
	pageOverhead = 64 // bytes of a page in memory besides its content
)

// logEntry is a sound entry of the log.
type logEntry struct {
	at, size, tail int64 // in the log
	sequence       uint64
	descriptors    int64
	last           int64 // LastFileOffset: how long the file was
}

// overlay is the file with the pages that the log gives; nil is a page of zeros.
type overlay struct {
	io.ReaderAt
	size  int64 // of the file below
	pages map[int64][]byte
}

// ReadAt reads below and lays the pages over it. Between the file's end and a page of the log there are zeros.
func (o *overlay) ReadAt(p []byte, off int64) (int, error) {
	n, err := 0, error(nil)
	if off < o.size {
		n, err = o.ReaderAt.ReadAt(p[:min(int64(len(p)), o.size-off)], off)
	}
	if short := int64(n) < min(int64(len(p)), o.size-off); short {
		return n, err
	}
	clear(p[n:])
	for page := off &^ (logSector - 1); page < off+int64(len(p)); page += logSector {
		b, ok := o.pages[page]
		if !ok {
			continue
		}
		if b == nil {
			b = zeroPage
		}
		from, to := max(off, page), min(off+int64(len(p)), page+logSector)
		copy(p[from-off:to-off], b[from-page:])
	}
	return len(p), nil
}

var zeroPage = make([]byte, logSector)

// replay finds the log's active sequence and lays it over the file.
func (d *disk) replay(at, size int64, id []byte, b *limit.Budget) error {
	if size == 0 || size%logSector != 0 {
		return fmt.Errorf("log of %d bytes", size)
	}
	if err := b.Take(min(size, maxLog+1), "log"); err != nil {
		return err
	}
	defer b.Give(min(size, maxLog+1))
	log, err := extent.Bytes(d.file, at, size, maxLog, "log")
	if err != nil {
		return err
	}
	entries, err := logEntries(log, id)
	if err != nil {
		return err
	}
	active := activeSequence(entries, size)
	if len(active) == 0 {
		d.note("the image was not closed, and its log has no sound entry: what is on the disk is read")
		return nil
	}
	o := &overlay{ReaderAt: d.file.ReaderAt, size: d.file.Size, pages: map[int64][]byte{}}
	for _, e := range active {
		if err := o.play(ring(log, e.at, e.size), e, b); err != nil {
			return fmt.Errorf("log entry %d: %w", e.sequence, err)
		}
	}
	end := max(d.file.Size, min(active[len(active)-1].last, d.file.Size+maxLog))
	if last := active[len(active)-1].last; last > d.file.Size {
		d.note("the file was %d bytes long when the log was written, it has %d: it is cut", last, d.file.Size)
	}
	d.note("the image was not closed: %d entries of its log were played back in memory, %d pages", len(active), len(o.pages))
	d.file = image.File{ReaderAt: o, Size: end, Name: d.file.Name, Beside: d.file.Beside}
	return nil
}

// ring gives n bytes of the log at at, which may go round its end.
func ring(log []byte, at, n int64) []byte {
	if n <= int64(len(log))-at {
		return log[at : at+n]
	}
	return append(bytes.Clone(log[at:]), log[:n-(int64(len(log))-at)]...)
}

// logEntries gives the sound entries of the log by their place.
func logEntries(log, id []byte) (map[int64]logEntry, error) {
	entries := map[int64]logEntry{}
	size, work := int64(len(log)), int64(0)
	for at := int64(0); at < size; {
		h := log[at : at+entryHeader]
		c := bin.Little(h).Skip(8)
		e := logEntry{at: at, size: int64(c.U32()), tail: int64(c.U32()), sequence: c.U64(), descriptors: int64(c.U32())}
		mine := bytes.Equal(c.Skip(4).Bytes(16), id)
		e.last = int64(c.Skip(8).U64())
		at += logSector
		if string(h[:4]) != "loge" || !mine || e.size < logSector || e.size > size || e.size%logSector != 0 || e.tail%logSector != 0 || e.tail >= size || e.last < 0 ||
			e.descriptors > (e.size-entryHeader)/descriptor {
			continue
		}
		if work += e.size; work > maxLogWork {
			return nil, fmt.Errorf("log with too many entries that overlap: %w", limit.ErrLimit)
		}
		if sound(ring(log, e.at, e.size)) {
			entries[e.at] = e
			at = e.at + e.size
		}
	}
	return entries, nil
}

// activeSequence gives the row of entries, each directly behind the one before and one number higher, that
// has the highest number and holds the tail which its last entry names; from that tail on.
func activeSequence(entries map[int64]logEntry, size int64) (best []logEntry) {
	follows := map[int64]bool{}
	for _, e := range entries {
		if n, ok := entries[(e.at+e.size)%size]; ok && n.sequence == e.sequence+1 {
			follows[n.at] = true
		}
	}
	for _, e := range entries {
		if follows[e.at] {
			continue
		}
		row := []logEntry{e}
		for {
			last := row[len(row)-1]
			n, ok := entries[(last.at+last.size)%size]
			if !ok || n.sequence != last.sequence+1 {
				break
			}
			row = append(row, n)
		}
		head := row[len(row)-1]
		for i, t := range row {
			if t.at == head.tail && (best == nil || head.sequence > best[len(best)-1].sequence) {
				best = row[i:]
			}
		}
	}
	return best
}

// play takes an entry's pages. Data sectors stand behind those of the descriptors, in their order.
func (o *overlay) play(b []byte, e logEntry, budget *limit.Budget) error {
	data := (entryHeader + e.descriptors*descriptor + logSector - 1) &^ (logSector - 1)
	for i := range e.descriptors {
		d := b[entryHeader+i*descriptor:][:descriptor]
		c := bin.Little(d)
		kind := string(c.Bytes(4))
		trailing, leading := c.Bytes(4), c.Bytes(8)
		at, sequence := int64(c.U64()), c.U64()
		if at < 0 || at%logSector != 0 || sequence != e.sequence {
			return fmt.Errorf("descriptor %d is of byte %d and entry %d", i, at, sequence)
		}
		switch kind {
		case "zero":
			n := int64(binary.LittleEndian.Uint64(leading))
			if n < 0 || n%logSector != 0 || n/logSector > maxLogPages-int64(len(o.pages)) || at > 1<<62 {
				return fmt.Errorf("%d bytes of zeros at %d: %w", n, at, limit.ErrLimit)
			}
			if err := budget.Take(n/logSector*pageOverhead, "log"); err != nil {
				return err
			}
			for p := at; p < at+n; p += logSector {
				o.pages[p] = nil
			}
		case "desc":
			if data > e.size-logSector {
				return fmt.Errorf("descriptor %d has no data", i)
			}
			s := b[data : data+logSector]
			data += logSector
			high, low := binary.LittleEndian.Uint32(s[4:]), binary.LittleEndian.Uint32(s[logSector-4:])
			if string(s[:4]) != "data" || uint64(high)<<32|uint64(low) != e.sequence {
				return fmt.Errorf("the data of descriptor %d are torn", i)
			}
			if err := budget.Take(logSector+pageOverhead, "log"); err != nil {
				return err
			}
			page := append(bytes.Clone(leading), s[8:logSector-4]...)
			o.pages[at] = append(page, trailing...)
		default:
			return fmt.Errorf("descriptor %d of the kind %q", i, kind)
		}
	}
	return nil
}
