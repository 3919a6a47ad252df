package kernel

import (
	"fmt"

	"telltale/internal/state"
)

// The tables of system calls, and how many entries they have at most.
const (
	maxCalls  = 1024
	viewCalls = "system-call-table"
	viewText  = "kernel-code"
)

// calls looks whether the tables of system calls lead into the kernel's own code. Root-kits change them, and so do some products for security: by
// itself that is a lead.
func (k *Kernel) calls(out *State) {
	low, high := k.symbols["_stext"], k.symbols["_etext"]
	for _, table := range []string{"sys_call_table", "ia32_sys_call_table"} {
		at, end := k.symbols[table], k.behind[table]
		if at == 0 || low == 0 || high <= low {
			if table == "sys_call_table" {
				out.view("hook", viewCalls, 0, "the kernel's table of symbols does not tell where it is")
			}
			continue
		}
		n, missing := 0, 0
		for ; n < maxCalls && at+8*uint64(n+1) <= end; n++ {
			v, ok := k.u64(at + 8*uint64(n))
			if !ok {
				missing++
			} else if v != 0 && (v < low || v >= high) { // zero fills the space up to what lies behind
				out.Contradictions = append(out.Contradictions, state.Contradiction{What: "hook", Subject: fmt.Sprintf("entry %d of %s", n, table), Shown: []string{viewCalls}, Missing: []string{viewText}, Repeats: 1,
					Detail: fmt.Sprintf("it leads to %#x%s, and not into the kernel's own code; products for security do so, too", v, k.whose(v, out))})
			}
		}
		blind := ""
		if missing > 0 {
			blind = fmt.Sprintf("%d of its %d entries are not in the dump", missing, n)
		}
		out.view("hook", viewCalls, n, blind)
	}
}

// whose names the module that an address lies in.
func (k *Kernel) whose(addr uint64, out *State) string {
	for _, m := range out.spans {
		if addr >= m.low && addr < m.high {
			return " in the module " + m.name
		}
	}
	if low, high := k.moduleArea(); addr >= low && addr < high {
		return ", where modules lie, in none that is known"
	}
	return ""
}

// span is where a module's code lies.
type span struct {
	low, high uint64
	name      string
}

// spansOf tells where a module lies.
func (k *Kernel) spansOf(o object, name string) (all []span) {
	add := func(base, size uint64) {
		if base >= highHalf && size > 0 && size < 1<<30 {
			all = append(all, span{base, base + size, name})
		}
	}
	if !o.has("mem") {
		add(o.uint("core_layout.base"), o.uint("core_layout.size"))
		return all
	}
	f, _ := o.need("mem")
	for i := range uint64(min(f.Count, maxKinds)) {
		x := object{k, f.Struct, o.at("mem") + i*uint64(f.Size/max(f.Count, 1))}
		add(x.uint("base"), x.uint("size"))
	}
	return all
}
