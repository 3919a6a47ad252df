package memory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"telltale/acquire/custody"
)

const iomem = `00000000-00000fff : Reserved
00001000-0009fbff : System RAM
0009fc00-0009ffff : Reserved
000a0000-000bffff : PCI Bus 0000:00
00100000-002fffff : System RAM
  00200000-0027ffff : Kernel code
00300000-0037ffff : System RAM
100000000-13fffffff : Persistent Memory
  100000000-1000fffff : dax0.0
    100000000-1000fffff : System RAM (kmem)
`

var ram = []Range{{0x1000, 0x9efff}, {0x100000, 0x37ffff}, {0x100000000, 0x1000fffff}}

// phdr is a program header of a crafted core.
type phdr struct {
	kind                     uint32
	vaddr, paddr, off, bytes uint64
}

// elfCore makes the headers of a core.
func elfCore(class byte, hs ...phdr) []byte {
	le := binary.LittleEndian
	b := append([]byte(elfMagic), class, elfLittle, 1)
	b = append(b, make([]byte, 9)...)
	b = le.AppendUint16(b, etCore)
	b = le.AppendUint16(b, 62)
	b = le.AppendUint32(b, 1)
	word := func(b []byte, v uint64) []byte {
		if class == elfClass32 {
			return le.AppendUint32(b, uint32(v))
		}
		return le.AppendUint64(b, v)
	}
	header, size := uint64(ehdr64), uint16(phdr64)
	if class == elfClass32 {
		header, size = ehdr32, phdr32
	}
	b = word(word(word(b, 0), header), 0)
	b = le.AppendUint32(b, 0)
	for _, v := range []uint16{uint16(header), size, uint16(len(hs)), 0, 0, 0} {
		b = le.AppendUint16(b, v)
	}
	for _, h := range hs {
		b = le.AppendUint32(b, h.kind)
		if class == elfClass64 {
			b = le.AppendUint32(b, 7)
		}
		b = word(word(word(word(word(b, h.off), h.vaddr), h.paddr), h.bytes), h.bytes)
		if class == elfClass32 {
			b = le.AppendUint32(b, 7)
		}
		b = word(b, 4096)
	}
	return b
}

const (
	direct   = 0xffff888000000000
	dataAt   = 0x2000
	vmalloc  = 0xffffc90000000000
	noteText = "OSRELEASE=6.1.0\nPAGESIZE=4096\n"
)

// machine is a machine's kcore: its RAM holds noise.
type machine struct {
	old bool // p_paddr is 0 everywhere
	cut int  // bytes that the core lacks at its end
	low bool // vmalloc lies below the direct map, as on arm64
}

func (m *machine) build(t testing.TB) (Sources, []byte) {
	t.Helper()
	none := uint64(1<<64 - 1)
	if m.old {
		none = 0
	}
	vm := uint64(vmalloc)
	if m.low {
		vm = 0xffff000000000000
	}
	hs := []phdr{{ptNote, 0, 0, 0x400, 56}, {ptLoad, vm, none, 1 << 45, 1 << 45}}
	data, at := []byte{}, uint64(dataAt)
	for _, r := range []Range{ram[0], {0x100000, 0x2fffff}, {0x300000, 0x37ffff}, ram[2]} {
		paddr := r.Start
		if m.old {
			paddr = 0
		}
		hs = append(hs, phdr{ptLoad, direct + r.Start, paddr, at, r.Len()})
		at += r.Len()
		data = append(data, make([]byte, r.Len())...)
	}
	rand.NewChaCha8([32]byte{5}).Read(data)
	text := phdr{ptLoad, 0xffffffff81000000, 0x200000, dataAt + ram[0].Len() + 0x100000, 0x80000}
	if m.old {
		text.paddr = 0
	}
	hs = append(hs, text)
	file := make([]byte, dataAt, dataAt+len(data))
	copy(file, elfCore(elfClass64, hs...))
	copy(file[0x400:], noteOf("VMCOREINFO", noteText, 0))
	file = append(file, data...)
	return sources(t, file[:len(file)-m.cut], iomem), data
}

func noteOf(name, text string, kind uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(name)+1))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint32(b, kind)
	for _, s := range []string{name + "\x00", text} {
		b = append(b, s...)
		b = append(b, make([]byte, -len(s)&3)...)
	}
	return b
}

