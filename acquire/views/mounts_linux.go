package views

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/namespace"
	"telltale/internal/state"
)

// maxMounts is how many mounts are written down.
const maxMounts = 200_000

// Mounts gives the step that writes down the mounts of all mount namespaces, and looks at what some of them hide.
func Mounts(Options) acquire.Step {
	return acquire.Step{
		Name: "mounts", Quick: true,
		Doc: "writes down the mounts of all mount namespaces, and what lies beneath those that hide something",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			c := &covers{box: b, out: out}
			return c.take(ctx)
		},
	}
}

// covers is one run of the step.
type covers struct {
	box *acquire.Box
	out acquire.Out
}

func (c *covers) take(ctx context.Context) error {
	began := time.Now()
	spaces := namespace.Spaces(c.box, "mnt")
	v := &state.View{What: "mount", Name: viewMounts, Asked: int64(len(spaces))}
	own := namespace.ID(filepath.Join(c.box.Proc, "self/ns/mnt"))
	watch, err := c.all(ctx, spaces, own, v)
	if err != nil {
		return err
	}
	v.MS = time.Since(began).Milliseconds()
	if err := c.out.Record(state.ViewFile, v); err != nil {
		return err
	}
	for _, mounts := range watch {
		if err := c.compare(ctx, mounts, own); err != nil {
			return err
		}
	}
	return nil
}

// all writes down the mounts of all namespaces, and gives those of our own and of the first process.
func (c *covers) all(ctx context.Context, spaces []namespace.Space, own uint64, v *state.View) (watch [][]*state.Mount, err error) {
	first := namespace.ID(filepath.Join(c.box.Proc, "1/ns/mnt"))
	held := map[uint64]bool{}
	for _, s := range spaces {
		if ctx.Err() != nil || v.Count > maxMounts {
			v.Blind = "not all namespaces: " + strconv.Itoa(len(held)) + " were read"
			break
		}
		held[s.ID] = true
		mounts, err := c.read(s)
		if err != nil {
			c.out.Failed(fmt.Sprintf("mounts of process %d", s.PID), err)
			continue
		}
		v.Count += int64(len(mounts))
		for _, m := range mounts {
			if err := c.out.Record(state.MountFile, m); err != nil {
				return nil, err
			}
		}
		if s.ID == own {
			c.box.Mounts = mounts
		}
		if s.ID == own || s.ID == first {
			watch = append(watch, mounts)
		}
	}
	if n := ownerless(c.box.Mounts, held); n > 0 && v.Blind == "" {
		v.Blind = fmt.Sprintf("%d mount namespaces have no process and are only held by a file", n)
	}
	return watch, nil
}

func (c *covers) read(s namespace.Space) ([]*state.Mount, error) {
	b, err := bounded.Read(filepath.Join(c.box.Proc, strconv.Itoa(s.PID), "mountinfo"), maxMountTab)
	if err != nil {
		return nil, err
	}
	mounts, bad := parseMounts(b)
	for _, m := range mounts {
		m.NS, m.Process = s.ID, s.PID
	}
	if bad > 0 {
		c.out.Failed(fmt.Sprintf("mounts of process %d", s.PID), fmt.Errorf("%d lines could not be read", bad))
	}
	return mounts, nil
}

// ownerless counts the mount namespaces that only a file holds, as snap does.
func ownerless(mounts []*state.Mount, held map[uint64]bool) int {
	n := 0
	for _, m := range mounts {
		if id, ok := strings.CutPrefix(m.Root, "mnt:["); ok && m.Type == "nsfs" {
			if v, err := strconv.ParseUint(strings.TrimSuffix(id, "]"), 10, 64); err == nil && !held[v] {
				n++
			}
		}
	}
	return n
}

// compare looks at each mount on a watched place of one namespace.
func (c *covers) compare(ctx context.Context, mounts []*state.Mount, own uint64) error {
	fstab, _ := bounded.Read(filepath.Join(c.box.Root, "etc/fstab"), 1<<20)
	t := newTable(mounts, string(fstab), c.marked())
	written := 0
	for _, m := range mounts {
		what := interest(m.At)
		alone := what == "" && singleFile(m) && isFile(m.At)
		if what == "" && !alone || m.At == "/" || ctx.Err() != nil || written >= most {
			continue
		}
		con := c.contradiction(t, m, what, own)
		if con == nil {
			continue
		}
		written++
		if con.Repeats = 1; con.Explained == "" {
			con.Repeats = c.repeats(m)
		}
		if err := c.out.Record(state.ContradictionsFile, con); err != nil {
			return err
		}
	}
	return nil
}

// contradiction makes one of a mount on a watched place; nil where it hides nothing.
func (c *covers) contradiction(t *table, m *state.Mount, what string, own uint64) *state.Contradiction {
	con := &state.Contradiction{
		What: "mount", Subject: m.At, Shown: []string{viewMounts}, Missing: []string{viewPath}, Tested: causes,
		Detail: fmt.Sprintf("%s of type %s, its root %q, is mounted on it", m.Source, m.Type, m.Root), Explained: t.usual(m),
	}
	if what == "" {
		con.Detail = "a single file; " + con.Detail
	} else {
		con.Detail = what + "; " + con.Detail
	}
	if strings.HasPrefix(m.At, "/proc/") {
		con.Structural = true
		name, _, _ := strings.Cut(strings.TrimPrefix(m.At, "/proc/"), "/")
		con.PID, _ = number(name)
		return con
	}
	parent := t.byID[m.Parent]
	if parent == nil || m.NS != own {
		con.Detail += "; what lies beneath cannot be reached from our mount namespace"
		return con
	}
	h, err := beneath(m, parent)
	switch {
	case err != nil:
		con.Detail += "; what lies beneath could not be read: " + err.Error()
	case h.same:
		return nil
	default:
		con.Detail += "; beneath lies " + h.detail
		if h.empty && con.Explained == "" {
			con.Explained = "nothing lies beneath it"
		}
		if what != "" { // a single file elsewhere remains a lead
			con.Shown = append(con.Shown, viewBeneath)
		}
	}
	return con
}

// repeats looks again whether a mount is still there.
func (c *covers) repeats(m *state.Mount) int {
	n := 1
	for n < state.Passes {
		time.Sleep(pause / 4)
		mounts, err := c.read(namespace.Space{ID: m.NS, PID: m.Process})
		if err != nil || !slices.ContainsFunc(mounts, func(x *state.Mount) bool { return x.ID == m.ID && x.At == m.At }) {
			break
		}
		n++
	}
	return n
}

// marked tells whether we run in a container, by the marks that its engine leaves.
func (c *covers) marked() bool {
	for _, name := range []string{".dockerenv", "run/.containerenv", "run/systemd/container"} {
		var st unix.Stat_t
		if unix.Lstat(filepath.Join(c.box.Root, name), &st) == nil {
			return true
		}
	}
	return false
}
