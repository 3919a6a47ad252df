package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	acqall "telltale/acquire/all"
	"telltale/acquire/pack"
	"telltale/internal/state"
	"telltale/lab"
)

// stateName is the collection that a watched server gives: the same that "telltale live --collect-only --quick" writes.
const stateName = "live.tar.zst"

// record is one object of the state.
type record struct {
	file string
	v    any
}

// writeState writes down what runs, by the writer and in the steps of a real collection.
func (s *server) writeState(file string, taker *visit) error {
	t := &table{s: s, r: s.dice(diceTable), used: map[int]bool{}, inode: 21000}
	t.residents()
	self := t.people(taker)
	t.intruders()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	clock := func() (time.Time, int64) { return s.clock.UTC(), s.clock.Sub(s.booted).Nanoseconds() }
	h := &state.Header{Format: state.Format, Version: "practice", Command: self.Args, Host: s.setup.Hostname, MachineID: strings.TrimSpace(string(s.find("/etc/machine-id").data)), Kernel: "Linux " + release + " #1 SMP PREEMPT_DYNAMIC Debian 6.1.69-1 (2023-12-30) x86_64",
		BootID: "6d9f1c52-5d0e-4a7b-9d1e-0a5f7c1b2e33", Booted: lab.Stamp(s.booted), Started: lab.Stamp(s.clock), SinceBoot: s.clock.Sub(s.booted).Nanoseconds(), Root: true, Missing: []string{}, Self: self.PID}
	w, err := pack.New(h, pack.Options{To: f, Clock: clock})
	if err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(t.steps(w), w.Close(""), f.Close(), os.Chtimes(file, s.clock, s.clock))
}

const release = "6.1.0-17-amd64"

// steps writes each step's records. A record of a step that no collection has is an error of ours.
func (t *table) steps(w *pack.Writer) error {
	all := t.records()
	for _, step := range acqall.Steps(acqall.Options{Keep: true}) {
		if !step.Quick {
			continue
		}
		w.Begin(step.Name)
		began := t.s.clock
		t.s.tick(300 * time.Millisecond)
		for _, r := range append(all[step.Name], record{state.StepFile, &state.Step{Name: step.Name, Wall: lab.Stamp(began), SinceBoot: began.Sub(t.s.booted).Nanoseconds(), MS: t.s.clock.Sub(began).Milliseconds()}}) {
			if err := w.Record(r.file, r.v); err != nil {
				return err
			}
		}
		if err := w.End(); err != nil {
			return err
		}
		delete(all, step.Name)
	}
	if len(all) > 0 {
		return fmt.Errorf("a collection has no steps for %d kinds of records", len(all))
	}
	return nil
}

// records gives what each step saw. Views count what there is: nothing is hidden from one of them.
func (t *table) records() map[string][]record {
	out := map[string][]record{}
	add := func(step, file string, v any) { out[step] = append(out[step], record{file, v}) }
	view := func(step, what string, n int, names ...string) {
		for _, name := range names {
			add(step, state.ViewFile, &state.View{What: what, Name: name, Count: int64(n), MS: 3})
		}
	}
	synced := true
	for _, step := range []string{"clock", "clock-again"} {
		add(step, state.ClockFile, &state.Clock{Wall: lab.Stamp(t.s.clock), SinceBoot: t.s.clock.Sub(t.s.booted).Nanoseconds(), Synced: &synced, ErrorUS: 4000})
	}
	for _, p := range t.sorted() {
		add("processes", state.ProcessFile, p)
	}
	n := len(t.procs)
	view("processes", "process", n, "proc-readdir")
	view("hidden-processes", "process", n, "proc-readdir", "pid-allocator", "proc-path", "kill", "getpgid", "getsid", "sched_getscheduler", "fresh-proc", "cgroup-procs")
	for _, k := range t.sockets {
		add("sockets", state.SocketFile, k)
	}
	view("sockets", "socket", len(t.sockets), "proc-net", "sock-diag", "file-descriptor")
	view("hidden-ports", "port", 9, fmt.Sprintf("bind tcp+6 net:%d", netNS), fmt.Sprintf("bind udp+6 net:%d", netNS))
	if t.s.setup.Has(lab.Mail) {
		for _, step := range []string{"mail-queues", "mail-queues-again"} {
			add(step, state.QueueFile, &state.Queue{Name: "postfix deferred", At: lab.Stamp(t.s.clock), Mails: 2, Oldest: lab.Stamp(t.s.clock.Add(-9 * time.Hour)), Newest: lab.Stamp(t.s.clock.Add(-3 * time.Hour)), Senders: []state.QueueUser{}})
		}
	}
	t.machine(add, view)
	return out
}

