package kernel

import (
	"fmt"
	"slices"

	"telltale/internal/state"
	"telltale/memory"
)

// How many modules there may be.
const (
	moduleReach = 2 << 30 // bytes from the kernel's image, where the place of modules is no fixed one
	maxModules  = 10_000
	maxArea     = 1 << 18 // pages of the area that are looked through
	moduleAlign = 64      // ____cacheline_aligned
	maxKinds    = 16      // of a module's memory, since 6.4
)

// The views of modules.
const (
	viewModules = "module-list"
	viewArea    = "module-area"
)

// moduleStates are the states by their numbers (include/linux/module.h), as /proc/modules writes them.
var moduleStates = []string{"Live", "Loading", "Unloading", "Unformed"}

// modules tells the modules: those in the kernel's list, and those that lie where modules lie and point to themselves.
func (k *Kernel) modules(out *State) {
	found := map[uint64]*state.Module{}
	var order []uint64
	add := func(at uint64, view string) {
		if m := found[at]; m != nil {
			m.Views = append(m.Views, view)
			return
		}
		if len(found) < maxModules {
			m := k.module(k.object("module", at))
			m.Views = []string{view}
			found[at] = m
			out.spans = append(out.spans, k.spansOf(k.object("module", at), m.Name)...)
			order = append(order, at)
		}
	}
	area, blind := k.area()
	listed, why := 0, "the kernel's table of symbols does not tell where it is, and no module leads to it"
	if head := k.moduleList(area); head != 0 {
		why = k.list(head, func(e uint64) {
			listed++
			add(object{k, "list_head", e}.container("module", "list").addr, viewModules)
		})
	}
	out.view("module", viewModules, listed, why)
	for _, at := range area {
		add(at, viewArea)
	}
	out.view("module", viewArea, len(area), blind)
	for _, at := range order {
		m := found[at]
		out.Modules = append(out.Modules, *m)
		if why == "" && !slices.Contains(m.Views, viewModules) {
			out.Contradictions = append(out.Contradictions, k.hiddenModule(k.object("module", at), m))
		}
	}
}

// moduleList gives the head of the list of modules: by its symbol, or as that of the list's entries which lies in no module.
func (k *Kernel) moduleList(area []uint64) uint64 {
	if head := k.symbols["modules"]; head != 0 {
		return head
	}
	f, ok := k.object("module", highHalf).need("list")
	if !ok {
		return 0
	}
	known := map[uint64]bool{}
	for _, at := range area {
		known[at+uint64(f.Off)] = true
	}
	for _, at := range area {
		for e, n := at+uint64(f.Off), 0; n <= len(area); n++ {
			next, ok := k.u64(e)
			if !ok {
				break
			}
			if e = next; !known[e] {
				if back, ok := k.u64(e + 8); ok && known[back] { // it leads back to a module
					return e
				}
				break
			}
		}
	}
	return 0
}

// moduleArea gives where modules lie.
func (k *Kernel) moduleArea() (low, high uint64) {
	if k.cpu.low != 0 {
		return k.cpu.low, k.cpu.high
	}
	return k.task - moduleReach, k.task + moduleReach
}

// hiddenModule tells a module that lies in memory and is in no list. One that is loaded or taken out at this moment may be so, and its state says it.
func (k *Kernel) hiddenModule(o object, m *state.Module) state.Contradiction {
	c := state.Contradiction{What: "module", Subject: m.Name, Shown: []string{viewArea}, Missing: []string{viewModules}, Repeats: 1,
		Detail: fmt.Sprintf("it lies in memory at %#x, points to itself, and is not in the kernel's list of modules; its state is %s", o.addr, m.State)}
	if m.State == moduleStates[0] && k.cut(o, "list") {
		c.Structural, c.Repeats = true, state.Passes // the dump does not change: each look shows the same
		c.Detail += "; its links to the list were cut"
		c.Tested = []string{"it is being loaded or taken out: its state says that it lives", "the list was walked whole"}
	}
	return c
}

func (k *Kernel) module(o object) *state.Module {
	m := &state.Module{At: k.place(o.addr), Name: state.Text(o.chars("name"), 64), State: "?"}
	if s := o.u32("state"); int(s) < len(moduleStates) {
		m.State = moduleStates[s]
	}
	m.Taints = state.ModuleTaints(o.uint("taints"))
	m.Refs = int(int32(o.u32("refcnt.counter"))) - 1 // MODULE_REF_BASE
	if !o.has("mem") {
		m.Size = int64(o.u32("core_layout.size")) + int64(o.u32("init_layout.size"))
		return m
	}
	f, _ := o.need("mem")
	each := uint64(f.Size / max(f.Count, 1))
	for i := range uint64(min(f.Count, maxKinds)) {
		m.Size += int64(object{k, f.Struct, o.at("mem") + i*each}.u32("size"))
	}
	return m
}

// area looks where modules lie for what is one: it keeps its own address (mkobj.mod), a name, and a state. Whoever takes a module out of the lists
// leaves that, for the kernel uses it.
func (k *Kernel) area() (all []uint64, blind string) {
	o := k.object("module", highHalf)
	back, ok1 := o.need("mkobj.mod")
	_, ok2 := o.need("name")
	if !ok1 || !ok2 {
		return nil, "the kernel does not describe its modules so"
	}
	pages, missing := 0, 0
	var b [memory.PageSize]byte
	low, high := k.moduleArea()
	k.space.mapped(low, high, func(page uint64) bool {
		if pages++; pages > maxArea || len(all) >= maxModules {
			return false
		}
		if k.space.read(b[:], page) != nil {
			missing++
			return true
		}
		for i := 0; i < len(b); i += 8 {
			self := le.Uint64(b[i:])
			if self%moduleAlign != 0 || self != page+uint64(i)-uint64(back.Off) {
				continue
			}
			if m := k.object("module", self); m.u32("state") < uint32(len(moduleStates)) && printable(m.chars("name")) {
				all = append(all, self)
			}
		}
		return true
	})
	switch {
	case pages > maxArea:
		blind = fmt.Sprintf("only %d of its pages were looked through", maxArea)
	case missing > 0:
		blind = fmt.Sprintf("%d of %d of its pages are not in the dump", missing, pages)
	}
	return all, blind
}

func printable(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}
