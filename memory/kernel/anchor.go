package kernel

import (
	"cmp"
	"fmt"
	"slices"

	"telltale/internal/btf"
	"telltale/internal/state"
	"telltale/memory"
)

// Bounds of what is tried.
const (
	maxBTF      = 16 << 20 // bytes of a description; those of distributions have four to six
	minBTF      = 256 << 10
	maxTried    = 16       // descriptions, and tables of symbols
	imageReach  = 64 << 20 // bytes around init_task within which the kernel's own page tables lie
	imageFrom   = 0xffff_ffff_8000_0000
	maxSwappers = 32
)

// first is init_task: where it lies and the address that it gives itself.
type first struct{ addr, phys uint64 }

// anchor finds what all reading begins with: the description of types, init_task, and the page tables. Each is sought by more than one way, and where
// two ways lead to different places that is told.
func (k *Kernel) anchor(s *found) error {
	k.readNotes(s)
	if len(s.btf) == 0 {
		return k.none(s, "it holds no description of the kernel's types (BTF; kernels have it since 5.4 where their distribution turned it on)")
	}
	tried, moved := 0, false
	for _, at := range s.btf {
		size := k.sizeOfTypes(at)
		if size < minBTF || size > maxBTF { // most are of modules
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		types, err := k.parseTypes(at, size)
		if err != nil {
			continue
		}
		k.types, k.cpu = types, &amd64
		if _, err := types.Field("pt_regs", "pstate"); err == nil {
			k.cpu = &arm64
		}
		clear(k.fields)
		if k.begin(s, &moved) {
			k.used = append(k.used, fmt.Sprintf("the kernel's own types (BTF at %#x)", at))
			k.readSymbols(s)
			k.compare()
			return nil
		}
	}
	return k.none(s, k.why(tried, moved))
}

// begin finds the first task and the page tables by the types that are at hand. It notes in moved that a first task lies elsewhere than it should.
func (k *Kernel) begin(s *found, moved *bool) bool {
	for _, t := range k.swappers(s, moved) {
		if want, ok := k.told(); ok && t.addr-t.phys != want {
			*moved = true // or it is a copy that a crash kernel, or an earlier one, left
		}
		if k.tables(t) {
			k.task, k.delta = t.addr, t.addr-t.phys
			return true
		}
	}
	return false
}

// told gives how far from its own addresses the kernel's image lies in memory, by its note.
func (k *Kernel) told() (uint64, bool) {
	if base, ok := k.info.number("phys_base"); ok { // amd64
		return uint64(imageFrom) - uint64(base), true
	}
	off := k.info.hex("kimage_voffset") // arm64
	return off, off != 0
}

// why says what was missing.
func (k *Kernel) why(tried int, moved bool) string {
	switch {
	case moved:
		return "the kernel does not lie where its own pointers say: the dump does not hold memory by its address. Holes were left out when it was written (LiME with format=raw does so, and so does what joins the ranges of /proc/iomem); dump it again by format=lime or padded"
	case tried == 0:
		return "it holds only descriptions of modules' types, and not of the kernel's own (BTF)"
	case k.types == nil:
		return "what looks like the description of the kernel's types cannot be read"
	case k.left < 0:
		return "its first task was not found before the bound of what is read"
	}
	return "its first task was not found, or no page tables that lead to it: the dump lacks the pages of the kernel itself, or is of a machine that is neither amd64 nor arm64, or whose pages are not of 4 KiB"
}

// none says why nothing can be read, and what kernel it would be.
func (k *Kernel) none(s *found, why string) error {
	which := k.info.release()
	if which == "" && len(s.banners) > 0 {
		which = s.banners[0]
	}
	if which == "" {
		return fmt.Errorf("%w: no process could be read: %s", ErrNoKernel, why)
	}
	return fmt.Errorf("no process could be read of the kernel %s: %s", state.Text([]byte(which), 200), why)
}

// readNotes takes the kernel's note: the one that the dump carries, else the first in memory that is long enough.
func (k *Kernel) readNotes(s *found) {
	if b := k.d.Facts().VMCoreInfo; len(b) > 0 {
		k.info = parseNote(b)
	}
	for _, at := range s.notes {
		b := make([]byte, maxNote)
		n, _ := k.d.ReadPhys(b, at)
		if x := parseNote(b[:n]); len(x.values) > max(10, len(k.info.values)) {
			k.info = x
			k.info.at = at
		}
	}
}

// sizeOfTypes gives how long the description is that begins at an address, 0 where there is none.
func (k *Kernel) sizeOfTypes(at uint64) int64 {
	head := make([]byte, btf.HeaderSize)
	if n, _ := k.d.ReadPhys(head, at); n < len(head) {
		return 0
	}
	return btf.Length(head)
}

func (k *Kernel) parseTypes(at uint64, size int64) (*btf.Types, error) {
	b := make([]byte, size)
	if n, err := k.d.ReadPhys(b, at); n < len(b) {
		return nil, err
	}
	t, err := btf.Parse(b)
	if err != nil {
		return nil, err
	}
	_, err = t.Offsets("task_struct", "comm", "pid", "group_leader", "real_parent", "tasks")
	return t, err
}

// swappers gives those of the places at which the first task's name stands whose task points to itself: the pointer is its address.
func (k *Kernel) swappers(s *found, moved *bool) (out []first) {
	o, err := k.types.Offsets("task_struct", "comm", "pid", "group_leader", "real_parent")
	if err != nil {
		return nil
	}
	word := func(at uint64) uint64 {
		var b [8]byte
		if k.phys(b[:], at) != nil {
			return 0
		}
		return le.Uint64(b[:])
	}
	for _, at := range s.tasks {
		if at < uint64(o["comm"]) || len(out) == maxSwappers {
			continue
		}
		base := at - uint64(o["comm"])
		self := word(base + uint64(o["group_leader"]))
		if self < highHalf || word(base+uint64(o["real_parent"])) != self || uint32(word(base+uint64(o["pid"]))) != 0 {
			continue
		}
		if (self^base)%memory.PageSize != 0 {
			*moved = true
			continue
		}
		if x := (first{self, base}); !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// root is page tables that may be the kernel's.
type root struct {
	phys uint64
	from string
}

// tables finds page tables that lead to the first task and to its neighbours in the list.
func (k *Kernel) tables(t first) bool {
	delta := t.addr - t.phys
	var roots []root
	if v := k.info.symbol("swapper_pg_dir"); near(v, t.addr) {
		roots = append(roots, root{v - delta, "the kernel's note for dumps"})
	}
	for _, r := range k.d.Facts().Roots {
		roots = append(roots, root{r &^ (2*memory.PageSize - 1), "a processor's register"}, root{r & k.cpu.addrMask, "a processor's register"}) // beside it lie those of the programs (KPTI)
	}
	for _, r := range roots {
		if k.leads(r, t) {
			return true
		}
	}
	low := t.phys &^ (memory.PageSize - 1)
	for at := low - min(low, imageReach); at < low+imageReach; at += memory.PageSize {
		if k.leads(root{at, "what page leads to it"}, t) {
			return true
		}
	}
	return false
}

// near tells whether a symbol lies in the kernel's image, as the first task does: what lies there keeps its distance in memory.
func near(v, task uint64) bool { return v >= highHalf && v-task+imageReach < 2*imageReach }

// leads tells whether page tables are the kernel's, with four levels or five, and takes them.
func (k *Kernel) leads(r root, t first) bool {
	was := k.space
	for _, levels := range k.cpu.levels {
		s := k.newSpace(r.phys, levels)
		if pa, err := s.translate(t.addr); err != nil || pa != t.phys {
			continue
		}
		k.space = s
		tasks := k.object("task_struct", t.addr).in("tasks")
		next := object{k, "list_head", tasks.uint("next")}
		if next.there() && next.uint("prev") == tasks.addr {
			k.used = append(k.used, fmt.Sprintf("page tables of %d levels at %#x (by %s)", levels, r.phys, r.from))
			return true
		}
	}
	k.space = was
	return false
}

// symbol gives the address of a symbol, by the table or by the note.
func (k *Kernel) symbol(name string) uint64 { return cmp.Or(k.symbols[name], k.info.symbol(name)) }

// compare holds what the ways told against each other.
func (k *Kernel) compare() {
	if k.info.at != 0 || len(k.info.values) > 0 {
		k.used = append(k.used, "its note for dumps (vmcoreinfo)")
	}
	for _, name := range []string{"swapper_pg_dir", "_stext", "init_uts_ns", "prb"} {
		a, b := k.symbols[name], k.info.symbol(name)
		if a != 0 && b != 0 && a != b {
			k.differ(name, fmt.Sprintf("the kernel's note for dumps says %#x, its table of symbols %#x", b, a))
		}
	}
	if want, ok := k.told(); ok && want != k.delta {
		k.differ("its place", fmt.Sprintf("the kernel's note for dumps says that it lies %#x from its addresses, its first task says %#x", want, k.delta))
	}
	for _, name := range []string{"swapper_pg_dir", "init_top_pgt"} {
		if v := k.symbol(name); near(v, k.task) && (v-k.delta)&k.cpu.addrMask != k.space.root {
			s := k.newSpace(v-k.delta, k.space.levels)
			if pa, err := s.translate(k.task); err != nil || pa != k.task-k.delta {
				k.differ(name, "the page tables that it names do not lead to the first task, others do")
			}
		}
	}
}

// differ keeps a disagreement: somebody may have changed one of the two, or one is a remnant of another kernel.
func (k *Kernel) differ(what, detail string) {
	k.odd = append(k.odd, state.Contradiction{What: "kernel", Subject: what, Detail: detail, Repeats: 1,
		Explained: "a remnant of an earlier kernel, or of the copy that a crash would start, can tell such things: it is a reason to look, no more"})
}
