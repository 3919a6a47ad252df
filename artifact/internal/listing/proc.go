package listing

import (
	"bytes"
	"path"
	"strings"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/procfs"
	"telltale/internal/state"
)

// controlGroup adds the unit and the container that a control group belongs to, as ps or /proc/PID/cgroup write it.
func controlGroup(e *event.Event, s string) {
	if s == "" || s == "-" {
		return
	}
	group := procfs.Cgroup([]byte(strings.NewReplacer(";", "\n", ",name=", "\n1:name=").Replace(s)))
	e.AddText(event.UnitName, procfs.UnitOf(group))
	e.AddText(event.ContainerID, procfs.ContainerOf(group))
}

// Status reads copies of /proc/PID/status: one, or many one behind the other, each of which begins with its Name.
func Status(r *Reader) (func([]byte) bool, func()) {
	var text []byte
	var ref evidence.Ref
	end := func() {
		if len(text) > 0 {
			r.ref, r.raw = ref, text
			r.status(text)
		}
		text = nil
	}
	return func(t []byte) bool {
		here := r.ref
		if bytes.HasPrefix(t, []byte("Name:")) {
			end()
		}
		if len(text) == 0 {
			ref = here
		}
		if len(text)+len(t) > 64<<10 { // a status has some 1500 bytes
			return false
		}
		text = append(append(text, t...), '\n')
		ref.Len = here.Off + here.Len - ref.Off
		return bytes.IndexByte(t, ':') > 0
	}, end
}

func (r *Reader) status(b []byte) {
	p := state.Process{}
	pid := procfs.Status(b, &p)
	if pid <= 0 {
		return
	}
	e := r.process(pid)
	e.AddText(event.ProcessName, p.Name)
	if p.PPID > 0 {
		e.AddInt(event.ParentPID, int64(p.PPID))
	}
	if bytes.Contains(b, []byte("\nUid:")) {
		e.AddInt(event.UserID, int64(p.EUID))
	}
	zombie := bytes.Contains(b, []byte("\nState:\tZ"))
	switch {
	case zombie:
		e.AddText(event.ProcessTrait, "zombie")
	case !bytes.Contains(b, []byte("\nVmSize:")) && bytes.Contains(b, []byte("\nState:")) && bytes.Contains(b, []byte("\nThreads:")):
		e.AddText(event.ProcessTrait, "kernel") // no memory of its own: no program can do without
	}
	if p.Tracer != 0 {
		e.AddText(event.ProcessTrait, "traced")
	}
	r.yield(e)
}

// Stat reads /proc/PID/stat. When it began is told by ticks since boot, which this file does not date.
func Stat(r *Reader) (func([]byte) bool, func()) {
	return whole(func(r *Reader, e *event.Event, b []byte) {
		p := state.Process{}
		if !procfs.Stat(b, &p) {
			return
		}
		e.AddText(event.ProcessName, p.Name)
		if p.PPID > 0 {
			e.AddInt(event.ParentPID, int64(p.PPID))
		}
		e.AddText(event.Terminal, p.TTY)
		if p.Kernel {
			e.AddText(event.ProcessTrait, "kernel")
		}
		if p.State == "Z" {
			e.AddText(event.ProcessTrait, "zombie")
		}
	})(r)
}

// whole collects a file of /proc that is told as one, of the process that its path names.
func whole(tell func(r *Reader, e *event.Event, b []byte)) Form {
	return func(r *Reader) (func([]byte) bool, func()) {
		pid, ok := pathPID(r.in.Path)
		var text []byte
		var ref evidence.Ref
		return func(t []byte) bool {
				if text == nil {
					ref = r.ref
				}
				if !ok || len(text)+len(t) > maxWhole {
					return false
				}
				text = append(append(text, t...), '\n')
				ref.Len = r.ref.Off + r.ref.Len - ref.Off
				return true
			}, func() {
				if ok && len(text) > 0 {
					r.ref, r.raw = ref, text[:min(len(text), maxText)]
					e := r.process(pid)
					tell(r, e, text)
					r.yield(e)
				}
			}
	}
}

