package sigma

import (
	"bytes"

	"telltale/detect"
	"telltale/event"
)

// record is an event as rules look at it.
type record struct {
	e       *event.Event
	parents *processes
	command []byte // of shells: the simple command looked at
	url     []byte // decoded, nil where nothing is encoded
	values  [][]byte
	audit   []auditField
	buf     []byte
}

// auditField is one field of an audit record, decoded where it was in hexadecimal.
type auditField struct{ name, value []byte }

// load takes up an event.
func (r *record) load(e *event.Event) {
	r.e, r.command, r.url, r.audit, r.buf = e, nil, nil, r.audit[:0], r.buf[:0]
	switch e.Kind {
	case event.HTTPRequest:
		r.decodeURL(e.Get(event.URL))
	case event.AuditRecord:
		r.splitAudit()
	}
}

// one gives a list of one value, none where it is empty.
func (r *record) one(v []byte) [][]byte {
	r.values = r.values[:0]
	if len(v) > 0 {
		r.values = append(r.values, v)
	}
	return r.values
}

// decodeURL undoes percent-encoding twice, for intruders encode twice.
func (r *record) decodeURL(u []byte) {
	for range 2 {
		if !detect.Encoded(u) {
			return
		}
		from := len(r.buf)
		r.buf = detect.Unescape(r.buf, u)
		u = r.buf[from:]
		r.url = u
	}
}

// maxAuditFields bounds the fields of one record.
const maxAuditFields = 256

// splitAudit takes a record of the kernel's audit apart: "name=value", "name="quoted"", "name=68657821" for words that
// somebody else chose and that hold odd bytes. What auditd adds in names of its own stands behind 0x1d.
func (r *record) splitAudit() {
	text := r.e.Get(event.Message)
	kind := r.e.Get(event.RecordType)
	for len(text) > 0 && len(r.audit) < maxAuditFields {
		text = bytes.TrimLeft(text, " \x1d'")
		eq := bytes.IndexByte(text, '=')
		if eq < 0 {
			return
		}
		name, rest := text[:eq], text[eq+1:]
		if i := bytes.LastIndexByte(name, ' '); i >= 0 {
			name = name[i+1:]
		}
		var value []byte
		if len(rest) > 0 && rest[0] == '"' {
			end := bytes.IndexByte(rest[1:], '"')
			if end < 0 {
				return
			}
			value, text = rest[1:1+end], rest[2+end:]
		} else if string(name) == "msg" && len(rest) > 0 && rest[0] == '\'' {
			text = rest[1:] // fields again
			continue
		} else {
			end := bytes.IndexAny(rest, " \x1d")
			if end < 0 {
				end = len(rest)
			}
			value, text = bytes.TrimSuffix(rest[:end], []byte("'")), rest[end:]
			if chosen(name, kind) {
				value = r.unhex(value)
			}
		}
		r.audit = append(r.audit, auditField{name, value})
	}
}

// chosen tells the fields whose words somebody else chose, which the kernel writes in hexadecimal if they hold odd bytes.
func chosen(name, kind []byte) bool {
	switch string(name) {
	case "exe", "comm", "name", "cwd", "proctitle", "cmd", "data", "key", "acct", "path", "dir", "old-disk", "file":
		return true
	}
	return len(name) > 1 && name[0] == 'a' && name[1] >= '0' && name[1] <= '9' && string(kind) == "EXECVE"
}

func (r *record) unhex(v []byte) []byte {
	from := len(r.buf)
	out, ok := detect.Unhex(r.buf, v)
	if r.buf = out; !ok {
		return v
	}
	for i := from; i < len(out); i++ {
		if out[i] == 0 { // between arguments
			out[i] = ' '
		}
	}
	return out[from:]
}

// field gives an audit field.
func (r *record) field(name string) []byte {
	for _, f := range r.audit {
		if string(f.name) == name {
			return f.value
		}
	}
	return nil
}

