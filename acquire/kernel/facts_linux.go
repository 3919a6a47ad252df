package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/namespace"
	"telltale/internal/state"
)

// Facts gives the step that writes down what the kernel is, its settings and its log.
func Facts(o Options) acquire.Step {
	return acquire.Step{
		Name: "kernel", Quick: true, Doc: "writes down the kernel's version, taint, settings and log",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			f := &facts{box: b, out: out, k: &state.Kernel{Settings: map[string]string{}}}
			return f.take(ctx, o)
		},
	}
}

// facts is one run of the step.
type facts struct {
	box *acquire.Box
	out acquire.Out
	k   *state.Kernel
	log []record
}

func (f *facts) take(ctx context.Context, o Options) error {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		f.out.Failed("uname", err)
	}
	f.k.Release = unix.ByteSliceToString(u.Release[:])
	f.k.Version = f.line(filepath.Join(f.box.Proc, "version"))
	f.k.Command = f.line(filepath.Join(f.box.Proc, "cmdline"))
	f.taint()
	f.lockdown()
	f.settings()
	f.formats()
	if notes, err := bounded.Read(filepath.Join(f.box.Sys, "kernel/notes"), small); err != nil {
		f.out.Failed("the kernel's build id", err)
	} else {
		f.k.BuildID = buildID(notes)
	}
	_, err := os.Lstat(filepath.Join(f.box.Sys, "kernel/btf/vmlinux"))
	f.k.BTF = err == nil
	if err := f.symbols(o); err != nil {
		return err
	}
	if err := f.kmsg(ctx); err != nil {
		return err
	}
	if err := f.out.Record(state.KernelFile, f.k); err != nil {
		return err
	}
	return f.wiped()
}

// line reads a file of one line, and tells if it cannot.
func (f *facts) line(path string) string {
	b, err := bounded.Read(path, small)
	if err != nil {
		f.out.Failed(path, err)
	}
	return strings.TrimRight(string(b), "\n")
}

func (f *facts) taint() {
	v, err := strconv.ParseUint(f.line(filepath.Join(f.box.Proc, "sys/kernel/tainted")), 10, 64)
	if err != nil {
		f.out.Failed("taint", err)
	}
	f.k.Taint, f.k.Taints = v, state.Taints(v)
}

func (f *facts) lockdown() {
	path := filepath.Join(f.box.Sys, "kernel/security/lockdown")
	b, err := bounded.Read(path, small)
	if errors.Is(err, os.ErrNotExist) {
		dir, shut, mountErr := namespace.Mount("securityfs", filepath.Join(f.box.Sys, "kernel/security"))
		if mountErr != nil {
			f.out.Failed("lockdown", mountErr)
			return
		}
		defer shut()
		b, err = bounded.Read(filepath.Join(dir, "lockdown"), small)
	}
	if err != nil {
		f.out.Failed("lockdown: this kernel does not tell of it", err)
	}
	f.k.Lockdown = chosen(string(b))
}

// settings keeps those that there are: which of them a kernel has depends on its age and its build.
func (f *facts) settings() {
	keep := func(name, path string) {
		b, err := bounded.Read(path, small)
		if err == nil {
			f.k.Settings[name] = strings.TrimRight(string(b), "\n")
		} else if !bounded.Gone(err) {
			f.out.Failed(path, err)
		}
	}
	for _, name := range settings {
		keep(name, filepath.Join(f.box.Proc, "sys", name))
	}
	keep("sys/kernel/uevent_helper", filepath.Join(f.box.Sys, "kernel/uevent_helper"))
	keep("sys/module/kernel/parameters/panic", filepath.Join(f.box.Sys, "module/kernel/parameters/panic"))
	if len(f.box.Mounts) == 0 {
		f.out.Failed("programs that control groups run when they are empty", errors.New("no mounts are known to look at"))
	}
	for _, m := range f.box.Mounts {
		if m.Type == "cgroup" { // version 1 runs a program when a group is empty
			keep(m.At+"/release_agent", filepath.Join(m.At, "release_agent"))
		}
	}
}

func (f *facts) formats() {
	dir := filepath.Join(f.box.Proc, "sys/fs/binfmt_misc")
	names, err := bounded.List(dir, maxEntries)
	if err == nil && len(names) == 0 { // not mounted, or no more than promised by automount
		path, shut, mountErr := namespace.Mount("binfmt_misc", dir)
		if mountErr != nil {
			f.out.Failed("formats of programs: binfmt_misc is not mounted", mountErr)
			return
		}
		defer shut()
		dir = path
		names, err = bounded.List(dir, maxEntries)
	}
	if err != nil {
		f.out.Failed("formats of programs", err)
	}
	for _, name := range names {
		if name == "register" || name == "status" {
			continue
		}
		b, err := bounded.Read(filepath.Join(dir, name), small)
		if err != nil {
			f.out.Failed("format "+name, err)
			continue
		}
		f.k.Formats = append(f.k.Formats, format(name, b))
	}
}

func (f *facts) symbols(o Options) error {
	b, err := f.box.KernelSymbols()
	if err != nil {
		f.out.Failed("symbols", err)
	}
	f.k.Symbols = bytes.Count(b, []byte("\n"))
	if !o.Full || len(b) == 0 {
		return nil
	}
	return f.out.File("kernel/kallsyms", int64(len(b)), time.Time{}, bytes.NewReader(b))
}

// wiped writes of bits of taint that the kernel's log tells of and that are not set: the kernel sets them and never
// takes them back, and only the kernel itself can write to its log as itself.
func (f *facts) wiped() error {
	told := map[int]string{}
	for _, r := range f.log {
		if bit := r.tells(); bit >= 0 && f.k.Taint>>bit&1 == 0 {
			told[bit] = r.text
		}
	}
	for bit, text := range told {
		repeats := 1
		for ; repeats < state.Passes; repeats++ {
			if f.taint(); f.k.Taint>>bit&1 != 0 {
				break
			}
		}
		c := &state.Contradiction{
			What: "taint", Subject: state.Taint(bit), Shown: []string{viewLog}, Missing: []string{viewTaint}, Structural: true, Repeats: repeats,
			Detail: fmt.Sprintf("the kernel's log says %q, and its taint is %d", text, f.k.Taint),
			Tested: []string{"the message is the kernel's own: others cannot write as facility 0", "the log is of this boot", "no setting unsets a bit: writing to it only adds"},
		}
		if f.k.Taint>>bit&1 != 0 {
			continue
		}
		if err := f.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return nil
}
