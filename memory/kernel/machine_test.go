package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/internal/btf"
	"telltale/memory/raw"
)

// A machine that is small enough to stand in a test: a kernel with as much as is needed to find three processes.

// Where things lie in it, physical.
const (
	machineSize = 1 << 20
	machineNote = 0x8000
	machineTask = 0x10000 // and the others 0x1000 apart
	machineBTF  = 0x40000
	machineVA   = 0xffffffff81000000
)

// typesOf writes a description of types: each structure's members are numbers of eight bytes, but for those named otherwise.
type typesOf struct {
	types, names []byte
	count        uint32
}

func (b *typesOf) name(s string) uint32 {
	if s == "" {
		return 0
	}
	at := uint32(len(b.names))
	b.names = append(append(b.names, s...), 0)
	return at
}

func (b *typesOf) put(v ...uint32) uint32 {
	for _, x := range v {
		b.types = binary.LittleEndian.AppendUint32(b.types, x)
	}
	b.count++
	return b.count
}

type memberOf struct {
	name string
	id   uint32
	off  uint32 // bytes
}

func (b *typesOf) structure(name string, size uint32, ms ...memberOf) uint32 {
	v := []uint32{b.name(name), 4<<24 | uint32(len(ms)), size}
	for _, m := range ms {
		v = append(v, b.name(m.name), m.id, m.off*8)
	}
	return b.put(v...)
}

func (b *typesOf) bytes(size int) []byte {
	b.names = append(b.names, make([]byte, max(0, size-len(b.types)-len(b.names)))...)
	out := []byte{btf.Magic & 0xff, btf.Magic >> 8, 1, 0}
	for _, v := range []int{btf.HeaderSize, 0, len(b.types), len(b.types), len(b.names)} {
		out = binary.LittleEndian.AppendUint32(out, uint32(v))
	}
	return append(append(out, b.types...), b.names...)
}

func machineTypes() []byte {
	b := &typesOf{names: []byte{0}}
	u64 := b.put(b.name("long"), 1<<24, 8, 64)
	u32 := b.put(b.name("int"), 1<<24, 4, 32)
	char := b.put(b.name("char"), 1<<24, 1, 8)
	comm := b.put(0, 3<<24, 0, char, u32, 16)
	link := b.structure("list_head", 16, memberOf{"next", u64, 0}, memberOf{"prev", u64, 8})
	pointer := b.put(0, 2<<24, b.count+2)
	b.structure("task_struct", 256, memberOf{"pid", u32, 0}, memberOf{"tgid", u32, 4}, memberOf{"tasks", link, 8}, memberOf{"group_leader", pointer, 32}, memberOf{"real_parent", pointer, 40}, memberOf{"comm", comm, 48}, memberOf{"flags", u32, 64})
	return b.bytes(minBTF + 4096)
}

// machine gives its memory.
func machine() []byte {
	m := make([]byte, machineSize)
	put := func(at int, v uint64) { le.PutUint64(m[at:], v) }
	va := func(at int) uint64 { return machineVA + uint64(at) }
	put(0x1000+511*8, 0x2000|present)
	put(0x2000+510*8, 0x3000|present)
	put(0x3000+8*8, 0|present|large)
	copy(m[machineNote:], fmt.Sprintf("OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=%x\nSYMBOL(swapper_pg_dir)=%x\nNUMBER(phys_base)=%d\nA=1\nB=2\nC=3\nD=4\nE=5\nF=6\n", va(0x100), va(0x1000), imageFrom-0xffffffff80000000-0x1000000))
	names := []string{"swapper/0", "init", "[kworker/9:9]"}
	for i, n := range names {
		at := machineTask + i*0x1000
		le.PutUint32(m[at:], uint32(i*41))
		le.PutUint32(m[at+4:], uint32(i*41))
		put(at+8, va(machineTask+(i+1)%3*0x1000+8))
		put(at+16, va(machineTask+(i+2)%3*0x1000+8))
		put(at+32, va(at))
		put(at+40, va(machineTask))
		copy(m[at+48:], n)
	}
	copy(m[machineBTF:], machineTypes())
	return m
}

