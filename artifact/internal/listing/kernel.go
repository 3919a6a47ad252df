package listing

import (
	"strconv"
	"strings"

	"telltale/event"
	"telltale/internal/state"
)

// Modules reads lsmod or /proc/modules: the first word is the name, the second the size. view names whose list it is.
func Modules(view string) Form {
	return func(r *Reader) (func([]byte) bool, func()) {
		return func(t []byte) bool {
			f := strings.Fields(string(t))
			if len(f) >= 2 && f[0] == "Module" && f[1] == "Size" {
				return true
			}
			if len(f) < 3 {
				return false
			}
			if _, err := strconv.ParseUint(f[1], 10, 63); err != nil {
				return false
			}
			e := r.event(event.ModuleSeen)
			e.AddText(event.ModuleName, state.Text([]byte(f[0]), 64))
			if last := f[len(f)-1]; strings.HasPrefix(last, "(") {
				e.AddText(event.Change, strings.Trim(last, "()"))
			}
			e.AddText(event.ViewShown, view)
			r.yield(e)
			return true
		}, nil
	}
}

// Mounts reads mount(8): "/dev/sda1 on / type ext4 (rw,relatime)".
func Mounts(r *Reader) (func([]byte) bool, func()) {
	return func(t []byte) bool {
		source, rest, ok1 := strings.Cut(string(t), " on ")
		i := strings.LastIndex(rest, " type ")
		if !ok1 || i < 0 {
			return false
		}
		kind, _, _ := strings.Cut(rest[i+len(" type "):], " ")
		e := r.event(event.MountSeen)
		e.AddText(event.FilePath, state.Text([]byte(rest[:i]), maxText))
		e.AddText(event.RecordType, state.Text([]byte(kind), 64))
		e.AddText(event.Message, state.Text([]byte(source), maxText))
		r.yield(e)
		return true
	}, nil
}

// Taint reads /proc/sys/kernel/tainted.
func Taint(r *Reader) (func([]byte) bool, func()) {
	return func(t []byte) bool {
		n, err := strconv.ParseUint(strings.TrimSpace(string(t)), 10, 64)
		if err != nil {
			return false
		}
		e := r.event(event.KernelState)
		e.AddText(event.Change, "kernel/tainted="+strconv.FormatUint(n, 10))
		r.yield(e)
		return true
	}, nil
}
