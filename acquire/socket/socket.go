//go:build linux

// Package socket takes the machine's sockets by three views, each in every network namespace that a process has: the lists in
// /proc/PID/net, the kernel's answer to sock_diag(7), and the sockets that processes hold open. Sockets of packets are taken with the
// filters attached to them, for that is how a door waits for its knock. It connects to nothing and sends nothing.
package socket

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/netlink"
	"telltale/internal/procfs"
	"telltale/internal/state"
)

// The views.
const (
	inProc = "proc-net"
	inDiag = "sock-diag"
	inFile = "file-descriptor"
)

// New gives the step.
func New() acquire.Step {
	return acquire.Step{Name: "sockets", Doc: "every socket with its process, by three views", Quick: true, Take: take}
}

// maxList bounds one list of /proc/net, bytes; maxSockets all sockets.
const (
	maxList    = 256 << 20
	maxSockets = 1_000_000
)

type taker struct {
	box    *acquire.Box
	out    acquire.Out
	all    []*state.Socket
	byKey  map[key]*state.Socket
	owners map[uint64][]int
	counts map[string]int64
	full   bool
	speaks map[int]bool // protocols that sock_diag can be asked about; the same in all namespaces
}

// key names a socket: by its inode, or for those that have none (a connection that only waits to be forgotten) by what it connects.
type key struct {
	ns, inode     uint64
	protocol      string
	local, remote string
}

func take(ctx context.Context, b *acquire.Box, out acquire.Out) error {
	symbols, err := b.KernelSymbols()
	if err != nil {
		out.Failed("the kernel's symbols", err)
	}
	t := &taker{box: b, out: out, byKey: map[key]*state.Socket{}, owners: map[uint64][]int{}, counts: map[string]int64{}, speaks: netlink.Diagnosed(symbols)}
	spaces := t.held()
	for _, ns := range spaces {
		if err := ctx.Err(); err != nil {
			out.Failed("sockets of the network namespace of process "+ns.of, err)
			continue
		}
		t.lists(ns)
		if err := t.diag(ns); err != nil {
			out.Failed("sock_diag in the network namespace of process "+ns.of, err)
		}
	}
	t.leftOver()
	b.Sockets = t.all
	for _, view := range []string{inProc, inDiag, inFile} {
		if err := out.Record(state.ViewFile, &state.View{What: "socket", Name: view, Count: t.counts[view]}); err != nil {
			return err
		}
	}
	for _, s := range t.all {
		if err := out.Record(state.SocketFile, s); err != nil {
			return err
		}
	}
	return nil
}

// space is a network namespace, and a process or thread in it: "12", "12/task/14".
type space struct {
	id uint64
	of string
}

// held notes which process holds which socket, and gives the namespaces in the order of their first process.
func (t *taker) held() (out []space) {
	seen := map[uint64]bool{}
	for _, p := range t.box.Processes {
		add := func(id uint64, of string) {
			if id != 0 && !seen[id] {
				seen[id] = true
				out = append(out, space{id, of})
			}
		}
		add(p.NS["net"], strconv.Itoa(p.PID))
		for _, t := range p.OddTasks { // a thread may have a network of its own
			add(t.Net, fmt.Sprintf("%d/task/%d", p.PID, t.TID))
		}
		for _, f := range p.Files {
			if ino, ok := Inode(f.Target); ok && !slices.Contains(t.owners[ino], p.PID) {
				t.owners[ino] = append(t.owners[ino], p.PID)
			}
		}
	}
	return out
}

// Inode takes the number out of "socket:[123]".
func Inode(target string) (uint64, bool) {
	s, ok := strings.CutPrefix(target, "socket:[")
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
	return n, ok && err == nil
}

// add joins what a view shows with what others have shown.
func (t *taker) add(ns space, view string, s *state.Socket) {
	k := key{ns: ns.id, inode: s.Inode, protocol: s.Protocol}
	if s.Inode == 0 {
		k.local, k.remote = s.Local, s.Remote
	}
	t.counts[view]++
	if was := t.byKey[k]; was != nil {
		if !slices.Contains(was.Views, view) {
			was.Views = append(was.Views, view)
		}
		if s.Filter > 0 {
			was.Filter, was.Program = s.Filter, s.Program
		}
		return
	}
	if len(t.all) >= maxSockets {
		if !t.full {
			t.full = true
			t.out.Failed("sockets", fmt.Errorf("more than %d", maxSockets))
		}
		return
	}
	c := *s
	c.NetNS, c.Views = ns.id, []string{view}
	if s.Inode != 0 {
		c.PIDs = t.owners[s.Inode]
	}
	if len(c.PIDs) > 0 {
		c.Views = append(c.Views, inFile)
		t.counts[inFile]++
	}
	t.byKey[k] = &c
	t.all = append(t.all, &c)
}

// lists reads /proc/PID/net.
func (t *taker) lists(ns space) {
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "icmp", "icmp6", "packet", "unix"} {
		b, err := bounded.Read(t.box.Proc+"/"+ns.of+"/net/"+name, maxList)
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				t.out.Failed("/proc/"+ns.of+"/net/"+name, err)
			}
			continue
		}
		yield := func(s *state.Socket) bool { t.add(ns, inProc, s); return !t.full }
		odd := 0
		switch name {
		case "packet":
			odd = procfs.Packet(b, yield)
		case "unix":
			odd = procfs.Unix(b, yield)
		default:
			odd = procfs.Net(b, name, yield)
		}
		if odd > 0 {
			t.out.Failed("/proc/"+ns.of+"/net/"+name, fmt.Errorf("%d lines were not understood", odd))
		}
	}
}

// leftOver adds the sockets that processes hold and no list shows: of kinds that have no list (netlink, AF_ALG, vsock), not yet bound - or hidden.
func (t *taker) leftOver() {
	known := map[uint64]bool{}
	for _, s := range t.all {
		known[s.Inode] = true
	}
	inodes := make([]uint64, 0, len(t.owners))
	for ino := range t.owners {
		if !known[ino] {
			inodes = append(inodes, ino)
		}
	}
	slices.Sort(inodes)
	for _, ino := range inodes {
		s := &state.Socket{Protocol: "unlisted", Inode: ino}
		for _, pid := range t.owners[ino] {
			if p := t.box.Process(pid); p != nil {
				t.add(space{p.NS["net"], strconv.Itoa(pid)}, inFile, s)
				break
			}
		}
	}
}
