package kernel

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"telltale/internal/state"
)

// State is what a dump tells of a machine, in the form in which the state of a running one is written.
type State struct {
	Host    string
	Booted  time.Time // zero: not known
	Taken   time.Time // by the machine's own clock; zero: not known
	Machine string    // "x86_64"

	Processes      []state.Process
	Sockets        []state.Socket
	Modules        []state.Module
	Said           []state.Said
	Contradictions []state.Contradiction
	Views          []state.View
	Failures       []state.Failure
	Hooks          []state.Hook
	BPF            []state.BPF
	Kernel         state.Kernel

	Unread int      // what of processes could not be read
	Notes  []string // what a user must know

	sockets map[uint64]*state.Socket
	inodes  map[uint64]*state.Socket
	spans   []span          // of modules
	hidden  map[uint64]bool // processes that were unlinked from the list
	// programs of the BPF machine that processes have open, by where they lie
	programs map[uint64]map[int]bool
	order    []uint64
	bytes    int // of text in Processes
}

// maxState bounds the text that is kept of processes, bytes. All of it may be crafted to be as long as can be.
const maxState = 256 << 20

func (s *State) addSocket(at uint64, x *state.Socket) {
	s.sockets[at] = x
	if x.Inode != 0 {
		s.inodes[x.Inode] = x
	}
	s.order = append(s.order, at)
}

func (s *State) fail(what, why string) {
	s.Failures = append(s.Failures, state.Failure{Step: "memory", What: what, Why: why})
}

func (s *State) view(what, name string, count int, blind string) {
	s.Views = append(s.Views, state.View{What: what, Name: name, Count: int64(count), Blind: blind})
	if blind != "" {
		s.fail("the "+name, blind)
	}
}

// Read tells what the kernel in the dump kept of the machine.
func (k *Kernel) Read() (*State, error) {
	s := &State{sockets: map[uint64]*state.Socket{}, inodes: map[uint64]*state.Socket{}, programs: map[uint64]map[int]bool{}, hidden: map[uint64]bool{}, Contradictions: k.odd}
	c := k.readClock()
	s.Booted, s.Taken = c.booted, c.now
	k.self(s)
	for _, t := range k.tasks(s) {
		if err := k.ctx.Err(); err != nil {
			return nil, err
		}
		if t.addr == k.task { // the idle task is no process
			continue
		}
		p := k.process(t, c, s)
		if s.bytes += size(p); s.bytes > maxState {
			s.fail("processes", fmt.Sprintf("what is kept of %d fills the room for it: the others are not told", len(s.Processes)))
			break
		}
		s.Processes = append(s.Processes, *p)
	}
	slices.SortStableFunc(s.Processes, func(a, b state.Process) int { return cmp.Compare(a.PID, b.PID) })
	k.hashed(s)
	for _, at := range s.order {
		s.Sockets = append(s.Sockets, *s.sockets[at])
	}
	k.modules(s)
	k.calls(s)
	k.programs(c, s)
	k.log(c, s)
	k.conclude(s)
	return s, k.ctx.Err()
}

// size gives about how much memory what is told of a process takes.
func size(p *state.Process) int {
	n := 1024 + len(p.Exe) + len(p.Dir) + len(p.Cgroup)
	for _, s := range slices.Concat(p.Args, p.Env, p.Unread) {
		n += len(s)
	}
	for i := range p.Mapped {
		n += 64 + len(p.Mapped[i].Path)
	}
	for i := range p.Files {
		n += 64 + len(p.Files[i].Target)
	}
	return n
}

// self reads what the kernel says of itself.
func (k *Kernel) self(s *State) {
	uts := k.object("task_struct", k.task).to("nsproxy").to("uts_ns")
	text := func(name string) string { return state.Text(uts.chars("name."+name), 256) }
	if s.Host, s.Machine = text("nodename"), text("machine"); s.Host == "(none)" { // nobody gave it one
		s.Host = ""
	}
	x := &s.Kernel
	x.Release, x.Version, x.BTF, x.Symbols = text("release"), text("version"), true, k.named
	x.BuildID = k.info.values["BUILD-ID"]
	if r := k.info.release(); r != "" && r != x.Release {
		k.differ("release", fmt.Sprintf("the kernel's note for dumps says %q, what programs are told is %q", state.Text([]byte(r), 64), x.Release))
		s.Contradictions = k.odd
	}
	if at := k.symbols["tainted_mask"]; at != 0 {
		x.Taint, _ = k.u64(at)
		x.Taints = state.Taints(x.Taint)
	} else {
		s.fail("the kernel's taint", "its table of symbols does not tell where it is")
	}
	if at, ok := k.u64(k.symbols["saved_command_line"]); ok {
		x.Command = state.Text(k.cstring(at, maxText), maxText)
	}
	x.Settings = map[string]string{}
	for name, symbol := range map[string]string{"kernel/core_pattern": "core_pattern", "kernel/modprobe": "modprobe_path"} {
		if at := k.symbols[symbol]; at != 0 {
			x.Settings[name] = state.Text(k.cstring(at, 256), 256)
		}
	}
}

// conclude tells what was not read.
func (k *Kernel) conclude(s *State) {
	if k.left < 0 {
		s.fail("memory", errBudget.Error())
	}
	if len(k.missing) > 0 {
		s.fail("what the kernel does not describe", strings.Join(slices.Sorted(maps.Keys(k.missing)), ", "))
	}
	if len(s.Processes) == 0 {
		s.fail("processes", "not one was found: the kernel's list of them is empty or not in the dump")
	}
	s.Notes = append(s.Notes, k.notes...)
	if s.Unread > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("of its processes %d parts could not be read: they were swapped out, or changed while the dump was made", s.Unread))
	}
}