// machine gives what the kernel says of itself: mounts, modules, interfaces, rules.
func (t *table) machine(add func(string, string, any), view func(string, string, int, ...string)) {
	for i, m := range [][3]string{{"/", "ext4", "/dev/vda1"}, {"/proc", "proc", "proc"}, {"/sys", "sysfs", "sysfs"}, {"/dev", "devtmpfs", "udev"}, {"/dev/shm", "tmpfs", "tmpfs"}, {"/run", "tmpfs", "tmpfs"}, {"/sys/fs/cgroup", "cgroup2", "cgroup2"}} {
		add("mounts", state.MountFile, &state.Mount{NS: firstNS["mnt"], ID: 22 + i, Parent: 21 + min(1, i), Dev: fmt.Sprintf("0:%d", 20+i), Root: "/", At: m[0], Type: m[1], Source: m[2], Options: "rw,relatime,rw", Process: t.procs[len(t.procs)-1].PID})
	}
	view("mounts", "mount", 7, "mountinfo")
	add("kernel", state.KernelFile, &state.Kernel{Release: release, Version: "Linux version " + release, Command: "BOOT_IMAGE=/boot/vmlinuz-" + release + " root=/dev/vda1 ro quiet", Symbols: 190_000, BTF: true,
		Settings: map[string]string{"kernel/core_pattern": "core", "kernel/modprobe": "/sbin/modprobe", "kernel/randomize_va_space": "2", "kernel/kptr_restrict": "0", "kernel/pid_max": "4194304", "net/ipv4/ip_forward": "0"}})
	add("kernel", state.LogFile, &state.Said{At: lab.Stamp(t.s.booted), Text: "Linux version " + release + " (debian-kernel@lists.debian.org)"})
	for _, m := range []string{"ext4", "jbd2", "virtio_net", "virtio_blk", "nf_tables", "nfnetlink", "tls", "intel_rapl_msr"} {
		add("modules", state.ModuleFile, &state.Module{Name: m, Size: 40960, Refs: 1, State: "Live", Path: "/lib/modules/" + release + "/kernel/" + m + ".ko", Views: []string{"proc-modules", "sys-module", "kallsyms"}})
	}
	view("modules", "module", 8, "proc-modules", "sys-module", "kallsyms", "holders")
	view("bpf", "bpf", 0, "bpf-ids", "bpf-map-ids", "bpf-links")
	view("hooks", "hook", 0, "kprobe_events", "uprobe_events", "enabled_functions")
	add("links", state.LinkFile, &state.Link{Name: "lo", Index: 1, NetNS: netNS, MAC: "00:00:00:00:00:00", Flags: []string{"up", "loopback"}, Addrs: []string{"127.0.0.1/8"}})
	add("links", state.LinkFile, &state.Link{Name: "ens3", Index: 2, NetNS: netNS, MAC: "52:54:00:12:34:56", Flags: []string{"up", "broadcast"}, Addrs: []string{serverIP + "/24"}})
	chain := state.Firewall{NetNS: netNS, System: "nftables", Family: "inet", Table: "f2b-table", Chain: "f2b-chain", Hook: "input", Priority: -1, Policy: "accept"}
	add("firewall", state.FirewallFile, &chain)
	for i, a := range t.s.play.Guessers[:min(2, len(t.s.play.Guessers))] {
		rule := chain
		rule.Number, rule.Verdict, rule.From, rule.Protocol, rule.DestPort, rule.Match = i+1, "reject", []string{a.String()}, "tcp", []string{"22"}, []string{"ip saddr " + a.String()}
		add("firewall", state.FirewallFile, &rule)
	}
	view("firewall", "firewall", 1, "nftables", "iptables")
	view("kernel-memory", "process", len(t.procs), "kernel-memory")
	for _, p := range []string{"/usr/bin/ls", "/usr/bin/ps", "/usr/bin/ss", "/usr/sbin/sshd", "/usr/bin/sudo"} {
		add("programs", state.ProgramFile, &state.Program{Path: p, Kind: "elf", SHA256: hexOf(program(p)), Modified: lab.Stamp(t.s.booted.AddDate(0, -7, 0)), Changed: lab.Stamp(t.s.booted.AddDate(0, -6, 0))})
	}
}

// people adds the sessions that are open; the taker's holds the program that writes all this down.
func (t *table) people(taker *visit) (self *state.Process) {
	for _, v := range t.s.open {
		sh := t.login(v)
		switch {
		case v == taker:
			self = t.run(sh, sh.PID+4, "root", "/mnt/stick/telltale", t.s.clock.Add(-time.Second), "./telltale", "live", "--collect-only", "--quick", "--to", stateName)
			self.Self, self.Dir, self.Env, self.EnvSize = true, "/mnt/stick", sh.Env, sh.EnvSize
		case t.s.foe(v.from) == nil:
			t.works(v, sh)
		}
	}
	return self
}

