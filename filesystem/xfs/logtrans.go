package xfs

import (
	"fmt"

	"telltale/internal/bin"
)

const (
	opHead    = 12 // bytes, struct xlog_op_header
	opFlagsAt = 9

	opStart    = 0x01 // XLOG_START_TRANS and so on
	opCommit   = 0x02
	opContinue = 0x04
	opWasCont  = 0x08
	opEnd      = 0x10
	opUnmount  = 0x20

	transMagic = 0x5452414e // "TRAN"
	transHead  = 16         // bytes, struct xfs_trans_header

	maxTransBytes = 96 << 20 // of all transactions that are not yet whole
	maxOpenTrans  = 1 << 12
	maxRegions    = 1 << 14 // of one item
)

// logItem is what a transaction says of one object: a format structure and what it
// describes.
type logItem struct {
	kind    uint16
	total   int
	regions [][]byte
}

// transaction is one that was begun in the record with lsn.
type transaction struct {
	lsn   uint64
	head  []byte
	items []*logItem
	bytes int
	bad   bool
	order func([]byte) *bin.Cursor
}

// assembler puts transactions together from the operations of records, which split
// them anywhere.
type assembler struct {
	open  map[uint32]*transaction
	bytes int
	each  func(*transaction) error
	lost  int // transactions that were not whole or made no sense
	whole int
}

// record takes one record's data.
func (a *assembler) record(r *logRecord, data []byte) error {
	for i := uint32(0); i < r.ops && len(data) >= opHead; i++ {
		c := bin.Big(data)
		tid, length := c.U32(), c.U32()
		flags := c.Skip(1).U8()
		if int64(length) > int64(len(data)-opHead) {
			a.lost++
			return nil
		}
		body := data[opHead : opHead+int(length)]
		data = data[opHead+int(length):]
		if err := a.operation(r, tid, flags, body); err != nil {
			return err
		}
	}
	return nil
}

func (a *assembler) operation(r *logRecord, tid uint32, flags uint8, body []byte) error {
	t := a.open[tid]
	if flags&opStart != 0 {
		if t != nil {
			a.drop(tid)
		}
		if len(a.open) < maxOpenTrans {
			a.open[tid] = &transaction{lsn: r.lsn, order: r.cursor}
		}
		return nil
	}
	if t == nil { // its beginning is gone, or this is the unmount
		return nil
	}
	if flags&opCommit != 0 {
		delete(a.open, tid)
		a.bytes -= t.bytes
		if t.bad || !t.complete() {
			a.lost++
			return nil
		}
		a.whole++
		return a.each(t)
	}
	if len(body) == 0 || t.bad {
		return nil
	}
	if a.bytes += len(body); a.bytes > maxTransBytes {
		a.bytes -= len(body)
		t.bad = true
		return nil
	}
	t.bytes += len(body)
	if flags&opWasCont != 0 {
		t.resume(body)
	} else {
		t.add(body)
	}
	return nil
}

func (a *assembler) drop(tid uint32) {
	a.bytes -= a.open[tid].bytes
	delete(a.open, tid)
	a.lost++
}

// notes tells what was not whole.
func (a *assembler) notes() (list []string) {
	if n := a.lost + len(a.open); n > 0 {
		list = append(list, fmt.Sprintf("%d transactions in the log are not whole and were not taken", n))
	}
	return list
}

// add takes a region: the transaction's header, an item's format or what belongs to it.
func (t *transaction) add(b []byte) {
	if len(t.head) < transHead {
		t.header(b)
		return
	}
	if n := len(t.items); n > 0 && len(t.items[n-1].regions) < t.items[n-1].total {
		t.items[n-1].regions = append(t.items[n-1].regions, append([]byte(nil), b...))
		return
	}
	c := t.order(b)
	i := &logItem{kind: c.U16(), total: int(c.U16()), regions: [][]byte{append([]byte(nil), b...)}}
	if c.Err() != nil || i.total == 0 || i.total > maxRegions {
		t.bad = true
		return
	}
	t.items = append(t.items, i)
}

// resume takes the rest of a region that the last record broke off.
func (t *transaction) resume(b []byte) {
	if len(t.items) == 0 {
		t.header(b)
		return
	}
	i := t.items[len(t.items)-1]
	last := len(i.regions) - 1
	i.regions[last] = append(i.regions[last], b...)
}

func (t *transaction) header(b []byte) {
	t.head = append(t.head, b...)
	if len(t.head) > transHead || len(t.head) >= 4 && t.order(t.head).U32() != transMagic {
		t.bad = true
	}
}

func (t *transaction) complete() bool {
	for _, i := range t.items {
		if len(i.regions) != i.total {
			return false
		}
	}
	return true
}
