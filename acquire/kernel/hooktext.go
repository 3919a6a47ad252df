package kernel

import (
	"strings"

	"telltale/internal/state"
)

// parseFtrace reads enabled_functions and touched_functions (kernel/trace/ftrace.c, t_show):
//
//	function [module] (count) R I D M \ttramp: 0xaddr (callback+0x0/0x1) ->ops_func+0x0/0x1
//
// R: wants registers, I: changes where the function returns to, D: calls directly, M: was changed or hooked before.
func parseFtrace(s string) (all []*state.Hook, more int) {
	for line := range strings.Lines(s) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(all) >= maxEntries {
			more++
			continue
		}
		h := &state.Hook{Kind: "ftrace", Target: f[0], Detail: strings.Join(f[1:], " ")}
		for _, w := range f[1:] {
			if strings.HasPrefix(w, "[") { // the last one is the module of the callback, where it has one
				h.Owner = strings.Trim(w, "[]()")
			}
		}
		all = append(all, h)
	}
	return all, more
}

// parseKprobes reads kprobes/list of debugfs (kernel/kprobes.c, report_probe):
//
//	ffffffff81000000  k  function+0x0  module [DISABLED][OPTIMIZED][FTRACE]
func parseKprobes(s string) []*state.Hook {
	var all []*state.Hook
	for line := range strings.Lines(s) {
		f := strings.Fields(line)
		if len(f) < 3 || len(all) >= maxEntries {
			continue
		}
		h := &state.Hook{Kind: "kprobe", Target: f[2], Detail: "type " + f[1]}
		for _, w := range f[3:] {
			if strings.HasPrefix(w, "[") {
				h.Detail += " " + w
			} else {
				h.Owner = w
			}
		}
		all = append(all, h)
	}
	return all
}

// parseEvents reads kprobe_events and uprobe_events: "p:group/name target arguments" (Documentation/trace/kprobetrace.rst).
func parseEvents(kind, s string) []*state.Hook {
	var all []*state.Hook
	for line := range strings.Lines(s) {
		event, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || len(all) >= maxEntries {
			continue
		}
		target, args, _ := strings.Cut(rest, " ")
		all = append(all, &state.Hook{Kind: kind, Target: target, Detail: strings.TrimSpace("event " + event + " " + args)})
	}
	return all
}
