package views

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// Processes gives the step that looks for processes which the listing of /proc does not show, in three passes.
func Processes(o Options) acquire.Step {
	return acquire.Step{
		Name: "hidden-processes", Quick: true,
		Doc: "asks the kernel for every process number in a dozen ways and compares with the listing of /proc",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			h := &hunt{o: o, proc: b.Proc, box: b, out: out, list: bounded.List, calls: calls}
			return h.take(ctx)
		},
	}
}

// hunt is one run of the step.
type hunt struct {
	o     Options
	proc  string
	box   *acquire.Box
	out   acquire.Out
	list  lister
	calls func() []probe // without the oracle and the path
	rules auditRules

	fresh  string // a proc filesystem of our own; "" for none
	probes []probe
	more   [][]probe // the same once more, for threads that take their share of the numbers
	last   int       // the last number that was given to a process
	bound  int       // the greatest that can be in use
	short  bool      // pid_max is greater: none beyond was given since the boot
	views  []*state.View
}

// pass is what all views showed at nearly one time.
type pass struct {
	before, after *census
	shown         map[int][]string // by number: the views that show it
	denied        map[int][]string // numbers of listed processes: the views that do not know them
	over          map[int]string   // numbers whose folder has something mounted on it, and what
	starts        map[int]uint64   // when the suspect ones began, where that can be read
	load          int              // tasks in all, as /proc/loadavg counts; 0 where it does not say
}

func (h *hunt) take(ctx context.Context) error {
	if self, err := bounded.Link(filepath.Join(h.proc, "self")); err != nil || self != strconv.Itoa(os.Getpid()) {
		// The numbers of another pid namespace mean other processes: to compare them would accuse all.
		err = fmt.Errorf("%s is not of our pid namespace: it calls us %q: %v", h.proc, self, err)
		h.out.Failed("hidden processes", err)
		return h.out.Record(state.ViewFile, &state.View{What: "process", Name: viewList, Blind: err.Error()})
	}
	var err error
	if h.rules, err = readAuditRules(h.box); err != nil {
		h.out.Failed("rules of audit", err)
	}
	closeAll := h.open()
	defer closeAll()
	first := h.pass(ctx, h.numbers(), true)
	for _, v := range h.views {
		if err := h.out.Record(state.ViewFile, v); err != nil {
			return err
		}
	}
	passes := []*pass{first}
	suspects := first.suspects()
	if len(suspects) > most {
		h.out.Failed("hidden processes", fmt.Errorf("%d numbers differ between views: only %d are looked at", len(suspects), most))
		suspects = suspects[:most]
	}
	h.start(first, suspects)
	for len(suspects) > 0 || first.excess() > 0 || len(first.over) > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		p := h.pass(ctx, slices.Values(suspects), false)
		h.start(p, suspects)
		passes = append(passes, p)
		suspects = slices.DeleteFunc(suspects, func(n int) bool { return !p.suspect(n) })
		if len(passes) == state.Passes || ctx.Err() != nil {
			break
		}
	}
	return h.tell(passes, suspects)
}

// threads bounds how many threads ask for numbers at a time.
const threads = 4

// open makes ready what the views need, and tells of what cannot be had.
func (h *hunt) open() (closeAll func()) {
	var closers []func()
	h.bound, h.last = h.reach()
	keep := func(shut func()) { closers = append(closers, shut) }
	h.probes = h.set(keep, h.blind)
	for range min(runtime.GOMAXPROCS(0), threads) - 1 {
		set := h.set(keep, func(string, error) {})
		if slices.EqualFunc(set, h.probes, func(a, b probe) bool { return a.name == b.name }) {
			h.more = append(h.more, set)
		}
	}
	if path, shut, err := FreshProc(); err != nil {
		h.blind(viewFresh, err)
	} else {
		h.fresh = path
		keep(func() { shut() })
	}
	return func() {
		for _, f := range closers {
			f()
		}
	}
}

