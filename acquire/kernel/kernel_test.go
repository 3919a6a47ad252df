package kernel

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"
)

// Forms of Linux 6.1 and 6.18, shortened; the names of files and functions are those of ordinary machines.
const (
	someModules = `nvidia_uvm 1384448 0 - Live 0xffffffffc0a00000 (POE)
nf_tables 307200 2 nft_ct,nft_compat, Live 0xffffffffc0800000
loading 16384 1 [permanent], Loading 0x0000000000000000
xfs 1 - - Live 0x0
short 1
`
	someSymbols = "ffffffff81000000 T _text\nffffffff814ca650 T __bpf_call_base\nffffffffc0800000 t nft_do_chain\t[nf_tables]\n" +
		"ffffffffc0a00000 t evil_kill\t[hidden]\nffffffffc0300000 t bpf_prog_6deef7357e7b4530_sd_fw_egress\t[bpf]\nffffffffc0301000 t ftrace_trampoline\t[__builtin__ftrace]\nx\n"
	someAreas = `0xffffffffc0800000-0xffffffffc084c000  311296 load_module+0xb2a/0x2a30 pages=75 vmalloc N0=75
0xffffffffc0a00000-0xffffffffc0b53000 1388544 move_module+0x1d/0x180 pages=338 vmalloc
0x00000000520a07dc-0x0000000093894b7c   12288 acpi_os_map_iomem+0x1bc/0x1e0 phys=0x000000000009f000 ioremap
`
	someFtrace = `__x64_sys_getdents64 (1) R I     	tramp: 0xffffffffc0301000 (fh_ftrace_thunk+0x0/0x80 [rootkit]) ->ftrace_ops_assist_func+0x0/0x100
schedule (2)             	->ftrace_ops_list_func+0x0/0x200
nft_do_chain [nf_tables] (1) D  M 	tramp: ftrace_regs_caller+0x0/0x60 (call_direct_funcs+0x0/0x20)
`
	someKprobes = "ffffffff810a0000  k  kallsyms_lookup_name+0x0    [FTRACE]\nffffffffc0a00010  r  vfs_read+0x0  nvidia [DISABLED]\nx\n"
)

func TestModuleText(t *testing.T) {
	all, bad := parseModules([]byte(someModules))
	if len(all) != 4 || bad != 1 {
		t.Fatalf("%d modules, %d bad", len(all), bad)
	}
	if m := all[0]; m.Name != "nvidia_uvm" || m.Size != 1384448 || m.Taints != "POE" || m.State != "Live" || m.base != 0xffffffffc0a00000 || len(m.users) != 0 {
		t.Errorf("%+v", m)
	}
	if m := all[1]; !slices.Equal(m.users, []string{"nft_ct", "nft_compat"}) || m.Refs != 2 {
		t.Errorf("%+v", m)
	}
	if m := all[2]; len(m.users) != 0 || m.State != "Loading" {
		t.Errorf("%+v", m)
	}
	areas := parseAreas(someAreas)
	if n, sure := stray(areas, all); len(areas) != 2 || n != 0 || !sure {
		t.Errorf("%+v: %d stray, %v", areas, n, sure)
	}
	if n, sure := stray(areas, all[1:]); n != 1 || !sure {
		t.Errorf("a hidden module's area: %d stray, %v", n, sure)
	}
	if got := files("kernel/net/netfilter/nf-tables.ko.zst: kernel/x.ko\nnonsense\n"); len(got) != 1 || got["nf_tables"] == "" {
		t.Errorf("%v", got)
	}
}

func TestSymbolText(t *testing.T) {
	s := parseSymbols(someSymbols, "__bpf_call_base")
	if s.count != 6 || len(s.modules) != 2 || s.modules["hidden"] != 1 || len(s.bpf) != 1 || s.wanted["__bpf_call_base"] != 0xffffffff814ca650 {
		t.Errorf("%+v", s)
	}
	if got := tags("schedule\nnft_do_chain [nf_tables]\nnft_x [nf_tables]\n"); len(got) != 1 || got["nf_tables"] != 2 {
		t.Errorf("%v", got)
	}
}

