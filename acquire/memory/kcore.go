package memory

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"syscall"

	"telltale/internal/bin"
)

// The parts of an ELF core that /proc/kcore has (fs/proc/kcore.c, include/uapi/linux/elf.h).
const (
	elfMagic   = "\x7fELF"
	elfClass32 = 1
	elfClass64 = 2
	elfLittle  = 1
	elfBig     = 2
	etCore     = 4
	ptLoad     = 1
	ptNote     = 4
	ehdr32     = 52
	ehdr64     = 64
	phdr32     = 32
	phdr64     = 56

	maxHeaders = 1<<16 - 1
	maxNotes   = 1 << 20 // bytes
)

// load is a PT_LOAD.
type load struct {
	vaddr, paddr, off, size uint64
}

// core is an ELF core's map.
type core struct {
	loads      []load
	class      uint8
	big        bool
	notesAt    uint64
	notesBytes uint64
}

var errCore = errors.New("no ELF core of a kernel")

// readCore reads the headers of /proc/kcore.
func readCore(r io.ReaderAt) (*core, error) {
	head := make([]byte, ehdr64)
	if n, err := r.ReadAt(head, 0); n < ehdr32 {
		return nil, fmt.Errorf("its header: %w", orShort(err))
	}
	c := &core{class: head[4], big: head[5] == elfBig}
	if string(head[:4]) != elfMagic || c.class != elfClass32 && c.class != elfClass64 || head[5] != elfLittle && head[5] != elfBig {
		return nil, errCore
	}
	at := c.cursor(head)
	at.Skip(16)
	kind := at.U16()
	at.Skip(2 + 4) // machine, version
	c.word(at)     // entry
	phoff := c.word(at)
	c.word(at)     // section headers
	at.Skip(4 + 2) // flags, the header's size
	size := at.U16()
	count := at.U16()
	want := uint16(phdr64)
	if c.class == elfClass32 {
		want = phdr32
	}
	if at.Err() != nil || kind != etCore || size != want || count == 0 || phoff > 1<<62 {
		return nil, fmt.Errorf("%w: type %d, %d headers of %d bytes", errCore, kind, count, size)
	}
	b := make([]byte, int(size)*int(count))
	if n, err := r.ReadAt(b, int64(phoff)); n < len(b) {
		return nil, fmt.Errorf("its program headers: %w", orShort(err))
	}
	for ; len(b) > 0; b = b[size:] {
		c.header(c.cursor(b[:size]))
	}
	if len(c.loads) == 0 {
		return nil, fmt.Errorf("%w: no memory in it", errCore)
	}
	sort.Slice(c.loads, func(i, j int) bool { return c.loads[i].vaddr < c.loads[j].vaddr })
	return c, nil
}

func orShort(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *core) cursor(b []byte) *bin.Cursor {
	if c.big {
		return bin.Big(b)
	}
	return bin.Little(b)
}

func (c *core) word(at *bin.Cursor) uint64 {
	if c.class == elfClass32 {
		return uint64(at.U32())
	}
	return at.U64()
}

// header takes a program header. What wraps around or cannot be read at is no memory.
func (c *core) header(at *bin.Cursor) {
	kind := at.U32()
	if c.class == elfClass64 {
		at.Skip(4) // flags
	}
	var l load
	l.off, l.vaddr, l.paddr, l.size = c.word(at), c.word(at), c.word(at), c.word(at)
	if at.Err() != nil || l.size == 0 || l.off > 1<<62 || l.size > 1<<62 || l.vaddr+l.size-1 < l.vaddr {
		return
	}
	switch kind {
	case ptLoad:
		c.loads = append(c.loads, l)
	case ptNote:
		c.notesAt, c.notesBytes = l.off, l.size
	}
}

// noPhys is what kernels since 4.11 give as p_paddr of what is no RAM (commit 464920104bf7): (elf_addr_t)-1.
func (c *core) noPhys() uint64 {
	if c.class == elfClass32 {
		return 1<<32 - 1
	}
	return 1<<64 - 1
}

// piece is a part of physical memory and where it lies in the core.
type piece struct {
	Range
	off uint64
}

// place finds the System RAM in the core. Kernels since 4.11 say the physical address of each PT_LOAD. Before, all are 0,
// and the direct map is found: the smallest virtual address from which on every range of RAM has PT_LOADs at its distance. vmalloc's
// PT_LOAD is larger than all RAM, so that anything would fit into it; it is left out, for on arm64 it lay below the direct map.
func (c *core) place(ranges []Range) ([]piece, error) {
	if !c.filled() {
		return c.direct(ranges)
	}
	var at []piece
	for _, l := range c.loads {
		if l.paddr != c.noPhys() && l.paddr <= maxPhys && l.size-1 <= maxPhys-l.paddr {
			at = append(at, piece{Range{l.paddr, l.paddr + l.size - 1}, l.off})
		}
	}
	if len(at) == 0 {
		return nil, errors.New("none of its parts is RAM")
	}
	return at, nil
}

