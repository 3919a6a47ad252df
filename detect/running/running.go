// Package running judges what ran when the state of a machine was taken: programs whose file is gone or never was, processes that bear another's
// name, shells that talk to the network, libraries that are forced upon programs; whom they belong to; and what one view of the
// machine hides from another. What is usual on a busy server - an update that replaced a program while it ran, code that a language's machine
// made in memory - is told as explained.
package running

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "running", Title: "What runs and does not belong", IDs: []string{"D35", "D42", "D43", "D50", "D53", "D69", "D72", "D73"},
		Doc:    "judges processes, their programs, names, libraries and connections, and what views of the machine contradict each other in",
		Attack: []string{"T1036.005", "T1070.004", "T1620", "T1059", "T1014", "T1574.006", "T1205.002"},
		Wants: []event.Kind{event.ProcessSeen, event.SocketSeen, event.Contradiction, event.HookSeen, event.AuthAccepted, event.SessionOpened, event.UnownedFile,
			event.PackageFileChanged, event.PreloadLibrary, event.Package},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, procs: map[string]*process{}, sockets: map[string][]*socket{}, ends: map[string]*socket{}, preloads: map[string]evidence.Quote{}, strange: map[string]bool{}, accepted: map[string][]login{}, sessions: map[string][]login{}, names: map[string][]named{}, named: map[named]bool{}}
		},
	}
}

// Bounds of what is kept.
const (
	maxProcesses = 150_000
	maxSockets   = 200_000
	maxTraits    = 64
	maxLogins    = 200_000
	maxTold      = 500
)

// process is one process with what is needed of it.
type process struct {
	source               string // of evidence: two machines may be examined together
	pid, ppid, name, exe string
	command, script      string
	root                 string // the folder that it takes for the top, "" for the machine's own
	uid, user, login     string // login: the account that logged in, by the kernel's own mark
	unit, container      string
	started              evidence.Time
	traits               []string
	env, mapped, files   []string
	sha256               string
	quote                evidence.Quote
	found                string // the view that showed it
}

func (p *process) is(trait string) bool { return slices.Contains(p.traits, trait) }

// socket is one socket of the network.
type socket struct {
	protocol, state    string
	local, localPort   string
	remote, remotePort string
	uid                string
	filter             int64
	quote              evidence.Quote
	inode, source      string
	pids               []string
}

type fold struct {
	scene    detect.Scene
	procs    map[string]*process
	order    []*process
	sockets  map[string][]*socket // by source and pid
	ends     map[string]*socket   // by source and both ends
	packets  []*socket
	count    int
	contra   []detect.Finding
	hooks    []detect.Finding
	preloads map[string]evidence.Quote
	strange  map[string]bool // programs and libraries that are not their package's, or no package's
	packages bool
	accepted map[string][]login // by the pid of the server's process
	sessions map[string][]login // by the session's number
	logins   int
	dropped  []detect.Finding   // what was too many to be judged
	names    map[string][]named // of accounts, by their number
	named    map[named]bool
}

// login is a login as a log tells of it.
type login struct {
	at             evidence.Time
	account, from  string
	session, pid   string
	quote          evidence.Quote
	service, proof string
	source         string
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.ProcessSeen:
		f.process(e)
	case event.SocketSeen:
		f.socket(e)
	case event.Contradiction:
		f.contradiction(e)
	case event.HookSeen:
		f.hook(e)
	case event.AuthAccepted, event.SessionOpened:
		f.login(e)
	case event.PreloadLibrary:
		if len(f.preloads) < 1000 {
			f.preloads[e.Text(event.CommandLine)] = e.Quote()
		}
	case event.UnownedFile, event.PackageFileChanged:
		if len(f.strange) < maxProcesses {
			f.strange[e.Text(event.FilePath)] = true
		}
	case event.Package:
		f.packages = true
	}
}

func key(source, pid string) string { return source + "\x00" + pid }

// process keeps a process. Several sources may each tell a part of it.
func (f *fold) process(e *event.Event) {
	pid := e.Text(event.ProcessPID)
	k := key(e.Ref.Source, pid)
	p := f.procs[k]
	if p == nil {
		if len(f.procs) >= maxProcesses {
			f.tooMany("processes", maxProcesses, e)
			return
		}
		p = &process{source: e.Ref.Source, pid: pid, quote: e.Quote()}
		f.procs[k] = p
		f.order = append(f.order, p)
	}
	set := func(to *string, k event.Key) {
		if v := e.Text(k); v != "" && *to == "" {
			*to = v
		}
	}
	if p.exe == "" && e.Text(event.Executable) != "" {
		p.quote = e.Quote() // of several that tell of it, the one that names its program
	}
	set(&p.ppid, event.ParentPID)
	set(&p.name, event.ProcessName)
	set(&p.exe, event.Executable)
	if v := e.Text(event.CommandLine); len(v) > len(p.command) {
		p.command = v // some tools cut it short, or leave words out
	}
	set(&p.script, event.ProcessScript)
	set(&p.uid, event.UserID)
	set(&p.user, event.UserName)
	set(&p.login, event.LoginUID)
	set(&p.unit, event.UnitName)
	set(&p.root, event.ProcessRoot)
	set(&p.container, event.ContainerID)
	set(&p.sha256, event.FileSHA256)
	set(&p.found, event.ViewShown)
	p.started = evidence.Max(p.started, e.At)
	for _, t := range e.All(event.ProcessTrait) {
		if !p.is(t) && len(p.traits) < maxTraits {
			p.traits = append(p.traits, t)
		}
	}
	p.env = append(p.env, e.All(event.ProcessEnv)...)
	p.mapped = append(p.mapped, e.All(event.ProcessMapped)...)
	p.files = append(p.files, e.All(event.ProcessFile)...)
}

