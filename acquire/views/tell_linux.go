package views

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// ordinary are the causes that every pass rules out, for state.Contradiction.Tested.
var ordinary = []string{
	"it ended or began between the views: listed before and after each pass",
	"a thread of a listed process: the tasks of all are listed",
	"another process by the same number in each pass: its time of start was compared, where it can be read",
}

// tell writes down what was so in all passes.
func (h *hunt) tell(passes []*pass, suspects []int) error {
	last := passes[len(passes)-1]
	hidden := 0
	for _, n := range suspects {
		c := h.contradiction(passes, n)
		if c == nil {
			continue
		}
		if c.Explained == "" && slices.Contains(c.Missing, viewList) {
			hidden++
		}
		if err := h.record(c, h.proc); err != nil {
			return err
		}
	}
	for n := range last.over {
		if err := h.mountedOver(passes, n); err != nil {
			return err
		}
	}
	return h.uncounted(passes, hidden)
}

// contradiction makes one of a number that is suspect in every pass; nil if nothing was so in all of them.
func (h *hunt) contradiction(passes []*pass, n int) *state.Contradiction {
	last := passes[len(passes)-1]
	c := &state.Contradiction{What: "process", Subject: strconv.Itoa(n), PID: n, Repeats: len(passes), Tested: slices.Clone(ordinary)}
	c.Shown = inAll(passes, func(p *pass) []string { return p.shown[n] })
	if _, listed := last.after.tasks[n]; listed {
		c.Missing = inAll(passes, func(p *pass) []string { return p.denied[n] })
		c.Shown = append(c.Shown, viewList)
		c.Detail = "it is in the listing, and calls say that it does not exist; " + glimpse(h.proc, n)
		if len(c.Missing) == 0 {
			return nil
		}
		return c
	}
	if len(c.Shown) == 0 || others(passes, n) {
		return nil
	}
	c.Missing = []string{viewList}
	leader := h.leader(n)
	for _, p := range h.probes {
		if p.name == viewPidfd && leader != n && leader != 0 {
			continue
		}
		if !slices.ContainsFunc(passes, func(q *pass) bool { return slices.Contains(q.shown[n], p.name) }) {
			c.Missing = append(c.Missing, p.name)
		}
	}
	c.Structural = slices.Contains(c.Shown, viewOracle)
	if leader != 0 {
		c.PID = leader
	}
	c.Detail = "the number is taken, and the listing of /proc has no process or thread by it; " + h.seen(n)
	c.Explained = h.explain(passes, n, c.Shown)
	return c
}

// leader gives the process that a number is a thread of, itself for a process, 0 if that cannot be read.
func (h *hunt) leader(n int) int {
	for _, proc := range []string{h.proc, h.fresh} {
		if proc == "" {
			continue
		}
		b, err := bounded.Read(filepath.Join(proc, strconv.Itoa(n), "status"), maxStat)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "Tgid:"); ok {
				tgid, _ := number(strings.TrimSpace(v))
				return tgid
			}
		}
	}
	return 0
}

// others tells whether the number was another process' in each pass.
func others(passes []*pass, n int) bool {
	first := passes[0].starts[n]
	return slices.ContainsFunc(passes, func(p *pass) bool { return p.starts[n] != 0 && first != 0 && p.starts[n] != first })
}

// explain gives the ordinary cause of a number that is not listed, "" if there is none.
func (h *hunt) explain(passes []*pass, n int, shown []string) string {
	last := passes[len(passes)-1]
	if pid, ok := last.after.groups[n]; ok && len(shown) == 1 && shown[0] == viewOracle {
		return fmt.Sprintf("the process that led this group or session has ended, and %d still belongs to it", pid)
	}
	if last.after.failed != nil {
		return "the listing is not whole: " + last.after.failed.Error()
	}
	if why := h.restricted(); why != "" {
		return why
	}
	return ""
}

// restricted tells why we may not see all processes.
func (h *hunt) restricted() string {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&hdr, &caps[0]); err != nil || caps[0].Effective&(1<<unix.CAP_SYS_PTRACE) != 0 {
		return ""
	}
	b, _ := bounded.Read(filepath.Join(h.proc, "self/mountinfo"), maxMountTab)
	mounts, _ := parseMounts(b)
	for _, m := range mounts {
		if m.At == h.proc && strings.Contains(m.Options, "hidepid=") {
			return "/proc is mounted with hidepid, and we lack the right to see the processes of others"
		}
	}
	return ""
}