// works is what a colleague has open: an editor, and a report of his own that runs in a terminal that he can leave.
func (t *table) works(v *visit, sh *state.Process) {
	tmux := t.run(t.top, sh.PID+5, v.user.name, "/usr/bin/tmux", t.s.clock.Add(-5*time.Minute), "tmux", "new", "-s", "work")
	tmux.Name, tmux.Cgroup, tmux.Unit, tmux.LoginUID, tmux.Session, tmux.Dir = "tmux: server", sh.Cgroup, sh.Unit, sh.LoginUID, sh.Session, v.user.home
	py := t.run(tmux, tmux.PID+3, v.user.name, "/usr/bin/python3.11", t.s.clock.Add(-4*time.Minute), "python3", "report.py", "--month", "3")
	vim := t.run(sh, sh.PID+2, v.user.name, "/usr/bin/vim.basic", t.s.clock.Add(-3*time.Minute), "vim", "notes.txt")
	for _, p := range []*state.Process{tmux, py, vim} {
		t.environment(p, v.environment()...)
		p.Dir = v.user.home
	}
	t.loopback(py, 3306)
}

// intruders adds what was started and goes on.
func (t *table) intruders() {
	for _, b := range t.s.begun {
		parent, exe, args := t.top, b.path, append([]string{b.path}, b.args...)
		if t.s.script(b) {
			exe, args = shellOf, append([]string{"/bin/sh"}, args...)
		}
		if b.visit == nil && b.unit == "" {
			parent = t.cronJob(b)
		}
		p := t.run(parent, b.pid, b.user.name, exe, b.at, args...)
		p.Name, p.Deleted, p.Dir = comm(path.Base(b.path)), exe == b.path && t.s.gone(b), b.user.home
		switch {
		case b.unit != "":
			unit(p, b.unit)
		case b.visit != nil:
			p.LoginUID, p.Session = int64(b.visit.user.uid), int64(b.visit.num)
			p.Cgroup, p.Unit = fmt.Sprintf("/user.slice/user-%d.slice/session-%d.scope", b.visit.user.uid, b.visit.num), fmt.Sprintf("session-%d.scope", b.visit.num)
			t.environment(p, b.visit.environment()...)
		default:
			p.Env, p.EnvSize = parent.Env, parent.EnvSize
		}
		t.speaks(p, b)
	}
}

// cronJob gives the shell that cron began for a job.
func (t *table) cronJob(b *begun) *state.Process {
	i := slices.IndexFunc(t.procs, func(p *state.Process) bool { return p.Exe == "/usr/sbin/cron" && p.Unit == "cron.service" })
	cron := t.run(t.procs[i], b.pid-2, "root", "/usr/sbin/cron", b.at, "/usr/sbin/CRON", "-f")
	cron.LoginUID = int64(b.user.uid)
	sh := t.run(cron, b.pid-1, b.user.name, shellOf, b.at, "/bin/sh", "-c", b.path+" >/dev/null 2>&1")
	t.environment(sh, "HOME="+b.user.home, "LOGNAME="+b.user.name, "SHELL=/bin/sh", "PATH=/usr/bin:/bin")
	return sh
}

// speaks gives a program its connections: one that was told a network asks it through, another calls its master on some servers.
func (t *table) speaks(p *state.Process, b *begun) {
	if len(b.args) > 0 && strings.Contains(b.args[0], "/24") {
		for i := range 40 {
			st := "syn-sent"
			if i == 0 {
				st = "established"
			}
			t.socket(p, "tcp", fmt.Sprintf("%s:%d", serverIP, t.port()), fmt.Sprintf("203.0.113.%d:22", 200+i), st)
		}
		return
	}
	for _, f := range []*lab.Foe{&t.s.play.Intruder, &t.s.play.Second} {
		if strings.Contains(string(b.node.data), f.Marks) && t.r.IntN(2) == 0 {
			t.socket(p, "tcp", fmt.Sprintf("%s:%d", serverIP, t.port()), fmt.Sprintf("%s:%d", f.Addresses[0], []int{443, 4444, 8080}[t.r.IntN(3)]), "established")
		}
	}
}

// watch lets the administrator come and take the state.
func (m *Maker) watch(ctx context.Context) (*visit, error) {
	v, err := m.s.look(ctx)
	if err != nil {
		return nil, fmt.Errorf("the administrator cannot look: %w", err)
	}
	x := &m.play.Truth.Expect
	x.Running = m.s.stillRunning()
	for i := range x.Impact {
		if x.Impact[i].What == "scan" { // it is seen while it goes on
			x.Impact[i].Shown = lab.Shown{}
		}
	}
	return v, nil
}
