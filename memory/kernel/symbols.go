package kernel

import (
	"fmt"
	"slices"

	"telltale/memory"
)

// readSymbols carves the table of symbols. Without it some things are not found, and said.
func (k *Kernel) readSymbols(s *found) {
	k.symbols = map[string]uint64{}
	why, tried := "none was found", 0
	for _, at := range s.tokens {
		if b, base := k.around(at, 2*maxTokens, 2*maxTokens); !tokens(b, int(at-base)) { // most are no tokens
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		b, base := k.around(at, maxBefore, maxBehind)
		t, err := carve(b, base, int(at-base))
		switch {
		case err != nil:
			why = err.Error()
		case !k.take(t):
			why = "it is not of this kernel: its first task lies elsewhere"
		default:
			k.used = append(k.used, fmt.Sprintf("%d symbols of its own (kallsyms, %s)", t.count, t.layout))
			return
		}
	}
	k.say("the kernel's table of symbols was not read (%s): what is reached by symbols alone is missing", why)
}

// around reads what lies around an address, as far as one range of the dump has it.
func (k *Kernel) around(at, before, behind uint64) (b []byte, base uint64) {
	r, ok := memory.Find(k.d.Ranges(), at)
	if !ok {
		return nil, at
	}
	base = max(r.Start, (at-min(at, before))&^(memory.PageSize-1)) // what is read is aligned there, and must be here
	b = make([]byte, min(r.Start+r.Size, at+behind)-base)
	for n := 0; n < len(b); { // pages that are not there are zeros
		got, err := k.d.ReadPhys(b[n:], base+uint64(n))
		if n += got; err != nil {
			n = int((base+uint64(n))&^(memory.PageSize-1) + memory.PageSize - base)
		}
	}
	return b, base
}

// wanted are the symbols that something is read by.
var wanted = []string{"__bpf_call_base", "bpf_probe_write_user", "bpf_override_return", "bpf_send_signal", "bpf_send_signal_thread", "init_task", "init_top_pgt", "swapper_pg_dir", "modules", "module_kset", "prb", "log_buf", "log_buf_len", "log_first_idx", "log_next_idx", "tainted_mask", "saved_command_line", "tk_core", "tcp_hashinfo", "net_namespace_list",
	"prog_idr", "sys_call_table", "ia32_sys_call_table", "_stext", "_etext", "_sinittext", "_einittext", "init_uts_ns", "core_pattern", "modprobe_path"}

// take keeps the symbols of a table if it is this kernel's: where it names init_task, it is the one that was found.
func (k *Kernel) take(t *table) bool {
	got, own := map[string]uint64{}, uint64(0)
	t.each(func(_ byte, name string, addr uint64) {
		if t.places {
			addr += k.delta
		}
		if name == "_stext" || name == "_text" {
			own = max(own, addr)
		}
		if slices.Contains(wanted, name) {
			if _, twice := got[name]; !twice {
				got[name] = addr
			}
		}
	})
	if v, ok := got["init_task"]; ok && v != k.task {
		return false
	}
	if pa, err := k.space.translate(own); err != nil || own-pa != k.delta {
		return false
	}
	k.symbols, k.behind, k.named = got, map[string]uint64{}, t.count
	t.each(func(_ byte, _ string, addr uint64) {
		if t.places {
			addr += k.delta
		}
		for _, name := range []string{"sys_call_table", "ia32_sys_call_table"} {
			if at := got[name]; at != 0 && addr > at && (k.behind[name] == 0 || addr < k.behind[name]) {
				k.behind[name] = addr
			}
		}
	})
	return true
}
