package kernel

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/internal/limit"
	"telltale/internal/procfs"
	"telltale/internal/state"
	"telltale/memory"
	"telltale/memory/all"
	"telltale/memory/memorytest"
)

// guest gives the folder that lab/memory-image.sh made.
func guest(t testing.TB) string {
	dir := os.Getenv("TELLTALE_MEMORY_IMAGE")
	if dir == "" {
		t.Skip("TELLTALE_MEMORY_IMAGE is not set: lab/memory-image.sh makes the dumps; without them no kernel's memory is read")
	}
	return dir
}

// dumpOf opens a dump by what it holds.
func dumpOf(t testing.TB, r io.ReaderAt, size int64) memory.Dump {
	t.Helper()
	head := make([]byte, 128<<10)
	n, _ := r.ReadAt(head, 0)
	for _, f := range all.Formats() {
		if f.Probe(head[:n]) || f.Name == "raw" {
			d, err := f.Open(t.Context(), r, size, limit.New(limit.Memory))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
	return nil
}

func fileDump(t testing.TB, path string) memory.Dump {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return dumpOf(t, f, st.Size())
}

func readAll(t testing.TB, d memory.Dump) (*Kernel, *State) {
	t.Helper()
	began := time.Now()
	k, err := Open(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.Read()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s on %s, by %s: %d processes, %d sockets, %d modules, %d lines, %v", s.Kernel.Release, s.Host, k.Used(), len(s.Processes), len(s.Sockets), len(s.Modules), len(s.Said), time.Since(began).Round(time.Millisecond))
	return k, s
}

// truth is what the guest itself said: files of /proc by their paths.
type truth map[string]string

func readTruth(t testing.TB, dir string) truth {
	b, err := os.ReadFile(filepath.Join(dir, "truth"))
	if err != nil {
		t.Fatal(err)
	}
	out, name := truth{}, ""
	for line := range strings.SplitSeq(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "@@ "); ok {
			name = rest
		} else if rest, ok := strings.CutPrefix(line, "@> "); ok {
			name = rest
		} else if name != "" {
			if x, err := base64.StdEncoding.DecodeString(line); err == nil {
				out[name] = string(x)
			}
			name = ""
		}
	}
	return out
}

// processes gives what ran as package procfs reads it out of the guest's own /proc.
func (x truth) processes() map[int]*state.Process {
	all := map[int]*state.Process{}
	for name, text := range x {
		f := strings.Split(name, "/")
		if len(f) != 4 || f[3] != "stat" || text == "" {
			continue
		}
		p := &state.Process{}
		procfs.Stat([]byte(text), p)
		at := func(name string) []byte { return []byte(x["/proc/"+f[2]+"/"+name]) }
		link := func(name string) (string, bool) {
			return procfs.Link(strings.TrimSuffix(string(at(name)), "\n"))
		}
		procfs.Status(at("status"), p)
		p.LoginUID, p.Session = procfs.Identity(at("loginuid")), procfs.Identity(at("sessionid"))
		p.Cgroup = procfs.Cgroup(at("cgroup"))
		p.Unit = procfs.UnitOf(p.Cgroup)
		p.Args = procfs.Args(at("cmdline"))
		p.Env, p.EnvSize = procfs.Env(at("environ"))
		procfs.Maps(at("maps"), p)
		p.Exe, p.Deleted = link("exe")
		p.Memory = strings.HasPrefix(p.Exe, "/memfd:")
		p.Dir, p.DirGone = link("cwd")
		p.Root, _ = link("root")
		for fd := range 64 {
			if target, gone := link(fmt.Sprintf("fd/%d", fd)); target != "" {
				p.Files = append(p.Files, state.Open{FD: fd, Target: target, Deleted: gone})
			}
		}
		all[p.PID] = p
	}
	return all
}

// words puts what is to be the same of a process in words.
func words(p *state.Process) string {
	var s strings.Builder
	fmt.Fprintf(&s, "ppid %d group %d session %d name %q kernel %v exe %q %v %v args %q env %q %d\n", p.PPID, p.PGID, p.SID, p.Name, p.Kernel, p.Exe, p.Deleted, p.Memory, p.Args, p.Env, p.EnvSize)
	fmt.Fprintf(&s, "uid %d %d gid %d caps %s seccomp %d login %d %d tty %q ticks %d threads %d ns %v\n", p.UID, p.EUID, p.GID, p.CapEff, p.Seccomp, p.LoginUID, p.Session, p.TTY, p.Ticks, p.Threads, p.NSPID)
	fmt.Fprintf(&s, "cgroup %q %q\n", p.Cgroup, p.Unit)
	if !p.Kernel {
		fmt.Fprintf(&s, "dir %q %v root %q anonymous %d %d first %q\n", p.Dir, p.DirGone, p.Root, p.Anonymous, p.Writable, p.First)
		for _, m := range p.Mapped {
			fmt.Fprintf(&s, "mapped %q %v %s %d\n", m.Path, m.Deleted, m.Dev, m.Inode)
		}
		for _, f := range p.Files {
			fmt.Fprintf(&s, "file %d %q %v\n", f.FD, f.Target, f.Deleted)
		}
	}
	return s.String()
}

// TestGuest holds what is read out of a dump against what the guest itself said.
func TestGuest(t *testing.T) {
	dir := guest(t)
	k, s := readAll(t, fileDump(t, filepath.Join(dir, "dump.elf")))
	x := readTruth(t, dir)
	found := map[int]*state.Process{}
	for i := range s.Processes {
		found[s.Processes[i].PID] = &s.Processes[i]
	}
	compared := 0
	for pid, want := range x.processes() {
		got := found[pid]
		if got == nil {
			if !want.Kernel { // its threads come and go
				t.Errorf("process %d (%s) was not found", pid, want.Name)
			}
			continue
		}
		if compared++; got.Kernel && want.Kernel && strings.HasPrefix(want.Name, got.Name) { // /proc adds what it works at, and the rest of a long name
			want.Name = got.Name
		}
		if pid == 1 { // it went on
			got.Files, want.Files = nil, nil
		}
		if a, b := words(want), words(got); a != b {
			t.Errorf("process %d is, by the guest\n%s\nby the dump\n%s", pid, a, b)
		}
		if len(got.Unread) > 0 || len(got.Odd) > 0 || got.At == nil {
			t.Errorf("process %d: %q %q %v", pid, got.Unread, got.Odd, got.At)
		}
	}
	for pid, p := range found {
		if !p.Kernel && p.Name != "sleep" && x[fmt.Sprintf("/proc/%d/stat", pid)] == "" {
			t.Errorf("process %d (%s): the guest did not show it", pid, p.Name)
		}
	}
	if compared < 40 {
		t.Errorf("only %d processes were compared", compared)
	}
	whole := k.symbols["modules"] != 0 // else its table names functions alone, and what data alone would tell is said to be missing
	if len(s.Contradictions) > 0 || whole && len(s.Failures) > 0 || len(s.Notes) > 0 {
		t.Errorf("%+v %+v %q", s.Contradictions, s.Failures, s.Notes)
	}
	if len(s.BPF) != 1 || s.BPF[0].Name != "telltale_mark" || s.BPF[0].Type != "kprobe" || !slices.Equal(s.BPF[0].Helpers, []string{"probe_write_user"}) || len(s.BPF[0].PIDs) != 1 || s.BPF[0].Loaded == "" {
		t.Errorf("%+v", s.BPF)
	}
	compareSockets(t, x, s)
	compareKernel(t, x, s, whole)
}

func compareSockets(t *testing.T, x truth, s *State) {
	var want, got []string
	one := func(to *[]string) func(*state.Socket) bool {
		return func(k *state.Socket) bool {
			if k.Protocol == "packet" {
				k.Local = ""
			}
			*to = append(*to, fmt.Sprintf("%s %s %s %s uid %d inode %d", k.Protocol, k.Local, k.Remote, strings.TrimSuffix(k.State, " "), k.UID, k.Inode))
			return true
		}
	}
	for _, f := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6"} {
		procfs.Net([]byte(x["/proc/net/"+f]), f, one(&want))
	}
	procfs.Packet([]byte(x["/proc/net/packet"]), one(&want))
	for i := range s.Sockets {
		if len(s.Sockets[i].PIDs) != 1 || s.Sockets[i].At == nil {
			t.Errorf("%+v", s.Sockets[i])
		}
		one(&got)(&s.Sockets[i])
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) < 5 || !slices.Equal(want, got) {
		t.Errorf("sockets, by the guest\n%s\nby the dump\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

func compareKernel(t *testing.T, x truth, s *State, whole bool) {
	var want, got []string
	for line := range strings.Lines(x["/proc/modules"]) {
		f := strings.Fields(line)
		want = append(want, fmt.Sprint(f[0], " ", f[1], " ", f[2], " ", f[4]))
	}
	for _, m := range s.Modules {
		got = append(got, fmt.Sprint(m.Name, " ", m.Size, " ", m.Refs, " ", m.State))
		if !slices.Equal(m.Views, []string{viewModules, viewArea}) {
			t.Errorf("%+v", m)
		}
	}
	if !slices.Equal(want, got) {
		t.Errorf("modules %q, want %q", got, want)
	}
	line := func(name string) string { return strings.TrimSpace(x["/proc/"+name]) }
	if s.Host != line("sys/kernel/hostname") || whole && s.Kernel.Command != line("cmdline") || !strings.HasPrefix(line("version"), "Linux version "+s.Kernel.Release+" ") || strconv.FormatUint(s.Kernel.Taint, 10) != line("sys/kernel/tainted") {
		t.Errorf("%q %+v", s.Host, s.Kernel)
	}
	_, boot, _ := strings.Cut(line("stat"), "btime ")
	if sec, _ := strconv.ParseInt(strings.Fields(boot)[0], 10, 64); s.Booted.Unix() != sec || s.Taken.Before(s.Booted) || s.Taken.Sub(s.Booted) > time.Hour {
		t.Errorf("started %v, taken %v, want %d", s.Booted, s.Taken, sec)
	}
	var text []string
	for l := range strings.Lines(x["/tmp/dmesg"]) {
		if _, rest, ok := strings.Cut(strings.TrimSuffix(l, "\n"), "] "); ok && !strings.Contains(rest, "telltale-kmsg-mark") {
			text = append(text, rest)
		}
	}
	for i, said := range s.Said {
		if strings.Contains(said.Text, "telltale-kmsg-mark") {
			t.Error("what a program wrote into the log counts as the kernel's")
		}
		if first, _, _ := strings.Cut(said.Text, "\n"); i < len(text) && first != text[i] && !strings.Contains(said.Text, `\x`) && first != strings.TrimSpace(text[i]) {
			t.Errorf("line %d: %q, want %q", i, said.Text, text[i])
			break
		}
	}
	if len(s.Said) < 100 {
		t.Errorf("%d lines of %d", len(s.Said), len(text))
	}
}

// TestGuestFormats: the same machine, whichever way its memory came.
func TestGuestFormats(t *testing.T) {
	dir := guest(t)
	plain := fileDump(t, filepath.Join(dir, "dump.elf"))
	_, want := readAll(t, plain)
	pieces := piecesOf(t, plain)
	for name, open := range map[string]func() memory.Dump{
		"kdump": func() memory.Dump { return fileDump(t, filepath.Join(dir, "dump.kdump")) },
		"raw":   func() memory.Dump { return fileDump(t, filepath.Join(dir, "dump.raw")) },
		"lime":  func() memory.Dump { b := memorytest.LiME(pieces); return dumpOf(t, bytes.NewReader(b), int64(len(b))) },
		"avml": func() memory.Dump {
			b := memorytest.AVML(t, pieces, false)
			return dumpOf(t, bytes.NewReader(b), int64(len(b)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(dir, "dump."+name)); name == "raw" && err != nil {
				t.Skip(err)
			}
			_, got := readAll(t, open())
			if len(got.Processes) != len(want.Processes) || len(got.Sockets) != len(want.Sockets) {
				t.Fatalf("%d processes, %d sockets", len(got.Processes), len(got.Sockets))
			}
			for i := range want.Processes {
				if a, b := words(&want.Processes[i]), words(&got.Processes[i]); a != b {
					t.Errorf("%s\n%s", a, b)
				}
			}
		})
	}
}

func piecesOf(t testing.TB, d memory.Dump) (out []memorytest.Piece) {
	for _, r := range d.Ranges() {
		b := make([]byte, r.Size)
		if _, err := d.ReadPhys(b, r.Start); err != nil {
			t.Fatal(err)
		}
		out = append(out, memorytest.Piece{Start: r.Start, Bytes: b})
	}
	return out
}

// changed is a dump in which some bytes are others.
type changed struct {
	memory.Dump
	at map[uint64][]byte // by physical address, none across pages
}

func (c *changed) ReadPhys(p []byte, addr uint64) (int, error) {
	n, err := c.Dump.ReadPhys(p, addr)
	for at, b := range c.at {
		for i, x := range b {
			if j := at + uint64(i); j >= addr && j < addr+uint64(n) {
				p[j-addr] = x
			}
		}
	}
	return n, err
}

func (c *changed) Facts() memory.Facts { return memory.Facts{} }

// TestGuestAnchors: one way that is gone, by damage or by somebody's hand, is not missed.
func TestGuestAnchors(t *testing.T) {
	plain := fileDump(t, filepath.Join(guest(t), "dump.elf"))
	_, want := readAll(t, plain)
	s, err := scan(t.Context(), plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	wipe := func(all ...[]uint64) *changed {
		c := &changed{plain, map[uint64][]byte{}}
		for _, ats := range all {
			for _, at := range ats {
				c.at[at] = []byte("XXXXX")
			}
		}
		return c
	}
	for name, d := range map[string]memory.Dump{"no note": wipe(s.notes), "no symbols": wipe(s.tokens), "types alone": wipe(s.notes, s.tokens)} {
		t.Run(name, func(t *testing.T) {
			_, got := readAll(t, d)
			if len(got.Processes) != len(want.Processes) || len(got.Modules) != len(want.Modules) || got.Booted != want.Booted {
				t.Errorf("%d processes, %d modules, started %v", len(got.Processes), len(got.Modules), got.Booted)
			}
			if name != "no note" && (len(got.Notes) == 0 || len(got.Failures) == 0) {
				t.Error("what is missing is not said")
			}
		})
	}
	if _, err := Open(t.Context(), wipe(s.btf), nil); err == nil || !strings.Contains(err.Error(), "BTF") || !strings.Contains(err.Error(), want.Kernel.Release) {
		t.Errorf("without the types: %v", err)
	}
}

// TestGuestHidden: a process and a module that were unlinked from the kernel's lists are told, as what only an intruder does.
func TestGuestHidden(t *testing.T) {
	plain := fileDump(t, filepath.Join(guest(t), "dump.elf"))
	k, want := readAll(t, plain)
	c := &changed{plain, map[uint64][]byte{}}
	set := func(addr, v uint64) {
		pa, err := k.space.translate(addr)
		if err != nil {
			t.Fatal(err)
		}
		c.at[pa] = le.AppendUint64(nil, v)
	}
	unlink := func(o object, list string) {
		next, prev := o.uint(list+".next"), o.uint(list+".prev")
		set(prev, next)
		set(next+8, prev)
		set(o.at(list), poison1)
		set(o.at(list)+8, poison2)
	}
	for _, task := range k.tasks(&State{hidden: map[uint64]bool{}}) {
		if string(task.chars("comm")) == "kdevtmpfsi" {
			unlink(task, "tasks")
		}
	}
	area, _ := k.area()
	for _, at := range area {
		if m := k.object("module", at); string(m.chars("name")) == "virtio" {
			unlink(m, "list")
		}
	}
	_, got := readAll(t, c)
	if len(got.Processes) != len(want.Processes) || len(got.Modules) != len(want.Modules) {
		t.Errorf("%d processes, %d modules", len(got.Processes), len(got.Modules))
	}
	var told []string
	for _, x := range got.Contradictions {
		if !x.Holds() {
			t.Errorf("%+v", x)
		}
		told = append(told, x.What+" "+x.Subject)
	}
	slices.SortFunc(told, cmp.Compare)
	for _, p := range got.Processes {
		if hidden := p.Name == "kdevtmpfsi"; hidden != (p.Found == viewIDs) {
			t.Errorf("%s: %q", p.Name, p.Found)
		}
	}
	if n := len(told); n != 1+min(len(want.Modules), 1) || n == 2 && told[0] != "module virtio" || !strings.HasPrefix(told[n-1], "process ") { // some kernels have virtio built in
		t.Errorf("%q", told)
	}
}

// TestGuestHook: a system call that leads into a module is told, as a lead.
func TestGuestHook(t *testing.T) {
	plain := fileDump(t, filepath.Join(guest(t), "dump.elf"))
	k, s := readAll(t, plain)
	if k.symbols["sys_call_table"] == 0 {
		t.Skip("the kernel's table of symbols names functions alone")
	}
	n, into := -1, uint64(0)
	for _, v := range s.Views {
		if v.Name == viewCalls && n < 0 {
			n = int(v.Count)
		}
	}
	if n < 400 || n > maxCalls {
		t.Errorf("%d system calls", n)
	}
	if into, _ = k.moduleArea(); len(s.spans) > 0 {
		into = s.spans[0].low + 0x100
	}
	pa, err := k.space.translate(k.symbols["sys_call_table"] + 217*8) // getdents64
	if err != nil {
		t.Fatal(err)
	}
	_, got := readAll(t, &changed{plain, map[uint64][]byte{pa: le.AppendUint64(nil, into)}})
	if len(got.Contradictions) != 1 || got.Contradictions[0].Subject != "entry 217 of sys_call_table" || got.Contradictions[0].Holds() || !strings.Contains(got.Contradictions[0].Detail, "module") {
		t.Errorf("%+v", got.Contradictions)
	}
}

// smeared is a dump in which some pages are of another moment: they are empty, or hold what another page holds.
type smeared struct {
	memory.Dump
	seed      uint64
	low, high uint64 // what does not change while a kernel runs: its code, and what it describes itself by
}

func (s *smeared) ReadPhys(p []byte, addr uint64) (int, error) {
	for done := 0; done < len(p); {
		page, in := (addr+uint64(done))/memory.PageSize, int((addr+uint64(done))%memory.PageSize)
		rest := p[done:min(len(p), done+memory.PageSize-in)]
		r := rand.New(rand.NewPCG(s.seed, page))
		from := page
		if r.IntN(50) == 0 && (page < s.low/memory.PageSize || page >= s.high/memory.PageSize) {
			from = uint64(r.IntN(1 << 15))
		}
		n, err := s.Dump.ReadPhys(rest, from*memory.PageSize+uint64(in))
		if from != page && r.IntN(2) == 0 {
			clear(rest)
		}
		if done += n; err != nil {
			return done, err
		}
	}
	return len(p), nil
}

// TestGuestSmear: where one page of fifty is wrong the reading ends, what is missing is said, and nobody is accused.
func TestGuestSmear(t *testing.T) {
	plain := fileDump(t, filepath.Join(guest(t), "dump.elf"))
	whole, _ := readAll(t, plain)
	low, found, unread := whole.symbols["_stext"]-whole.delta, 0, 0
	for seed := range uint64(4) {
		k, err := Open(t.Context(), &smeared{plain, seed, low, whole.task - whole.delta}, nil)
		if err != nil {
			t.Log(seed, err)
			continue
		}
		s, err := k.Read()
		if err != nil {
			t.Fatal(err)
		}
		unread += len(s.Failures) + s.Unread
		t.Log(seed, len(s.Processes), len(s.Sockets), len(s.Modules), unread, len(s.Contradictions))
		found = max(found, len(s.Processes))
		for _, c := range s.Contradictions {
			if c.Holds() {
				t.Errorf("%+v", c)
			}
		}
	}
	if found < 10 || unread == 0 {
		t.Errorf("%d processes at best, %d things are said to be missing", found, unread)
	}
}

// TestGuestCut: of a dump that ends early what is there is read, or it is said why not.
func TestGuestCut(t *testing.T) {
	dir := guest(t)
	f, err := os.Open(filepath.Join(dir, "dump.raw"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	for _, mib := range []int64{240, 128, 16} {
		d := dumpOf(t, f, mib<<20)
		k, err := Open(t.Context(), d, nil)
		if err != nil {
			if !strings.Contains(err.Error(), "no process could be read") {
				t.Error(err)
			}
			t.Log(mib, err)
			continue
		}
		s, err := k.Read()
		if err != nil {
			t.Fatal(err)
		}
		t.Log(mib, len(s.Processes), s.Unread, s.Failures)
		if len(s.Processes) == 0 && len(s.Failures) == 0 {
			t.Error("nothing was found, and no reason is given")
		}
	}
}

// TestGuestUnpadded: memory without its holes is refused by its reason.
func TestGuestUnpadded(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(guest(t), "dump.raw"))
	if err != nil {
		t.Skip(err)
	}
	for name, cut := range map[string][2]int{"as /proc/iomem has it": {0x9fc00, 0x100000}, "by pages": {0xa0000, 0x100000}} {
		c := append(slices.Clone(b[:cut[0]]), b[cut[1]:]...)
		_, err := Open(t.Context(), dumpOf(t, bytes.NewReader(c), int64(len(c))), nil)
		if err == nil || !strings.Contains(err.Error(), "Holes were left out") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