func (f *fold) socket(e *event.Event) {
	if e.Has(event.NetworkTransport, "unix") {
		return
	}
	if f.count >= maxSockets {
		f.tooMany("sockets", maxSockets, e)
		return
	}
	f.count++
	s := &socket{protocol: e.Text(event.NetworkTransport), state: e.Text(event.SocketState), local: e.Text(event.SourceIP), localPort: e.Text(event.SourcePort), remote: e.Text(event.DestinationIP), remotePort: e.Text(event.DestinationPort),
		uid: e.Text(event.UserID), quote: e.Quote(), source: e.Ref.Source, inode: e.Text(event.SocketInode), pids: e.All(event.ProcessPID)}
	s.filter, _ = e.Int(event.EventCount)
	if s.remotePort == "0" {
		s.remote, s.remotePort = "", ""
	}
	s, holders, told := f.same(s)
	for _, pid := range holders {
		k := key(e.Ref.Source, pid)
		f.sockets[k] = append(f.sockets[k], s)
	}
	if s.protocol == "packet" && !told {
		f.packets = append(f.packets, s)
	}
}

// same gives the socket that an earlier source told of, with what this one adds: one lists whose a socket is, another its inode. Sockets of several
// networks may have the same ends, and differ in their inodes. holders are the processes that were not known to have it.
func (f *fold) same(s *socket) (_ *socket, holders []string, told bool) {
	k := strings.Join([]string{s.source, s.protocol, s.local, s.localPort, s.remote, s.remotePort}, "\x00")
	old := f.ends[k]
	if old == nil || known(old.inode) && known(s.inode) && old.inode != s.inode {
		f.ends[k] = s
		return s, s.pids, false
	}
	if !known(old.inode) {
		old.inode = s.inode
	}
	old.state, old.uid = cmp.Or(old.state, s.state), cmp.Or(old.uid, s.uid)
	old.filter = max(old.filter, s.filter)
	for _, pid := range s.pids {
		if !slices.Contains(old.pids, pid) && len(old.pids) < maxTold {
			old.pids = append(old.pids, pid)
			holders = append(holders, pid)
		}
	}
	return old, holders, true
}

func known(inode string) bool { return inode != "" && inode != "0" }

// givesShell tells the services whose logins begin processes of the account.
func givesShell(service string) bool {
	switch service {
	case "sshd", "dropbear", "login", "telnetd", "in.telnetd", "rlogin", "xrdp-sesman", "gdm", "lightdm", "sddm", "cockpit":
		return true
	}
	return false
}

func (f *fold) login(e *event.Event) {
	if e.Kind == event.SessionOpened {
		f.learn(e)
	}
	if f.logins >= maxLogins {
		return
	}
	l := login{at: e.At, account: e.Text(event.UserName), from: e.Text(event.SourceIP), session: e.Text(event.SessionID), pid: e.Text(event.ProcessPID), service: e.Text(event.ServiceName), quote: e.Quote(), source: e.Ref.Source}
	switch {
	case e.Kind == event.AuthAccepted && l.pid != "" && givesShell(l.service):
		f.accepted[l.pid] = append(f.accepted[l.pid], l)
	case e.Kind == event.SessionOpened && l.session != "":
		f.sessions[l.session] = append(f.sessions[l.session], l)
	default:
		return
	}
	f.logins++
}

// Findings gives what was found, the gravest first.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		f.nameAll()
		out := slices.Concat(f.contra, f.hooks, f.sniffers(), f.forced())
		for _, p := range f.order {
			if ctx.Err() != nil {
				return
			}
			if out = append(out, f.judge(p)...); len(out) > 8*maxTold { // a crafted list may hold a reason to tell in each line
				gravest(out)
				clear(out[maxTold:])
				out = out[:maxTold]
			}
		}
		gravest(out)
		for _, x := range f.dropped {
			if !yield(x) {
				return
			}
		}
		for _, x := range out[:min(len(out), maxTold)] {
			if !yield(x) {
				return
			}
		}
	}
}

// tooMany tells, once of each kind, that more is listed than is judged.
func (f *fold) tooMany(what string, limit int, e *event.Event) {
	for _, x := range f.dropped {
		if x.Mechanism == what {
			return
		}
	}
	title := fmt.Sprintf("more than %d %s are listed: the others were not judged", limit, what)
	f.dropped = append(f.dropped, detect.Finding{Detection: "D53", What: detect.HiddenThing, Level: detect.Low, Rung: evidence.Effect, Mechanism: what, Title: title, Detail: title, For: []evidence.Quote{e.Quote()}, Count: 1})
}

func gravest(fs []detect.Finding) {
	slices.SortStableFunc(fs, func(a, b detect.Finding) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(number(a.Pid), number(b.Pid)), cmp.Compare(a.Title, b.Title))
	})
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