func (c *core) filled() bool {
	for _, l := range c.loads {
		if l.paddr != 0 {
			return true
		}
	}
	return false
}

var errNoDirect = errors.New("it says no physical addresses, and no virtual address was found at which all RAM of iomem fits")

// direct tries each PT_LOAD as the place of the first range.
func (c *core) direct(ranges []Range) ([]piece, error) {
	span := ranges[len(ranges)-1].End - ranges[0].Start + 1
	var loads []load
	for _, l := range c.loads {
		if l.size <= span {
			loads = append(loads, l)
		}
	}
	steps := 1 << 22 // a true core takes two per range
	for _, l := range loads {
		if l.vaddr < ranges[0].Start {
			continue
		}
		var at []piece
		fits := true
		for _, r := range ranges {
			if at, fits = cover(at, loads, l.vaddr-ranges[0].Start, r, &steps); !fits {
				break
			}
		}
		if fits {
			return at, nil
		}
		if steps <= 0 {
			break
		}
	}
	return nil, errNoDirect
}

// cover adds the pieces that a range has at its distance from base; it may lie in several PT_LOADs, one behind the other.
func cover(at []piece, loads []load, base uint64, r Range, steps *int) ([]piece, bool) {
	for {
		*steps--
		v := base + r.Start
		i := sort.Search(len(loads), func(i int) bool { return loads[i].vaddr > v }) - 1
		if i < 0 || v < base || *steps <= 0 {
			return at, false
		}
		l := loads[i]
		d := v - l.vaddr
		if d >= l.size {
			return at, false
		}
		if r.Len() <= l.size-d {
			return append(at, piece{r, l.off + d}), true
		}
		end := r.Start + (l.size - d) - 1
		at = append(at, piece{Range{r.Start, end}, l.off + d})
		r.Start = end + 1
	}
}

// physical reads an ELF core by physical addresses.
type physical struct {
	r      io.ReaderAt
	pieces []piece // by address; of those that overlap, the first that has a byte gives it
}

func newPhysical(r io.ReaderAt, pieces []piece) *physical {
	sort.SliceStable(pieces, func(i, j int) bool { return pieces[i].Start < pieces[j].Start })
	return &physical{r, pieces}
}

var errUnmapped = errors.New("the kernel does not map it")

// ReadAt reads at a physical address. What no part of the core has is an error of its place.
func (p *physical) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		at := uint64(off) + uint64(n)
		l := p.find(at)
		if l == nil {
			return n, errUnmapped
		}
		want := int(min(uint64(len(b)-n), l.End-at+1))
		m, err := p.r.ReadAt(b[n:n+want], int64(l.off+at-l.Start))
		n += m
		if m < want {
			if err == nil || errors.Is(err, io.EOF) {
				err = syscall.EFAULT // the core has no end: the page is not to be had
			}
			return n, err
		}
	}
	return n, nil
}

// find gives the piece that has an address. Pieces overlap where the kernel's text is mapped twice: few lie before the right one.
func (p *physical) find(at uint64) *piece {
	i := sort.Search(len(p.pieces), func(i int) bool { return p.pieces[i].Start > at })
	for tries := 0; i > 0 && tries < 16; tries++ {
		if i--; p.pieces[i].End >= at {
			return &p.pieces[i]
		}
	}
	return nil
}

// notes gives the note of a name, such as VMCOREINFO (Documentation/admin-guide/kdump/vmcoreinfo.rst), nil if there is none.
func (c *core) note(r io.ReaderAt, name string) []byte {
	if c.notesBytes == 0 || c.notesBytes > maxNotes {
		return nil
	}
	b := make([]byte, c.notesBytes)
	n, _ := r.ReadAt(b, int64(c.notesAt))
	return note(c.cursor(b[:n]), name, func(uint32) bool { return true })
}

// note finds a note (elf(5), Nhdr): the lengths of name and content, a type, both padded to four bytes.
func note(at *bin.Cursor, name string, kind func(uint32) bool) []byte {
	for at.Left() > 0 && at.Err() == nil {
		n, d, k := at.U32(), at.U32(), at.U32()
		if n > maxNotes || d > maxNotes {
			return nil
		}
		who := at.CString(int(n))
		at.Skip(-int(n) & 3)
		what := at.Bytes(int(d))
		at.Skip(min(-int(d)&3, at.Left()))
		if at.Err() == nil && string(who) == name && kind(k) {
			return what
		}
	}
	return nil
}
