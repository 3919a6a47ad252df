package kernel

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// pause lies between two passes: a module that is just loaded or unloaded is then in all views or in none.
const pause = 80 * time.Millisecond

// Modules gives the step that compares the views of the kernel's modules, in three passes.
func Modules(Options) acquire.Step {
	return acquire.Step{
		Name: "modules", Quick: true, Doc: "compares what /proc, /sys, the symbols and the tracer say of modules",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			m := &moduleViews{box: b, out: out, read: bounded.Read, list: bounded.Folders}
			return m.take(ctx)
		},
	}
}

// moduleViews is one run of the step.
type moduleViews struct {
	box  *acquire.Box
	out  acquire.Out
	read func(path string, limit int) ([]byte, error)
	list func(path string, limit int) ([]string, error) // of folders
}

// modulePass is what the views show at nearly one time.
type modulePass struct {
	listed []*listed
	by     map[string][]string // module: the views that show it
	views  []*state.View
	nlink  int // how many folders /sys/module says that it has beyond those listed
	stray  int // areas of memory without a listed module
}

func (m *moduleViews) take(ctx context.Context) error {
	trace, shut, err := tracefs(m.box)
	if err != nil {
		m.out.Failed("functions that can be traced", err)
	}
	defer shut()
	first := m.pass(trace, m.box.Symbols)
	for _, v := range first.views {
		if err := m.out.Record(state.ViewFile, v); err != nil {
			return err
		}
	}
	passes := []*modulePass{first}
	for len(passes) < state.Passes && ctx.Err() == nil && first.differs() {
		time.Sleep(pause)
		passes = append(passes, m.pass(trace, nil))
	}
	if err := m.write(first); err != nil {
		return err
	}
	return m.compare(passes)
}

// pass looks once. /proc/modules is read first and last, so that what comes or goes meanwhile is in one of the two. Symbols may have been read
// before it; nil: they are read anew.
func (m *moduleViews) pass(trace string, text []byte) *modulePass {
	p := &modulePass{by: map[string][]string{}}
	proc := filepath.Join(m.box.Proc, "modules")
	p.view(viewModules, func() (map[string]int, error) {
		b, err := m.read(proc, table)
		var bad int
		if p.listed, bad = parseModules(b); bad > 0 && err == nil {
			err = fmt.Errorf("%d lines could not be read", bad)
		}
		return names(p.listed), err
	})
	p.view(viewSysfs, func() (map[string]int, error) { return m.sysfs(p) })
	p.view(viewSymbols, func() (map[string]int, error) {
		var err error
		if text == nil {
			text, err = m.read(filepath.Join(m.box.Proc, "kallsyms"), symbols)
		}
		return parseSymbols(string(text)).modules, err
	})
	if trace != "" {
		p.view(viewTrace, func() (map[string]int, error) {
			b, err := m.read(filepath.Join(trace, "available_filter_functions"), symbols)
			return tags(string(b)), err
		})
	}
	p.view(viewHolders, func() (map[string]int, error) { return users(p.listed), nil })
	m.areas(p)
	if b, err := m.read(proc, table); err == nil {
		after, _ := parseModules(b)
		for name := range names(after) {
			if !slices.Contains(p.by[name], viewModules) {
				p.by[name] = append(p.by[name], viewModules)
			}
		}
	}
	return p
}

// view asks one view and notes what it showed and how long it took.
func (p *modulePass) view(name string, ask func() (map[string]int, error)) {
	began := time.Now()
	found, err := ask()
	v := &state.View{What: "module", Name: name, Count: int64(len(found)), MS: time.Since(began).Milliseconds()}
	if err != nil {
		v.Blind = err.Error()
	}
	p.views = append(p.views, v)
	for n := range found {
		p.by[n] = append(p.by[n], name)
	}
}

func names(modules []*listed) map[string]int {
	all := map[string]int{}
	for _, l := range modules {
		all[l.Name]++
	}
	return all
}

// users gives the modules that are named as using another.
func users(modules []*listed) map[string]int {
	all := map[string]int{}
	for _, l := range modules {
		for _, u := range l.users {
			all[u]++
		}
	}
	return all
}

// sysfs gives the folders of /sys/module that are modules: those of what is built in have no initstate.
func (m *moduleViews) sysfs(p *modulePass) (map[string]int, error) {
	dir := filepath.Join(m.box.Sys, "module")
	all, err := m.list(dir, 1<<16)
	found := map[string]int{}
	for _, name := range all {
		if _, stErr := os.Lstat(filepath.Join(dir, name, "initstate")); stErr == nil {
			found[name]++
		}
	}
	var st unix.Stat_t
	if stErr := unix.Lstat(dir, &st); err == nil && stErr == nil && st.Nlink > 2 {
		p.nlink = int(st.Nlink) - 2 - len(all) // kernfs counts each folder below as a link
	}
	return found, err
}

// areas counts memory that the loader took; only where addresses can be seen does it tell anything of a module.
func (m *moduleViews) areas(p *modulePass) {
	b, err := m.read(filepath.Join(m.box.Proc, "vmallocinfo"), table)
	all := parseAreas(string(b))
	v := &state.View{What: "module", Name: viewAreas, Count: int64(len(all))}
	n, sure := stray(all, p.listed)
	switch {
	case err != nil:
		v.Blind = err.Error()
	case !single(m.box.Proc):
		v.Blind = "a module has several areas on this kernel: they can be counted, not compared"
	case sure:
		p.stray = n
	case len(all) > 0:
		v.Blind = "addresses are hidden: areas can be counted, not compared"
	}
	p.views = append(p.views, v)
}