// set gives the views that can be asked for one number at a time, for one thread.
func (h *hunt) set(keep func(shut func()), blind func(view string, err error)) (set []probe) {
	if o, err := newOracle(os.Getpid()); err != nil {
		blind(viewOracle, err)
	} else {
		keep(o.close)
		set = append(set, probe{viewOracle, unix.SYS_CLONE3, o.taken})
	}
	if p, shut, err := byPath(h.proc); err != nil {
		blind(viewPath, err)
	} else {
		keep(shut)
		set = append(set, p)
	}
	for _, p := range h.calls() {
		if there, err := p.ask(os.Getpid()); err != nil || !there {
			blind(p.name, fmt.Errorf("it does not know ourselves: %v", err))
			continue
		}
		set = append(set, p)
	}
	return set
}

func (h *hunt) blind(view string, err error) {
	h.views = append(h.views, &state.View{What: "process", Name: view, Blind: err.Error()})
}

// reach gives the greatest number that can be in use, and the last one given. Numbers are given upwards and begin
// anew at pid_max: while there were fewer forks since the boot than numbers, none is above the last.
func (h *hunt) reach() (bound, last int) {
	bound = 32768 // PID_MAX_DEFAULT
	if b, err := bounded.Read(filepath.Join(h.proc, "sys/kernel/pid_max"), 64); err == nil {
		if n, ok := number(strings.TrimSpace(string(b))); ok {
			bound = min(n, maxNames)
		}
	}
	if b, err := bounded.Read(filepath.Join(h.proc, "loadavg"), 256); err == nil {
		if f := strings.Fields(string(b)); len(f) == 5 {
			last, _ = number(f[4])
		}
	}
	forks, ok := forks(h.proc)
	if bound <= 1<<17 || !ok || last == 0 { // so few are asked for in a second
		return bound, last
	}
	if forks < int64(bound) && int64(last) >= forks/2 {
		bound = last + 1024 // for what begins while we look
		h.short = true
	}
	return bound, last
}

// forks gives how many processes and threads were made since the boot.
func forks(proc string) (int64, bool) {
	b, _ := bounded.Read(filepath.Join(proc, "stat"), 4<<20)
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "processes "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// numbers gives all that can be in use, the youngest first: if time runs out, it is the oldest that were not asked for.
func (h *hunt) numbers() iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := min(h.last, h.bound-1); n > 0; n-- {
			if !yield(n) {
				return
			}
		}
		for n := h.bound - 1; n > h.last; n-- {
			if !yield(n) {
				return
			}
		}
	}
}

// pass asks all views, between two listings. What is in neither list while the views show it is suspect.
func (h *hunt) pass(ctx context.Context, numbers iter.Seq[int], whole bool) *pass {
	p := &pass{shown: map[int][]string{}, denied: map[int][]string{}}
	began := time.Now()
	p.before = look(h.proc, h.list, false)
	listed := &state.View{What: "process", Name: viewList, Count: int64(len(p.before.tasks)), MS: time.Since(began).Milliseconds()}
	if p.before.failed != nil {
		listed.Blind = p.before.failed.Error()
	}
	h.views = append(h.views, listed)
	p.over = h.overmounts()
	for i := range h.probes {
		h.views = append(h.views, h.sweep(ctx, p, i, numbers, whole))
	}
	h.lists(p)
	p.load = h.load()
	p.after = look(h.proc, h.list, true)
	for n := range p.after.parents {
		p.show(n, viewParents)
	}
	for n := range p.after.children {
		p.show(n, viewChildren)
	}
	if !whole {
		h.views = nil
	}
	return p
}

// show notes that a view showed a number.
func (p *pass) show(n int, view string) {
	if n > 0 && !slices.Contains(p.shown[n], view) {
		p.shown[n] = append(p.shown[n], view)
	}
}

