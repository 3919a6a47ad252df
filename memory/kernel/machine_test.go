package kernel

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/internal/cache"
	"telltale/memory/memorytest"
	"telltale/memory/raw"
)

func openMachine(t testing.TB, m []byte) (*Kernel, error) {
	d, err := raw.Format().Open(t.Context(), bytes.NewReader(m), int64(len(m)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return open(t.Context(), d, 100_000, nil)
}

// TestMachine: what a kernel describes is read, and what it does not is said.
func TestMachine(t *testing.T) {
	k, err := openMachine(t, memorytest.Machine())
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
	if len(got) != 2 || s.Processes[1].Name != "[kworker/9:9]" || s.Processes[1].PID != 82 || s.Processes[1].At.Physical != memorytest.MachineTask+0x2000 || s.Processes[1].At.Offset != memorytest.MachineTask+0x2000 {
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
		"the list leads out": {func(m []byte) { le.PutUint64(m[memorytest.MachineTask+0x1000+8:], 0xffffffffdead0000) }, 2, "leads out of the dump after 1 entries, from its end 1 more"},
		"the list runs in a circle": {func(m []byte) {
			le.PutUint64(m[memorytest.MachineTask+0x2000+8:], memorytest.MachineVA+memorytest.MachineTask+0x1008)
		}, 2, "circle"},
		"the list leads nowhere": {func(m []byte) { le.PutUint64(m[memorytest.MachineTask+0x1000+8:], 0x10) }, 2, "leads nowhere"},
		"no types":               {func(m []byte) { m[memorytest.MachineBTF] = 0 }, -1, "no process could be read of the kernel 6.1.0-test: it holds no description of the kernel's types"},
		"no first task":          {func(m []byte) { m[memorytest.MachineTask+48] = 'x' }, -1, "its first task was not found"},
		"types that are cut":     {func(m []byte) { le.PutUint32(m[memorytest.MachineBTF+12:], 1<<24) }, -1, "only descriptions of modules"},
		"no page tables":         {func(m []byte) { clear(m[0x1000:0x4000]) }, -1, "no page tables that lead to it"},
		"it lies elsewhere":      {func(m []byte) { copy(m[0x4000:], m[0x4400:0xf0000]) }, -1, "Holes were left out"},
	} {
		t.Run(name, func(t *testing.T) {
			m := memorytest.Machine()
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
	m := memorytest.Machine()
	clear(m[memorytest.MachineNote : memorytest.MachineNote+4096])
	k, err := openMachine(t, m)
	if err != nil || !strings.Contains(k.Used(), "by what page leads to it") {
		t.Errorf("%v", err)
	}
}

func TestNothing(t *testing.T) {
	if _, err := openMachine(t, make([]byte, memorytest.MachineSize)); err == nil || !strings.Contains(err.Error(), "no process could be read") {
		t.Error(err)
	}
}

// FuzzMachine changes words of the machine's memory; its types are left alone by most changes, for little is read without them.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x10, 0, 1, 8, 0, 8, 0x10, 0x01, 0x81, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, changes []byte) {
		m := memorytest.Machine()
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

// TestPageTables: pages, and entries for more than a page, by both kinds of processors.
func TestPageTables(t *testing.T) {
	const base = 0xffff_ff80_0000_0000
	for _, c := range []struct {
		cpu          *processor
		levels       int
		table, block uint64 // the low bits of entries
	}{{&amd64, 4, present | 2, present | 1<<7}, {&arm64, 4, present | 2, present}, {&arm64, 3, present | 2, present}, {&amd64, 5, present | 2, present | 1<<7}} {
		m := make([]byte, 0x8000)
		put := func(at int, v uint64) { le.PutUint64(m[at:], v) }
		table := 0x1000
		for level := c.levels; level > 2; level-- {
			put(table+int(uint64(base)>>(12+9*(level-1))&511)*8, uint64(table+0x1000)|c.table)
			table += 0x1000
		}
		put(table+1*8, 0x40000000|c.block)
		put(table+2*8, 0x6000|c.table)
		put(0x6000+5*8, 0x7000|c.table)
		k, err := openMachine(t, m)
		if k != nil || err == nil {
			t.Fatal("a kernel was found")
		}
		d, err := raw.Format().Open(t.Context(), bytes.NewReader(m), int64(len(m)), nil)
		if err != nil {
			t.Fatal(err)
		}
		k = &Kernel{ctx: t.Context(), d: d, cpu: c.cpu, left: 1000, pages: cache.New[uint64, []byte](10)}
		s := k.newSpace(0x1000, c.levels)
		for addr, want := range map[uint64]uint64{base + 0x212345: 0x40012345, base + 0x405678: 0x7678, base + 0x406000: 0, base: 0} {
			if pa, err := s.translate(addr); pa != want || (err == nil) != (want != 0) {
				t.Errorf("%s, %d levels: %#x lies at %#x, %v", c.cpu.name, c.levels, addr, pa, err)
			}
		}
		var mapped []uint64
		s.mapped(base+0x3ff000, base+0x7fffff, func(addr uint64) bool { mapped = append(mapped, addr); return true })
		if !slices.Equal(mapped, []uint64{base + 0x3ff000, base + 0x405000}) {
			t.Errorf("%s, %d levels: %x", c.cpu.name, c.levels, mapped)
		}
	}
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
