package kernel

import (
	"fmt"
	"maps"
	"slices"

	"telltale/internal/bpf"
	"telltale/internal/procfs"
	"telltale/internal/state"
)

// Bounds of programs of the BPF machine.
const (
	maxPrograms = 100_000
	maxCode     = 1 << 20 // instructions: BPF_COMPLEXITY_LIMIT_INSNS
	viewProgram = "bpf-allocator"
)

// programs tells the programs of the BPF machine, by the allocator of their numbers.
func (k *Kernel) programs(c clock, out *State) {
	idr := k.object("idr", k.symbols["prog_idr"])
	if !idr.there() || k.size("bpf_prog") == 0 {
		for _, at := range slices.Sorted(maps.Keys(out.programs)) { // at least those that processes have open
			out.BPF = append(out.BPF, k.bpfProgram(k.object("bpf_prog", at), c, out))
		}
		out.view("bpf", viewProgram, 0, "the kernel's table of symbols does not tell where it is")
		return
	}
	lost := k.lost
	k.xarray(idr.in("idr_rt").uint("xa_head"), 0, func(at uint64) bool {
		out.BPF = append(out.BPF, k.bpfProgram(k.object("bpf_prog", at), c, out))
		return len(out.BPF) < maxPrograms
	})
	blind := ""
	if lost = k.lost - lost; lost > 0 {
		blind = fmt.Sprintf("%d parts of it are not in the dump", lost)
	}
	out.view("bpf", viewProgram, len(out.BPF), blind)
}

func (k *Kernel) bpfProgram(p object, c clock, out *State) state.BPF {
	aux := p.to("aux")
	b := state.BPF{At: k.place(p.addr), ID: aux.u32("id"), Type: bpf.ProgramType(p.u32("type")), Name: state.Text(aux.chars("name"), 64), UID: aux.to("user").u32("uid.val"),
		Loaded: c.since(aux.uint("load_time")), Views: []string{viewProgram}, PIDs: slices.Sorted(maps.Keys(out.programs[p.addr]))}
	if f, ok := p.need("tag"); ok {
		tag := make([]byte, min(f.Size, 8))
		if k.read(tag, p.addr+uint64(f.Off)) == nil {
			b.Tag = fmt.Sprintf("%x", tag)
		}
	}
	if aux.has("attach_func_name") {
		if s := k.cstring(aux.uint("attach_func_name"), 128); len(s) > 0 {
			b.Attach = append(b.Attach, state.Text(s, procfs.MaxText))
		}
	}
	code := make([]byte, min(p.u32("len"), maxCode)*bpf.InstructionLen)
	if k.read(code, p.at("insnsi")) != nil {
		out.fail(fmt.Sprintf("instructions of BPF program %d", b.ID), "they are not in the dump")
		return b
	}
	found, ok := bpf.Calls(code, le, k.symbols)
	if b.Helpers = found; !ok {
		out.fail(fmt.Sprintf("instructions of BPF program %d", b.ID), "the kernel's table of symbols does not tell where its functions are")
	}
	return b
}
