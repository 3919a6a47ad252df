package kernel

import (
	"fmt"

	"telltale/internal/procfs"
	"telltale/internal/state"
	"telltale/memory"
)

// Bounds of what is read of a program's own memory.
const (
	maxUser      = 64 << 10     // bytes of arguments, and of the environment
	lowHalf      = 1<<56 - 4096 // no address of a program is beyond
	maxAreas     = 1 << 17      // vm.max_map_count is 65,530
	mapleEntries = 16           // of a node
	maxMaple     = 16           // levels
)

// Flags of areas of memory (include/linux/mm.h).
const (
	vmWrite = 0x2
	vmExec  = 0x4
)

// program reads what a process is started with: its arguments and environment, out of its own memory.
func (k *Kernel) program(mm object, p *state.Process) {
	pa, err := k.space.translate(mm.uint("pgd"))
	if err != nil {
		p.Unread = append(p.Unread, "arguments and environment: its page tables are not in the dump")
		return
	}
	s := k.newSpace(pa, k.space.levels)
	text := func(what, from, to string) []byte {
		b, missing := s.user(mm.uint(from), mm.uint(to))
		if missing > 0 {
			p.Unread = append(p.Unread, fmt.Sprintf("%s: %d of its bytes are not in the dump (swapped out, or never read)", what, missing))
		}
		return b
	}
	p.Args = procfs.Args(text("arguments", "arg_start", "arg_end"))
	p.Env, p.EnvSize = procfs.Env(text("environment", "env_start", "env_end"))
}

// user reads a program's memory; a part that is not there is left out, and counted.
func (s *space) user(low, high uint64) (out []byte, missing uint64) {
	if low >= high || high > lowHalf {
		return nil, 0
	}
	high = min(high, low+maxUser)
	for low < high {
		n := min(high-low, memory.PageSize-low%memory.PageSize)
		b := make([]byte, n)
		if s.read(b, low) != nil {
			missing += n
		} else {
			out = append(out, b...)
		}
		low += n
	}
	return out, missing
}

// areas gives the areas of a program's memory, in order: of a maple tree since 6.1, of a list before.
func (k *Kernel) areas(mm object, each func(vma object)) {
	n := 0
	take := func(at uint64) bool {
		if n++; n > maxAreas {
			return false
		}
		if v := k.object("vm_area_struct", at); v.uint("vm_mm") == mm.addr {
			each(v)
		}
		return true
	}
	if mm.has("mm_mt") {
		root := mm.in("mm_mt").uint("ma_root")
		if root&xarrayTag == xarrayNode && root >= firstPointer {
			k.maple(root, ^uint64(0), maxMaple, take)
		} else if root >= highHalf { // one entry alone
			take(root)
		}
		return
	}
	for at := mm.uint("mmap"); at >= highHalf && take(at); {
		at = k.object("vm_area_struct", at).uint("vm_next")
	}
}

// The kinds of a maple tree's nodes (include/linux/maple_tree.h).
const (
	mapleLeaf   = 1
	mapleRange  = 2
	mapleArange = 3
	mapleMask   = 0xff
)

// maple gives the entries of a maple tree's node, whose kind stands in the low bits of what leads to it, up to high. A node's slots behind the
// one that reaches its end are remnants.
func (k *Kernel) maple(node, high uint64, depth int, each func(at uint64) bool) bool {
	kind := node >> 3 & 0xf
	n := k.object("maple_node", node&^mapleMask)
	pivot, slot := "mr64.pivot", "mr64.slot"
	switch kind {
	case mapleLeaf, mapleRange:
	case mapleArange:
		pivot, slot = "ma64.pivot", "ma64.slot"
	default:
		return true
	}
	pivots, ok1 := n.need(pivot)
	slots, ok2 := n.need(slot)
	if !ok1 || !ok2 || depth == 0 {
		return true
	}
	for i := range min(slots.Count, mapleEntries) {
		end := high
		if i < pivots.Count {
			if v, ok := k.u64(n.addr + uint64(pivots.Off+8*i)); !ok {
				return true
			} else if v != 0 {
				end = v
			}
		}
		e, ok := k.u64(n.addr + uint64(slots.Off+8*i))
		switch {
		case !ok || e < highHalf:
		case kind != mapleLeaf && !k.maple(e, min(end, high), depth-1, each):
			return false
		case kind == mapleLeaf && e&xarrayTag == 0 && !each(e): // else a mark
			return false
		}
		if end >= high {
			break
		}
	}
	return true
}

// maps tells of what files code is mapped, and what memory can be run that belongs to none.
func (k *Kernel) maps(mm object, p *state.Process) {
	lost := k.lost
	vdso := mm.uint("context.vdso")
	seen := map[uint64]bool{}
	k.areas(mm, func(v object) {
		flags := v.uint("vm_flags")
		low, high := v.uint("vm_start"), v.uint("vm_end")
		if flags&vmExec == 0 || high <= low || high > lowHalf {
			return
		}
		if f := v.to("vm_file"); f.there() {
			k.mappedFile(f, p, seen)
			return
		}
		if v.uint("vm_ops") != 0 || low == vdso { // [vdso], [uprobes]: the kernel's own
			return
		}
		p.Anonymous += int64(high - low)
		if flags&vmWrite != 0 {
			p.Writable += int64(high - low)
		}
	})
	if n := k.lost - lost; n > 0 {
		p.Unread = append(p.Unread, fmt.Sprintf("what is mapped: %d parts are not in the dump", n))
	}
}

func (k *Kernel) mappedFile(f object, p *state.Process, seen map[uint64]bool) {
	x := k.path(f.in("f_path"))
	if seen[x.inode.addr] || x.path == "" {
		return
	}
	seen[x.inode.addr] = true
	name := state.Text([]byte(x.path), procfs.MaxText)
	if p.First == "" {
		p.First = name
	}
	if len(p.Mapped) < procfs.MaxMapped {
		dev := x.inode.to("i_sb").u32("s_dev")
		p.Mapped = append(p.Mapped, state.Mapped{Path: name, Deleted: x.deleted, Dev: fmt.Sprintf("%02x:%02x", dev>>20, dev&(1<<20-1)), Inode: x.inode.uint("i_ino")})
	}
}
