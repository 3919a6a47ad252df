// Package procfs parses the text forms of /proc as proc(5) and the kernel's fs/proc/array.c, base.c, task_mmu.c and
// net/ipv4/tcp_ipv4.c write them. It opens nothing: the bytes may come from the running machine or from somebody's collection of
// them. All of it may be crafted (a process chooses its own name and arguments): what is not understood is left out, never guessed.
package procfs

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"telltale/internal/state"
)

// Limits of what is kept of one process.
const (
	MaxArgs    = 64   // arguments
	MaxText    = 4096 // bytes of one argument, name or path
	MaxMapped  = 512  // files of which code is mapped
	TicksASec  = 100  // USER_HZ, the unit of times in stat: 100 on all of Go's Linux ports
	kthread    = 0x00200000
	noLoginUID = 0xffffffff
)

// Stat reads /proc/PID/stat. The name is ended by the last ')' of the line, for it may hold any byte.
func Stat(b []byte, p *state.Process) bool {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 2 || end < open {
		return false
	}
	pid, ok := number(b[:open-1])
	f := bytes.Fields(b[end+1:])
	if !ok || len(f) < 22 { // up to rss, the 24th
		return false
	}
	at := func(i int) int64 { n, _ := strconv.ParseInt(string(f[i-3]), 10, 64); return n } // i as proc(5) numbers them
	p.PID, p.Name, p.State = int(pid), state.Text(b[open+1:end], MaxText), state.Text(f[0], 4)
	p.PPID, p.PGID, p.SID = int(at(4)), int(at(5)), int(at(6))
	p.TTY = terminal(at(7))
	p.Kernel = at(9)&kthread != 0
	p.CPU = float64(at(14)+at(15)) / TicksASec
	p.Ticks = uint64(at(22))
	p.Threads = int(at(20))
	return true
}

// terminal names a device number as stat(5) gives it: pseudo terminals and the console's.
func terminal(dev int64) string {
	major, minor := dev>>8&0xfff, dev&0xff|dev>>12&0xfff00
	switch {
	case dev == 0:
		return ""
	case major >= 136 && major <= 143:
		return "pts/" + strconv.FormatInt((major-136)<<8|minor, 10)
	case major == 4 && minor < 64:
		return "tty" + strconv.FormatInt(minor, 10)
	case major == 4:
		return "ttyS" + strconv.FormatInt(minor-64, 10)
	}
	return strconv.FormatInt(major, 10) + ":" + strconv.FormatInt(minor, 10)
}

// Status reads /proc/PID/status into what Stat does not give. It tells the process's number as status itself has it.
func Status(b []byte, p *state.Process) (pid int) {
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		key, v, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		v = bytes.TrimSpace(v)
		f := bytes.Fields(v)
		switch string(key) {
		case "Name":
			if p.Name == "" {
				p.Name = state.Text(v, MaxText)
			}
		case "Tgid", "Pid":
			if n, ok := number(v); ok && (pid == 0 || string(key) == "Pid") {
				pid = int(n)
			}
		case "PPid":
			if n, ok := number(v); ok && p.PPID == 0 {
				p.PPID = int(n)
			}
		case "TracerPid":
			n, _ := number(v)
			p.Tracer = int(n)
		case "Uid":
			p.UID, p.EUID = id(f, 0), id(f, 1)
		case "Gid":
			p.GID = id(f, 0)
		case "Groups":
			p.Groups = nil
			for i := 0; i < len(f) && i < 64; i++ {
				p.Groups = append(p.Groups, id(f, i))
			}
		case "NSpid":
			p.NSPID = nil
			for i := 0; i < len(f) && i < 32; i++ {
				p.NSPID = append(p.NSPID, int(id(f, i)))
			}
		case "CapEff":
			p.CapEff = state.Text(v, 32)
		case "Seccomp":
			n, _ := number(v)
			p.Seccomp = int(n)
		case "Threads":
			if n, ok := number(v); ok && p.Threads == 0 {
				p.Threads = int(n)
			}
		case "VmRSS":
			if len(f) > 0 {
				n, _ := number(f[0])
				p.Resident = n << 10
			}
		}
	}
	return pid
}

