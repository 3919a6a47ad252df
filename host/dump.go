package host

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"telltale/evidence"
	"telltale/internal/limit"
	"telltale/internal/state"
	phys "telltale/memory"
	"telltale/memory/all"
	"telltale/memory/kernel"
	"telltale/memory/raw"
)

// KindDump is the kind of an input that is a dump of a machine's memory.
const KindDump = "memory-dump"

// dumpDir is where in its state a dump's lines lie: artefacts know a collection's state by such paths.
const dumpDir = "/state/memory/"

// dump tells a dump of memory by its first bytes, and opens it.
func (in *Input) dump(ctx context.Context, r io.ReaderAt, size int64, head []byte, o Options) (bool, error) {
	for _, f := range all.Formats() {
		if f.Probe(head) {
			return true, in.memory(ctx, f, r, size, o)
		}
	}
	for magic, why := range unreadDumps {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true, fmt.Errorf("%s: %w", why, phys.ErrNotSupported)
		}
	}
	if packedLime(head) {
		return true, fmt.Errorf("a dump of LiME that LiME packed (compress=1): unpack it first, as by pigz -dz: %w", phys.ErrNotSupported)
	}
	return false, nil
}

// unreadDumps are forms of memory that are not read, by their first bytes, and what to give instead.
var unreadDumps = map[string]string{
	"QEVM":             "a saved state of QEMU: give what its monitor's dump-guest-memory writes",
	"LibvirtQemudSave": "a saved state of libvirt: give what virsh dump --memory-only writes",
	"\xd0\xbe\xd2\xbe": "a saved state of VMware: give the .vmem beside it",
	"\xd1\xbe\xd2\xbe": "a saved state of VMware: give the .vmem beside it",
	"\xd2\xbe\xd2\xbe": "a saved state of VMware: give the .vmem beside it",
	"\xd3\xbe\xd2\xbe": "a saved state of VMware: give the .vmem beside it",
}

// packedLime tells a stream of zlib that holds a dump of LiME.
func packedLime(head []byte) bool {
	z, err := zlib.NewReader(bytes.NewReader(head))
	if err != nil {
		return false
	}
	defer z.Close()
	b := make([]byte, 4)
	n, _ := io.ReadFull(z, b)
	return string(b[:n]) == "EMiL"
}

// plainDump tells a dump without a header by what it holds. Text is not looked through.
func (in *Input) plainDump(ctx context.Context, r io.ReaderAt, size int64, head []byte, o Options) (bool, error) {
	if bytes.IndexByte(head, 0) < 0 {
		return false, nil
	}
	if found, err := raw.Sniff(ctx, r, size); !found || err != nil {
		return false, err
	}
	return true, in.memory(ctx, raw.Format(), r, size, o)
}

func (in *Input) memory(ctx context.Context, f phys.Format, r io.ReaderAt, size int64, o Options) error {
	d, err := f.Open(ctx, r, size, limit.New(limit.Memory))
	if err != nil {
		return fmt.Errorf("open the dump of memory (%s): %w", f.Name, err)
	}
	facts := d.Facts()
	for _, x := range facts.Damage {
		x.Ref.Path = "memory:"
		in.damage(o, x)
	}
	k, err := kernel.Open(ctx, d, o.Progress)
	if err != nil {
		return fmt.Errorf("read the dump of memory (%s): %w", f.Name, err)
	}
	s, err := k.Read()
	if err != nil {
		return fmt.Errorf("read the dump of memory (%s): %w", f.Name, err)
	}
	in.Kind = KindDump
	in.Notes = append(append(append(append(in.Notes, whatDump(f, d, k, s)), facts.Notes...), s.Notes...), notRead(s)...)
	return in.remembered(s, o)
}

