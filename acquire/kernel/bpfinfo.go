package kernel

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// The types of links, enum bpf_link_type.
var linkTypes = []string{
	"unspec", "raw_tracepoint", "tracing", "cgroup", "iter", "netns", "xdp", "perf_event", "kprobe_multi", "struct_ops",
	"netfilter", "tcx", "uprobe_multi", "netkit", "sockmap",
}

// What a link of perf_event stands on, enum bpf_perf_event_type.
var perfTypes = []string{"unspec", "uprobe", "uretprobe", "kprobe", "kretprobe", "tracepoint", "event"}

func nameOf(list []string, i uint32) string {
	if int(i) < len(list) {
		return list[i]
	}
	return strconv.FormatUint(uint64(i), 10)
}

// progInfo is what is taken of struct bpf_prog_info. Its fields only ever grow at the end; what an older kernel does
// not fill in stays zero.
type progInfo struct {
	id, kind          uint32
	tag, name         string
	uid               uint32
	loaded            uint64 // nanoseconds since the boot
	maps              uint32
	translated        uint32 // bytes of translated instructions
	functions         uint32 // that it was compiled into: itself and its subprograms
	netnsIno, ifindex uint32
}

// Offsets of struct bpf_prog_info, in bytes.
const (
	progTag       = 8
	progXlatedLen = 20
	progXlated    = 32
	progLoadTime  = 40
	progUID       = 48
	progMapCount  = 52
	progName      = 64
	progIfindex   = 80
	progNetnsIno  = 96
	progNrKsyms   = 104
	progKsyms     = 112
	progInfoSize  = 128 // up to nr_jited_func_lens and its pointers
	linkTarget    = 16  // the union of struct bpf_link_info
	linkInfoSize  = 64
)

func decodeProg(b []byte) (progInfo, bool) {
	if len(b) < progInfoSize {
		return progInfo{}, false
	}
	u32 := func(off int) uint32 { return binary.NativeEndian.Uint32(b[off:]) }
	name, _, _ := strings.Cut(string(b[progName:progName+16]), "\x00")
	return progInfo{
		kind: u32(0), id: u32(4), tag: hex.EncodeToString(b[progTag : progTag+8]), translated: u32(progXlatedLen),
		loaded: binary.NativeEndian.Uint64(b[progLoadTime:]), uid: u32(progUID), maps: u32(progMapCount), name: name,
		ifindex: u32(progIfindex), netnsIno: u32(progNetnsIno), functions: u32(progNrKsyms),
	}, true
}

// linkInfo is what is taken of struct bpf_link_info; text is what the kernel wrote into the buffer that it was given.
type linkInfo struct {
	id, kind, prog uint32
	target         string
}

func decodeLink(b []byte, text string) (linkInfo, bool) {
	if len(b) < linkInfoSize {
		return linkInfo{}, false
	}
	u32 := func(off int) uint32 { return binary.NativeEndian.Uint32(b[off:]) }
	l := linkInfo{kind: u32(0), id: u32(4), prog: u32(8)}
	l.target = "link " + nameOf(linkTypes, l.kind)
	a, c := u32(linkTarget), u32(linkTarget+4)
	switch nameOf(linkTypes, l.kind) {
	case "raw_tracepoint":
		l.target += " " + text
	case "tracing":
		l.target += fmt.Sprintf(" attach type %d, btf object %d type %d", a, c, u32(linkTarget+8))
	case "cgroup":
		l.target += fmt.Sprintf(" cgroup %d, attach type %d", binary.NativeEndian.Uint64(b[linkTarget:]), u32(linkTarget+8))
	case "netns":
		l.target += fmt.Sprintf(" netns %d, attach type %d", a, c)
	case "xdp":
		l.target += fmt.Sprintf(" interface %d", a)
	case "tcx", "netkit":
		l.target += fmt.Sprintf(" interface %d, attach type %d", a, c)
	case "perf_event":
		l.target += " " + nameOf(perfTypes, a) + " " + text
	}
	return l, true
}

// linkText tells where in struct bpf_link_info a pointer to a buffer for a name and its length stand; 0 for no name.
func linkText(b []byte) (pointer, length int) {
	if len(b) < linkInfoSize {
		return 0, 0
	}
	switch nameOf(linkTypes, binary.NativeEndian.Uint32(b)) {
	case "raw_tracepoint":
		return linkTarget, linkTarget + 8
	case "perf_event":
		if a := binary.NativeEndian.Uint32(b[linkTarget:]); a >= 1 && a <= 5 {
			return linkTarget + 8, linkTarget + 16
		}
	}
	return 0, 0
}

// progID reads "prog_id:\t12" of fdinfo.
func progID(text string) uint32 {
	for line := range strings.Lines(text) {
		if s, ok := strings.CutPrefix(line, "prog_id:"); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
			return uint32(n)
		}
	}
	return 0
}