func id(f [][]byte, i int) uint32 {
	if i >= len(f) {
		return 0
	}
	n, _ := strconv.ParseUint(string(f[i]), 10, 32)
	return uint32(n)
}

// Identity reads loginuid or sessionid: -1 where nobody logged in.
func Identity(b []byte) int64 {
	n, ok := number(bytes.TrimSpace(b))
	if !ok || n == noLoginUID {
		return -1
	}
	return n
}

// Args reads cmdline.
func Args(b []byte) (out []string) {
	b = bytes.TrimSuffix(b, []byte{0})
	if len(b) == 0 {
		return nil
	}
	for a := range bytes.SplitSeq(b, []byte{0}) {
		if len(out) == MaxArgs {
			return append(out, "...")
		}
		out = append(out, state.Text(a, MaxText))
	}
	return out
}

// telling are the variables of an environment that tell how a process was started, or change what it runs. The others may hold secrets.
var telling = []string{"LD_", "HIST", "SSH_CONNECTION=", "SSH_CLIENT=", "SSH_TTY=", "USER=", "LOGNAME=", "SUDO_", "HOME=", "PWD=", "OLDPWD=", "PATH=", "SHELL=", "TERM=", "REMOTE_ADDR=", "REMOTE_HOST=", "REQUEST_URI=", "SCRIPT_",
	"DOCUMENT_ROOT=", "GATEWAY_INTERFACE=", "HTTP_HOST=", "HTTP_USER_AGENT=", "INVOCATION_ID=", "XDG_SESSION", "container", "PROMPT_COMMAND=", "BASH_ENV=", "ENV=", "PERL5", "PYTHONSTARTUP=", "PYTHONPATH=", "NODE_OPTIONS=", "JAVA_TOOL_OPTIONS=", "MAIL=", "CRON", "NOTIFY_SOCKET=", "LISTEN_"}

// Env reads environ: those variables that tell how the process was started, and how many there are.
func Env(b []byte) (out []string, all int) {
	for v := range bytes.SplitSeq(b, []byte{0}) {
		if len(v) == 0 {
			continue
		}
		all++
		for _, t := range telling {
			if bytes.HasPrefix(v, []byte(t)) && len(out) < 64 {
				out = append(out, state.Text(v, MaxText))
				break
			}
		}
	}
	return out, all
}

// Link takes " (deleted)" off a link of /proc.
func Link(target string) (string, bool) { return strings.CutSuffix(target, " (deleted)") }

// Cgroup reads cgroup: the path that systemd keeps, or the only one there is.
func Cgroup(b []byte) (group string) {
	best := -1
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		f := bytes.SplitN(line, []byte{':'}, 3)
		if len(f) != 3 {
			continue
		}
		rank := 0
		switch {
		case len(f[2]) <= 1:
		case string(f[1]) == "name=systemd":
			rank = 3
		case len(f[1]) == 0:
			rank = 2
		default:
			rank = 1
		}
		if rank > best {
			best, group = rank, state.Text(f[2], MaxText)
		}
	}
	return group
}

// UnitOf gives the unit that a control group belongs to, "" where it shows none.
func UnitOf(group string) string {
	for dir := group; dir != "/" && dir != "." && dir != ""; dir = path.Dir(dir) {
		base := path.Base(dir)
		for _, end := range []string{".service", ".scope", ".socket", ".mount"} {
			if strings.HasSuffix(base, end) {
				return base
			}
		}
	}
	return ""
}

