// Package volatile reads the state of a running machine as telltale took it (package state): processes, sockets, modules, mounts, what the
// kernel says of itself, where views contradict each other, and what could not be taken. A line is an object, and is quoted as it stands.
package volatile

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/listing"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/state"
)

const spec = "internal/state: " + state.Format

// All gives the artefacts.
func All() []*artifact.Artifact {
	return []*artifact.Artifact{
		kernelLog(),
		member("processes", "what ran, as whom, started how, with which files", state.ProcessFile, event.ProcessSeen, process),
		member("sockets", "who talked to whom, and what listened", state.SocketFile, event.SocketSeen, listing.Socket),
		member("modules", "modules of the kernel, by several views", state.ModuleFile, event.ModuleSeen, module),
		member("hooks", "what listens in within the kernel", state.HookFile, event.HookSeen, hook),
		member("bpf", "programs of the BPF machine", state.BPFFile, event.HookSeen, bpf),
		member("mounts", "what was mounted, and over what", state.MountFile, event.MountSeen, mount),
		member("firewall-rules", "chains and rules of the kernel's packet filter", state.FirewallFile, event.FilterRule, rule),
		member("mail-queues", "mail that is under way, and who handed it in", state.QueueFile, event.QueueCounted, queue),
		member("contradictions", "what one view of the machine shows and another hides", state.ContradictionsFile, event.Contradiction, contradiction),
		member("views", "what each view of the machine counted", state.ViewFile, event.ViewCounted, view),
		member("kernel-state", "what the kernel says of itself", state.KernelFile, event.KernelState, kernel),
		member("failures", "what could not be taken from the running machine", state.FailureFile, event.NotTaken, failure),
	}
}

// member makes an artefact of one file of the state.
func member[T any](name, doc, file string, kind event.Kind, fill func(*T, *event.Event)) *artifact.Artifact {
	return &artifact.Artifact{Name: name, Doc: doc, Spec: spec, State: []string{"telltale:state/*/" + file}, Kinds: []event.Kind{kind},
		Parse: artifact.Lines(func(in *artifact.Input, line []byte, e *event.Event, yield func(*event.Event)) {
			v := new(T)
			if p, ok := any(v).(*state.Process); ok {
				p.LoginUID, p.Session = -1, -1 // what a line does not say is not that root logged in
			}
			if err := json.Unmarshal(line, v); err != nil {
				in.Seen.Unknown([]byte(name))
				return
			}
			e.Kind = kind
			fill(v, e)
			yield(e)
		})}
}

func when(s string) evidence.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return evidence.Time{}
	}
	return evidence.At(t, time.Second)
}

func each(e *event.Event, k event.Key, vs []string) {
	for _, v := range vs {
		e.AddText(k, v)
	}
}

func process(p *state.Process, e *event.Event) {
	e.At = when(p.Started)
	e.AddInt(event.ProcessPID, int64(p.PID))
	e.AddInt(event.ParentPID, int64(p.PPID))
	e.AddText(event.ProcessName, p.Name)
	e.AddText(event.Executable, p.Exe)
	e.AddText(event.CommandLine, strings.Join(p.Args, " "))
	e.AddInt(event.UserID, int64(p.EUID))
	if p.LoginUID >= 0 {
		e.AddInt(event.LoginUID, p.LoginUID)
	}
	if p.Session >= 0 {
		e.AddInt(event.SessionID, p.Session)
	}
	e.AddText(event.Terminal, p.TTY)
	e.AddText(event.WorkingDirectory, p.Dir)
	if p.Root != "/" {
		e.AddText(event.ProcessRoot, p.Root)
	}
	e.AddText(event.UnitName, p.Unit)
	e.AddText(event.ContainerID, p.Container)
	e.AddText(event.EventStart, p.Started)
	e.AddText(event.FileSHA256, p.SHA256)
	e.AddText(event.FileSaved, p.Saved)
	if p.ExeInode != 0 {
		e.AddInt(event.FileInode, int64(p.ExeInode))
	}
	e.AddText(event.FileMtime, p.ExeModified)
	e.AddText(event.FileCtime, p.ExeChanged)
	e.AddText(event.ProcessScript, p.Script)
	each(e, event.ProcessTrait, traits(p))
	each(e, event.ProcessEnv, p.Env)
	for _, m := range p.Mapped {
		if m.Path != p.Exe {
			s := m.Path
			if m.Deleted {
				s += " (deleted)"
			}
			e.AddText(event.ProcessMapped, s)
		}
	}
	for i := range p.Files {
		f := &p.Files[i]
		s := strconv.Itoa(f.FD) + " " + f.Target
		if f.Deleted {
			s += " deleted"
		}
		if f.Write {
			s += " write"
		}
		e.AddText(event.ProcessFile, s)
	}
	if p.Found != "" {
		e.AddText(event.ViewShown, p.Found)
	}
}

// traits are what is not as usual, in single words.
func traits(p *state.Process) (out []string) {
	for _, t := range []struct {
		is   bool
		word string
	}{
		{p.Kernel, "kernel"}, {p.Deleted && !p.Memory, "deleted"}, {p.Memory, "memory"}, {p.Replaced, "replaced"}, {p.DirGone, "dir-gone"}, {p.Tracer != 0, "traced"}, {p.Writable > 0, "anon-wx"}, {p.Anonymous > p.Writable, "anon-x"},
		{len(p.OddTasks) > 0, "odd-tasks"}, {len(p.Odd) > 0, "contradicts-itself"}, {!p.Kernel && len(p.Args) == 0 && p.State != "Z", "no-arguments"}, {p.State == "Z", "zombie"}, {!p.Kernel && p.EnvSize == 0 && p.State != "Z", "no-environment"},
		{p.Interpreter != "", "interpreter"}, {ring(p), "io-uring"}, {p.Self, "self"}, {p.First != "" && p.Exe != "" && p.First != p.Exe && !p.Memory, "first-map-differs"}, {p.EUID != 0 && capable(p.CapEff), "capable"},
	} {
		if t.is {
			out = append(out, t.word)
		}
	}
	return append(out, p.Odd...)
}

