// Package bpf knows which helpers of the kernel let a program of the BPF machine deceive or harm, and finds their calls in translated
// instructions: as a running kernel gives them, or as they lie in its memory.
package bpf

import (
	"encoding/binary"
	"strconv"
)

// InstructionLen is the length of an instruction, bytes.
const InstructionLen = 8

// Deceiver is a helper by which a program can deceive or harm: its number, name, and the function that does it.
type Deceiver struct {
	ID             int32
	Name, Function string
}

// Deceivers gives all of them (include/uapi/linux/bpf.h).
func Deceivers() []Deceiver {
	return []Deceiver{
		{36, "probe_write_user", "bpf_probe_write_user"},
		{58, "override_return", "bpf_override_return"},
		{109, "send_signal", "bpf_send_signal"},
		{117, "send_signal_thread", "bpf_send_signal_thread"},
	}
}

// Base is the function from which calls count.
const Base = "__bpf_call_base"

// opCall is the operation code of instructions that call, BPF_JMP|BPF_CALL.
const opCall = 0x85

// Calls gives the deceivers that translated instructions call. A call holds the distance of its function from Base;
// addresses are of kallsyms, and without them nothing can be told: ok is false.
func Calls(code []byte, order binary.ByteOrder, addresses map[string]uint64) (found []string, ok bool) {
	base := addresses[Base]
	if base == 0 {
		return nil, false
	}
	for _, d := range Deceivers() {
		at := addresses[d.Function]
		for off := 0; at != 0 && off+InstructionLen <= len(code); off += InstructionLen {
			imm := int32(order.Uint32(code[off+4:]))
			if code[off] == opCall && code[off+1]>>4 == 0 && imm == int32(at-base) {
				found = append(found, d.Name)
				break
			}
		}
	}
	return found, true
}

// ProgramType names a type of programs (enum bpf_prog_type of include/uapi/linux/bpf.h).
func ProgramType(n uint32) string {
	names := []string{
		"unspec", "socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp", "perf_event", "cgroup_skb", "cgroup_sock",
		"lwt_in", "lwt_out", "lwt_xmit", "sock_ops", "sk_skb", "cgroup_device", "sk_msg", "raw_tracepoint", "cgroup_sock_addr",
		"lwt_seg6local", "lirc_mode2", "sk_reuseport", "flow_dissector", "cgroup_sysctl", "raw_tracepoint_writable", "cgroup_sockopt",
		"tracing", "struct_ops", "ext", "lsm", "sk_lookup", "syscall", "netfilter",
	}
	if uint64(n) < uint64(len(names)) {
		return names[n]
	}
	return strconv.FormatUint(uint64(n), 10)
}