// ContainerOf gives the container that a control group belongs to: an id's first twelve figures, or a machine's name.
func ContainerOf(group string) string {
	for part := range strings.SplitSeq(group, "/") {
		name := strings.TrimSuffix(part, ".scope")
		if i := strings.LastIndexAny(name, "-:"); i >= 0 && hexID(name[i+1:]) {
			return name[i+1 : i+13]
		}
		if hexID(name) {
			return name[:12]
		}
		if m, ok := strings.CutPrefix(name, "machine-"); ok && name != part {
			return m
		}
		if m, ok := strings.CutPrefix(part, "systemd-nspawn@"); ok {
			return strings.TrimSuffix(m, ".service")
		}
		if m, ok := strings.CutPrefix(name, "lxc.payload."); ok {
			return m
		}
	}
	if rest, ok := strings.CutPrefix(group, "/lxc/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return ""
}

func hexID(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Maps reads maps: which files code is run of, and how much memory can be run that belongs to none.
func Maps(b []byte, p *state.Process) {
	seen := map[string]bool{}
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		f := bytes.Fields(line)
		if len(f) < 5 || len(f[1]) < 4 || f[1][2] != 'x' {
			continue
		}
		inode, _ := strconv.ParseUint(string(f[4]), 10, 64)
		name := ""
		if len(f) > 5 { // the path may hold spaces
			name = state.Text(bytes.TrimSpace(line[bytes.Index(line, f[5]):]), MaxText)
		}
		if len(f) > 5 && bytes.HasPrefix(f[5], []byte("/")) && inode != 0 || strings.HasPrefix(name, "/memfd:") {
			file, gone := Link(name)
			if p.First == "" {
				p.First = file
			}
			if key := file + string(f[4]); !seen[key] && len(p.Mapped) < MaxMapped {
				seen[key] = true
				p.Mapped = append(p.Mapped, state.Mapped{Path: file, Deleted: gone, Dev: string(f[3]), Inode: inode})
			}
			continue
		}
		if name != "" && strings.HasPrefix(name, "[") && name != "[heap]" && name != "[stack]" && !strings.HasPrefix(name, "[anon") {
			continue // [vdso], [vsyscall], [uprobes]
		}
		if size := span(f[0]); size > 0 {
			p.Anonymous += size
			if f[1][1] == 'w' {
				p.Writable += size
			}
		}
	}
}

func span(b []byte) int64 {
	from, to, ok := bytes.Cut(b, []byte{'-'})
	x, err1 := strconv.ParseUint(string(from), 16, 64)
	y, err2 := strconv.ParseUint(string(to), 16, 64)
	if !ok || err1 != nil || err2 != nil || y <= x || y-x > 1<<47 {
		return 0
	}
	return int64(y - x)
}

// FDInfo reads what of fdinfo tells whether a file is open for writing.
func FDInfo(b []byte) (write bool) {
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		if v, ok := bytes.CutPrefix(line, []byte("flags:")); ok {
			n, err := strconv.ParseUint(string(bytes.TrimSpace(v)), 8, 32)
			return err == nil && n&3 != 0 // O_WRONLY or O_RDWR
		}
	}
	return false
}

func number(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}

// interpreters are the programs that run what another file says.
var interpreters = []string{"sh", "bash", "dash", "ash", "ksh", "zsh", "perl", "python", "php", "ruby", "node", "lua", "tclsh", "awk", "gawk", "busybox", "java", "mono"}

// Interpreted notes which script an interpreter runs: the first argument that is no option. Code given on the command line is no file.
func Interpreted(p *state.Process) {
	base := strings.TrimRight(path.Base(p.Exe), "0123456789.")
	for _, i := range interpreters {
		if base != i {
			continue
		}
		p.Interpreter = base
		for k := 1; k < len(p.Args); k++ {
			switch a := p.Args[k]; {
			case a == "-c" || a == "-e" || a == "-r" || a == "-E":
				return
			case a == "" || a[0] == '-':
			default:
				p.Script = a
				return
			}
		}
	}
}