// Maps reads /proc/PID/maps.
func Maps(r *Reader) (func([]byte) bool, func()) { return whole(maps)(r) }

func maps(_ *Reader, e *event.Event, b []byte) {
	p := state.Process{}
	procfs.Maps(b, &p)
	if p.Writable > 0 {
		e.AddText(event.ProcessTrait, "anon-wx")
	}
	if p.Anonymous > p.Writable {
		e.AddText(event.ProcessTrait, "anon-x")
	}
	for _, m := range p.Mapped {
		if m.Path == p.First {
			continue // the program itself
		}
		if m.Deleted {
			m.Path += " (deleted)"
		}
		e.AddText(event.ProcessMapped, m.Path)
	}
}

// Comm reads /proc/PID/comm.
func Comm(r *Reader) (func([]byte) bool, func()) {
	return whole(func(_ *Reader, e *event.Event, b []byte) {
		e.AddText(event.ProcessName, state.Text(bytes.TrimRight(b, "\n"), 64))
	})(r)
}

// Strings reads cmdline or environ as strings(1) printed them, a word a line; the file's name tells which.
func Strings(r *Reader) (func([]byte) bool, func()) {
	return whole(func(r *Reader, e *event.Event, b []byte) {
		nul := bytes.ReplaceAll(b, []byte{'\n'}, []byte{0})
		if strings.HasPrefix(path.Base(r.in.Path), "environ") {
			environment(e, nul)
		} else {
			arguments(e, nul)
		}
	})(r)
}

// Raw reads cmdline or environ as the kernel gives them, words ended by NUL; the file's name tells which.
func Raw(r *Reader) (func([]byte) bool, func()) {
	return whole(func(r *Reader, e *event.Event, b []byte) {
		b = bytes.TrimSuffix(b, []byte{'\n'})
		if path.Base(r.in.Path) == "environ" {
			environment(e, b)
		} else {
			arguments(e, b)
		}
	})(r)
}

func environment(e *event.Event, b []byte) {
	vars, _ := procfs.Env(b)
	for _, v := range vars {
		e.AddText(event.ProcessEnv, v)
	}
}

// collectors are the scripts of collectors: that they run, wherever from, is no sign of anything.
var collectors = map[string]bool{"uac": true, "Cat-Scale.sh": true, "catscale.sh": true}

func arguments(e *event.Event, b []byte) {
	p := state.Process{Args: procfs.Args(b)}
	if len(p.Args) == 0 {
		return
	}
	e.AddText(event.CommandLine, strings.Join(p.Args, " "))
	p.Exe = p.Args[0] // the link is in another file: an interpreter that goes by another name is not seen here
	if procfs.Interpreted(&p); p.Script != "" && !collectors[path.Base(p.Script)] {
		e.AddText(event.ProcessScript, p.Script)
	}
}

// Heads reads what head(1) printed of many files of /proc: "==> /proc/812/cmdline <==", then the file's first ten lines.
func Heads(r *Reader) (func([]byte) bool, func()) {
	pid, what := 0, ""
	var text []byte
	var ref evidence.Ref
	end := func() {
		if pid > 0 && len(text) > 0 {
			r.ref, r.raw = ref, text[:min(len(text), maxText)]
			e := r.process(pid)
			if b := bytes.TrimSuffix(text, []byte{'\n'}); what == "environ" {
				environment(e, b)
			} else {
				arguments(e, b)
			}
			r.yield(e)
		}
		text = nil
	}
	return func(t []byte) bool {
		if name, ok := strings.CutPrefix(string(t), "==> "); ok && strings.HasSuffix(name, " <==") {
			if p, w, ok := procLink(strings.TrimSuffix(name, " <==")); ok && (w == "cmdline" || w == "environ") {
				end()
				pid, what = p, w
				return true
			}
		}
		if text == nil {
			ref = r.ref
		}
		if pid == 0 || len(text)+len(t) > maxWhole {
			return false
		}
		text = append(append(text, t...), '\n')
		ref.Len = r.ref.Off + r.ref.Len - ref.Off
		return true
	}, end
}