// sweep asks one view for each number, on all threads, each of which takes every so-many-th. All but the oracle answer in a fraction of a microsecond.
func (h *hunt) sweep(ctx context.Context, p *pass, at int, numbers iter.Seq[int], whole bool) *state.View {
	pr := h.probes[at]
	v := &state.View{What: "process", Name: pr.name}
	if err := h.rules.log(pr.call); whole && err != nil {
		v.Blind = err.Error()
		return v
	}
	began := time.Now()
	shares := make([]share, 1+len(h.more))
	if !whole {
		shares = shares[:1] // a few suspects
	}
	var all sync.WaitGroup
	for i := 1; i < len(shares); i++ {
		all.Go(func() { shares[i].ask(ctx, h.more[i-1][at], numbers, i, len(shares), h.budget(pr)) })
	}
	shares[0].ask(ctx, pr, numbers, 0, len(shares), h.budget(pr))
	all.Wait()
	found, able := map[int]bool{}, true
	for _, s := range shares {
		v.Asked += s.asked
		for _, n := range s.found {
			found[n] = true
			p.show(n, pr.name)
		}
		able = able && s.failed == nil
	}
	for _, s := range shares {
		if s.failed != nil {
			v.Blind = s.failed.Error()
		} else if s.late && v.Blind == "" {
			v.Blind = fmt.Sprintf("no time for the numbers after %d of %d", v.Asked, h.bound-1)
		}
	}
	v.Count, v.MS = int64(len(found)), time.Since(began).Milliseconds()
	if whole && h.short && v.Blind == "" {
		v.Blind = fmt.Sprintf("numbers from %d on were not asked for: none was given since the boot, unless by choice", h.bound)
	}
	if able {
		p.deny(pr, found)
	}
	return v
}

// budget is how long a view may be asked.
func (h *hunt) budget(pr probe) time.Duration {
	budget := h.o.Budget
	if budget <= 0 {
		budget = 10 * time.Second
	}
	if pr.name != viewOracle {
		budget /= 10
	}
	return budget
}

// share is what one thread found out.
type share struct {
	found  []int
	asked  int64
	late   bool
	failed error // this view cannot say
}

// ask asks for the i-th of every n numbers.
func (s *share) ask(ctx context.Context, pr probe, numbers iter.Seq[int], i, n int, budget time.Duration) {
	if pr.name == viewOracle {
		runtime.LockOSThread() // it borrows from its thread what the process never gets
		defer runtime.UnlockOSThread()
	}
	began, at := time.Now(), -1
	for number := range numbers {
		if at++; at%n != i {
			continue
		}
		if s.asked%256 == 255 && (time.Since(began) > budget || ctx.Err() != nil) {
			s.late = true
			return
		}
		there, err := pr.ask(number)
		if err != nil {
			s.failed = fmt.Errorf("stopped at %d: %w", number, err)
			return
		}
		s.asked++
		if there {
			s.found = append(s.found, number)
		}
	}
}

// deny notes the listed processes that a view did not show when it was asked, and does not show now.
func (p *pass) deny(pr probe, found map[int]bool) {
	for pid := range p.before.procs {
		if found[pid] {
			continue
		}
		if there, err := pr.ask(pid); err == nil && !there {
			p.denied[pid] = append(p.denied[pid], pr.name)
		}
	}
}

// lists asks the views that list by themselves.
func (h *hunt) lists(p *pass) {
	began := time.Now()
	note := func(name string, count int, why string) {
		h.views = append(h.views, &state.View{What: "process", Name: name, Count: int64(count), MS: time.Since(began).Milliseconds(), Blind: why})
		began = time.Now()
	}
	if h.fresh != "" {
		c := look(h.fresh, bounded.List, false)
		for tid := range c.tasks {
			p.show(tid, viewFresh)
		}
		why := ""
		if c.failed != nil {
			why = c.failed.Error()
		}
		note(viewFresh, len(c.tasks), why)
	}
	members, why := cgroupMembers(h.proc)
	for n := range members {
		p.show(n, viewCgroups)
	}
	note(viewCgroups, len(members), why)
	targets := pidfdTargets(h.box)
	for n := range targets {
		p.show(n, viewPidfds)
	}
	note(viewPidfds, len(targets), "")
}

