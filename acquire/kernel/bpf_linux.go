package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/internal/bpf"
	"telltale/internal/state"
)

// Limits of the walks for BPF.
const (
	beyondLast = 1 << 16 // numbers asked for beyond the last listed; some 0.1 s
	maxAsked   = 1 << 18
	maxCgroups = 5000
	maxPins    = 5000
)

// BPF gives the step that writes down the programs of BPF and where they are attached, and compares the views of them.
func BPF(Options) acquire.Step {
	return acquire.Step{
		Name: "bpf", Quick: true, Doc: "writes down the programs of BPF, what they are attached to and who holds them",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			v := &bpfViews{box: b, out: out, ids: ids}
			return v.take(ctx)
		},
	}
}

// bpfViews is one run of the step.
type bpfViews struct {
	box   *acquire.Box
	out   acquire.Out
	ids   func(cmd int) ([]uint32, error)
	views []*state.View
}

// bpfPass is what the views show at nearly one time, by the id of a program.
type bpfPass struct {
	progs     map[uint32]*state.BPF // those in the list, or opened by id
	listed    map[uint32]bool
	shown     map[uint32][]string
	functions map[uint64]bool // addresses of all their functions
	count     int             // of functions
}

func (v *bpfViews) take(ctx context.Context) error {
	if _, err := v.ids(cmdProgNextID); err != nil {
		v.out.Failed("programs of BPF", notAsked(err))
		return v.out.Record(state.ViewFile, &state.View{What: "bpf", Name: viewIDs, Blind: notAsked(err).Error()})
	}
	raw, err := v.box.KernelSymbols()
	if err != nil {
		v.out.Failed("symbols", err)
	}
	wanted := []string{bpf.Base}
	for _, d := range bpf.Deceivers() {
		wanted = append(wanted, d.Function)
	}
	table := parseSymbols(string(raw), wanted...)
	first := v.pass(ctx, table)
	for _, view := range v.views {
		if err := v.out.Record(state.ViewFile, view); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(first.progs)) {
		if err := v.out.Record(state.BPFFile, first.progs[id]); err != nil {
			return err
		}
	}
	passes := []*bpfPass{first}
	for len(passes) < state.Passes && ctx.Err() == nil && len(first.unlisted()) > 0 {
		time.Sleep(pause)
		passes = append(passes, v.pass(ctx, table))
	}
	if err := v.compare(passes); err != nil {
		return err
	}
	return v.compiled(ctx, table, first, err)
}

// notAsked puts an error of bpf(2) into words.
func notAsked(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("this kernel cannot list programs of BPF (Linux 4.13 can): %w", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("only root of the machine may list programs of BPF: %w", err)
	}
	return err
}

// pass asks all views once; the list of ids is read first and last.
func (v *bpfViews) pass(ctx context.Context, t *symbolTable) *bpfPass {
	v.views = nil
	p := &bpfPass{progs: map[uint32]*state.BPF{}, listed: map[uint32]bool{}, shown: map[uint32][]string{}, functions: map[uint64]bool{}}
	v.list(p)
	v.count("bpf-map-ids", cmdMapNextID)
	v.count("bpf-btf-ids", cmdBTFNextID)
	v.gaps(ctx, p)
	for id := range p.shown {
		v.open(p, id, t)
	}
	v.links(p)
	v.descriptors(p)
	v.pins(p)
	v.cgroups(ctx, p)
	v.network(ctx, p)
	after, _ := v.ids(cmdProgNextID)
	for _, id := range after {
		p.listed[id] = true
	}
	return p
}

// note adds what a view saw of a program, and where that is.
func (p *bpfPass) note(view string, id uint32, where string) {
	if !slices.Contains(p.shown[id], view) {
		p.shown[id] = append(p.shown[id], view)
	}
	b := p.progs[id]
	if b == nil {
		return
	}
	b.Views = p.shown[id]
	if where != "" && !slices.Contains(b.Attach, where) && len(b.Attach) < 64 {
		b.Attach = append(b.Attach, where)
	}
}

func (v *bpfViews) view(name string, count int, err error) {
	s := &state.View{What: "bpf", Name: name, Count: int64(count)}
	if err != nil {
		s.Blind = err.Error()
	}
	v.views = append(v.views, s)
}

func (v *bpfViews) list(p *bpfPass) {
	all, err := v.ids(cmdProgNextID)
	for _, id := range all {
		p.listed[id] = true
		p.note(viewIDs, id, "")
	}
	v.view(viewIDs, len(all), err)
}

func (v *bpfViews) count(name string, cmd int) {
	all, err := v.ids(cmd)
	v.view(name, len(all), err)
}

