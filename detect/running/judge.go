package running

import (
	"cmp"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// sign is one thing that is odd about a process.
type sign struct {
	id, attack string // of the catalogue; ATT&CK
	level      detect.Level
	why        string
	of         string // what it is about: signs about one thing are one sign
	explained  string // the ordinary cause that it has
}

// judge tells what is odd about one process: one finding of all its signs, as grave as the gravest; and each explained one apart.
func (f *fold) judge(p *process) (out []detect.Finding) {
	if p.is("zombie") || p.is("self") {
		return nil
	}
	var why, attack []string
	var worst sign
	signs := slices.Concat(f.program(p), f.mask(p), f.shell(p), f.environment(p), f.libraries(p), f.listed(p))
	if p.found != "" {
		signs = append(signs, sign{id: "D53", attack: "T1014", level: detect.Critical, why: "is hidden: listing the processes does not show it (" + p.found + " does)"})
	}
	grave := map[string]bool{}
	for _, s := range signs {
		if s.explained != "" {
			x := f.finding(p, s.id, detect.Info)
			x.Title, x.Explained = p.called()+" "+s.why, s.explained
			out = append(out, x)
			continue
		}
		why = append(why, s.why)
		if !slices.Contains(attack, s.attack) {
			attack = append(attack, s.attack)
		}
		if s.level >= detect.Medium {
			grave[s.of] = true
		}
		if s.level > worst.level || worst.id == "" {
			worst = s
		}
	}
	traffic := f.traffic(p, worst.level)
	if worst.id != "" && worst.level < detect.High && len(grave) >= 2 { // two leads that have nothing to do with each other
		worst.level = detect.High
	}
	if worst.level >= detect.Medium && p.is("io-uring") { // alone it is no sign: databases, web servers and runtimes use it
		why = append(why, "holds a ring of io_uring, by which it makes calls that those who watch calls do not see")
	}
	if worst.id != "" {
		x := f.finding(p, worst.id, worst.level)
		x.Title, x.Detail, x.Attack = p.called()+" "+strings.Join(why, "; it "), strings.Join(why, "; it "), attack
		out = append(out, x)
	}
	return append(out, traffic...)
}

// called names a process for people.
func (p *process) called() string {
	what := p.exe
	if what == "" {
		what = p.name
	}
	if what == "" { // a list alone tells of it
		return fmt.Sprintf("process %s of %s (%s)", p.pid, p.user, p.command[:min(len(p.command), 80)])
	}
	return fmt.Sprintf("process %s (%s, %s as %s)", p.pid, p.name, what, p.user)
}

// finding is the frame of what is told of a process: whose it is, since when, and with whom it talks.
func (f *fold) finding(p *process, id string, level detect.Level) detect.Finding {
	x := detect.Finding{Detection: id, What: detect.Process, Level: level, Rung: evidence.Effect, First: p.started, Last: p.started, Count: 1, Service: p.unit, Account: p.user, Path: p.exe, Runs: p.command, Pid: p.pid,
		Mechanism: p.name, Key: p.sha256, For: []evidence.Quote{p.quote}, Method: p.state()}
	if l, ok := f.origin(p); ok {
		x.Source, x.As = l.from, l.account
		if l.quote.Ref != (evidence.Ref{}) {
			x.For = append(x.For, l.quote)
		}
		x.Agent = l.proof
	} else if p.login != "" && !serviceAccount(p.user) {
		x.As = cmp.Or(f.account(p, p.login), p.login)
	}
	for _, s := range f.sockets[key(p.source, p.pid)] {
		if words := s.words(); words != "" && len(x.Sources) < 32 {
			x.Sources = append(x.Sources, words)
			if len(x.For) < 6 {
				x.For = append(x.For, s.quote)
			}
		}
	}
	return x
}

// state says in one word how the program lies there.
func (p *process) state() string {
	switch {
	case p.is("memory"):
		return "memory"
	case p.is("deleted"):
		return "deleted"
	}
	return ""
}

func (s *socket) words() string {
	switch {
	case s.protocol == "packet":
		return "all packets of " + s.local
	case s.remote != "":
		return s.protocol + " to " + join(s.remote, s.remotePort) + " " + s.state
	case s.state == "listen" || s.protocol == "udp" || s.protocol == "raw":
		return strings.TrimSpace(s.protocol + " at " + join(s.local, s.localPort) + " " + s.state)
	}
	return ""
}

func join(ip, port string) string {
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	return ip + ":" + port
}

// program judges where the program that runs lies.
func (f *fold) program(p *process) (out []sign) {
	exe := p.exe
	exe = p.within(exe)
	bad := oddPlace(exe) || strings.HasPrefix(exe, "/dev/")
	switch {
	case p.is("kernel") || exe == "":
	case p.is("memory") && runtimeOwn(p):
		out = append(out, sign{id: "D42", why: "runs from memory", explained: "a container's starter copies itself into memory before it begins, so that the container cannot change it"})
	case p.is("memory"):
		out = append(out, sign{id: "D42", attack: "T1620", level: f.fromMemory(p), why: "runs a program that was never a file on a disk (" + exe + ")"})
	case p.is("deleted") && bad:
		level := detect.High // builds and installers throw their programs away, too
		if hidden(exe) || strings.HasPrefix(exe, "/dev/") || serviceAccount(p.user) {
			level = detect.Critical
		}
		out = append(out, sign{id: "D42", attack: "T1070.004", level: level, of: "place", why: "runs from " + exe + ", where everybody may write or which is hidden, and the file was deleted"})
	case p.is("deleted") && p.container != "":
		out = append(out, sign{id: "D42", why: "runs a program whose file is gone", explained: "it runs in a container, whose layers may have been removed or renewed under it"})
	case p.is("deleted") && p.is("replaced"):
		out = append(out, sign{id: "D42", why: "runs a program whose file is gone", explained: "another file lies at its path now: it was replaced while it ran, as an update does; it should be restarted"})
	case p.is("deleted") && installed(exe):
		out = append(out, sign{id: "D42", attack: "T1070.004", level: detect.Low, why: "runs from " + exe + ", which is gone: its package may have been removed or renamed while it ran"})
	case p.is("deleted"):
		out = append(out, sign{id: "D42", attack: "T1070.004", level: detect.High, why: "runs from " + exe + ", and the file was deleted"})
	case bad:
		level := detect.Medium
		if strings.HasPrefix(exe, "/dev/") || hidden(exe) {
			level = detect.High
		}
		out = append(out, sign{id: "D42", attack: "T1036.005", level: level, of: "place", why: "runs a program in " + path.Dir(exe) + ", where everybody may write or which is hidden"})
	}
	if p.root != "" && oddPlace(p.root) {
		level := detect.Low // who builds systems does so in /tmp, too
		if hidden(p.root) || strings.HasPrefix(p.root, "/dev/") {
			level = detect.Medium
		}
		out = append(out, sign{id: "D42", attack: "T1036.005", level: level, of: "place", why: "has " + p.root + " for its top folder"})
	}
	if s := p.script; s != "" && oddPlace(s) {
		out = append(out, sign{id: "D42", attack: "T1059", level: detect.Medium, of: "place", why: "runs the script " + s + ", in a place where everybody may write or which is hidden"})
	}
	return out
}

// fromMemory tells how grave it is that a program runs from memory. Agents and sandboxes do it too, to keep others from changing them: they are begun by the
// machine itself. Who logged in to begin one, or broke into a service, has another reason.
func (f *fold) fromMemory(p *process) detect.Level {
	if serviceAccount(p.user) {
		return detect.Critical
	}
	if _, logged := f.origin(p); logged || p.login != "" || strings.HasPrefix(p.unit, "session-") {
		return detect.High
	}
	for _, s := range f.sockets[key(p.source, p.pid)] {
		if s.remote != "" && detect.Outside(s.remote) && outbound(s) {
			return detect.High
		}
	}
	return detect.Medium
}

// within gives a path as the process sees it: one that was given a folder for its top has its programs there, as who builds systems does.
func (p *process) within(file string) string {
	if rest, ok := strings.CutPrefix(file, p.root); ok && p.root != "" && strings.HasPrefix(rest, "/") {
		return rest
	}
	return file
}

// hidden tells a name that hides, unless it lies deep below ordinary ones where everybody may write, as in source trees.
func hidden(p string) bool {
	name, deep := detect.Hidden(p)
	return name != "" && !deep
}

func oddPlace(p string) bool { return detect.InVolatileDir(p) || hidden(p) }

// installed tells the places of a distribution's programs.
func installed(exe string) bool {
	for _, d := range []string{"/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/snap/", "/nix/", "/gnu/"} {
		if strings.HasPrefix(exe, d) && !strings.HasPrefix(exe, "/usr/local/tmp") {
			return true
		}
	}
	return false
}

// runtimeOwn tells the starters of containers, which run from memory for a moment.
func runtimeOwn(p *process) bool {
	for _, n := range []string{"/memfd:runc_cloned:", "/memfd:crun", "/memfd:youki", "/memfd:snap", "/memfd:runc"} {
		if strings.HasPrefix(p.exe, n) {
			return strings.HasPrefix(p.name, "runc") || strings.HasPrefix(p.name, "crun") || p.name == "youki" || strings.HasPrefix(p.name, "snap") || strings.HasPrefix(p.name, "exe")
		}
	}
	return false
}

// kernelThreads are the names that threads of the kernel bear, up to a number or a slash.
var kernelThreads = []string{"kworker", "kthreadd", "ksoftirqd", "migration", "rcu_", "rcuop", "rcuos", "kswapd", "kcompactd", "khugepaged", "kdevtmpfs", "kauditd", "khungtaskd", "kblockd", "kintegrityd", "watchdogd", "cpuhp", "idle_inject", "irq/",
	"jbd2", "ext4-rsv", "xfs-", "xfsaild", "scsi_eh_", "scsi_tmf_", "md_", "dm-", "kdmflush", "writeback", "oom_reaper", "ksmd", "netns", "nfsiod", "lockd", "kstrp", "charger_manager", "edac-poller", "devfreq_wq", "inet_frag_wq", "mld", "ipv6_addrconf", "bioset", "kthrotld", "acpi_thermal", "loop"}

func kernelName(s string) bool {
	s = strings.Trim(s, "[] ")
	for _, k := range kernelThreads {
		if rest, ok := strings.CutPrefix(s, k); ok {
			if rest == "" || strings.ContainsAny(rest[:1], "/0123456789_:-") || strings.HasSuffix(k, "_") || strings.HasSuffix(k, "-") || strings.HasSuffix(k, "/") {
				return true
			}
		}
	}
	return false
}

// servers are programs whose names bots take. The value: names under which their own program may lie.
var servers = map[string][]string{"httpd": {"httpd", "apache2"}, "apache2": {"apache2", "httpd"}, "nginx": {"nginx"}, "sshd": {"sshd", "sshd-session", "sshd-auth"}, "crond": {"crond", "cron", "busybox"}, "cron": {"cron", "crond", "busybox"},
	"syslogd": {"syslogd", "rsyslogd", "syslog-ng", "busybox"}, "rsyslogd": {"rsyslogd"}, "mysqld": {"mysqld", "mariadbd"}, "named": {"named"}, "init": {"init", "systemd", "upstart", "busybox", "openrc-init", "runit", "s6-svscan", "dumb-init", "tini"},
	"systemd": {"systemd", "init"}, "inetd": {"inetd", "xinetd", "busybox"}, "klogd": {"klogd", "busybox"}, "udevd": {"udevd", "systemd-udevd", "udevadm"}, "auditd": {"auditd"}, "atd": {"atd"}}

// mask judges whether a process bears another's name.
func (f *fold) mask(p *process) (out []sign) {
	if p.is("kernel") || p.exe == "" {
		return nil
	}
	first, _, _ := strings.Cut(p.command, " ")
	base := path.Base(p.exe)
	bracketed := strings.HasPrefix(first, "[")
	if (bracketed || p.name != base && !strings.HasPrefix(base, p.name)) && (bracketed && kernelName(first) || kernelName(p.name)) {
		out = append(out, sign{id: "D43", attack: "T1036.005", level: detect.Critical, why: fmt.Sprintf("calls itself %s, which is the name of a thread of the kernel, and is the program %s", cmpName(p.name, first), p.exe)})
		return out
	}
	if claims := servers[path.Base(first)]; claims != nil && strings.HasPrefix(first, "/") && p.is("interpreter") && p.script == "" && !slices.Contains(claims, base) {
		out = append(out, sign{id: "D43", attack: "T1036.005", level: detect.High, why: fmt.Sprintf("calls itself %s, and is the interpreter %s", first, p.exe)})
	}
	return out
}

func cmpName(name, first string) string {
	if kernelName(first) && strings.HasPrefix(first, "[") {
		return first
	}
	return name
}

// shells are the programs that do what a line says.
func shell(p *process) bool {
	switch strings.TrimRight(path.Base(p.exe), "0123456789.") {
	case "sh", "bash", "dash", "ash", "ksh", "zsh", "busybox", "tclsh", "csh", "tcsh", "fish":
		return true
	}
	return false
}

// shell judges shells whose input and output are a connection of the network.
func (f *fold) shell(p *process) (out []sign) {
	if !shell(p) && !p.is("interpreter") {
		return nil
	}
	ends := map[string]bool{}
	for _, x := range p.files {
		fd, rest, _ := strings.Cut(x, " ")
		if fd == "0" || fd == "1" || fd == "2" {
			target, _, _ := strings.Cut(rest, " ")
			ends[fd+target] = true
		}
	}
	for _, s := range f.sockets[key(p.source, p.pid)] {
		inode := s.inode
		in, both := ends["0socket:["+inode+"]"], ends["1socket:["+inode+"]"] || ends["2socket:["+inode+"]"]
		if inode == "" || !in || !both || s.protocol != "tcp" || s.remote == "" || loopback(s.remote) {
			continue
		}
		level := detect.Critical
		if !shell(p) { // a server's own child may be given its client's connection
			level = detect.High
		}
		if f.superserver(p) {
			level = detect.Low
		}
		out = append(out, sign{id: "D35", attack: "T1059.004", level: level, why: "takes its input from, and gives its output to, a connection with " + join(s.remote, s.remotePort)})
	}
	if why, level := detect.SuspiciousCommand(p.command); level >= detect.High && p.command != "" {
		of := ""
		if strings.HasPrefix(why, "uses the hidden path") || strings.HasPrefix(why, "runs a program in") {
			of = "place"
		}
		out = append(out, sign{id: "D35", attack: "T1059.004", level: level, of: of, why: why})
	}
	return out
}

// superserver tells processes that systemd or inetd began for one connection each, which they are given as input and output.
func (f *fold) superserver(p *process) bool {
	if strings.Contains(p.unit, "@") && strings.HasSuffix(p.unit, ".service") {
		return true
	}
	parent := f.procs[key(p.source, p.ppid)]
	if parent == nil {
		return false
	}
	switch path.Base(parent.exe) {
	case "inetd", "xinetd", "inetutils-inetd", "rlinetd", "tcpd", "tcpserver", "sslserver", "stunnel", "stunnel4", "couriertcpd", "ipsvd", "tcpsvd":
		return true
	}
	return false
}

func loopback(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err == nil && a.IsLoopback()
}

// harmless are libraries that people preload.
var harmless = []string{"jemalloc", "tcmalloc", "fakeroot", "faketime", "eatmydata", "gtk3-nocsd", "asan", "stderred", "mimalloc", "libnss_wrapper", "uid_wrapper", "socket_wrapper", "libsnoopy", "proxychains", "torsocks", "nvidia", "intercept", "opentracing", "dynatrace", "oneagent", "newrelic", "appdynamics"}

// environment judges how the process was started.
func (f *fold) environment(p *process) (out []sign) {
	for _, v := range p.env {
		name, value, _ := strings.Cut(v, "=")
		if name != "LD_PRELOAD" && name != "LD_AUDIT" || value == "" {
			continue
		}
		level := detect.Medium
		if oddPlace(value) {
			level = detect.High
		}
		s := sign{id: "D50", attack: "T1574.006", level: level, why: "was started with " + name + "=" + value}
		for _, h := range harmless {
			if strings.Contains(value, h) && level < detect.High {
				s.explained = "a library that people load first on purpose"
			}
		}
		if p.container != "" && s.explained == "" && level < detect.High {
			s.explained = "within a container, whose image sets it"
		}
		out = append(out, s)
	}
	return out
}

// libraries judges of which files code runs, beside the program's own.
func (f *fold) libraries(p *process) (out []sign) {
	for _, m := range p.mapped {
		file, gone := strings.CutSuffix(m, " (deleted)")
		file = p.within(file)
		switch {
		case strings.HasPrefix(file, "/memfd:") || strings.HasPrefix(file, "/dev/zero") || strings.HasPrefix(file, "/SYSV") || strings.HasPrefix(file, "/dev/shm/") && jit(p):
		case hidden(file) || detect.InVolatileDir(file) && !jit(p):
			what := "runs code of " + file + ", which lies where everybody may write or is hidden"
			if gone { // runtimes unpack their libraries so, and delete them at once
				what += ", and was deleted"
			}
			out = append(out, sign{id: "D50", attack: "T1574.006", level: detect.Medium, of: "place", why: what})
		}
		if len(out) == 3 {
			return out
		}
	}
	return out
}

// jit tells programs that write code of their own into files and memory.
func jit(p *process) bool {
	base := path.Base(p.exe)
	for _, n := range []string{"java", "node", "php", "ruby", "mono", "dotnet", "chrome", "firefox", "electron", "beam", "postgres", "luajit", "nginx", "python", "qemu"} {
		if strings.HasPrefix(base, n) {
			return true
		}
	}
	return false
}