// sources writes the files of a machine.
func sources(t testing.TB, kcore []byte, iomem string) Sources {
	t.Helper()
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	none := filepath.Join(dir, "none")
	return Sources{
		Kcore: put("kcore", kcore), Crash: none, Mem: none, Iomem: put("iomem", []byte(iomem)), Lockdown: put("lockdown", []byte("none [integrity] confidentiality\n")),
		BTF: put("btf", []byte{0x9f, 0xeb, 1, 0}), Kallsyms: put("kallsyms", []byte("0000000000000000 T _text\n")), Notes: put("notes", noteOf("GNU", "\x01\x02\xff", ntGNUBuild)), Vmcoreinfo: none,
	}
}

type sink struct {
	bytes.Buffer
	closed bool
}

func (s *sink) Close() error { s.closed = true; return nil }

// lime takes a copy apart.
func lime(t *testing.T, b []byte) map[Range][]byte {
	t.Helper()
	out := map[Range][]byte{}
	for len(b) > 0 {
		if len(b) < limeHeader || !bytes.Equal(b[:8], []byte{0x45, 0x4d, 0x69, 0x4c, 1, 0, 0, 0}) || !bytes.Equal(b[24:32], make([]byte, 8)) {
			t.Fatalf("no header of LiME: %x", b[:min(len(b), limeHeader)])
		}
		r := Range{binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])}
		b = b[limeHeader:]
		out[r], b = b[:r.Len()], b[r.Len():]
	}
	return out
}

func TestCopyOfACore(t *testing.T) {
	for name, m := range map[string]*machine{"new": {}, "old": {old: true}, "old, vmalloc below": {old: true, low: true}, "pages missing": {cut: 3*pageSize + 5}} {
		t.Run(name, func(t *testing.T) {
			s, data := m.build(t)
			mem, err := Open(s)
			if err != nil {
				t.Fatal(err)
			}
			defer mem.Close()
			var out sink
			rec := &custody.Record{}
			if err := mem.Copy(t.Context(), &out, rec, func(int64, int64) {}); err != nil {
				t.Fatal(err)
			}
			lost := 0
			if m.cut > 0 {
				lost = (m.cut + pageSize - 1) / pageSize * pageSize
				clear(data[len(data)-lost:])
				if len(rec.Bad) != 1 || rec.Bad[0].Offset != 0x100100000-int64(lost) || rec.Bad[0].Length != int64(lost) {
					t.Errorf("bad: %+v", rec.Bad)
				}
			}
			if n, err := mem.Lost(rec); n != int64(lost) || err != nil {
				t.Errorf("lost %d, %v", n, err)
			}
			got := lime(t, out.Bytes())
			if len(got) != len(ram) || !out.closed || int64(out.Len()) != rec.Copy.Size || rec.State != custody.Finished {
				t.Errorf("%d ranges, %d bytes of %d", len(got), out.Len(), rec.Copy.Size)
			}
			for _, r := range ram {
				if !bytes.Equal(got[r], data[:r.Len()]) {
					t.Errorf("%x differs", r)
				}
				data = data[r.Len():]
			}
			if l := mem.Facts.Ranges; len(l) != 3 || l[1].At != limeHeader+int64(ram[0].Len()) || mem.Facts.Lockdown != "integrity" {
				t.Errorf("%+v", mem.Facts)
			}
		})
	}
}

func TestCompanions(t *testing.T) {
	s, _ := (&machine{}).build(t)
	mem, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	to := filepath.Join(t.TempDir(), "x.lime")
	if err := mem.Write(to, mem.Companions()); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(custody.Beside(to, ".vmcoreinfo")); err != nil || string(b) != noteText {
		t.Errorf("%q, %v", b, err)
	}
	if mem.Facts.BuildID != "0102ff" || len(mem.Facts.Beside) != 4 || !strings.Contains(strings.Join(mem.Notes, " "), "kptr_restrict") {
		t.Errorf("%+v, %q", mem.Facts, mem.Notes)
	}
	if err := mem.Write(to, mem.Companions()); !errors.Is(err, os.ErrExist) {
		t.Errorf("written over: %v", err)
	}
}

func TestOtherSourcesAreTried(t *testing.T) {
	flat := make([]byte, 0x380000)
	rand.NewChaCha8([32]byte{6}).Read(flat)
	s := sources(t, []byte("no core"), "00100000-002fffff : System RAM\n")
	s.Mem = filepath.Join(t.TempDir(), "mem")
	if err := os.WriteFile(s.Mem, flat, 0o600); err != nil {
		t.Fatal(err)
	}
	mem, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	if f := mem.Facts; f.Source != s.Mem || len(f.Tried) != 3 || f.Tried[0].Error == "" || f.Tried[1].Error == "" || f.Tried[2].Error != "" {
		t.Errorf("%+v", f)
	}
	var out sink
	if err := mem.Copy(t.Context(), &out, &custody.Record{}, nil); err != nil || !bytes.Equal(out.Bytes()[limeHeader:], flat[0x100000:0x300000]) {
		t.Error("it differs", err)
	}
}