// load gives the number of tasks that /proc/loadavg counts. It is of the whole machine, so that within a pid namespace
// it says nothing.
func (h *hunt) load() int {
	var st unix.Stat_t
	const initPID = 0xEFFFFFFC // PROC_PID_INIT_INO of include/linux/proc_ns.h
	if err := unix.Stat(filepath.Join(h.proc, "self/ns/pid"), &st); err != nil || st.Ino != initPID {
		return 0
	}
	b, _ := bounded.Read(filepath.Join(h.proc, "loadavg"), 256)
	f := strings.Fields(string(b))
	if len(f) != 5 {
		return 0
	}
	_, total, _ := strings.Cut(f[3], "/")
	n, _ := number(total)
	return n
}

// suspect tells whether a number is shown and not listed, or listed and denied.
func (p *pass) suspect(n int) bool {
	_, before := p.before.tasks[n]
	_, after := p.after.tasks[n]
	if before && after {
		return len(p.denied[n]) > 0 && p.before.procs[n].start == p.after.procs[n].start
	}
	return !before && !after && len(p.shown[n]) > 0
}

func (p *pass) suspects() []int {
	var all []int
	for n := range p.shown {
		if p.suspect(n) {
			all = append(all, n)
		}
	}
	for n := range p.denied {
		if p.shown[n] == nil && p.suspect(n) {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// excess gives how many tasks loadavg counts more than both lists have.
func (p *pass) excess() int {
	if p.load == 0 || len(p.before.tasks) != len(p.after.tasks) {
		return 0
	}
	return p.load - len(p.after.tasks)
}

// overmounts gives the numbers of processes on whose folder, or within it, something is mounted. Nothing ordinary does:
// lxcfs and the masks of containers lie on files like /proc/cpuinfo and /proc/kcore, ProtectProc= lies on /proc itself.
func (h *hunt) overmounts() map[int]string {
	over := map[int]string{}
	b, err := bounded.Read(filepath.Join(h.proc, "self/mountinfo"), maxMountTab)
	if err != nil {
		h.blind(viewMounts, err)
	}
	mounts, bad := parseMounts(b)
	v := &state.View{What: "process", Name: viewMounts, Count: int64(len(mounts))}
	if bad > 0 {
		v.Blind = fmt.Sprintf("%d lines could not be read", bad)
	}
	h.views = append(h.views, v)
	for _, m := range mounts {
		rest, ok := strings.CutPrefix(m.At, h.proc+"/")
		name, _, _ := strings.Cut(rest, "/")
		if n, isPID := number(name); ok && isPID {
			over[n] = fmt.Sprintf("%s of type %s is mounted on %s", filepath.Join(m.Source, m.Root), m.Type, m.At)
		}
	}
	return over
}

// start notes when the suspect ones began, so that two processes by one number are not taken for one.
func (h *hunt) start(p *pass, suspects []int) {
	p.starts = map[int]uint64{}
	for _, n := range suspects {
		st, err := readStat(filepath.Join(h.proc, strconv.Itoa(n)))
		if err != nil && h.fresh != "" {
			st, _ = readStat(filepath.Join(h.fresh, strconv.Itoa(n)))
		}
		p.starts[n] = st.start
	}
}

// inAll gives the views that are in the list of every pass.
func inAll(passes []*pass, of func(*pass) []string) []string {
	counts := map[string]int{}
	for _, p := range passes {
		for _, v := range of(p) {
			counts[v]++
		}
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n < len(passes) })
	return slices.Sorted(maps.Keys(counts))
}
