package kernel

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"telltale/internal/bin"
)

// settings are the files below /proc/sys that name a program which the kernel runs, or that open or close its doors.
var settings = []string{
	"kernel/core_pattern", "kernel/core_pipe_limit", "kernel/modprobe", "kernel/hotplug", "kernel/poweroff_cmd",
	"kernel/kptr_restrict", "kernel/dmesg_restrict", "kernel/modules_disabled", "kernel/kexec_load_disabled",
	"kernel/unprivileged_bpf_disabled", "kernel/bpf_stats_enabled", "kernel/yama/ptrace_scope", "kernel/randomize_va_space",
	"kernel/sysrq", "kernel/perf_event_paranoid", "kernel/ftrace_enabled", "kernel/io_uring_disabled", "kernel/printk",
	"kernel/unprivileged_userns_clone", "kernel/apparmor_restrict_unprivileged_userns", "kernel/ns_last_pid", "kernel/pid_max",
	"kernel/panic", "kernel/panic_on_oops", "user/max_user_namespaces", "vm/mmap_min_addr", "vm/unprivileged_userfaultfd",
	"fs/suid_dumpable", "fs/protected_symlinks", "fs/protected_hardlinks", "fs/protected_fifos", "fs/protected_regular",
	"net/core/bpf_jit_enable", "net/core/bpf_jit_harden", "net/core/bpf_jit_kallsyms", "net/ipv4/ip_forward",
	"net/ipv4/conf/all/route_localnet", "debug/kprobes-optimization",
}

// chosen gives the word in brackets: "none [integrity] confidentiality".
func chosen(s string) string {
	_, rest, ok := strings.Cut(s, "[")
	word, _, closed := strings.Cut(rest, "]")
	if !ok || !closed {
		return ""
	}
	return word
}

// format makes "name interpreter flags" of an entry of binfmt_misc (fs/binfmt_misc.c, entry_status).
func format(name string, b []byte) string {
	var interpreter, flags, state string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if v, ok := strings.CutPrefix(line, "interpreter "); ok {
			interpreter = v
		} else if v, ok := strings.CutPrefix(line, "flags: "); ok {
			flags = v
		} else if line == "disabled" {
			state = " disabled"
		}
	}
	return strings.TrimRight(name+" "+interpreter+" "+flags, " ") + state
}

const noteBuildID = 3 // NT_GNU_BUILD_ID

// buildID reads the notes of an ELF file (elf(5)), as /sys/kernel/notes has them, in the byte order of the machine.
func buildID(notes []byte) string {
	c := bin.Little(notes)
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		c = bin.Big(notes)
	}
	for c.Left() >= 12 {
		nameSize, size, kind := c.U32(), c.U32(), c.U32()
		if nameSize > 1<<16 || size > 1<<16 {
			return ""
		}
		name := c.Bytes(int(nameSize+3) &^ 3)
		desc := c.Bytes(int(size+3) &^ 3)
		if c.Err() != nil {
			return ""
		}
		if kind == noteBuildID && bytes.HasPrefix(name, []byte("GNU\x00")) {
			return hex.EncodeToString(desc[:size])
		}
	}
	return ""
}