// mountedOver writes of a process whose folder lies beneath a mount.
func (h *hunt) mountedOver(passes []*pass, n int) error {
	repeats := 0
	for _, p := range passes {
		if p.over[n] != "" {
			repeats++
		}
	}
	c := &state.Contradiction{
		What: "process", Subject: strconv.Itoa(n), PID: n, Repeats: repeats, Structural: true,
		Shown: []string{viewMounts}, Missing: []string{viewPath},
		Tested: []string{"lxcfs and the masks of containers lie on files of /proc, not on the folders of processes", "ProtectProc= lies on /proc as a whole"},
		Detail: passes[len(passes)-1].over[n],
	}
	if h.fresh != "" {
		if _, err := readStat(filepath.Join(h.fresh, c.Subject)); bounded.Gone(err) {
			c.Explained = "the process has ended, only the mount is left"
		} else {
			c.Shown = append(c.Shown, viewFresh)
			c.Detail += "; beneath: " + glimpse(h.fresh, n)
		}
	}
	return h.record(c, h.fresh)
}

// uncounted writes of tasks that loadavg counts and nobody lists.
func (h *hunt) uncounted(passes []*pass, hidden int) error {
	n := passes[0].excess()
	for _, p := range passes {
		if p.excess() != n || n <= 0 {
			return nil
		}
	}
	last := passes[len(passes)-1]
	c := &state.Contradiction{
		What: "process", Subject: "tasks", Repeats: len(passes), Shown: []string{viewLoad}, Missing: []string{viewList},
		Detail: fmt.Sprintf("loadavg counts %d tasks, the lists have %d; other views show %d that are not listed", last.load, len(last.after.tasks), hidden),
		Tested: []string{"the number was the same in all passes", "we see the pid namespace of the whole machine"},
	}
	return h.out.Record(state.ContradictionsFile, c)
}

// record writes a contradiction, and the process itself where its files can be read below proc.
func (h *hunt) record(c *state.Contradiction, proc string) error {
	if err := h.out.Record(state.ContradictionsFile, c); err != nil {
		return err
	}
	thread := strconv.Itoa(c.PID) != c.Subject
	if c.Explained != "" || h.o.Describe == nil || thread || slices.Contains(c.Shown, viewList) {
		return nil
	}
	p, err := h.describe(c.PID, proc)
	if err != nil {
		h.out.Failed("process "+c.Subject, err)
		return nil
	}
	p.Found = c.Shown[0]
	at, found := slices.BinarySearchFunc(h.box.Processes, p.PID, func(q *state.Process, pid int) int { return q.PID - pid })
	if found {
		h.box.Processes[at] = p
	} else {
		h.box.Processes = slices.Insert(h.box.Processes, at, p)
	}
	return h.out.Record(state.ProcessFile, p)
}

// describe reads a hidden process by the first proc filesystem that shows it.
func (h *hunt) describe(pid int, proc string) (*state.Process, error) {
	var errs []error
	for _, dir := range []string{proc, h.fresh} {
		if dir == "" {
			continue
		}
		p, err := h.o.Describe(dir, pid)
		if err == nil && p != nil {
			return p, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("its files cannot be read: %w", errors.Join(errs...))
}

// seen tells what can be seen of a process by its name in /proc, or else in our own.
func (h *hunt) seen(n int) string {
	if s := glimpse(h.proc, n); s != "" {
		return s
	}
	if h.fresh != "" {
		if s := glimpse(h.fresh, n); s != "" {
			return "by our own proc filesystem: " + s
		}
	}
	return "none of its files can be read"
}

// glimpse tells in few words what a process or thread is; "" if its files cannot be read.
func glimpse(proc string, n int) string {
	dir := filepath.Join(proc, strconv.Itoa(n))
	st, err := readStat(dir)
	if err != nil {
		return ""
	}
	s := fmt.Sprintf("name %q, state %s, parent %d, started at tick %d", st.name, st.state, st.ppid, st.start)
	status, _ := bounded.Read(filepath.Join(dir, "status"), maxStat)
	for line := range strings.Lines(string(status)) {
		key, v, _ := strings.Cut(strings.TrimSpace(line), ":")
		f := strings.Fields(v)
		switch {
		case key == "Tgid" && len(f) == 1 && f[0] != strconv.Itoa(n):
			s += ", a thread of process " + f[0]
		case key == "Uid" && len(f) > 1:
			s += ", uid " + f[1]
		}
	}
	if exe, err := bounded.Link(filepath.Join(dir, "exe")); err == nil {
		s += fmt.Sprintf(", program %q", exe)
	}
	args, _ := bounded.Read(filepath.Join(dir, "cmdline"), 1024)
	if len(args) > 0 {
		s += fmt.Sprintf(", arguments %q", strings.Split(strings.TrimRight(string(args), "\x00"), "\x00"))
	}
	if fds, err := bounded.List(filepath.Join(dir, "fd"), 4096); err == nil {
		sockets := 0
		for _, fd := range fds {
			if to, _ := bounded.Link(filepath.Join(dir, "fd", fd)); strings.HasPrefix(to, "socket:") {
				sockets++
			}
		}
		s += fmt.Sprintf(", %d open files, %d of them sockets", len(fds), sockets)
	}
	return s
}