func TestNoSource(t *testing.T) {
	s := sources(t, nil, iomem)
	_, err := Open(s)
	if !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), s.Kcore) || !strings.Contains(err.Error(), s.Mem) {
		t.Error(err)
	}
	for name, text := range map[string]string{"hidden": "00000000-00000000 : System RAM\n00000000-00000000 : System RAM\n", "none": "x", "nonsense": "9-1 : System RAM\n", "beyond": "0-ffffffffffffffff : System RAM\n"} {
		_, err := Open(sources(t, nil, text))
		if err == nil || errors.Is(err, ErrHidden) != (name == "hidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInterrupted(t *testing.T) {
	s, _ := (&machine{}).build(t)
	mem, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	rec := &custody.Record{State: custody.Unfinished}
	if err := mem.Copy(ctx, &sink{}, rec, nil); !errors.Is(err, context.Canceled) || rec.State != custody.Unfinished {
		t.Error(err, rec.State)
	}
}

func TestParseIomem(t *testing.T) {
	got, cut, err := parseIomem([]byte(iomem))
	if err != nil || !reflect.DeepEqual(got, ram) || cut != 0xc00 {
		t.Errorf("%x, %d, %v", got, cut, err)
	}
}

func TestCoresThatLie(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty": nil, "short": []byte(elfMagic), "no headers": elfCore(elfClass64), "headers missing": elfCore(elfClass64, phdr{kind: ptLoad, bytes: 1})[:70],
		"only notes": elfCore(elfClass64, phdr{kind: ptNote, bytes: 9}), "wraps": elfCore(elfClass64, phdr{ptLoad, 1<<64 - 1, 0, 0, 4096}),
		"huge": elfCore(elfClass64, phdr{ptLoad, 0, 0, 0, 1<<64 - 1}), "far": elfCore(elfClass64, phdr{ptLoad, 0, 0, 1 << 63, 5}),
	} {
		if c, err := readCore(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	c, err := readCore(bytes.NewReader(elfCore(elfClass32, phdr{ptLoad, 0xc0000000, 0, 52, 1 << 20}, phdr{ptLoad, 0xf0000000, 1<<32 - 1, 52, 1 << 20})))
	if err != nil || !c.filled() {
		t.Fatal(err)
	}
	if at, err := c.place(ram); err != nil || len(at) != 1 {
		t.Errorf("32 bits: %+v, %v", at, err)
	}
}

func TestPlacingEnds(t *testing.T) {
	c := &core{class: elfClass64}
	var ranges []Range
	for i := range uint64(maxRanges) {
		ranges = append(ranges, Range{i * 2 * pageSize, i*2*pageSize + pageSize - 1})
	}
	for i := range uint64(maxHeaders) {
		c.loads = append(c.loads, load{vaddr: direct + i*2*pageSize, size: pageSize})
	}
	c.loads = c.loads[:maxHeaders-1]
	ranges[len(ranges)-1].Start += 1 << 40
	ranges[len(ranges)-1].End += 1 << 40
	if _, err := c.place(ranges); !errors.Is(err, errNoDirect) {
		t.Error(err)
	}
}

func FuzzIomem(f *testing.F) {
	f.Add([]byte(iomem))
	if b, err := os.ReadFile("/proc/iomem"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ranges, _, err := parseIomem(b)
		if err != nil {
			return
		}
		last := uint64(0)
		for i, r := range ranges {
			if r.Start > r.End || r.End > maxPhys || i > 0 && r.Start <= last || r.Start%pageSize != 0 || (r.End+1)%pageSize != 0 {
				t.Fatalf("%x", ranges)
			}
			last = r.End
		}
	})
}

func FuzzKcore(f *testing.F) {
	for _, m := range []*machine{{}, {old: true}} {
		s, _ := m.build(f)
		b, err := os.ReadFile(s.Kcore)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:0x500])
	}
	f.Add(elfCore(elfClass32, phdr{ptLoad, 0xc0000000, 4096, 52, 1 << 20}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		c, err := readCore(r)
		if err != nil {
			return
		}
		c.note(r, "VMCOREINFO")
		at, err := c.place(ram)
		if err != nil {
			return
		}
		p := newPhysical(r, at)
		buf := make([]byte, 3*pageSize)
		for _, x := range ram {
			if n, err := p.ReadAt(buf, int64(x.Start)); n < len(buf) && (err == nil || errors.Is(err, io.EOF)) {
				t.Fatalf("%d bytes, %v", n, err)
			}
		}
	})
}
