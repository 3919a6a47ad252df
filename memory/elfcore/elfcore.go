// Package elfcore reads dumps that are ELF core files of 64 bits: dump-guest-memory of QEMU, virsh dump --memory-only, VirtualBox, /proc/vmcore of
// a kernel that crashed (elf(5); QEMU's dump/dump.c). The physical addresses of the segments count. The headers are read here by
// hand: the library's reader is not made for hostile files. A copy of /proc/kcore is read where its segments carry such addresses.
package elfcore

import (
	"context"
	"fmt"
	"io"

	"telltale/internal/bin"
	"telltale/internal/limit"
	"telltale/memory"
)

// Sizes and numbers of elf(5).
const (
	headerSize  = 64 // Elf64_Ehdr
	programSize = 56 // Elf64_Phdr
	typeCore    = 4
	load        = 1
	note        = 4
	manySegs    = 0xffff // the count stands in the first section's sh_info
	maxSegments = 1 << 18
	maxNotes    = 16 << 20
)

// qemuCR3 is where CR3 lies in a note of QEMU's (target/i386/arch_dump.c, QEMUCPUState): version, size, 18 registers, ten segments of 24
// bytes (cs ds es fs gs ss ldt tr gdt idt), cr[5].
const (
	qemuCR3  = 8 + 18*8 + 10*24 + 3*8
	qemuSize = qemuCR3 + 16
)

// Format describes the member.
func Format() memory.Format {
	return memory.Format{Name: "elfcore", Doc: "ELF core of 64 bits", Probe: probe, Open: open}
}

func probe(head []byte) bool {
	return len(head) >= headerSize && string(head[:4]) == "\x7fELF" && bin.Little(head).Seek(16).U16() == typeCore && head[5] == 1
}

func open(ctx context.Context, r io.ReaderAt, size int64, b *limit.Budget) (memory.Dump, error) {
	head := make([]byte, headerSize)
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	if head[4] != 2 {
		return nil, fmt.Errorf("a core file of 32 bits: %w", memory.ErrNotSupported)
	}
	table := int64(bin.Little(head).Seek(32).U64())
	c := bin.Little(head).Seek(54)
	each, count := int64(c.U16()), int64(c.U16())
	if count == manySegs {
		count = sections(r, head)
	}
	if each < programSize || each > 1<<10 || count > maxSegments || table < 0 || table > size {
		return nil, fmt.Errorf("%d segments at %d: %w", count, table, memory.ErrNotSupported)
	}
	if err := b.Take(count*64, "the list of segments"); err != nil {
		return nil, err
	}
	rs, f, virtual, err := segments(ctx, r, table, each, count)
	if err != nil {
		return nil, err
	}
	if len(rs) == 0 {
		return nil, fmt.Errorf("a core file without memory by physical address (%d segments are by virtual address alone): %w", virtual, memory.ErrNotSupported)
	}
	return memory.NewPlain(r, size, rs, f), nil
}

// segments reads the table of segments. Those that have a virtual address alone are counted.
func segments(ctx context.Context, r io.ReaderAt, table, each, count int64) (rs []memory.Range, f memory.Facts, virtual int, err error) {
	p := make([]byte, programSize)
	for i := range count {
		if err := ctx.Err(); err != nil {
			return nil, f, 0, err
		}
		if n, err := r.ReadAt(p, table+i*each); n < len(p) {
			return nil, f, 0, fmt.Errorf("read segment %d: %w", i, err)
		}
		c := bin.Little(p)
		kind, _, off, vaddr, paddr, long := c.U32(), c.U32(), c.U64(), c.U64(), c.U64(), c.U64()
		switch {
		case off > 1<<62:
		case kind == note:
			notes(r, int64(off), int64(min(long, maxNotes)), &f)
		case kind == load && (paddr >= memory.MaxAddress || paddr == 0 && vaddr >= 1<<63):
			virtual++
		case kind == load:
			rs = append(rs, memory.Range{Start: paddr, Size: long, Off: int64(off)})
		}
	}
	return rs, f, virtual, nil
}

// sections gives the count of segments that stands in the first section.
func sections(r io.ReaderAt, head []byte) int64 {
	at := bin.Little(head).Seek(40).U64()
	b := make([]byte, 48)
	if at > 1<<62 {
		return maxSegments + 1
	}
	if n, _ := r.ReadAt(b, int64(at)); n < len(b) {
		return maxSegments + 1
	}
	return int64(bin.Little(b).Seek(44).U32())
}

// notes reads a segment of notes.
func notes(r io.ReaderAt, off, size int64, f *memory.Facts) {
	b := make([]byte, size)
	n, _ := r.ReadAt(b, off)
	Notes(b[:n], f)
}

// Notes reads notes: the kernel's own for its dumps, and what QEMU says of each processor.
func Notes(b []byte, f *memory.Facts) {
	c := bin.Little(b)
	for c.Left() >= 12 {
		nameLen, descLen := int64(c.U32()), int64(c.U32())
		c.U32()
		if nameLen > 64 || descLen > int64(len(b)) {
			return
		}
		name := string(c.CString(int(nameLen)))
		c.Skip(int(-nameLen & 3))
		desc := c.Bytes(int(descLen))
		if c.Err() != nil {
			return
		}
		switch {
		case name == "VMCOREINFO":
			f.VMCoreInfo = desc
		case name == "QEMU" && len(desc) >= qemuSize && len(f.Roots) < 4096:
			f.Roots = append(f.Roots, bin.Little(desc).Seek(qemuCR3).U64())
		}
		c.Skip(int(-descLen & 3))
	}
}
