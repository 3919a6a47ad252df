package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"telltale/internal/procfs"
	"telltale/internal/state"
	"telltale/lab"
)

// serverIP is the server's address in its written hosts file.
const serverIP = "192.0.2.10"

// table is what runs on a written server: made as a kernel would show it, and written down as telltale writes what it sees.
type table struct {
	s       *server
	r       *rand.Rand
	procs   []*state.Process
	used    map[int]bool
	sockets []*state.Socket
	inode   uint64
	top     *state.Process // the first process
}

// The first namespaces of a kernel, as their links show them (include/linux/proc_ns.h).
var firstNS = map[string]uint64{"cgroup": 4026531835, "ipc": 4026531839, "mnt": 4026531841, "net": netNS, "pid": 4026531836, "user": 4026531837, "uts": 4026531838}

const netNS uint64 = 4026531840

// ownVDSO is what the kernel maps into every process; the same for all of them.
var ownVDSO = "64:" + hexOf([]byte("vdso"))

func hexOf(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }

// kernelThread adds a thread of the kernel.
func (t *table) kernelThread(pid, ppid int, name string) {
	t.used[pid] = true
	t.procs = append(t.procs, &state.Process{PID: pid, PPID: ppid, Name: name, State: "I", Kernel: true, CapEff: allCaps, LoginUID: -1, Session: -1, Started: lab.Stamp(t.s.booted), Ticks: 2, Cgroup: "/", NS: firstNS, NSPID: []int{pid}, Threads: 1})
}

const (
	allCaps  = "000001ffffffffff"
	noCaps   = "0000000000000000"
	userTick = 100 // of a second: USER_HZ
)

// free gives the first number from one on that nobody bears.
func (t *table) free(pid int) int {
	for t.used[pid] {
		pid++
	}
	t.used[pid] = true
	return pid
}

// run adds a process. Its unit, login and session are its parent's until they are set.
func (t *table) run(parent *state.Process, pid int, account, exe string, at time.Time, args ...string) *state.Process {
	uid, gid := t.s.ids(account)
	p := &state.Process{PID: t.free(pid), Name: comm(path.Base(exe)), State: "S", Exe: exe, Args: args, UID: uint32(uid), EUID: uint32(uid), GID: uint32(gid), Groups: []uint32{uint32(gid)}, CapEff: noCaps, LoginUID: -1, Session: -1,
		Started: lab.Stamp(at), Ticks: uint64(at.Sub(t.s.booted).Seconds() * userTick), CPU: float64(1+t.r.IntN(900)) / 100, Resident: int64(1+t.r.IntN(40)) << 20, Dir: "/", Root: "/", NS: firstNS, Threads: 1, First: exe, VDSO: ownVDSO, Waits: "do_epoll_wait"}
	if uid == 0 {
		p.CapEff = allCaps
	}
	if len(args) == 0 {
		p.Args = []string{exe}
	}
	p.NSPID, p.PGID, p.SID = []int{p.PID}, p.PID, p.PID
	if parent != nil {
		p.PPID, p.Unit, p.Cgroup, p.LoginUID, p.Session, p.TTY = parent.PID, parent.Unit, parent.Cgroup, parent.LoginUID, parent.Session, parent.TTY
		p.Files = []state.Open{{FD: 0, Target: "/dev/null"}, {FD: 1, Target: "/dev/null", Write: true}, {FD: 2, Target: "/dev/null", Write: true}}
		p.FileCount = 3
	}
	t.program(p)
	t.environment(p, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
	for _, lib := range []string{exe, "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"} {
		p.Mapped = append(p.Mapped, state.Mapped{Path: lib, Dev: "fe:01", Inode: number(lib)})
	}
	t.procs = append(t.procs, p)
	return p
}

// comm is a program's name as the kernel keeps it, 15 bytes.
func comm(name string) string { return name[:min(15, len(name))] }

// program fills in what the kernel says of the program's file.
func (t *table) program(p *state.Process) {
	n := t.s.find(p.Exe)
	data, at := program(p.Exe), t.s.booted.AddDate(0, -7, 0)
	if n != nil && !n.dir() {
		data, at = n.data, n.mtime
	}
	p.ExeDev, p.ExeInode, p.ExeSize, p.SHA256 = 0xfe01, number(p.Exe), int64(len(data)), hexOf(data)
	p.ExeModified, p.ExeChanged = lab.Stamp(at), lab.Stamp(at)
	procfs.Interpreted(p)
}

func number(name string) uint64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return uint64(h.Sum32() >> 8)
}

// environment sets how a process was started; what is kept of it is what telltale keeps.
func (t *table) environment(p *state.Process, vars ...string) {
	p.Env, p.EnvSize = procfs.Env([]byte(strings.Join(vars, "\x00") + "\x00"))
}

// unit puts a process into a unit of systemd's.
func unit(p *state.Process, name string) *state.Process {
	p.Cgroup, p.Unit = "/system.slice/"+name, name
	return p
}

// socket gives a process a socket of the network.
func (t *table) socket(p *state.Process, protocol, local, remote, st string) *state.Socket {
	t.inode += uint64(1 + t.r.IntN(90))
	k := &state.Socket{Protocol: protocol, Local: local, Remote: remote, State: st, UID: p.EUID, Inode: t.inode, NetNS: netNS, Views: []string{"proc-net", "file-descriptor", "sock-diag"}}
	if remote == "" {
		k.Remote = "0.0.0.0:0"
		if strings.HasPrefix(local, "[") {
			k.Remote = "[::]:0"
		}
	}
	t.sockets = append(t.sockets, k)
	t.holds(p, k)
	return k
}

// listens gives a process a socket that waits for connections.
func (t *table) listens(p *state.Process, local string) *state.Socket {
	return t.socket(p, "tcp", local, "", "listen")
}

// holds lets a process have a socket that another made.
func (t *table) holds(p *state.Process, k *state.Socket) {
	k.PIDs = append(k.PIDs, p.PID)
	p.Files = append(p.Files, state.Open{FD: p.FileCount, Target: fmt.Sprintf("socket:[%d]", k.Inode), Write: true, Inode: k.Inode})
	p.FileCount++
}

func (t *table) port() int { return 32768 + t.r.IntN(28000) }

// sorted gives the processes as /proc lists them.
func (t *table) sorted() []*state.Process {
	slices.SortFunc(t.procs, func(a, b *state.Process) int { return a.PID - b.PID })
	return t.procs
}
