package kernel

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// calls compares the kernel's tables of system calls with where its own code lies: each entry is a function of the kernel proper. Neither modules that
// are loaded as they should, nor livepatch, kprobes, ftrace and BPF change the tables; rootkits did for decades, and so did some security products.
func (c *core) calls(ctx context.Context) error {
	v := &state.View{What: "hook", Name: viewMemory + " system calls"}
	l, err := layoutOf(c.text)
	if err != nil {
		v.Blind = err.Error()
		return c.out.Record(state.ViewFile, v)
	}
	began := time.Now()
	var all []*state.Contradiction
	for _, t := range l.tables {
		found, passes, err := c.astray(ctx, l, t)
		if err != nil {
			v.Blind = err.Error()
			continue
		}
		v.Asked += int64(t.entries)
		for _, i := range slices.Sorted(maps.Keys(found)) {
			all = append(all, c.strayCall(l, t, i, found[i], passes))
		}
	}
	v.Count, v.MS = int64(len(all)), time.Since(began).Milliseconds()
	if err := c.out.Record(state.ViewFile, v); err != nil {
		return err
	}
	if len(all)*2 > int(v.Asked) { // then it is the symbols that are wrong
		c.out.Failed("the tables of system calls", fmt.Errorf("%d of %d entries point elsewhere: what the symbols tell of the kernel's code cannot be right", len(all), v.Asked))
		return nil
	}
	for _, con := range all {
		if err := c.out.Record(state.ContradictionsFile, con); err != nil {
			return err
		}
	}
	return nil
}

// astray reads a table until nothing is astray, or three times, and gives what was so each time.
func (c *core) astray(ctx context.Context, l *layout, t callTable) (found map[int]uint64, passes int, err error) {
	for ; passes < state.Passes && ctx.Err() == nil && (passes == 0 || len(found) > 0); passes++ {
		now, err := bounded.Within(bounded.Patience, func() (map[int]uint64, error) { return l.astray(c.mem, t) })
		if err != nil {
			return nil, passes, err
		}
		if passes > 0 {
			maps.DeleteFunc(now, func(i int, at uint64) bool { return found[i] != at })
		}
		found = now
	}
	return found, passes, nil
}

func (c *core) strayCall(l *layout, t callTable, i int, at uint64, passes int) *state.Contradiction {
	con := &state.Contradiction{What: "hook", Subject: fmt.Sprintf("%s, call %d", t.name, i), Shown: []string{viewMemory}, Repeats: passes, Structural: true,
		Tested: []string{"livepatch, kprobes, ftrace and BPF leave the table as it is", "an entry of the kernel proper lies within the kernel's image", "what has no name and stands behind the table: nothing behind the last entry of the kernel's own is told"}}
	s := l.owner(at)
	con.Detail = fmt.Sprintf("it points out of the kernel (nearest symbol: %s)", s.name)
	if s.module != "" {
		con.Detail = fmt.Sprintf("it points into the module %s (%s)", s.module, s.name)
		for _, m := range c.box.Modules {
			if m.Name == s.module { // products for security did so, and show themselves
				con.Structural = false
				con.Detail += ", which is listed: some security products change the table"
			}
		}
	}
	return con
}
