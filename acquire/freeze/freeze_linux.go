package freeze

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/internal/procread"
)

const (
	prefix    = "telltale-freeze-" // of the groups that are made
	settle    = 5 * time.Second    // how long a process may take to stand still: a thread in the kernel has to come back first
	watch     = 200 * time.Millisecond
	maxRounds = 16 // times that is looked for new descendants
	maxTree   = 4096
)

// run is what one call works with.
type run struct {
	o       Options
	v1, v2  *hierarchy
	protect map[int]string // who is not to be frozen, and why
}

func newRun(o Options) (*run, error) {
	r := &run{o: o, protect: map[int]string{}}
	self := os.Getpid()
	for _, pid := range o.Protect {
		r.guard(pid, "it carries the session from which this is called")
	}
	r.guard(self, "it runs this program")
	r.protect[self], r.protect[1] = "it is this program", "it is the first process, and the machine would stand still with it"
	var err error
	r.v1, r.v2, err = hierarchies()
	return r, err
}

// guard protects a process and all that it hangs on.
func (r *run) guard(pid int, why string) {
	r.protect[pid] = why
	up, _ := procread.Ancestors(pid)
	for _, a := range up {
		r.protect[a.PID] = why
	}
}

// Freeze makes a process stand still, and with Options.Tree its descendants. It gives what was done also where it failed for
// some; the error is that of the first.
func Freeze(ctx context.Context, pid int, o Options) ([]Process, error) {
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	var out []Process
	done := map[int]bool{}
	// The parent stands still first, so that it makes no more children; those that it made meanwhile come in the next round.
	for round, todo := 0, []int{pid}; len(todo) > 0; round++ {
		if round == maxRounds || len(done) > maxTree {
			return out, procread.Join(err, fmt.Errorf("%w: its descendants come faster than they are frozen", ErrNotFrozen))
		}
		for _, p := range todo {
			done[p] = true
			x, e := r.freeze(ctx, p)
			if errors.Is(e, ErrGone) && p != pid {
				continue
			}
			if e != nil {
				x.Error = e.Error()
				err = procread.Join(err, fmt.Errorf("PID %d: %w", p, e))
			}
			out = append(out, x)
			if p == pid && !x.Frozen {
				return out, err
			}
		}
		if !o.Tree {
			break
		}
		todo = nil
		list, e := descendants(pid)
		err = procread.Join(err, e)
		for _, p := range list {
			if !done[p] {
				todo = append(todo, p)
			}
		}
	}
	return out, err
}

// descendants lists the children of a process and theirs, as /proc shows them.
func descendants(pid int) ([]int, error) {
	pids, err := procread.PIDs()
	children := map[int][]int{}
	for _, p := range pids {
		if s, e := procread.Of(p); e == nil {
			children[s.Parent] = append(children[s.Parent], p)
		}
	}
	var out []int
	seen := map[int]bool{pid: true}
	for todo := []int{pid}; len(todo) > 0; todo = todo[1:] {
		for _, c := range children[todo[0]] {
			if !seen[c] {
				seen[c] = true
				out, todo = append(out, c), append(todo, c)
			}
		}
	}
	return out, err
}

// freeze makes one process stand still.
func (r *run) freeze(ctx context.Context, pid int) (Process, error) {
	p := Process{PID: pid}
	if pid <= 0 {
		return p, fmt.Errorf("%w: %d is no process", ErrRefused, pid)
	}
	s, err := procread.Of(pid)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrGone, err)
	}
	p.Program, p.Start, p.Before = s.Comm, s.Start, string(s.State)
	if why := r.protect[pid]; why != "" {
		return p, fmt.Errorf("%w: %s", ErrRefused, why)
	}
	if s.Kernel() || pid == 2 {
		return p, fmt.Errorf("%w: it is a thread of the kernel", ErrRefused)
	}
	if s.State == 'Z' || s.State == 'X' {
		return p, fmt.Errorf("%w: it has ended, and only its parent has not asked for it yet", ErrGone)
	}
	m, err := memberOf(pid)
	if err != nil {
		return p, err
	}
	p.Cgroups = m.lines
	if ours(m.v1) || ours(m.v2) {
		return p, fmt.Errorf("%w: it is frozen by telltale already", ErrRefused)
	}
	if r.o.Stop {
		return p, stop(ctx, &p)
	}
	g, err := r.place(&p, m)
	if err != nil {
		return p, err
	}
	defer g.close()
	p.Where = g.path
	return p, still(ctx, &p, func() (bool, error) {
		ok, said, err := g.frozen()
		p.Said = said
		return ok, err
	})
}

func ours(at string) bool { return strings.HasPrefix(path.Base(at), prefix) }