func openMachine(t testing.TB, m []byte) (*Kernel, error) {
	d, err := raw.Format().Open(t.Context(), bytes.NewReader(m), int64(len(m)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return open(t.Context(), d, 100_000, nil)
}

// TestMachine: what a kernel describes is read, and what it does not is said.
func TestMachine(t *testing.T) {
	k, err := openMachine(t, machine())
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.Read()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range s.Processes {
		got = append(got, fmt.Sprint(p.PID, p.Name, p.At))
	}
	if len(got) != 2 || s.Processes[1].Name != "[kworker/9:9]" || s.Processes[1].PID != 82 || s.Processes[1].At.Physical != machineTask+0x2000 || s.Processes[1].At.Offset != machineTask+0x2000 {
		t.Errorf("%q", got)
	}
	var said []string
	for _, f := range s.Failures {
		said = append(said, f.What+": "+f.Why)
	}
	for _, want := range []string{"what the kernel does not describe", "the kernel's log", "module-list", "pid-allocator"} {
		if !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("nothing is said of %q: %q", want, said)
		}
	}
	if !strings.Contains(strings.Join(s.Notes, " "), "table of symbols") || !strings.Contains(k.Used(), "4 levels") {
		t.Errorf("%q %q", s.Notes, k.Used())
	}
}

// TestBrokenMachine: lists that are broken are read from both ends, and what cannot be read at all has its reason.
func TestBrokenMachine(t *testing.T) {
	for name, c := range map[string]struct {
		change func(m []byte)
		found  int
		says   string
	}{
		"the list leads out":        {func(m []byte) { le.PutUint64(m[machineTask+0x1000+8:], 0xffffffffdead0000) }, 2, "leads out of the dump after 1 entries, from its end 1 more"},
		"the list runs in a circle": {func(m []byte) { le.PutUint64(m[machineTask+0x2000+8:], machineVA+machineTask+0x1008) }, 2, "circle"},
		"the list leads nowhere":    {func(m []byte) { le.PutUint64(m[machineTask+0x1000+8:], 0x10) }, 2, "leads nowhere"},
		"no types":                  {func(m []byte) { m[machineBTF] = 0 }, -1, "no process could be read of the kernel 6.1.0-test: it holds no description of the kernel's types"},
		"no first task":             {func(m []byte) { m[machineTask+48] = 'x' }, -1, "its first task was not found"},
		"types that are cut":        {func(m []byte) { le.PutUint32(m[machineBTF+12:], 1<<24) }, -1, "cannot be read"},
		"no page tables":            {func(m []byte) { clear(m[0x1000:0x4000]) }, -1, "no page tables that lead to it"},
		"it lies elsewhere":         {func(m []byte) { copy(m[0x4000:], m[0x4400:0xf0000]) }, -1, "Holes were left out"},
	} {
		t.Run(name, func(t *testing.T) {
			m := machine()
			c.change(m)
			k, err := openMachine(t, m)
			if err != nil {
				if c.found >= 0 || !strings.Contains(err.Error(), c.says) {
					t.Error(err)
				}
				return
			}
			s, err := k.Read()
			if err != nil || len(s.Processes) != c.found || !strings.Contains(fmt.Sprint(s.Views), c.says) {
				t.Errorf("%d processes, %v, %+v", len(s.Processes), err, s.Views)
			}
		})
	}
}

// TestOtherPageTables: they are found without the note, by what they lead to.
func TestOtherPageTables(t *testing.T) {
	m := machine()
	clear(m[machineNote : machineNote+4096])
	k, err := openMachine(t, m)
	if err != nil || !strings.Contains(k.Used(), "by what page leads to it") {
		t.Errorf("%v", err)
	}
}

func TestNothing(t *testing.T) {
	if _, err := openMachine(t, make([]byte, machineSize)); err == nil || !strings.Contains(err.Error(), "no process could be read") {
		t.Error(err)
	}
}

// FuzzMachine changes words of the machine's memory; its types are left alone by most changes, for little is read without them.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x10, 0, 1, 8, 0, 8, 0x10, 0x01, 0x81, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, changes []byte) {
		m := machine()
		for ; len(changes) >= 11; changes = changes[11:] {
			at := int(changes[0]) | int(changes[1])<<8 | int(changes[2]&0xf)<<16
			copy(m[at:min(at+8, len(m))], changes[3:])
		}
		began := time.Now()
		k, err := openMachine(t, m)
		if err == nil {
			if _, err = k.Read(); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func TestNote(t *testing.T) {
	n := parseNote([]byte("OSRELEASE=6.1.0\nSYMBOL(prb)=ffffffff98600000\nNUMBER(phys_base)=-16777216\nOSRELEASE=x\nno line\nLATE=1\n\x00AFTER=1\n"))
	base, ok := n.number("phys_base")
	if n.release() != "6.1.0" || n.symbol("prb") != 0xffffffff98600000 || base != -16777216 || !ok || n.values["LATE"] != "" || n.values["AFTER"] != "" || n.symbol("none") != 0 {
		t.Errorf("%+v", n)
	}
}

func FuzzNote(f *testing.F) {
	f.Add([]byte("OSRELEASE=6.1.0\nSYMBOL(prb)=ffffffff98600000\nNUMBER(phys_base)=-16777216\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := parseNote(b)
		n.symbol("prb")
		n.number("phys_base")
	})
}

// symbolsOf writes a table of symbols with the addresses in one of the places where versions of the kernel keep them.
func symbolsOf(layout string, count int) (b []byte, digits int) {
	const base = 0xffffffff81000000
	tokens, index := make([]byte, 0, 2048), make([]byte, 0, 512)
	for i := range 256 {
		index = le.AppendUint16(index, uint16(len(tokens)))
		word := string(rune(i))
		if i < '0' || i > 'z' {
			word = fmt.Sprintf("_%02x", i)
		}
		tokens = append(append(tokens, word...), 0)
		if i == '0'-1 {
			digits = len(tokens)
		}
	}
	var names, marks []byte
	for i := range count {
		if i%256 == 0 {
			marks = le.AppendUint32(marks, uint32(len(names)))
		}
		n := fmt.Sprintf("Tsymbol%05d", i)
		names = append(append(names, byte(len(n))), n...)
	}
	pad := func(b []byte) []byte { return append(b, make([]byte, -len(b)&7)...) }
	addr := func(i int) uint64 { return base + uint64(i)*16 }
	b = make([]byte, 1<<12)
	offsets := func() {
		for i := range count {
			b = le.AppendUint32(b, uint32(addr(i)-base))
		}
		b = le.AppendUint64(pad(b), base)
	}
	switch layout {
	case "addresses":
		for i := range count {
			b = le.AppendUint64(b, addr(i))
		}
	case "offsets before the names":
		offsets()
	}
	b = pad(append(pad(le.AppendUint32(b, uint32(count))), names...))
	b = pad(append(b, marks...))
	digits += len(b)
	b = pad(append(pad(append(b, tokens...)), index...))
	switch layout {
	case "offsets behind the tokens":
		offsets()
	case "offsets from their places":
		for i := range count {
			b = le.AppendUint32(b, uint32(int32(i*16-len(b))))
		}
	}
	return append(b, make([]byte, 4096)...), digits
}

func TestSymbols(t *testing.T) {
	for _, layout := range []string{"addresses", "offsets before the names", "offsets behind the tokens", "offsets from their places"} {
		b, digits := symbolsOf(layout, 10_000)
		x, err := carve(b, 0x5000, digits)
		if err != nil || x.layout != layout || x.count != 10_000 {
			t.Errorf("%s: %+v", layout, err)
			continue
		}
		var got []string
		x.each(func(kind byte, name string, addr uint64) {
			if strings.HasSuffix(name, "77") && len(got) < 2 {
				got = append(got, fmt.Sprintf("%c %s %x", kind, name, addr))
			}
		})
		want := []string{"T symbol00077 ffffffff810004d0", "T symbol00177 ffffffff81000b10"}
		if x.places {
			want = []string{"T symbol00077 54d0", "T symbol00177 5b10"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", layout, got)
		}
	}
}

func FuzzSymbols(f *testing.F) {
	for i := range uint8(4) {
		f.Add(i, []byte{0, 0x20, 0xff, 1, 2})
		f.Add(i, []byte{9, 0x10, 0, 0, 0, 1, 0x20, 0xff, 0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, layout uint8, changes []byte) {
		names := []string{"addresses", "offsets before the names", "offsets behind the tokens", "offsets from their places"}
		b, digits := symbolsOf(names[layout%4], 8500)
		for ; len(changes) >= 5; changes = changes[5:] {
			at := (int(changes[0]) | int(changes[1])<<8) * 5 % len(b)
			copy(b[at:], changes[2:5])
		}
		if x, err := carve(b, 0, digits); err == nil {
			n := 0
			x.each(func(byte, string, uint64) { n++ })
			if n > x.count {
				t.Errorf("%d of %d", n, x.count)
			}
		}
		tokens(b, digits)
	})
}
