package kernel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/namespace"
	"telltale/internal/btf"
	"telltale/internal/state"
)

// viewMemory are the kernel's own lists in its memory: no code of the kernel that could be hooked stands between.
const viewMemory = "kernel-memory"

// Memory gives the step that reads the kernel's lists of processes and modules from its memory, by /proc/kcore with the
// kernel's own description of its types, and compares them with what it shows.
func Memory(Options) acquire.Step {
	return acquire.Step{
		Name: "kernel-memory", Quick: true, Doc: "reads the lists of processes and modules in the kernel's memory and compares",
		Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
			c, err := newCore(b)
			if err != nil {
				out.Failed("the kernel's memory", err)
				for _, what := range []string{"process", "module"} {
					if err := out.Record(state.ViewFile, &state.View{What: what, Name: viewMemory, Blind: err.Error()}); err != nil {
						return err
					}
				}
				return nil
			}
			defer c.file.Close()
			c.out = out
			if why := partial(b); why != "" {
				out.Failed("processes in the kernel's memory", errors.New(why))
				if err := out.Record(state.ViewFile, &state.View{What: "process", Name: viewMemory, Blind: why}); err != nil {
					return err
				}
			} else if err := c.compare(ctx, "process", c.tasks, c.listedTasks); err != nil {
				return err
			}
			if err := c.compare(ctx, "module", c.modules, c.listedModules); err != nil {
				return err
			}
			return c.calls(ctx)
		},
	}
}

// partial tells why /proc does not show us all processes of the machine, while its memory has them all.
func partial(b *acquire.Box) string {
	const initPID = 0xEFFFFFFC // PROC_PID_INIT_INO of include/linux/proc_ns.h
	if namespace.ID(filepath.Join(b.Proc, "self/ns/pid")) != initPID {
		return "we are in a pid namespace of our own, and see its processes alone"
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&hdr, &caps[0]); err != nil || caps[0].Effective&(1<<unix.CAP_SYS_PTRACE) == 0 {
		return "we lack the right to see the processes of others (CAP_SYS_PTRACE)"
	}
	return ""
}

// core is the kernel's memory with what is needed to find the lists.
type core struct {
	box    *acquire.Box
	out    acquire.Out
	file   *os.File
	mem    *memory
	types  *btf.Types
	symbol map[string]uint64
	text   []byte // of kallsyms
}

func newCore(b *acquire.Box) (*core, error) {
	text, err := b.KernelSymbols()
	b.Symbols = nil // nobody else wants them
	if err != nil {
		return nil, err
	}
	s := parseSymbols(string(text), "init_task", "modules")
	if s.wanted["init_task"] == 0 {
		return nil, errors.New("the kernel's symbols do not tell where its first task is")
	}
	description, err := bounded.Read(filepath.Join(b.Sys, "kernel/btf/vmlinux"), 64<<20)
	if err != nil {
		return nil, fmt.Errorf("the kernel does not describe its types (Linux 5.4 can): %w", err)
	}
	types, err := btf.Parse(description)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(b.Proc, "kcore"), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	mem, err := bounded.Within(bounded.Patience, func() (*memory, error) { return openCore(f) })
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read kcore: %w", err)
	}
	return &core{box: b, file: f, mem: mem, types: types, symbol: s.wanted, text: text}, nil
}

// tasks gives the processes in the list that begins at init_task, by number, with their names.
func (c *core) tasks() (map[string]string, error) {
	o, err := c.types.Offsets("task_struct", "tasks", "tgid", "comm")
	if err != nil {
		return nil, err
	}
	list := o["tasks"]
	low := min(0, o["tgid"]-list, o["comm"]-list)
	high := max(16, o["tgid"]-list+4, o["comm"]-list+16)
	found := map[string]string{}
	err = c.mem.walk(c.symbol["init_task"]+uint64(list), low, high, func(e []byte, at int) {
		id := c.mem.order.Uint32(e[at+o["tgid"]-list:])
		found[strconv.FormatUint(uint64(id), 10)] = unix.ByteSliceToString(e[at+o["comm"]-list:][:16])
	})
	return found, err
}

