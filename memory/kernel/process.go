package kernel

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"telltale/internal/procfs"
	"telltale/internal/state"
)

// Numbers of the kernel (include/linux/sched.h, include/uapi/linux/capability.h).
const (
	flagKernel  = 0x00200000 // PF_KTHREAD
	exitDead    = 0x10
	exitZombie  = 0x20
	idle        = 0x402 // TASK_IDLE
	noIdentity  = 0xffffffff
	tick        = uint64(time.Second / procfs.TicksASec)
	maxGroups   = 64
	maxThreads  = 4096
	maxOddTasks = 64
	maxLevels   = 32 // of pid namespaces
)

// process tells one process.
func (k *Kernel) process(t object, c clock, out *State) *state.Process {
	lost := k.lost
	p := &state.Process{At: k.place(t.addr), PID: int(t.u32("tgid")), Name: state.Text(t.chars("comm"), 64), LoginUID: -1, Session: -1, Root: "/"}
	p.PPID = int(t.to("real_parent").u32("tgid"))
	p.Kernel = t.u32("flags")&flagKernel != 0
	p.State = k.letter(t)
	k.identity(t, p)
	k.started(t, c, p)
	k.standing(t, p)
	k.threads(t, p)
	if n := k.lost - lost; n > 0 {
		p.Unread = append(p.Unread, fmt.Sprintf("%d parts of what the kernel keeps of it are not in the dump", n))
	}
	if mm := t.to("mm"); !p.Kernel && mm.there() {
		k.executable(mm, p)
		k.program(mm, p)
		k.maps(mm, p)
	} else if p.Kernel && mm.there() {
		p.Odd = append(p.Odd, "a thread of the kernel with memory of a program")
	}
	if fs := t.to("fs"); fs.there() && !p.Kernel {
		dir := k.path(fs.in("pwd"))
		p.Dir, p.DirGone = state.Text([]byte(dir.path), procfs.MaxText), dir.deleted
		if r := k.path(fs.in("root")); r.path != "" {
			p.Root = state.Text([]byte(r.path), procfs.MaxText)
		}
	}
	k.files(t, p, out)
	if out.hidden[t.addr] {
		p.Found = viewIDs
	}
	procfs.Interpreted(p)
	out.Unread += len(p.Unread)
	return p
}

// letter gives the state as proc(5) writes it.
func (k *Kernel) letter(t object) string {
	exit := t.u32("exit_state")
	switch s := t.u32(t.first("__state", "state")); {
	case exit&exitZombie != 0:
		return "Z"
	case exit&exitDead != 0:
		return "X"
	case s == 0:
		return "R"
	case s&idle == idle:
		return "I"
	case s&1 != 0:
		return "S"
	case s&2 != 0:
		return "D"
	case s&4 != 0:
		return "T"
	case s&8 != 0:
		return "t"
	}
	return "?"
}

// identity reads whose it is.
func (k *Kernel) identity(t object, p *state.Process) {
	cred := t.to("real_cred")
	p.UID, p.EUID, p.GID = cred.u32("uid.val"), cred.u32("euid.val"), cred.u32("gid.val")
	p.CapEff = fmt.Sprintf("%016x", cred.in("cap_effective").whole())
	if g := cred.to("group_info"); g.there() {
		at := g.at("gid")
		for i := range min(g.u32("ngroups"), maxGroups) {
			if v, ok := k.word(at + 4*uint64(i)); ok && at != 0 {
				p.Groups = append(p.Groups, v)
			}
		}
	}
	if t.has("loginuid") { // kernels may be built without audit
		if v := t.u32("loginuid.val"); v != noIdentity {
			p.LoginUID = int64(v)
		}
		if v := t.u32("sessionid"); v != noIdentity {
			p.Session = int64(v)
		}
	}
	if t.has("seccomp") {
		p.Seccomp = int(t.u32("seccomp.mode"))
	}
	if tracer := t.to("parent"); t.u32("ptrace") != 0 {
		p.Tracer = int(tracer.u32("tgid"))
	}
	if tty := t.to("signal").to("tty"); tty.there() {
		p.TTY = state.Text(tty.chars("name"), 64)
		if n, ok := strings.CutPrefix(p.TTY, "pts"); ok && !strings.HasPrefix(n, "/") {
			p.TTY = "pts/" + n
		}
	}
}

// whole reads a structure of eight bytes: capabilities were two words once, and are one now.
func (o object) whole() uint64 {
	v, _ := o.k.u64(o.addr)
	return v
}

func (k *Kernel) word(addr uint64) (uint32, bool) {
	var b [4]byte
	if k.read(b[:], addr) != nil {
		return 0, false
	}
	return le.Uint32(b[:]), true
}

// started reads since when it runs, and how long it computed.
func (k *Kernel) started(t object, c clock, p *state.Process) {
	since := t.uint(t.first("start_boottime", "real_start_time"))
	p.Ticks = since / tick
	p.Started = c.since(since)
	sig := t.to("signal")
	p.CPU = float64(t.uint("utime")+t.uint("stime")+sig.uint("utime")+sig.uint("stime")) / nanos
}

