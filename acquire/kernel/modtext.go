package kernel

import (
	"path"
	"strconv"
	"strings"

	"telltale/internal/state"
)

// listed is a module as /proc/modules has it.
type listed struct {
	state.Module
	users []string // modules that use it
	base  uint64   // 0 where the kernel hides addresses
}

// parseModules reads /proc/modules (kernel/module/procfs.c, m_show):
//
//	name size refcount users, state address (taints)
//
// where users is "-" or "[permanent]," for none, and taints are absent for none.
func parseModules(b []byte) (all []*listed, bad int) {
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 6 {
			bad++
			continue
		}
		size, err := strconv.ParseInt(f[1], 10, 64)
		refs, refErr := strconv.Atoi(f[2])
		if f[2] == "-" { // a kernel that cannot unload
			refErr = nil
		}
		if err != nil || refErr != nil {
			bad++
			continue
		}
		m := &listed{Module: state.Module{Name: f[0], Size: size, Refs: refs, State: f[4]}}
		for u := range strings.SplitSeq(f[3], ",") {
			if u != "" && u != "-" && !strings.HasPrefix(u, "[") {
				m.users = append(m.users, u)
			}
		}
		m.base, _ = strconv.ParseUint(strings.TrimPrefix(f[5], "0x"), 16, 64)
		if len(f) > 6 {
			m.Taints = strings.Trim(f[6], "()")
		}
		all = append(all, m)
	}
	return all, bad
}

// notModules are what stands in brackets in kallsyms and is no module (kernel/kallsyms.c and those who add to it).
var notModules = map[string]bool{"bpf": true, "__builtin__ftrace": true, "__builtin__kprobes": true}

// symbolTable is what is taken from kallsyms.
type symbolTable struct {
	count   int
	modules map[string]int    // by name: how many symbols
	bpf     map[string]uint64 // bpf_prog_<tag>[_name]: where it is, 0 if hidden
	wanted  map[string]uint64
}

// parseSymbols reads /proc/kallsyms: "address type name" and perhaps "\t[module]". wanted are names whose address is kept.
func parseSymbols(s string, wanted ...string) *symbolTable {
	t := &symbolTable{modules: map[string]int{}, bpf: map[string]uint64{}, wanted: map[string]uint64{}}
	for line := range strings.Lines(s) {
		addr, rest, ok := strings.Cut(line, " ")
		if !ok || len(rest) < 3 {
			continue
		}
		t.count++
		name, tag, tagged := strings.Cut(strings.TrimRight(rest[2:], "\n"), "\t")
		if tag = strings.Trim(tag, "[]"); tagged && !notModules[tag] {
			t.modules[tag]++
		}
		keep := strings.HasPrefix(name, "bpf_prog_") && tag == "bpf"
		for _, w := range wanted {
			keep = keep || name == w && !tagged
		}
		if !keep {
			continue
		}
		v, _ := strconv.ParseUint(addr, 16, 64)
		if tag == "bpf" {
			t.bpf[name] = v
		} else {
			t.wanted[name] = v
		}
	}
	return t
}

// tags counts the modules named in brackets in available_filter_functions: "function [module]".
func tags(s string) map[string]int {
	all := map[string]int{}
	for line := range strings.Lines(s) {
		_, rest, ok := strings.Cut(line, "[")
		name, _, closed := strings.Cut(rest, "]")
		if ok && closed && !notModules[name] {
			all[name]++
		}
	}
	return all
}

// area is memory that the loader of modules took.
type area struct {
	from, to uint64
	caller   string
}

// loaders are the functions that take memory for modules. execmem_alloc and module_alloc serve others, too: BPF, ftrace
// and kprobes.
var loaders = []string{"load_module", "move_module", "layout_and_allocate", "module_memory_alloc"}

// parseAreas gives those of /proc/vmallocinfo: "0xfrom-0xto size caller+0x1/0x2 ...". The addresses are hashed, or
// zero, but for those who may see them.
func parseAreas(s string) []area {
	var all []area
	for line := range strings.Lines(s) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		caller, _, _ := strings.Cut(f[2], "+")
		for _, l := range loaders {
			if caller != l {
				continue
			}
			from, to, _ := strings.Cut(f[0], "-")
			a := area{caller: caller}
			a.from, _ = strconv.ParseUint(strings.TrimPrefix(from, "0x"), 16, 64)
			a.to, _ = strconv.ParseUint(strings.TrimPrefix(to, "0x"), 16, 64)
			all = append(all, a)
		}
	}
	return all
}

// stray counts the areas that hold no listed module. sure is false where addresses are hidden: then no module lies in
// any area.
func stray(areas []area, modules []*listed) (n int, sure bool) {
	for _, a := range areas {
		held := false
		for _, m := range modules {
			if m.base >= a.from && m.base < a.to {
				held, sure = true, true
			}
		}
		if !held {
			n++
		}
	}
	return n, sure
}

// files maps the names of modules to their files, by modules.dep(5): "kernel/fs/x-y.ko.zst: others".
func files(dep string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(dep) {
		file, _, ok := strings.Cut(line, ":")
		name, _, isModule := strings.Cut(path.Base(file), ".ko")
		if ok && isModule {
			all[strings.ReplaceAll(name, "-", "_")] = file
		}
	}
	return all
}