// gaps opens each number that the list leaves out, and those beyond its last: a program that is hidden is likely one of
// the newest, and numbers are spent by each program that ever was. Where there are too many the newest are asked.
func (v *bpfViews) gaps(ctx context.Context, p *bpfPass) {
	var last uint32
	for id := range p.listed {
		last = max(last, id)
	}
	last += beyondLast
	view := &state.View{What: "bpf", Name: viewByID}
	for id := last; id > 0 && ctx.Err() == nil; id-- {
		if p.listed[id] {
			continue
		}
		if view.Asked == maxAsked {
			view.Blind = fmt.Sprintf("the numbers from 1 to %d were not asked for", id)
			break
		}
		view.Asked++
		if fd, err := byID(cmdProgFD, id); err == nil {
			unix.Close(fd)
			view.Count++
			p.note(viewByID, id, "")
		}
	}
	v.views = append(v.views, view)
}

// open describes a program.
func (v *bpfViews) open(p *bpfPass, id uint32, t *symbolTable) {
	fd, err := byID(cmdProgFD, id)
	if err != nil {
		if !errors.Is(err, unix.ENOENT) { // gone since
			v.out.Failed(fmt.Sprintf("BPF program %d", id), err)
		}
		return
	}
	defer unix.Close(fd)
	info, code, functions, err := program(fd)
	if err != nil {
		v.out.Failed(fmt.Sprintf("BPF program %d", id), err)
		return
	}
	b := &state.BPF{ID: id, Type: bpf.ProgramType(info.kind), Name: info.name, Tag: info.tag, UID: info.uid, Views: p.shown[id]}
	if !v.box.Boot.IsZero() {
		b.Loaded = v.box.Boot.Add(time.Duration(info.loaded)).UTC().Format(time.RFC3339Nano)
	}
	found, ok := bpf.Calls(code, binary.NativeEndian, t.wanted)
	b.Helpers = found
	if (!ok || code == nil) && info.translated > 0 {
		v.out.Failed(fmt.Sprintf("instructions of BPF program %d", id), errors.New("the kernel does not tell them, or hides the addresses of its functions"))
	}
	p.progs[id] = b
	p.count += int(info.functions)
	for _, f := range functions {
		p.functions[f] = true
	}
}

func (v *bpfViews) links(p *bpfPass) {
	all, err := v.ids(cmdLinkNextID)
	for _, id := range all {
		fd, err := byID(cmdLinkFD, id)
		if err != nil {
			continue
		}
		l, err := link(fd)
		unix.Close(fd)
		if err == nil && l.prog != 0 {
			p.note(viewBPFLink, l.prog, l.target)
		}
	}
	v.view(viewBPFLink, len(all), err)
}

// descriptors finds programs that processes hold, by the files of the processes seen.
func (v *bpfViews) descriptors(p *bpfPass) {
	found := 0
	for _, proc := range v.box.Processes {
		for _, f := range proc.Files {
			if !strings.HasPrefix(f.Target, "anon_inode:bpf-prog") && !strings.HasPrefix(f.Target, "anon_inode:bpf_link") && !strings.HasPrefix(f.Target, "anon_inode:bpf-link") {
				continue
			}
			text, _ := bounded.Read(filepath.Join(v.box.Proc, strconv.Itoa(proc.PID), "fdinfo", strconv.Itoa(f.FD)), small)
			id := progID(string(text))
			if id == 0 {
				continue
			}
			found++
			p.note(viewFDs, id, "")
			if b := p.progs[id]; b != nil && !slices.Contains(b.PIDs, proc.PID) {
				b.PIDs = append(b.PIDs, proc.PID)
			}
		}
	}
	v.view(viewFDs, found, known(len(v.box.Processes), "processes"))
}

// known gives an error where an earlier step saw nothing to look at: then nothing is not none.
func known(n int, what string) error {
	if n == 0 {
		return errors.New("no " + what + " are known to look at")
	}
	return nil
}

// pins walks the bpf filesystems of our mount namespace and opens what is pinned there.
func (v *bpfViews) pins(p *bpfPass) {
	found, budget := 0, maxPins
	for _, m := range v.box.Mounts {
		if m.Type == "bpf" {
			found += v.pinsBelow(p, m.At, &budget)
		}
	}
	err := known(len(v.box.Mounts), "mounts")
	if budget <= 0 {
		err = fmt.Errorf("more than %d", maxPins)
	}
	v.view(viewPins, found, err)
}

func (v *bpfViews) pinsBelow(p *bpfPass, top string, budget *int) (found int) {
	todo := []string{top}
	for len(todo) > 0 && *budget > 0 {
		dir := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		names, err := bounded.List(dir, maxPins)
		if err != nil {
			v.out.Failed("pinned programs in "+dir, err)
		}
		for _, name := range names {
			*budget--
			path := filepath.Join(dir, name)
			st, err := os.Lstat(path)
			switch {
			case err != nil:
			case st.IsDir():
				todo = append(todo, path)
			case st.Mode().IsRegular():
				found += v.pin(p, path)
			}
		}
	}
	return found
}