// standing reads where in the system it stands: its group, session, control group and namespaces.
func (k *Kernel) standing(t object, p *state.Process) {
	number := func(kind int) int {
		f, ok := k.object("signal_struct", highHalf).need("pids")
		if !ok {
			return 0
		}
		at, _ := k.u64(t.to("signal").addr + uint64(f.Off+8*kind))
		return k.numbers(k.object("pid", at))[0]
	}
	p.PGID, p.SID = number(pidOfGroup), number(pidOfSession)
	own := k.object("pid", t.uint("thread_pid"))
	p.NSPID = k.numbers(own)
	p.Cgroup = k.cgroup(t)
	p.Unit, p.Container = procfs.UnitOf(p.Cgroup), procfs.ContainerOf(p.Cgroup)
	p.NS = map[string]uint64{}
	ns := t.to("nsproxy")
	for name, path := range map[string]string{"mnt": "mnt_ns", "net": "net_ns", "uts": "uts_ns", "ipc": "ipc_ns", "cgroup": "cgroup_ns"} {
		p.NS[name] = ns.to(path).uint("ns.inum")
	}
	p.NS["user"] = t.to("real_cred").to("user_ns").uint("ns.inum")
	if f, ok := own.need("numbers"); ok && own.there() {
		last := object{k, "upid", own.addr + uint64(f.Off) + uint64(len(p.NSPID)-1)*k.size("upid")}
		p.NS["pid"] = last.to("ns").uint("ns.inum")
	}
	maps.DeleteFunc(p.NS, func(_ string, n uint64) bool { return n == 0 })
}

// numbers gives a pid's numbers in its namespaces, the first one's first.
func (k *Kernel) numbers(pid object) (out []int) {
	f, ok := pid.need("numbers")
	for i := range min(pid.u32("level"), maxLevels-1) + 1 {
		if !ok || !pid.there() {
			return []int{0}
		}
		up := object{k, "upid", pid.addr + uint64(f.Off) + uint64(i)*k.size("upid")}
		out = append(out, int(int32(up.u32("nr"))))
	}
	return out
}

// cgroup gives the path that systemd keeps: of the second version's only hierarchy, or of the first version's that bears its name.
func (k *Kernel) cgroup(t object) string {
	set := t.to("cgroups")
	if !set.there() {
		return ""
	}
	own := k.nodePath(set.to("dfl_cgrp").to("kn"))
	if own != "/" || !set.has("cgrp_links") {
		return own
	}
	n := 0
	k.list(set.at("cgrp_links"), func(e uint64) {
		if n++; n > 64 {
			return
		}
		g := object{k, "list_head", e}.container("cgrp_cset_link", "cgrp_link").to("cgrp")
		if string(g.to("root").chars("name")) == "systemd" {
			own = k.nodePath(g.to("kn"))
		}
	})
	return own
}

// nodePath gives the path of a node of kernfs.
func (k *Kernel) nodePath(n object) string {
	path := ""
	for range 64 {
		parent := object{k, "kernfs_node", n.uint(n.first("parent", "__parent"))}
		if !n.there() || !parent.there() {
			break
		}
		path = "/" + string(k.cstring(n.uint("name"), maxNameLen)) + path
		n = parent
	}
	if path == "" {
		return "/"
	}
	return state.Text([]byte(path), procfs.MaxText)
}

// executable reads what program it is.
func (k *Kernel) executable(mm object, p *state.Process) {
	exe := mm.to("exe_file")
	if !exe.there() {
		p.Unread = append(p.Unread, "exe: the kernel does not say, or it is not in the dump")
		return
	}
	f := k.path(exe.in("f_path"))
	p.Exe = state.Text([]byte(f.path), procfs.MaxText)
	p.Memory = strings.HasPrefix(f.path, "/memfd:")
	p.Deleted = f.deleted // as /proc says it; links are not counted, for some filesystems do not keep their number
	p.Replaced = p.Deleted && !p.Memory && k.replaced(f)
	p.ExeInode, p.ExeSize = f.inode.uint("i_ino"), int64(f.inode.uint("i_size"))
	dev := uint64(f.inode.to("i_sb").u32("s_dev"))
	p.ExeDev = dev>>20<<8 | dev&0xff | dev&0xfff00<<12
	for name, to := range map[string]*string{"mtime": &p.ExeModified, "ctime": &p.ExeChanged} {
		if sec := f.inode.seconds(name); sec > 0 && sec < 1<<40 {
			*to = time.Unix(sec, 0).UTC().Format(time.RFC3339)
		}
	}
}

// threads counts threads and notes those that are otherwise than their process.
func (k *Kernel) threads(t object, p *state.Process) {
	sig := t.to("signal")
	p.Threads = int(sig.u32("nr_threads"))
	if p.Threads <= 1 {
		return
	}
	n, net := 0, p.NS["net"]
	k.list(sig.at("thread_head"), func(e uint64) {
		x := object{k, "list_head", e}.container("task_struct", "thread_node")
		if n++; n > maxThreads || x.addr == t.addr {
			return
		}
		p.CPU += float64(x.uint("utime")+x.uint("stime")) / nanos
		o := state.Task{TID: int(x.u32("pid")), Name: state.Text(x.chars("comm"), 64), EUID: x.to("real_cred").u32("euid.val")}
		if its := x.to("nsproxy").to("net_ns").uint("ns.inum"); its != net && its != 0 && net != 0 {
			o.Net = its
		}
		if (o.EUID != p.EUID || o.Net != 0) && len(p.OddTasks) < maxOddTasks {
			p.OddTasks = append(p.OddTasks, o)
		}
	})
}