// place brings the process into a group that is frozen, by the first way that is there.
func (r *run) place(p *Process, m membership) (*group, error) {
	wants := func(how string) bool { return r.o.Only == "" || r.o.Only == how }
	var errs error
	if r.v2 != nil && m.v2 != "" && (r.o.Unit || wants(ByOwn)) {
		g, err := r.own(p.PID, m.v2)
		if g != nil {
			p.How = ByOwn
			return g, nil
		}
		errs = err
	}
	if r.o.Unit && errors.Is(errs, ErrRefused) {
		return nil, errs
	}
	if r.o.Unit {
		return nil, procread.Join(fmt.Errorf("%w for a whole cgroup", ErrCannot), errs)
	}
	for _, way := range []struct {
		how string
		h   *hierarchy
		at  string
	}{{ByV1, r.v1, m.v1}, {ByV2, r.v2, m.v2}} {
		if way.h == nil || way.at == "" || !wants(way.how) {
			continue
		}
		g, err := way.h.hold(p, way.at)
		if err == nil {
			p.How = way.how
			return g, nil
		}
		if errors.Is(err, ErrGone) {
			return nil, err
		}
		errs = procread.Join(errs, err)
	}
	return nil, procread.Join(ErrCannot, errs)
}

// own freezes the group as it is: where the process is alone in it, or the whole of it is asked for. It gives nil without an
// error where the process is not alone.
func (r *run) own(pid int, at string) (*group, error) {
	g, err := r.v2.open(at)
	if err != nil {
		return nil, err
	}
	if !r.o.Unit && !g.lonely(pid) {
		g.close()
		return nil, nil
	}
	for p, why := range r.protect {
		m, err := memberOf(p)
		if err == nil && (m.v2 == at || strings.HasPrefix(m.v2, strings.TrimSuffix(at, "/")+"/")) {
			g.close()
			return nil, fmt.Errorf("%w: PID %d is in the group %q as well, and %s", ErrRefused, p, at, why)
		}
	}
	if err := g.set(true); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// hold makes a group beneath the process' own, frozen, and moves the process into it.
func (h *hierarchy) hold(p *Process, at string) (*group, error) {
	base, err := h.open(at)
	if err != nil {
		return nil, err
	}
	defer base.close()
	name, pid := prefix+strconv.Itoa(p.PID), strconv.Itoa(p.PID)
	g, err := base.make(name)
	if err != nil {
		return nil, err
	}
	if err = g.set(true); err == nil {
		err = g.write("cgroup.procs", pid)
		if errors.Is(err, unix.EBUSY) { // an old kernel lets nobody into a frozen group
			err = procread.Join(g.set(false), g.write("cgroup.procs", pid), g.set(true))
		}
	}
	if errors.Is(err, unix.ESRCH) {
		err = fmt.Errorf("%w: %w", ErrGone, err)
	}
	if err == nil {
		if s, e := procread.Of(p.PID); e != nil || s.Start != p.Start {
			err = fmt.Errorf("%w: its number is another's by now", ErrGone)
		}
	}
	if err != nil {
		err = procread.Join(err, g.dissolve(base, name))
		g.close()
		return nil, err
	}
	return g, nil
}

// dissolve lets all of a group's processes go on in the group above, and removes it.
func (g *group) dissolve(base *group, name string) error {
	errs := g.set(false)
	for range maxRounds { // a process may make children while it is moved
		list, err := g.members()
		if err != nil || len(list) == 0 {
			errs = procread.Join(errs, err)
			break
		}
		for _, pid := range list {
			if err := base.write("cgroup.procs", strconv.Itoa(pid)); err != nil && !errors.Is(err, unix.ESRCH) {
				return procread.Join(errs, err)
			}
		}
	}
	if err := unix.Unlinkat(base.fd, name, unix.AT_REMOVEDIR); err != nil && !errors.Is(err, unix.ENOENT) {
		errs = procread.Join(errs, fmt.Errorf("remove the group %q: %w", g.path, err))
	}
	return errs
}

// stop stops the process by a signal, which its parent and its tracer are told of.
func stop(ctx context.Context, p *Process) error {
	p.How = ByStop
	if err := unix.Kill(p.PID, unix.SIGSTOP); err != nil {
		return fmt.Errorf("stop it: %w", err)
	}
	return still(ctx, p, func() (bool, error) {
		s, err := procread.Of(p.PID)
		return s.State == 'T' || s.State == 't', err
	})
}

// still waits until told says that the process stands still, and then watches whether it uses time.
func still(ctx context.Context, p *Process, told func() (bool, error)) error {
	end := time.Now().Add(settle)
	for {
		ok, err := told()
		if err != nil {
			return err
		}
		if ok {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w after %v: some thread of it is held in the kernel; it will stand still when that comes back, unless it is thawed", ErrNotFrozen, settle)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	for {
		if err := watched(ctx, p); err != nil || p.Frozen {
			return err
		}
		// The word is the first thread's, another may come a little later; and a tick is booked when it is over.
		if time.Now().After(end) {
			return fmt.Errorf("%w: the kernel says it does, and it used %d ticks in %v", ErrNotFrozen, p.Ticks, watch)
		}
	}
}

// watched tells whether the process uses no time for a while.
func watched(ctx context.Context, p *Process) error {
	a, err := procread.Of(p.PID)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	if err := pause(ctx, watch); err != nil {
		return err
	}
	b, err := procread.Of(p.PID)
	if err != nil || b.Start != p.Start {
		return ErrGone
	}
	p.After, p.Ticks = string(b.State), b.Ticks-a.Ticks
	p.Frozen = p.Ticks == 0
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