// ring tells whether a process holds a ring of io_uring, by which it makes calls that those who watch its calls do not see.
func ring(p *state.Process) bool {
	return slices.ContainsFunc(p.Files, func(f state.Open) bool { return f.Target == "anon_inode:[io_uring]" })
}

// capable tells whether a process has capabilities that make it as good as root: CAP_SYS_ADMIN, CAP_SYS_MODULE, CAP_SYS_PTRACE, CAP_DAC_OVERRIDE, CAP_SETUID.
func capable(hex string) bool {
	n, err := strconv.ParseUint(hex, 16, 64)
	return err == nil && n&(1<<21|1<<16|1<<19|1<<1|1<<7) != 0
}

func module(m *state.Module, e *event.Event) {
	e.AddText(event.ModuleName, m.Name)
	e.AddText(event.FilePath, m.Path)
	e.AddText(event.Change, m.Taints)
	each(e, event.ViewShown, m.Views)
}

func hook(h *state.Hook, e *event.Event) {
	e.AddText(event.RecordType, h.Kind)
	e.AddText(event.Message, strings.TrimSpace(h.Target+" "+h.Detail))
	e.AddText(event.ServiceName, h.Owner)
}

func bpf(b *state.BPF, e *event.Event) {
	e.At = when(b.Loaded)
	e.AddText(event.RecordType, "bpf "+b.Type)
	e.AddText(event.Message, strings.TrimSpace(fmt.Sprintf("%d %s %s", b.ID, b.Name, strings.Join(b.Attach, " "))))
	e.AddText(event.UserID, strconv.FormatUint(uint64(b.UID), 10))
	each(e, event.Change, b.Helpers)
	each(e, event.ViewShown, b.Views)
	for _, pid := range b.PIDs {
		e.AddInt(event.ProcessPID, int64(pid))
	}
}

func mount(m *state.Mount, e *event.Event) {
	e.AddText(event.FilePath, m.At)
	e.AddText(event.FileTarget, m.Root)
	e.AddText(event.RecordType, m.Type)
	e.AddText(event.Message, m.Source)
}

func rule(f *state.Firewall, e *event.Event) {
	e.AddText(event.RecordType, f.System)
	e.AddText(event.FilePath, f.Place())
	e.AddText(event.NetworkDirection, f.Hook)
	e.AddText(event.ContainerID, strconv.FormatUint(f.NetNS, 10))
	e.AddText(event.Message, f.String())
	if f.Number == 0 {
		e.AddText(event.SettingName, "policy")
		e.AddText(event.SettingValue, f.Policy)
		return
	}
	e.AddText(event.SettingName, f.Verdict)
	e.AddText(event.SettingValue, f.To)
	e.AddText(event.NetworkTransport, f.Protocol)
	e.AddText(event.NetworkInterface, f.In+f.Out)
	each(e, event.SourceIP, f.From)
	each(e, event.SourcePort, f.FromPort)
	each(e, event.DestinationIP, f.Dest)
	each(e, event.DestinationPort, f.DestPort)
	each(e, event.Change, f.Unread)
	e.AddInt(event.EventCount, int64(f.Packets))
}

func queue(q *state.Queue, e *event.Event) {
	e.At = when(q.At)
	e.AddText(event.ServiceName, q.Name)
	e.AddInt(event.EventCount, q.Mails)
	e.AddText(event.EventStart, q.Oldest)
	e.AddText(event.Change, fmt.Sprintf("10m=%d", q.Last))
	e.AddText(event.Change, fmt.Sprintf("1h=%d", q.Hour))
	for _, u := range q.Senders {
		e.AddText(event.Change, fmt.Sprintf("%d=%d", u.UID, u.Mails))
	}
	if q.More {
		e.AddText(event.Change, "more")
	}
}

func contradiction(c *state.Contradiction, e *event.Event) {
	e.AddText(event.RecordType, c.What)
	e.AddText(event.FilePath, c.Subject)
	e.AddText(event.Message, c.Detail)
	each(e, event.ViewShown, c.Shown)
	each(e, event.ViewMissing, c.Missing)
	each(e, event.CauseTested, c.Tested)
	e.AddText(event.Change, c.Explained)
	e.AddInt(event.EventCount, int64(c.Repeats))
	if c.PID != 0 {
		e.AddInt(event.ProcessPID, int64(c.PID))
	}
	level := "lead"
	if c.Holds() {
		level = "finding"
	}
	e.AddText(event.LogLevel, level)
}

func view(v *state.View, e *event.Event) {
	e.AddText(event.RecordType, v.What)
	e.AddText(event.ViewShown, v.Name)
	e.AddInt(event.EventCount, v.Count)
	e.AddText(event.Message, v.Blind)
}

func kernel(k *state.Kernel, e *event.Event) {
	e.AddText(event.OSKernel, k.Release)
	e.AddText(event.Message, strings.Join(k.TaintedBy, "\n"))
	each(e, event.Change, k.Taints)
	for _, f := range k.Formats {
		e.AddText(event.Change, "binfmt "+f)
	}
	for _, name := range slices.Sorted(maps.Keys(k.Settings)) {
		e.AddText(event.Change, name+"="+k.Settings[name])
	}
}

func failure(f *state.Failure, e *event.Event) {
	e.At = when(f.When)
	e.AddText(event.FilePath, f.What)
	e.AddText(event.Message, f.Why)
}
