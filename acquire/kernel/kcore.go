package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"telltale/internal/bin"
	"telltale/internal/btf"
)

// Limits of a walk through the kernel's memory.
const (
	maxSegments = 4096
	maxSpan     = 64 << 10 // bytes of one structure that are read
	maxWalk     = 1 << 20  // entries of a list
	elfHeader   = 64       // sizeof(Elf64_Ehdr)
	elfProgram  = 56       // sizeof(Elf64_Phdr)
)

// memory is the kernel's memory by its own addresses, as /proc/kcore gives it: an ELF core file whose segments are the
// parts of the address space (fs/proc/kcore.c). Only machines of 64 bits are read.
type memory struct {
	r        io.ReaderAt
	order    binary.ByteOrder
	segments []segment
}

type segment struct{ address, size, offset uint64 }

var (
	errCore  = errors.New("not formed as a core file of 64 bits")
	errMoved = errors.New("the list changed under the walk")
)

func openCore(r io.ReaderAt) (*memory, error) {
	b := make([]byte, elfHeader)
	if _, err := r.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	m := &memory{r: r, order: binary.NativeEndian}
	c, data := bin.Little(b), byte(1)
	if m.order.Uint16([]byte{0, 1}) == 1 {
		c, data = bin.Big(b), 2
	}
	if string(b[:4]) != "\x7fELF" || b[4] != 2 || b[5] != data {
		return nil, errCore
	}
	table := c.Seek(32).U64()
	size, count := c.Seek(54).U16(), int(c.U16())
	if size != elfProgram || count > maxSegments || table > 1<<40 {
		return nil, errCore
	}
	b = make([]byte, count*elfProgram)
	if n, err := r.ReadAt(b, int64(table)); n < len(b) {
		return nil, fmt.Errorf("read the table of segments: %w", err)
	}
	for i := range count {
		p := b[i*elfProgram:]
		if m.order.Uint32(p) == 1 { // PT_LOAD
			m.segments = append(m.segments, segment{m.order.Uint64(p[16:]), m.order.Uint64(p[40:]), m.order.Uint64(p[8:])})
		}
	}
	return m, nil
}

// read reads memory at an address. What is in no segment was not mapped when the kernel made its table.
func (m *memory) read(address uint64, b []byte) error {
	for _, s := range m.segments {
		if address < s.address || address-s.address >= s.size || s.size-(address-s.address) < uint64(len(b)) {
			continue
		}
		at := s.offset + (address - s.address)
		if at > 1<<62 {
			continue
		}
		if n, err := m.r.ReadAt(b, int64(at)); n < len(b) {
			return fmt.Errorf("read kernel memory at %#x: %w", address, err)
		}
		return nil
	}
	return fmt.Errorf("kernel memory at %#x is in no segment", address)
}

// walk follows a list of the kernel (struct list_head: next, prev) from its head. Each entry is read from low to high,
// offsets from where its list_head lies, and given with the place of the list_head in it. The list is not held still: an
// entry whose prev is not the one that led to it ends the walk with errMoved.
func (m *memory) walk(head uint64, low, high int, each func(entry []byte, at int)) error {
	if low > 0 || high < 16 || high-low > maxSpan {
		return fmt.Errorf("a structure of %d bytes: %w", high-low, btf.ErrForm)
	}
	var link [16]byte
	if err := m.read(head, link[:]); err != nil {
		return err
	}
	entry := make([]byte, high-low)
	before, now := head, m.order.Uint64(link[:])
	for range maxWalk {
		if now == head {
			return nil
		}
		if err := m.read(now+uint64(low), entry); err != nil {
			return err
		}
		at := -low
		if m.order.Uint64(entry[at+8:]) != before {
			return errMoved
		}
		each(entry, at)
		before, now = now, m.order.Uint64(entry[at:])
	}
	return fmt.Errorf("a list of more than %d", maxWalk)
}
