package freeze

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/internal/procread"
)

// Thaw lets a process go on and puts it back where it was, and with Options.Tree its descendants.
func Thaw(ctx context.Context, pid int, o Options) ([]Process, error) {
	r := &run{o: o}
	var err error
	if r.v1, r.v2, err = hierarchies(); err != nil {
		return nil, err
	}
	todo := []int{pid}
	if o.Tree {
		more, e := descendants(pid)
		err, todo = e, append(todo, more...)
	}
	slices.Reverse(todo) // the parent last, as it was frozen first: it finds its children as they were
	var out []Process
	for _, p := range todo {
		x, e := r.thaw(ctx, p)
		if errors.Is(e, ErrNotHeld) && p != pid {
			continue
		}
		if e != nil {
			x.Error = e.Error()
			err = procread.Join(err, fmt.Errorf("PID %d: %w", p, e))
		}
		out = append(out, x)
	}
	return out, err
}

func (r *run) thaw(ctx context.Context, pid int) (Process, error) {
	p := Process{PID: pid}
	if pid <= 0 {
		return p, fmt.Errorf("%w: %d is no process", ErrNotHeld, pid)
	}
	s, err := procread.Of(pid)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrGone, err)
	}
	p.Program, p.Start, p.Before = s.Comm, s.Start, string(s.State)
	m, err := memberOf(pid)
	if err != nil {
		return p, err
	}
	p.Cgroups = m.lines
	if err := r.release(&p, m); err != nil {
		return p, err
	}
	if s, err := procread.Of(pid); err == nil && s.Start == p.Start {
		p.After = string(s.State)
	}
	return p, ctx.Err()
}

// release undoes whichever way the process is held by.
func (r *run) release(p *Process, m membership) error {
	for _, way := range []struct {
		how string
		h   *hierarchy
		at  string
	}{{ByV1, r.v1, m.v1}, {ByV2, r.v2, m.v2}} {
		if way.h == nil || !ours(way.at) {
			continue
		}
		base, err := way.h.open(path.Dir(way.at))
		if err != nil {
			return err
		}
		defer base.close()
		g, err := way.h.open(way.at)
		if err != nil {
			return err
		}
		defer g.close()
		p.How, p.Where = way.how, base.path
		if err := g.dissolve(base, path.Base(way.at)); err != nil {
			return err
		}
		return awake(base)
	}
	if r.v2 != nil && m.v2 != "" {
		if g, err := r.v2.open(m.v2); err == nil {
			defer g.close()
			if s, err := g.read("cgroup.freeze"); err == nil && strings.TrimSpace(s) == "1" {
				p.How, p.Where = ByOwn, g.path
				if err := g.set(false); err != nil {
					return err
				}
				return awake(g)
			}
		}
	}
	if r.o.Stop && p.Before == "T" {
		p.How = ByStop
		return unix.Kill(p.PID, unix.SIGCONT)
	}
	if p.Before == "T" {
		return fmt.Errorf("%w, but stopped by a signal", ErrNotHeld)
	}
	return ErrNotHeld
}

// awake waits until the group is no longer frozen. It stays so if one above it is frozen, which is not ours.
func awake(g *group) error {
	for end := time.Now().Add(time.Second); ; time.Sleep(5 * time.Millisecond) {
		cold, said, err := g.frozen()
		if err != nil || !cold {
			if errors.Is(err, unix.ENOENT) { // the root has no such file, and cannot be frozen
				err = nil
			}
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the group %q is still frozen (%s): somebody froze it or one above it", g.path, said)
		}
	}
}