// single tells whether the kernel keeps a module in one area: from Linux 6.4 on it has several.
func single(proc string) bool {
	b, _ := bounded.Read(filepath.Join(proc, "sys/kernel/osrelease"), small)
	var major, minor int
	_, err := fmt.Sscanf(string(b), "%d.%d", &major, &minor)
	return err == nil && (major < 6 || major == 6 && minor < 4)
}

// lists gives the views of a pass that could look and would show every module.
func (p *modulePass) lists(name string) bool {
	return slices.ContainsFunc(p.views, func(v *state.View) bool { return v.Name == name && v.Blind == "" })
}

// missing gives the views that should show a module and do not.
func (p *modulePass) missing(name string) []string {
	var all []string
	for _, v := range []string{viewModules, viewSysfs} { // the others show no module without symbols of its own
		if p.lists(v) && !slices.Contains(p.by[name], v) {
			all = append(all, v)
		}
	}
	return all
}

func (p *modulePass) differs() bool {
	for name := range p.by {
		if len(p.missing(name)) > 0 {
			return true
		}
	}
	return p.nlink > 0 || p.stray > 0
}

func (m *moduleViews) write(p *modulePass) error {
	dep := map[string]string{}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		dir := filepath.Join(m.box.Root, "lib/modules", unix.ByteSliceToString(u.Release[:]))
		b, err := m.read(filepath.Join(dir, "modules.dep"), table)
		if err != nil && len(p.listed) > 0 {
			m.out.Failed("files of modules", err)
		}
		for name, file := range files(string(b)) {
			dep[name] = filepath.Join(dir, file)
		}
	}
	for _, l := range p.listed {
		l.Views, l.Path = p.by[l.Name], dep[l.Name]
		m.box.Modules = append(m.box.Modules, &l.Module)
		if err := m.out.Record(state.ModuleFile, &l.Module); err != nil {
			return err
		}
	}
	return nil
}

// compare writes of what differed in all passes in the same way.
func (m *moduleViews) compare(passes []*modulePass) error {
	first := passes[0]
	for _, name := range slices.Sorted(maps.Keys(first.by)) {
		shown, missing := first.by[name], first.missing(name)
		for _, p := range passes[1:] {
			shown = slices.DeleteFunc(slices.Clone(shown), func(v string) bool { return !slices.Contains(p.by[name], v) })
			missing = slices.DeleteFunc(slices.Clone(missing), func(v string) bool { return !slices.Contains(p.missing(name), v) })
		}
		if len(shown) == 0 || len(missing) == 0 {
			continue
		}
		c := &state.Contradiction{
			What: "module", Subject: name, Shown: shown, Missing: missing, Repeats: len(passes),
			Detail: "not all views that list modules show it",
			Tested: []string{"it was loaded or unloaded meanwhile: the list was read before and after each pass", "built into the kernel: such have no initstate", "names in brackets that are no modules: bpf, ftrace, kprobes"},
		}
		if err := m.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return m.counts(passes)
}

// counts writes of folders and areas of memory that are counted and belong to nothing that is listed.
func (m *moduleViews) counts(passes []*modulePass) error {
	nlink, areas := passes[0].nlink, passes[0].stray
	for _, p := range passes {
		if p.nlink != nlink {
			nlink = 0
		}
		if p.stray != areas {
			areas = 0
		}
	}
	var all []*state.Contradiction
	if nlink > 0 {
		all = append(all, &state.Contradiction{Subject: "/sys/module", Shown: []string{viewLinks}, Missing: []string{viewSysfs},
			Detail: fmt.Sprintf("it has %d folders more than its listing shows", nlink), Tested: []string{"the number was the same in all passes"}})
	}
	if areas > 0 {
		all = append(all, &state.Contradiction{Subject: "memory", Shown: []string{viewAreas}, Missing: []string{viewModules},
			Detail: fmt.Sprintf("%d areas that the loader of modules took hold no listed module", areas),
			Tested: []string{"the number was the same in all passes", "a module has one area before Linux 6.4, which this is"}})
	}
	for _, c := range all {
		c.What, c.Repeats = "module", len(passes)
		if err := m.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return m.tainted(passes[0])
}

// tainted writes of bits of taint that no listed module accounts for. A driver that was unloaded leaves them: a lead.
func (m *moduleViews) tainted(p *modulePass) error {
	b, err := m.read(filepath.Join(m.box.Proc, "sys/kernel/tainted"), small)
	if err != nil || !p.lists(viewModules) {
		return nil // told of elsewhere
	}
	var v uint64
	fmt.Sscan(string(b), &v)
	for _, bit := range []int{taintProprietary, taintOutOfTree, taintUnsigned} {
		letter := state.Taint(bit)[:1]
		if v>>bit&1 == 0 || slices.ContainsFunc(p.listed, func(l *listed) bool { return strings.Contains(l.Taints, letter) }) {
			continue
		}
		c := &state.Contradiction{
			What: "taint", Subject: state.Taint(bit), Shown: []string{viewTaint}, Missing: []string{viewModules}, Repeats: 1,
			Detail: "no module that is listed has this mark: one was there, or is hidden",
			Tested: []string{"a driver that was unloaded or replaced leaves the mark, too: it cannot be ruled out"},
		}
		if err := m.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return nil
}
