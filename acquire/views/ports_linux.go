package views

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/namespace"
	"telltale/acquire/netlink"
	"telltale/internal/state"
)

// portBudget is how long the ports of all network namespaces may be asked for; one takes about a second.
const portBudget = 20 * time.Second

// Ports gives the step that looks for ports which are taken and in no table of sockets.
func Ports(Options) acquire.Step {
	return acquire.Step{
		Name: "hidden-ports", Quick: true,
		Doc: "tries to bind every port of TCP and UDP in each network namespace and compares with the tables of sockets",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			p := &portHunt{box: b, out: out, until: time.Now().Add(portBudget), ports: everyPort(), filter: func(_ string, t *socketTable) *socketTable { return t }}
			return p.take(ctx)
		},
	}
}

func everyPort() []int {
	all := make([]int, 65535)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// portHunt is one run of the step.
type portHunt struct {
	box   *acquire.Box
	out   acquire.Out
	until time.Time
	ports []int        // asked for
	diag  map[int]bool // protocols that sock_diag may be asked about
	// filter is what a test does to each table: it hides a port as a root-kit would.
	filter func(name string, t *socketTable) *socketTable
}

// portFinding is what was found in one namespace. It is made on a thread of its own and handed over whole.
type portFinding struct {
	views []*state.View
	cons  []*state.Contradiction
	fails map[string]error
}

func (h *portHunt) take(ctx context.Context) error {
	rules, err := readAuditRules(h.box)
	if err != nil {
		h.out.Failed("rules of audit", err)
	}
	if err := rules.log(bindCall, unix.SYS_SOCKET); err != nil {
		h.out.Failed("hidden ports", err)
		if err := h.out.Record(state.ViewFile, &state.View{What: "port", Name: viewBind, Blind: err.Error()}); err != nil {
			return err
		}
		return h.ownerless()
	}
	symbols, err := h.box.KernelSymbols()
	if err != nil {
		h.out.Failed("the kernel's symbols", err)
	}
	h.diag = netlink.Diagnosed(symbols)
	if !h.diag[unix.IPPROTO_TCP] || !h.diag[unix.IPPROTO_UDP] {
		h.out.Failed("sockets by sock_diag", errors.New("the kernel has no part for TCP or UDP at hand, and asking would make it load one"))
	}
	all := namespace.Spaces(h.box, "net")
	for i, s := range all {
		if ctx.Err() != nil || time.Now().After(h.until) {
			h.out.Failed("hidden ports", fmt.Errorf("no time for %d of %d network namespaces", len(all)-i, len(all)))
			break
		}
		if err := h.space(ctx, s, i == 0); err != nil {
			return err
		}
	}
	return h.ownerless()
}

// space looks at one network namespace, at TCP and UDP beside each other, each on a thread of its own: they share no port and no table, and most of
// the time goes into making sockets.
func (h *portHunt) space(ctx context.Context, s namespace.Space, ours bool) error {
	type answer struct {
		f   *portFinding
		err error
	}
	var answers []chan answer
	for _, tr := range transports {
		if tr.family != unix.AF_INET {
			continue
		}
		c := make(chan answer, 1)
		answers = append(answers, c)
		go func() {
			f, err := bounded.Thread(time.Until(h.until)+bounded.Patience, func() (*portFinding, error) {
				if !ours {
					if err := namespace.Enter(h.box.Proc, s, unix.CLONE_NEWNET, "net"); err != nil {
						return nil, err
					}
				}
				return h.both(ctx, tr, s), nil
			})
			c <- answer{f, err}
		}()
	}
	for _, c := range answers {
		a := <-c
		if a.err != nil {
			if !bounded.Gone(a.err) {
				h.out.Failed(fmt.Sprintf("hidden ports in network namespace %d", s.ID), a.err)
			}
			continue
		}
		if err := h.write(a.f); err != nil {
			return err
		}
	}
	return nil
}

func (h *portHunt) write(f *portFinding) error {
	for what, err := range f.fails {
		h.out.Failed(what, err)
	}
	for _, v := range f.views {
		if err := h.out.Record(state.ViewFile, v); err != nil {
			return err
		}
	}
	for _, c := range f.cons {
		if err := h.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return nil
}

// both asks for all ports of a transport, with both families, in the calling thread's namespace.
func (h *portHunt) both(ctx context.Context, tr transport, s namespace.Space) *portFinding {
	f := &portFinding{fails: map[string]error{}}
	inactive := h.diag[unix.IPPROTO_TCP] && tellsInactive()
	_, err := readNet(h.box.Proc, "tcp6")
	hasSix := err == nil // to ask for a socket of IPv6 where there is none would run modprobe
	six := tr
	for _, sister := range transports {
		if sister.kind == tr.kind {
			six = sister
		}
	}
	before, _ := h.known(tr, s, f)
	ports := h.ports
	if hasSix {
		if dual, ok := tr.both(); ok {
			ports = h.sweep(ctx, dual, s, f, h.ports)
		}
	}
	taken := h.sweep(ctx, tr, s, f, ports)
	var taken6 []int
	if hasSix {
		taken6 = h.sweep(ctx, six, s, f, ports)
	}
	after, sure := h.known(tr, s, f)
	listed := func(p int) bool { return before.ports[p] || after.ports[p] }
	r := rest{inactive: inactive, sure: sure, excess: h.counters(tr)}
	h.repeat(ctx, tr, s, f, slices.DeleteFunc(taken, listed), &r)
	h.repeat(ctx, six, s, f, slices.DeleteFunc(taken6, listed), &r)
	if r.excess > 0 && !r.written {
		f.cons = append(f.cons, uncountedSockets(tr, s, r.excess))
	}
	return f
}

// rest is what is known beside the ports themselves.
type rest struct {
	inactive bool // sock_diag shows sockets that are bound and do not listen
	sure     bool // the tables of /proc could be read
	excess   int  // sockets that sockstat counts beyond the rows of the tables
	written  bool // a port was written of
}

// sweep asks for ports, tells how it went, and gives the taken ones.
func (h *portHunt) sweep(ctx context.Context, tr transport, s namespace.Space, f *portFinding, ports []int) []int {
	began := time.Now()
	taken, asked, err := tr.sweep(ctx, ports, h.until)
	v := &state.View{What: "port", Name: viewBind + " " + tr.name + " net:" + strconv.FormatUint(s.ID, 10), Count: int64(len(taken)), Asked: int64(asked), MS: time.Since(began).Milliseconds()}
	if err != nil {
		v.Blind = err.Error()
	}
	f.views = append(f.views, v)
	return taken
}

// known gives all ports that any table shows; those of the sister family count, too, for a socket of IPv6 takes the
// port of IPv4 with it. sure tells that the tables of /proc could be read.
func (h *portHunt) known(tr transport, s namespace.Space, f *portFinding) (t *socketTable, sure bool) {
	t, sure = newSocketTable(), true
	for _, sister := range transports {
		if sister.kind != tr.kind {
			continue
		}
		fromProc, err := sister.proc(h.box.Proc)
		if sister.family == unix.AF_INET6 && bounded.Gone(err) {
			continue // no IPv6 here
		}
		if err != nil {
			f.fails[fmt.Sprintf("table %s of network namespace %d", sister.name, s.ID)] = err
			sure = false
		}
		fromDiag, err := sister.asked(h.diag)
		if err != nil {
			f.fails[fmt.Sprintf("sock_diag %s of network namespace %d", sister.name, s.ID)] = err
		}
		for _, table := range []*socketTable{h.filter(sister.name, fromProc), h.filter(sister.name, fromDiag)} {
			for p := range table.ports {
				t.ports[p] = true
			}
		}
	}
	for _, x := range h.box.Sockets {
		if x.NetNS == s.ID && strings.HasPrefix(x.Protocol, tr.name) {
			t.ports[portOf(x.Local)] = true
		}
	}
	return t, sure
}

// repeat asks for the suspect ports twice more and writes of those that remain.
func (h *portHunt) repeat(ctx context.Context, tr transport, s namespace.Space, f *portFinding, suspects []int, r *rest) {
	passes := 1
	for ; passes < state.Passes && len(suspects) > 0 && ctx.Err() == nil; passes++ {
		time.Sleep(pause)
		before, _ := h.known(tr, s, f)
		taken, _, _ := tr.sweep(ctx, suspects, h.until)
		after, _ := h.known(tr, s, f)
		suspects = slices.DeleteFunc(taken, func(p int) bool { return before.ports[p] || after.ports[p] })
	}
	if len(suspects) > most {
		f.fails["hidden ports"] = fmt.Errorf("%d ports of %s are taken and in no table: %d are written down", len(suspects), tr.name, most)
		suspects = suspects[:most]
	}
	if len(suspects) > 0 {
		h.taken(tr, s, f, suspects, passes, r)
	}
}

// taken writes of ports that are taken and were in no table in any pass.
func (h *portHunt) taken(tr transport, s namespace.Space, f *portFinding, ports []int, passes int, r *rest) {
	shown := []string{viewBind}
	loose := h.loose(s)
	if r.excess > 0 {
		shown = append(shown, viewSockstat)
	}
	for _, p := range ports {
		c := &state.Contradiction{
			What: "port", Subject: fmt.Sprintf("%s %d", tr.name, p), Shown: shown, Missing: []string{viewTables}, Repeats: passes,
			Detail: fmt.Sprintf("it cannot be bound in network namespace %d, and neither /proc/net nor sock_diag has it", s.ID),
			Tested: []string{"a connection that came and went: the tables were read before and after each pass", "a socket of the other family: its table was read, too"},
		}
		if tr.kind == unix.SOCK_STREAM {
			c.Tested = append(c.Tested, "bound and not listening: "+map[bool]string{true: "sock_diag shows such sockets here", false: "this kernel does not show such sockets"}[r.inactive])
		}
		for _, l := range loose {
			c.Detail += fmt.Sprintf("; process %d holds socket %d, which is in no table", l.pid, l.inode)
			c.PID = l.pid
		}
		c.Explained = unlisted(tr, r, loose)
		r.written = true
		f.cons = append(f.cons, c)
	}
}

// unlisted gives the ordinary cause of a port in no table. A socket that is bound and does not listen is not counted by
// sockstat.
func unlisted(tr transport, r *rest, loose []looseSocket) string {
	switch {
	case !r.sure:
		return "the tables could not be read whole"
	case tr.kind == unix.SOCK_STREAM && !r.inactive && r.excess == 0 && len(loose) > 0:
		return fmt.Sprintf("a socket of process %d may be bound and not listen: this kernel shows such in no table", loose[0].pid)
	}
	return ""
}

// looseSocket is a socket that a process holds and no table has.
type looseSocket struct {
	pid   int
	inode uint64
}

// loose gives the sockets of a namespace's processes that stand in none of its tables, of whatever family. They are
// common: a socket of TCP that was never bound is one.
func (h *portHunt) loose(s namespace.Space) []looseSocket {
	known := map[uint64]bool{}
	for _, x := range h.box.Sockets {
		known[x.Inode] = true
	}
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6", "unix", "netlink", "packet", "raw", "raw6", "icmp", "icmp6", "udplite", "udplite6"} {
		b, _ := readNet(h.box.Proc, name)
		for line := range strings.Lines(string(b)) {
			for i, w := range strings.Fields(line) {
				if n, err := strconv.ParseUint(w, 10, 64); err == nil && i > 4 {
					known[n] = true // the column of the inode differs: any number may be one
				}
			}
		}
	}
	var all []looseSocket
	for _, p := range h.box.Processes {
		if p.PID == os.Getpid() || namespace.ID(filepath.Join(h.box.Proc, strconv.Itoa(p.PID), "ns/net")) != s.ID {
			continue
		}
		for _, o := range p.Files {
			n, ok := socketInode(o.Target)
			if ok && !known[n] && len(all) < 16 {
				all = append(all, looseSocket{p.PID, n})
			}
		}
	}
	return all
}

func socketInode(target string) (uint64, bool) {
	s, ok := strings.CutPrefix(target, "socket:[")
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
	return n, ok && err == nil
}

// counters compares what sockstat counts with the rows of the tables, thrice, and gives what it has more each time.
func (h *portHunt) counters(tr transport) int {
	excess := 0
	for pass := range state.Passes {
		n, ok := h.excess(tr)
		if !ok || n <= 0 || pass > 0 && n != excess {
			return 0
		}
		excess = n
		time.Sleep(pause / 4)
	}
	return excess
}

func uncountedSockets(tr transport, s namespace.Space, excess int) *state.Contradiction {
	return &state.Contradiction{
		What: "port", Subject: tr.name + " sockets", Shown: []string{viewSockstat}, Missing: []string{viewTables}, Repeats: state.Passes,
		Detail: fmt.Sprintf("sockstat counts %d more sockets in use than the tables have in network namespace %d", excess, s.ID),
		Tested: []string{"it was the same in all passes", "sockets that wait or are half made are not counted"},
	}
}

// excess gives how many sockets sockstat counts more than there are rows, with both families together: a socket of IPv6
// that speaks IPv4 may be counted as either.
func (h *portHunt) excess(tr transport) (int, bool) {
	four, err := readNet(h.box.Proc, "sockstat")
	if err != nil {
		return 0, false
	}
	six, _ := readNet(h.box.Proc, "sockstat6")
	stat, stat6 := parseSockstat(four), parseSockstat(six)
	n := stat[tr.stat] + stat6[tr.stat+"6"]
	for _, sister := range transports {
		if sister.kind == tr.kind {
			t, err := sister.proc(h.box.Proc)
			if err != nil && sister.family == unix.AF_INET {
				return 0, false
			}
			n -= h.filter(sister.name, t).rows
		}
	}
	return n, true
}

// ownerless writes of ports that are open and held by no process that we see.
func (h *portHunt) ownerless() error {
	helpers := kernelServices(h.box)
	shut := closed(h.box)
	for _, s := range h.box.Sockets {
		open := s.State == "listen" || strings.HasPrefix(s.Protocol, "udp")
		if !open || len(s.PIDs) > 0 || s.Protocol == "unix" || portOf(s.Local) == 0 {
			continue
		}
		c := &state.Contradiction{
			What: "port", Subject: s.Protocol + " " + s.Local, Shown: []string{viewTables}, Missing: []string{viewFDs}, Repeats: 1,
			Detail: fmt.Sprintf("no process that is seen holds socket %d of user %d", s.Inode, s.UID),
			Tested: []string{"a service of the kernel", "it went with its process between the views: not repeated"},
		}
		if s.Inode == 0 {
			c.Explained = "a socket of the kernel itself: it belongs to no file"
		} else if len(shut) > 0 {
			c.Explained = "the files of some processes may not be seen, and it may be theirs: " + strings.Join(shut, ", ")
		} else if s.UID == 0 && len(helpers) > 0 {
			c.Explained = "services of the kernel hold sockets without a process, and some run: " + strings.Join(helpers, ", ")
		}
		if err := h.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return nil
}

// closed gives some of the processes whose open files we may not see: those of others, where we are not root, and such
// as have more rights than we.
func closed(b *acquire.Box) []string {
	var all []string
	for _, p := range b.Processes {
		dir := filepath.Join(b.Proc, strconv.Itoa(p.PID), "fd")
		fds, err := bounded.List(dir, 1)
		if len(fds) > 0 {
			_, err = bounded.Link(filepath.Join(dir, fds[0]))
		}
		if errors.Is(err, os.ErrPermission) && len(all) < 8 {
			all = append(all, strconv.Itoa(p.PID))
		}
	}
	return all
}

// kernelServices gives the threads of the kernel that keep ports.
func kernelServices(b *acquire.Box) []string {
	var all []string
	for _, p := range b.Processes {
		for _, name := range []string{"nfsd", "lockd", "nfsv4.", "cifsd", "wg-crypt-", "krxrpc", "ksmbd", "iscsi_np", "o2net", "dlm_", "xprtiod"} {
			if p.Kernel && strings.Contains(p.Name, name) && !slices.Contains(all, p.Name) && len(all) < 8 {
				all = append(all, p.Name)
			}
		}
	}
	return all
}
