package kernel

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// Programs that do next to nothing, as struct bpf_insn.
var (
	returnsOne = []byte{0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0}                                                         // r0 = 1; exit
	signals    = []byte{0xb7, 1, 0, 0, 0, 0, 0, 0, 0x85, 0, 0, 0, 109, 0, 0, 0, 0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0} // send_signal(0)
)

// load loads a program for the length of a test.
func load(t *testing.T, kind uint32, code []byte) int {
	t.Helper()
	license := []byte("GPL\x00")
	log := make([]byte, 1<<16)
	var pin runtime.Pinner
	pin.Pin(&code[0])
	pin.Pin(&license[0])
	pin.Pin(&log[0])
	defer pin.Unpin()
	attr := make([]byte, 72)
	binary.NativeEndian.PutUint32(attr, kind)
	binary.NativeEndian.PutUint32(attr[4:], uint32(len(code)/8))
	binary.NativeEndian.PutUint64(attr[8:], uint64(uintptr(unsafe.Pointer(&code[0]))))
	binary.NativeEndian.PutUint64(attr[16:], uint64(uintptr(unsafe.Pointer(&license[0]))))
	binary.NativeEndian.PutUint32(attr[24:], 1)
	binary.NativeEndian.PutUint32(attr[28:], uint32(len(log)))
	binary.NativeEndian.PutUint64(attr[32:], uint64(uintptr(unsafe.Pointer(&log[0]))))
	copy(attr[48:], "telltale_test")
	fd, err := bpfCall(5, attr) // BPF_PROG_LOAD
	if err != nil {
		t.Skipf("this kernel loads no such program: %v %s", err, unix.ByteSliceToString(log))
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// linked attaches a program by BPF_LINK_CREATE.
func linked(t *testing.T, prog, target int, attach uint32) {
	t.Helper()
	attr := make([]byte, 48)
	binary.NativeEndian.PutUint32(attr, uint32(prog))
	binary.NativeEndian.PutUint32(attr[4:], uint32(target))
	binary.NativeEndian.PutUint32(attr[8:], attach)
	fd, err := bpfCall(28, attr)
	if err != nil {
		t.Skip("this kernel makes no such link: ", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
}

func idOf(t *testing.T, fd int) uint32 {
	t.Helper()
	p, _, _, err := program(fd)
	if err != nil {
		t.Fatal(err)
	}
	return p.id
}

// bpfBox is a box with our own files, and the mounts of cgroup2.
func bpfBox() *acquire.Box {
	b := testBox()
	b.Boot = time.Now().Add(-time.Hour)
	p := &state.Process{PID: os.Getpid()}
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		n, _ := strconv.Atoi(e.Name())
		p.Files = append(p.Files, state.Open{FD: n, Target: to})
	}
	b.Processes = append(b.Processes, p)
	table, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		for _, kind := range []string{"cgroup2", "bpf"} {
			if slices.Contains(f, kind) {
				b.Mounts = append(b.Mounts, &state.Mount{At: f[4], Type: kind})
			}
		}
	}
	return b
}

func takeBPF(t *testing.T, v *bpfViews) *kept {
	t.Helper()
	k := newKept(t)
	v.out, v.box = k, bpfBox()
	if v.ids == nil {
		v.ids = ids
	}
	began := time.Now()
	if err := v.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(began))
	k.print(state.ViewFile, 20)
	return k
}

func (k *kept) program(id uint32) *state.BPF {
	for _, v := range k.records[state.BPFFile] {
		if b := v.(*state.BPF); b.ID == id {
			return b
		}
	}
	return nil
}

func TestAProgramIsSeen(t *testing.T) {
	fd := load(t, 1, returnsOne)
	id := idOf(t, fd)
	k := takeBPF(t, &bpfViews{})
	k.quiet()
	b := k.program(id)
	if b == nil || b.Type != "socket_filter" || b.Name != "telltale_test" || len(b.Tag) != 16 || !slices.Equal(b.PIDs, []int{os.Getpid()}) || b.Loaded == "" {
		t.Fatalf("%+v", b)
	}
	if !slices.Contains(b.Views, viewIDs) || !slices.Contains(b.Views, viewFDs) {
		t.Errorf("%+v", b)
	}
	text, _ := json.Marshal(b)
	t.Logf("%s", text)
}

// A root-kit that leaves a program out of the list of ids.
func TestAHiddenProgramIsFound(t *testing.T) {
	id := idOf(t, load(t, 1, returnsOne))
	k := takeBPF(t, &bpfViews{ids: func(cmd int) ([]uint32, error) {
		all, err := ids(cmd)
		return slices.DeleteFunc(all, func(n uint32) bool { return cmd == cmdProgNextID && n == id }), err
	}})
	if len(k.records[state.ContradictionsFile]) != 1 {
		t.Fatalf("%d contradictions", len(k.records[state.ContradictionsFile]))
	}
	c := k.records[state.ContradictionsFile][0].(*state.Contradiction)
	if !c.Holds() || c.Subject != fmt.Sprintf("program %d", id) || !slices.Contains(c.Shown, viewByID) || !slices.Contains(c.Shown, viewFDs) {
		t.Errorf("%+v", c)
	}
	if k.program(id) == nil {
		t.Error("it was not described")
	}
}

func TestAProgramOfAControlGroup(t *testing.T) {
	top := ""
	for _, m := range bpfBox().Mounts {
		if m.Type == "cgroup2" {
			top = m.At
		}
	}
	dir := filepath.Join(top, "telltale-test-"+strconv.Itoa(os.Getpid()))
	if top == "" || os.Mkdir(dir, 0o700) != nil {
		t.Skip("no control groups of version 2")
	}
	t.Cleanup(func() { os.Remove(dir) })
	fd := load(t, 8, returnsOne)
	group, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(group)
	linked(t, fd, group, 0) // BPF_CGROUP_INET_INGRESS
	k := takeBPF(t, &bpfViews{})
	k.quiet()
	b := k.program(idOf(t, fd))
	if b == nil || len(b.Attach) != 2 || !slices.Contains(b.Views, viewBPFLink) || !slices.Contains(b.Views, viewCgroup) {
		t.Errorf("%+v", b)
	}
}

func TestAHelperThatHarmsIsSeen(t *testing.T) {
	fd := load(t, 5, signals)
	k := takeBPF(t, &bpfViews{})
	if b := k.program(idOf(t, fd)); b == nil || !slices.Equal(b.Helpers, []string{"send_signal"}) {
		t.Errorf("%+v", b)
	}
}

// XDP on the loopback of a network namespace of our own.
func TestXDPIsSeen(t *testing.T) {
	fd := load(t, 6, append([]byte{0xb7, 0, 0, 0, 2, 0, 0, 0}, returnsOne[8:]...)) // XDP_PASS
	id := idOf(t, fd)
	f, err := bounded.Thread(time.Minute, func() (*interfaces, error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return nil, err
		}
		attr := make([]byte, 48)
		binary.NativeEndian.PutUint32(attr, uint32(fd))
		binary.NativeEndian.PutUint32(attr[4:], 1)
		binary.NativeEndian.PutUint32(attr[8:], 37)    // BPF_XDP
		binary.NativeEndian.PutUint32(attr[12:], 1<<1) // XDP_FLAGS_SKB_MODE
		l, err := bpfCall(28, attr)
		if err != nil {
			return nil, err
		}
		defer unix.Close(l)
		return ask()
	})
	if f == nil {
		t.Skip("no XDP here: ", err)
	}
	if len(f.links) != 1 || len(f.carriers) != 1 || f.carriers[0].prog != id || f.carriers[0].where != "generic" {
		t.Errorf("%+v %v", f, err)
	}
}

func TestLinksHere(t *testing.T) {
	k := newKept(t)
	began := time.Now()
	if err := Links(Options{}).Take(t.Context(), testBox(), k); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(began))
	k.print(state.LinkFile, 5)
	if len(k.records[state.LinkFile]) == 0 {
		t.Error("no interfaces")
	}
}
