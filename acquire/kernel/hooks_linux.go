package kernel

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// Hooks gives the step that writes down who listens in the kernel by its tracer. ftrace_enabled is a setting among the
// kernel's: it is not tried out, which would change the machine and can be answered falsely.
func Hooks(Options) acquire.Step {
	return acquire.Step{
		Name: "hooks", Quick: true, Doc: "writes down kprobes, uprobes and functions that are traced or were",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			dir, shut, err := tracefs(b)
			defer shut()
			if err != nil {
				out.Failed("hooks of the tracer", err)
			} else if err := traced(ctx, dir, out); err != nil {
				return err
			}
			if err := ownMount(b, dir, out); err != nil {
				return err
			}
			debug, shutDebug, err := debugfs(b)
			defer shutDebug()
			if err != nil {
				out.Failed("kprobes", err)
				return nil
			}
			text, err := hookText(filepath.Join(debug, "kprobes/list"), out)
			return writeHooks(out, "kprobes", parseKprobes(text), err)
		},
	}
}

// ownMount tells that the tracer was not mounted, and was read in a mount of ours.
func ownMount(b *acquire.Box, dir string, out acquire.Out) error {
	if dir == "" || strings.HasPrefix(dir, b.Sys) {
		return nil
	}
	return out.Record(state.ViewFile, &state.View{What: "hook", Name: "tracefs in a mount of our own", Count: 1})
}

// traced writes down what the files of tracefs show.
func traced(ctx context.Context, dir string, out acquire.Out) error {
	for _, kind := range []string{"kprobe", "uprobe"} {
		text, err := hookText(filepath.Join(dir, kind+"_events"), out)
		if err := writeHooks(out, kind+"_events", parseEvents(kind, text), err); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, name := range []string{"enabled_functions", "touched_functions"} {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		text, err := hookText(filepath.Join(dir, name), out)
		all, more := parseFtrace(text)
		if more > 0 {
			out.Failed(name, fmt.Errorf("%d functions more are not written down", more))
		}
		var fresh []*state.Hook
		for _, h := range all {
			if seen[h.Target] {
				continue // is hooked now, and so was touched
			}
			seen[h.Target] = true
			if name == "touched_functions" {
				h.Detail = "no more, but since the boot: " + h.Detail
			}
			fresh = append(fresh, h)
		}
		if err := writeHooks(out, name, fresh, err); err != nil {
			return err
		}
	}
	return nil
}

// hookText reads a list that a kernel may not have: which it has depends on its age and its build.
func hookText(path string, out acquire.Out) (string, error) {
	b, err := bounded.Read(path, table)
	if err != nil {
		out.Failed(filepath.Join("hooks", filepath.Base(filepath.Dir(path)), filepath.Base(path)), err)
	}
	return string(b), err
}

// writeHooks writes hooks, and the view that says how many there were.
func writeHooks(out acquire.Out, name string, hooks []*state.Hook, err error) error {
	v := &state.View{What: "hook", Name: name, Count: int64(len(hooks))}
	if err != nil {
		v.Blind = "it could not be read: " + err.Error()
		if bounded.Gone(err) {
			v.Blind = "this kernel has no such list"
		}
	}
	if err := out.Record(state.ViewFile, v); err != nil {
		return err
	}
	for _, h := range hooks {
		if err := out.Record(state.HookFile, h); err != nil {
			return err
		}
	}
	return nil
}