func TestHookText(t *testing.T) {
	all, _ := parseFtrace(someFtrace)
	if len(all) != 3 || all[0].Target != "__x64_sys_getdents64" || all[0].Owner != "rootkit" || !strings.Contains(all[0].Detail, "R I") {
		t.Errorf("%+v", all[0])
	}
	probes := parseKprobes(someKprobes)
	if len(probes) != 2 || probes[0].Target != "kallsyms_lookup_name+0x0" || probes[0].Owner != "" || probes[1].Owner != "nvidia" || !strings.Contains(probes[1].Detail, "DISABLED") {
		t.Errorf("%+v", probes)
	}
	events := parseEvents("uprobe", "p:uprobes/readline /usr/bin/bash:0x00000000000d5690 line=+0($retval)\n")
	if len(events) != 1 || events[0].Target != "/usr/bin/bash:0x00000000000d5690" || !strings.Contains(events[0].Detail, "uprobes/readline") {
		t.Errorf("%+v", events)
	}
}

func TestTaint(t *testing.T) {
	for text, want := range map[string]int{
		"4,1,1,-;evil: loading out-of-tree module taints kernel.\n SUBSYSTEM=x\n":                             taintOutOfTree,
		"5,1,1,-;evil: module verification failed: signature and/or required key missing - tainting kernel\n": taintUnsigned,
		"4,1,1,-;nvidia: module license 'NVIDIA' taints kernel.\n":                                            taintProprietary,
		"12,1,1,-;evil: loading out-of-tree module taints kernel.\n":                                          -1, // a user wrote it
		"6,1,1,-;Linux version 6\n": -1,
	} {
		r, ok := parseRecord([]byte(text))
		if !ok || r.tells() != want {
			t.Errorf("%q: %d", text, r.tells())
		}
	}
	for _, bad := range []string{"", ";", "x;y", "6,1,1"} {
		if _, ok := parseRecord([]byte(bad)); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}

// note makes an ELF note.
func note(kind uint32, name string, desc []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(len(name)+1))
	b = binary.NativeEndian.AppendUint32(b, uint32(len(desc)))
	b = binary.NativeEndian.AppendUint32(b, kind)
	for _, part := range [][]byte{append([]byte(name), 0), desc} {
		b = append(b, part...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

func TestFacts(t *testing.T) {
	if got := chosen("none [integrity] confidentiality\n"); got != "integrity" {
		t.Error(got)
	}
	if chosen("none") != "" || chosen("[") != "" {
		t.Error("nothing is chosen")
	}
	if got := format("qemu-arm", []byte("enabled\ninterpreter /usr/bin/qemu-arm-static\nflags: OCF\noffset 0\n")); got != "qemu-arm /usr/bin/qemu-arm-static OCF" {
		t.Errorf("%q", got)
	}
	notes := append(note(1, "Linux", []byte("xyz")), note(noteBuildID, "GNU", []byte{0xde, 0xad, 0xbe})...)
	if got := buildID(notes); got != "deadbe" {
		t.Errorf("%q", got)
	}
	if buildID(notes[:len(notes)-4]) != "" || buildID(bytes.Repeat([]byte{0xff}, 40)) != "" {
		t.Error("a damaged note was taken")
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{someModules, someSymbols, someAreas, someFtrace, someKprobes, "6,1,1,-;text\n"} {
		f.Add([]byte(s))
	}
	for _, name := range []string{"/proc/modules", "/proc/vmallocinfo", "/sys/kernel/notes"} {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(b[:min(len(b), 4096)])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := string(b)
		lines := strings.Count(s, "\n") + 1
		modules, bad := parseModules(b)
		if len(modules)+bad > lines {
			t.Error("more modules than lines")
		}
		stray(parseAreas(s), modules)
		if parseSymbols(s, "a").count > lines {
			t.Error("more symbols than lines")
		}
		tags(s)
		files(s)
		parseFtrace(s)
		parseKprobes(s)
		parseEvents("kprobe", s)
		if r, ok := parseRecord(b); ok {
			r.onTaint()
		}
		buildID(b)
		chosen(s)
		format("x", b)
	})
}