// modules gives the modules in the kernel's list.
func (c *core) modules() (map[string]string, error) {
	if c.symbol["modules"] == 0 {
		return nil, errors.New("the kernel's symbols do not tell where its list of modules is")
	}
	o, err := c.types.Offsets("module", "list", "name")
	if err != nil {
		return nil, err
	}
	const nameLen = 56 // MODULE_NAME_LEN, 64 - sizeof(unsigned long)
	name := o["name"] - o["list"]
	found := map[string]string{}
	err = c.mem.walk(c.symbol["modules"], min(0, name), max(16, name+nameLen), func(e []byte, at int) {
		found[unix.ByteSliceToString(e[at+name:][:nameLen])] = ""
	})
	return found, err
}

func (c *core) listedTasks() (map[string]string, error) {
	all, err := bounded.List(c.box.Proc, 4<<20)
	found := map[string]string{}
	for _, n := range all {
		if n[0] >= '1' && n[0] <= '9' {
			found[n] = ""
		}
	}
	return found, err
}

func (c *core) listedModules() (map[string]string, error) {
	b, err := bounded.Read(filepath.Join(c.box.Proc, "modules"), table)
	all, _ := parseModules(b)
	found := map[string]string{}
	for _, l := range all {
		found[l.Name] = ""
	}
	return found, err
}

// compare looks three times at what is in memory and in no list before and after.
func (c *core) compare(ctx context.Context, what string, memory, list func() (map[string]string, error)) error {
	hidden := map[string]string{}
	began := time.Now()
	v := &state.View{What: what, Name: viewMemory}
	passes := 0
	for ; passes < state.Passes && ctx.Err() == nil && (passes == 0 || len(hidden) > 0); passes++ {
		if passes > 0 {
			time.Sleep(pause)
		}
		before, err := list()
		inside, walkErr := c.still(memory)
		after, afterErr := list()
		if err = errors.Join(err, walkErr, afterErr); err != nil {
			v.Blind = err.Error()
			hidden = nil
			break
		}
		v.Count = int64(len(inside))
		maps.DeleteFunc(inside, func(k, _ string) bool { _, a := before[k]; _, b := after[k]; return a || b || k == "0" })
		if passes > 0 {
			maps.DeleteFunc(inside, func(k, name string) bool { was, ok := hidden[k]; return !ok || was != name })
		}
		hidden = inside
	}
	v.MS = time.Since(began).Milliseconds()
	if err := c.out.Record(state.ViewFile, v); err != nil {
		return err
	}
	return c.write(what, hidden, passes)
}

// write writes of what is in memory alone.
func (c *core) write(what string, hidden map[string]string, passes int) error {
	for _, k := range slices.Sorted(maps.Keys(hidden)) {
		con := &state.Contradiction{
			What: what, Subject: k, Shown: []string{viewMemory}, Missing: []string{"the list of /proc"}, Structural: true, Repeats: passes,
			Detail: fmt.Sprintf("it is in the kernel's own list, and not in what the kernel shows; its name there is %q", hidden[k]),
			Tested: []string{"it began or ended meanwhile: the list was read before and after each pass", "the kernel's list was walked whole, each entry pointing back", "we see the processes of the whole machine"},
		}
		if what == "process" {
			con.PID, _ = strconv.Atoi(k)
		}
		if err := c.out.Record(state.ContradictionsFile, con); err != nil {
			return err
		}
	}
	return nil
}

// still walks until the list did not change under the walk.
func (c *core) still(walk func() (map[string]string, error)) (found map[string]string, err error) {
	for range 20 {
		found, err = bounded.Within(bounded.Patience, walk)
		if !errors.Is(err, errMoved) {
			return found, err
		}
	}
	return found, err
}