// whatDump says what was read, and by what.
func whatDump(f phys.Format, d phys.Dump, k *kernel.Kernel, s *kernel.State) string {
	bytes := uint64(0)
	for _, r := range d.Ranges() {
		bytes += r.Size
	}
	own := 0
	for i := range s.Processes {
		if s.Processes[i].Kernel {
			own++
		}
	}
	return fmt.Sprintf("a dump of memory (%s, %d MiB) of Linux %s %s on %s; read by %s: %d processes and %d threads of the kernel, %d sockets, %d modules, %d lines of the kernel's log; %d things could not be read",
		f.Doc, bytes>>20, s.Kernel.Release, s.Kernel.Version, s.Machine, k.Used(), len(s.Processes)-own, own, len(s.Sockets), len(s.Modules), len(s.Said), len(s.Failures)+s.Unread)
}

// maxNotRead is how many things that were not read are told by words; all of them are events, too.
const maxNotRead = 10

// notRead says what could not be read.
func notRead(s *kernel.State) (out []string) {
	for i, f := range s.Failures {
		if i == maxNotRead {
			return append(out, fmt.Sprintf("not read: %d things more", len(s.Failures)-i))
		}
		out = append(out, "not read: "+f.What+": "+f.Why)
	}
	return out
}

// remembered makes the machine of what its memory tells.
func (in *Input) remembered(s *kernel.State, o Options) error {
	taken := evidence.Time{}
	st := &State{Kind: ownKind, Dump: true, Kernel: strings.TrimSpace(fmt.Sprintf("Linux %s %s %s", s.Kernel.Release, s.Kernel.Version, s.Machine)), Notes: s.Notes}
	if !s.Taken.IsZero() {
		taken = evidence.At(s.Taken, 0)
		taken.Step = 1
		st.Taken, st.Booted = taken, evidence.At(s.Booted, 1)
	}
	files, err := written(s)
	if err != nil {
		return err
	}
	told, err := newMemory(files, taken)
	if err != nil {
		return err
	}
	none, err := newMemory(nil, evidence.Time{})
	if err != nil {
		return err
	}
	st.Mount = Mount{At: "/", FS: told, Prefix: "memory:"}
	h := &Host{Kind: KindDump, State: st, CopyTimes: true, View: View{Source: o.Source, Mounts: []Mount{{At: "/", FS: none, Prefix: "memory:"}}}}
	h.finish(o)
	if h.Name == "" {
		h.Name = s.Host
	}
	if len(h.Users) == 0 { // names of users stand on the disk; that of number 0 is the kernel's own
		h.Users = []User{{Name: "root", Home: "/root"}}
	}
	in.Hosts = []*Host{h}
	return nil
}

// written gives the state as a collection holds it.
func written(s *kernel.State) (map[string][]byte, error) {
	files := map[string][]byte{}
	var failed error
	write := func(name string, n int, line func(i int) any) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		for i := range n {
			if err := e.Encode(line(i)); err != nil && failed == nil {
				failed = fmt.Errorf("write down the state in memory: %w", err)
			}
		}
		if n > 0 {
			files[dumpDir+name] = b.Bytes()
		}
	}
	write(state.ProcessFile, len(s.Processes), func(i int) any { return &s.Processes[i] })
	write(state.SocketFile, len(s.Sockets), func(i int) any { return &s.Sockets[i] })
	write(state.ModuleFile, len(s.Modules), func(i int) any { return &s.Modules[i] })
	write(state.LogFile, len(s.Said), func(i int) any { return &s.Said[i] })
	write(state.HookFile, len(s.Hooks), func(i int) any { return &s.Hooks[i] })
	write(state.BPFFile, len(s.BPF), func(i int) any { return &s.BPF[i] })
	write(state.ContradictionsFile, len(s.Contradictions), func(i int) any { return &s.Contradictions[i] })
	write(state.ViewFile, len(s.Views), func(i int) any { return &s.Views[i] })
	write(state.FailureFile, len(s.Failures), func(i int) any { return &s.Failures[i] })
	write(state.KernelFile, 1, func(int) any { return &s.Kernel })
	return files, failed
}
