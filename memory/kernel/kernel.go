// Package kernel reads a Linux out of a dump of memory: what ran, whose, from where, with which files, sockets and modules. It needs no
// symbol file: the kernel describes its own types (BTF), names its own symbols (kallsyms), and keeps a note for its dumps (vmcoreinfo). Not
// one offset stands here; what a kernel does not describe is not read, and said. It judges nothing. Addresses and sizes are in bytes;
// machines of 64 bits, amd64 and arm64. Every word of the dump may be crafted: walks are capped, cycles end them, and all reading has one budget.
//
// Sources: the structures as they are in Linux 5.4 to 7.2, by their names in include/linux.
package kernel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"telltale/internal/btf"
	"telltale/internal/cache"
	"telltale/internal/state"
	"telltale/memory"
)

// Limits of reading.
const (
	maxReads   = 150_000_000 // structures and page table entries that are read in all
	maxList    = 1 << 20     // entries of one list
	keptPages  = 4096        // pages in each half of the cache
	keptSpaces = 64 << 10    // translations of one address space in each half of its cache
)

// What a dump cannot be read for.
var (
	ErrNoKernel = errors.New("no Linux kernel was found in the dump")
	ErrUnread   = errors.New("not in the dump, or not mapped")
	errBudget   = errors.New("too much was read: what remains is not looked at")
)

// Kernel is a kernel that was found in a dump.
type Kernel struct {
	ctx   context.Context
	d     memory.Dump
	pages *cache.Cache[uint64, []byte]
	left  int64 // of maxReads
	lost  int64 // reads that failed

	cpu     *processor
	types   *btf.Types
	fields  map[string]field
	missing map[string]bool // members that the types do not have

	symbols map[string]uint64
	behind  map[string]uint64 // the symbol behind one
	named   int               // symbols in the kernel's table
	info    note
	task    uint64 // init_task, by the kernel's address
	delta   uint64 // from a physical to the kernel's own address, within its image
	space   *space

	used  []string // what told where things are
	notes []string
	odd   []state.Contradiction
}

// field is a resolved member.
type field struct {
	btf.Field
	ok bool
}

// Open finds the kernel in a dump.
func Open(ctx context.Context, d memory.Dump, progress func(done, total int64)) (*Kernel, error) {
	return open(ctx, d, maxReads, progress)
}

func open(ctx context.Context, d memory.Dump, reads int64, progress func(done, total int64)) (*Kernel, error) {
	k := &Kernel{ctx: ctx, d: d, pages: cache.New[uint64, []byte](keptPages), left: reads, fields: map[string]field{}, missing: map[string]bool{}}
	s, err := scan(ctx, d, progress)
	if err != nil {
		return nil, err
	}
	if err := k.anchor(s); err != nil {
		return nil, err
	}
	return k, nil
}

// Used tells by what the kernel was read.
func (k *Kernel) Used() string { return strings.Join(k.used, ", ") }

// phys reads at a physical address.
func (k *Kernel) phys(p []byte, addr uint64) error {
	for len(p) > 0 {
		if k.left--; k.left < 0 {
			return errBudget
		}
		page, in := addr/memory.PageSize, addr%memory.PageSize
		b, ok := k.pages.Get(page)
		if !ok {
			if addr >= memory.MaxAddress {
				return ErrUnread
			}
			b = make([]byte, memory.PageSize)
			if n, err := k.d.ReadPhys(b, page*memory.PageSize); n < len(b) {
				if b = b[:n]; n == 0 && k.ctx.Err() != nil {
					return k.ctx.Err()
				} else if errors.Is(err, memory.ErrHole) && n == 0 {
					b = nil
				}
			}
			k.pages.Put(page, b, 1)
		}
		if in >= uint64(len(b)) {
			return ErrUnread
		}
		n := copy(p, b[in:])
		p, addr = p[n:], addr+uint64(n)
	}
	return nil
}

// read reads at an address of the kernel.
func (k *Kernel) read(p []byte, addr uint64) error {
	err := k.space.read(p, addr)
	if err != nil {
		k.lost++
	}
	return err
}

// u64 reads a word at an address of the kernel.
func (k *Kernel) u64(addr uint64) (uint64, bool) {
	var b [8]byte
	if k.read(b[:], addr) != nil {
		return 0, false
	}
	return le.Uint64(b[:]), true
}

// place tells where something lies in the dump.
func (k *Kernel) place(addr uint64) *state.Place {
	pa, err := k.space.translate(addr)
	if err != nil {
		return nil
	}
	return &state.Place{Physical: pa, Offset: k.d.Where(pa)}
}

// list walks a list (struct list_head: next, prev) from its head, and from its end where it is broken. It gives how it ended, "" for well.
func (k *Kernel) list(head uint64, each func(entry uint64)) string {
	seen := map[uint64]bool{head: true}
	n := 0
	walk := func(link uint64) string {
		for at := head; len(seen) < maxList; {
			next, ok := k.u64(at + link)
			if at != head && ok {
				n++
				each(at)
			}
			switch {
			case !ok && at == head:
				return "its head is not in the dump"
			case !ok:
				return fmt.Sprintf("it leads out of the dump after %d entries", n)
			case next == head:
				return ""
			case seen[next]:
				return fmt.Sprintf("it runs in a circle after %d entries", n)
			case next < highHalf:
				return fmt.Sprintf("it leads nowhere after %d entries", n)
			}
			seen[next] = true
			at = next
		}
		return fmt.Sprintf("it has more than %d entries", maxList)
	}
	const next, prev = 0, 8
	why := walk(next)
	if there := n; why != "" && len(seen) < maxList {
		if walk(prev); n > there {
			why += fmt.Sprintf(", from its end %d more were found", n-there)
		}
	}
	return why
}

// say notes something of the whole dump, once.
func (k *Kernel) say(format string, a ...any) {
	if s := fmt.Sprintf(format, a...); !slices.Contains(k.notes, s) && len(k.notes) < 100 {
		k.notes = append(k.notes, s)
	}
}