// pin opens one pinned object and notes it if it is a program or a link.
func (v *bpfViews) pin(p *bpfPass, path string) int {
	fd, err := pinned(path)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	text, _ := bounded.Read(filepath.Join(v.box.Proc, "self/fdinfo", strconv.Itoa(fd)), small)
	id := progID(string(text))
	if id == 0 {
		return 0 // a map
	}
	p.note(viewPins, id, "")
	if b := p.progs[id]; b != nil {
		b.Pinned = append(b.Pinned, path)
	}
	return 1
}

// cgroups asks each control group of version 2 for its programs: such stand without a link.
func (v *bpfViews) cgroups(ctx context.Context, p *bpfPass) {
	budget, found := maxCgroups, 0
	for _, m := range v.box.Mounts {
		if m.Type != "cgroup2" {
			continue
		}
		for todo := []string{m.At}; len(todo) > 0 && budget > 0 && ctx.Err() == nil; budget-- {
			dir := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			below, _ := bounded.Folders(dir, maxCgroups)
			for _, name := range below {
				todo = append(todo, filepath.Join(dir, name))
			}
			fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
			if err != nil {
				continue
			}
			for attach := range uint32(attachTypesAsked) {
				for _, id := range attached(fd, attach) {
					found++
					p.note(viewCgroup, id, fmt.Sprintf("cgroup %s, attach type %d", dir, attach))
				}
			}
			unix.Close(fd)
		}
	}
	err := known(len(v.box.Mounts), "mounts")
	if budget <= 0 {
		err = fmt.Errorf("more than %d control groups", maxCgroups)
	}
	v.view(viewCgroup, found, err)
}

// network takes what tc and XDP carry in all network namespaces.
func (v *bpfViews) network(ctx context.Context, p *bpfPass) {
	found := 0
	err := inEach(ctx, v.box, v.out, func(f *interfaces, ns uint64) error {
		for _, c := range f.carriers {
			if c.prog != 0 {
				found++
				p.note(viewNet, c.prog, fmt.Sprintf("%s, in network namespace %d", c.text(), ns))
			}
		}
		return nil
	})
	v.view(viewNet, found, err)
}

// unlisted gives the programs that some view shows and the list does not.
func (p *bpfPass) unlisted() []uint32 {
	var all []uint32
	for id := range p.shown {
		if !p.listed[id] {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// compare writes of the programs that were shown and not listed in all passes.
func (v *bpfViews) compare(passes []*bpfPass) error {
	for _, id := range passes[0].unlisted() {
		shown := passes[0].shown[id]
		for _, p := range passes {
			if p.listed[id] {
				shown = nil
			}
			shown = slices.DeleteFunc(slices.Clone(shown), func(s string) bool { return !slices.Contains(p.shown[id], s) })
		}
		if len(shown) == 0 {
			continue
		}
		c := &state.Contradiction{
			What: "bpf", Subject: fmt.Sprintf("program %d", id), Shown: shown, Missing: []string{viewIDs}, Repeats: len(passes),
			Tested: []string{"it was loaded or unloaded meanwhile: the list was read before and after each pass", "ids are never used again"},
		}
		if b := passes[0].progs[id]; b != nil {
			c.Detail = fmt.Sprintf("type %s, name %q, tag %s, of user %d", b.Type, b.Name, b.Tag, b.UID)
		}
		if err := v.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return nil
}

// compiled compares the functions of programs in the table of symbols with those that the programs name as theirs. A
// program has a symbol for each of its subprograms, and an unloaded one keeps its own for a moment.
func (v *bpfViews) compiled(ctx context.Context, t *symbolTable, p *bpfPass, failed error) error {
	v.views = nil
	view := &state.View{What: "bpf", Name: viewSymbols, Count: int64(len(t.bpf))}
	var loose []string
	hidden := false
	for name, at := range t.bpf {
		hidden = hidden || at == 0
		if !p.functions[at] {
			loose = append(loose, name)
		}
	}
	if failed != nil {
		view.Blind, loose = failed.Error(), nil
	} else if hidden || len(p.functions) < p.count {
		view.Blind = "addresses are hidden: functions can be counted, not compared"
		loose = nil
	}
	if err := v.out.Record(state.ViewFile, view); err != nil || len(loose) == 0 || ctx.Err() != nil {
		return err
	}
	repeats := 1
	for ; repeats < state.Passes && len(loose) > 0; repeats++ {
		time.Sleep(pause)
		raw, _ := bounded.Read(filepath.Join(v.box.Proc, "kallsyms"), symbols)
		now := v.pass(ctx, t)
		still := parseSymbols(string(raw)).bpf
		loose = slices.DeleteFunc(loose, func(name string) bool { at, ok := still[name]; return !ok || now.functions[at] })
	}
	slices.Sort(loose)
	for _, name := range loose[:min(len(loose), 100)] {
		c := &state.Contradiction{
			What: "bpf", Subject: name, Shown: []string{viewSymbols}, Missing: []string{viewIDs}, Repeats: repeats,
			Detail: "a function of a program that none of those listed names as its own",
			Tested: []string{"a subprogram: their addresses were asked for", "unloaded meanwhile: seen in all passes"},
		}
		if err := v.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return nil
}
