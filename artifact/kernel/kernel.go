// Package kernel decodes what the kernel says and an investigation asks about: boots,
// programs and the kernel itself crashing, foreign modules, interfaces that listen to
// everything, memory run out.
package kernel

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "kernel",
		Doc:      "boots, crashes, foreign modules, sniffing interfaces, memory run out",
		Spec:     "Linux 2.6.18 to 6.12: init/version.c, arch/x86/mm/fault.c, arch/x86/kernel/traps.c, net/core/dev.c, kernel/module/main.c, mm/oom_kill.c, fs/exec.c, kernel/audit.c",
		Programs: []string{"kernel"},
		Decode:   decode,
		Kinds:    []event.Kind{event.Boot, event.KernelNotice},
	}
}

// decode takes every message as understood: what drivers say is without end, and what is of
// use is in notices.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if len(t) > 0 && t[0] == '[' { // "[   12.345678] "
		if i := bytes.IndexByte(t[:min(len(t), 32)], ']'); i > 0 && bytes.IndexByte(t[:i], '.') > 0 {
			t = bytes.TrimLeft(t[i+1:], " ")
		}
	}
	if rest, ok := said.Rest(t, "Linux version "); ok {
		e := m.Event(event.Boot)
		version, _ := said.FirstWord(rest)
		e.Add(event.OSKernel, version)
		yield(e)
		return true
	}
	if firewall(t) {
		return true // logs packets, and holds what senders choose
	}
	for _, n := range notices {
		if !bytes.Contains(t, []byte(n.holds)) {
			continue
		}
		e := m.Event(event.KernelNotice)
		e.Add(event.Message, t)
		e.Add(event.Change, []byte(n.change))
		if n.process {
			process(e, t)
		}
		yield(e)
		break
	}
	return len(t) > 0
}

func firewall(t []byte) bool {
	return bytes.Contains(t, []byte(" SRC=")) && bytes.Contains(t, []byte(" PROTO="))
}

// notices are told by words that stand anywhere in the message; the first that fits is taken.
var notices = []struct {
	holds, change string
	process       bool // the message begins with "[traps: ]NAME[PID]"
}{
	{"]: segfault at ", "a program crashed", true},
	{"] general protection", "a program crashed", true},
	{"] trap invalid opcode", "a program crashed", true},
	{"] trap stack segment", "a program crashed", true},
	{"entered promiscuous mode", "an interface listens to all traffic", false},
	{"loading out-of-tree module", "a foreign kernel module was loaded", false},
	{"module verification failed", "a foreign kernel module was loaded", false},
	{" taints kernel", "a foreign kernel module was loaded", false},
	{"tainting kernel", "a foreign kernel module was loaded", false},
	{"with NULL argv: empty string added", "a program was started without arguments", false},
	{"Killed process ", "memory ran out", false},
	{"Kill process ", "memory ran out", false},
	{"BUG: unable to handle", "the kernel itself failed", false},
	{"kernel BUG at ", "the kernel itself failed", false},
	{"Oops: ", "the kernel itself failed", false},
	{"general protection fault", "the kernel itself failed", false},
	{"detected buffer overflow", "the kernel itself failed", false},
	{"audit: backlog limit exceeded", "audit records were lost", false},
	{"audit: audit_lost=", "audit records were lost", false},
	{"kauditd hold queue overflow", "audit records were lost", false},
	{"nf_conntrack: table full", "the table of connections is full", false},
	{"ip_conntrack: table full", "the table of connections is full", false},
}

// process reads "nginx[812]: segfault at ..." and "traps: nginx[812] general protection".
func process(e *event.Event, t []byte) {
	t, _ = said.Rest(t, "traps: ")
	name, rest, ok := said.Cut(t, "[")
	if !ok || len(name) == 0 || len(name) > 15 { // TASK_COMM_LEN less its end
		return
	}
	e.Add(event.ProcessName, name)
	e.Add(event.ProcessPID, said.Number(rest))
}