// syscalls are the system calls of x86-64 that rules ask for; auditd logs numbers unless it was told to add the names.
var syscalls = map[string]string{"41": "socket", "42": "connect", "49": "bind", "56": "clone", "57": "fork", "58": "vfork", "59": "execve", "62": "kill", "82": "rename", "84": "rmdir", "87": "unlink",
	"90": "chmod", "91": "fchmod", "92": "chown", "99": "sysinfo", "101": "ptrace", "105": "setuid", "106": "setgid", "113": "setreuid", "117": "setresuid", "132": "utime", "133": "mknod", "135": "personality", "165": "mount", "166": "umount2",
	"168": "swapoff", "170": "sethostname", "175": "init_module", "176": "delete_module", "188": "setxattr", "227": "clock_settime", "235": "utimes", "246": "kexec_load", "259": "mknodat", "261": "futimesat", "263": "unlinkat", "264": "renameat", "268": "fchmodat",
	"280": "utimensat", "310": "process_vm_readv", "311": "process_vm_writev", "313": "finit_module", "316": "renameat2", "319": "memfd_create", "321": "bpf", "322": "execveat", "428": "open_tree", "429": "move_mount"}

// syscall gives the call's number and its name.
func (r *record) syscall() [][]byte {
	r.values = r.values[:0]
	for _, n := range []string{"syscall", "SYSCALL"} {
		if v := r.field(n); v != nil {
			r.values = append(r.values, v)
		}
	}
	if v := r.field("syscall"); v != nil && string(r.field("arch")) == "c000003e" {
		if name := syscalls[string(v)]; name != "" {
			r.values = append(r.values, []byte(name))
		}
	}
	return r.values
}

// image gives the program of a process; of a command in a shell, a path of which only the end is known.
func (r *record) image() [][]byte {
	if v := r.e.Get(event.Executable); v != nil {
		return r.one(v)
	}
	w := bytes.TrimLeft(r.command, " \t(")
	if bytes.HasPrefix(w, []byte("sudo ")) {
		w = bytes.TrimLeft(w[5:], " ")
	}
	if i := bytes.IndexAny(w, " \t"); i >= 0 {
		w = w[:i]
	}
	if len(w) > 0 && w[0] != '/' {
		from := len(r.buf)
		r.buf = append(append(r.buf, '/'), w...)
		w = r.buf[from:]
	}
	return r.one(w)
}

func (r *record) commandLine() [][]byte {
	if r.command != nil {
		return r.one(r.command)
	}
	return r.one(r.e.Get(event.CommandLine))
}

// maxCommands bounds the simple commands of one line.
const maxCommands = 16

// simple gives a shell's line, and behind it the simple commands that it is made of.
func simple(out [][]byte, line []byte) [][]byte {
	out = append(out[:0], line)
	if bytes.IndexAny(line, ";|&\n") < 0 {
		return out
	}
	for len(line) > 0 && len(out) < maxCommands {
		part := line
		if i := bytes.IndexAny(line, ";|&\n"); i >= 0 {
			part, line = line[:i], line[i+1:]
		} else {
			line = nil
		}
		if part = bytes.TrimSpace(part); len(part) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// processes keeps which program a process id is, for the parents of the next ones.
type processes struct {
	by    map[string]process
	order []string // ring
	at    int
}

type process struct{ image, command []byte }

// maxProcesses bounds the parents that are kept: the newest.
const maxProcesses = 32768

func (p *processes) saw(e *event.Event) {
	pid := e.Get(event.ProcessPID)
	if len(pid) == 0 || len(pid) > 10 {
		return
	}
	if p.by == nil {
		p.by = map[string]process{}
	}
	if _, ok := p.by[string(pid)]; !ok {
		if len(p.order) < maxProcesses {
			p.order = append(p.order, string(pid))
		} else {
			delete(p.by, p.order[p.at])
			p.order[p.at] = string(pid)
			p.at = (p.at + 1) % maxProcesses
		}
	}
	command := e.Get(event.CommandLine)
	p.by[string(pid)] = process{bytes.Clone(e.Get(event.Executable)), bytes.Clone(command[:min(len(command), 512)])}
}
