package kernel

import (
	"fmt"

	"telltale/internal/state"
)

// The kinds of a struct pid's tasks (include/linux/pid.h, enum pid_type).
const (
	pidOfThread  = 0
	pidOfProcess = 1
	pidOfGroup   = 2
	pidOfSession = 3
)

// Bounds of the allocator of pids, an xarray.
const (
	maxTasks     = 1 << 18
	xarrayBits   = 6 // XA_CHUNK_SHIFT
	xarraySlots  = 1 << xarrayBits
	maxXarray    = 12
	xarrayTag    = 3 // low bits of an entry
	xarrayNode   = 2
	firstPointer = 4096 // what is less is no node
	maxLeads     = 8    // processes in one view alone that are told one by one
)

// The marks that list_del() leaves behind (include/linux/poison.h).
const (
	poison1 = 0xdead000000000100
	poison2 = 0xdead000000000122
)

// tasks gives all processes: those in the kernel's list and those in the allocator of pids. What one has and the other has not is told.
func (k *Kernel) tasks(out *State) (all []object) {
	first := k.object("task_struct", k.task)
	inList, inIDs := map[uint64]bool{}, map[uint64]bool{}
	add := func(view map[uint64]bool, t object) bool {
		if !inList[t.addr] && !inIDs[t.addr] && len(all) < maxTasks {
			all = append(all, t)
		}
		view[t.addr] = true
		return len(all) < maxTasks
	}
	why := k.list(first.at("tasks"), func(e uint64) {
		add(inList, object{k, "list_head", e}.container("task_struct", "tasks"))
	})
	out.view("process", viewList, len(inList), why)
	blind := ""
	err := k.ids(first, func(t object) bool { return add(inIDs, t) })
	if err != nil {
		blind = err.Error()
	}
	out.view("process", viewIDs, len(inIDs), blind)
	if err == nil && why == "" {
		k.crossTasks(out, all, inList, inIDs)
	}
	if len(all) >= maxTasks {
		out.fail("processes", fmt.Sprintf("more than %d are in the dump: the others are not told", maxTasks))
	}
	return all
}

// The views of processes.
const (
	viewList = "task-list"
	viewIDs  = "pid-allocator"
)

// crossTasks tells processes that only one of the two views has. A process is put into both and taken out of both within moments, so that a dump of a
// machine that ran on may show one of them in between: that is a lead, and many of them are the copying's own. One that lives and whose place in the
// list was unlinked is more.
func (k *Kernel) crossTasks(out *State, all []object, inList, inIDs map[uint64]bool) {
	var leads []state.Contradiction
	for _, t := range all {
		switch {
		case inList[t.addr] && inIDs[t.addr], t.uint("exit_state") != 0:
		case inIDs[t.addr]:
			if c := k.unlisted(t); c.Structural {
				out.Contradictions = append(out.Contradictions, c)
				out.hidden[t.addr] = true
			} else {
				leads = append(leads, c)
			}
		case t.u32("pid") != 0:
			leads = append(leads, state.Contradiction{What: "process", Subject: fmt.Sprint(t.u32("tgid")), PID: int(t.u32("tgid")), Shown: []string{viewList}, Missing: []string{viewIDs}, Repeats: 1,
				Detail: fmt.Sprintf("the kernel's list has it by the name %q, and its number belongs to nobody", state.Text(t.chars("comm"), 64))})
		}
	}
	if len(leads) > maxLeads {
		out.fail("processes by two views", fmt.Sprintf("%d are in one of them alone: to copy the memory of a machine that runs on makes so many, and they are not told one by one", len(leads)))
		return
	}
	out.Contradictions = append(out.Contradictions, leads...)
}

// unlisted tells a process that has a number and is not in the list.
func (k *Kernel) unlisted(t object) state.Contradiction {
	c := state.Contradiction{What: "process", Subject: fmt.Sprint(t.u32("tgid")), PID: int(t.u32("tgid")), Shown: []string{viewIDs}, Missing: []string{viewList}, Repeats: 1,
		Detail: fmt.Sprintf("it lives by the name %q, has a number, and is not in the kernel's list of processes", state.Text(t.chars("comm"), 64))}
	if k.cut(t, "tasks") {
		c.Structural, c.Repeats = true, state.Passes // the dump does not change: each look shows the same
		c.Detail += "; its links to the list were cut"
		c.Tested = []string{"it ended: it has not begun to", "it was just started: a new process has no cut links", "the list was walked whole"}
	}
	return c
}

// cut tells whether somebody took it out of a list: its links are marked as those of what was deleted, or lead to itself.
func (k *Kernel) cut(o object, list string) bool {
	next, prev, self := o.uint(list+".next"), o.uint(list+".prev"), o.at(list)
	return next == poison1 || prev == poison2 || next == self && prev == self
}

// ids walks the allocator of pids of the first namespace.
func (k *Kernel) ids(first object, each func(t object) bool) error {
	ns := first.to("nsproxy").to("pid_ns_for_children")
	root := ns.in("idr").in("idr_rt")
	if root.typ == "" || !root.there() {
		return fmt.Errorf("the allocator of pids is not described, or not in the dump")
	}
	lost := k.lost
	k.xarray(root.uint("xa_head"), 0, func(pid uint64) bool {
		p := k.object("pid", pid)
		f, ok := p.need("tasks")
		if !ok {
			return false
		}
		node := p.addr + uint64(f.Off) + pidOfProcess*8
		at, _ := k.u64(node)
		if at < highHalf {
			return true // a thread's number, or a group's whose leader is gone
		}
		link := object{k, "task_struct", 0}
		l, ok := link.need("pid_links")
		if !ok {
			return false
		}
		size := max(l.Size/max(l.Count, 1), 16)
		return each(k.object("task_struct", at-uint64(l.Off)-uint64(pidOfProcess*size)))
	})
	if n := k.lost - lost; n > 0 {
		return fmt.Errorf("%d parts of the allocator of pids are not in the dump", n)
	}
	return nil
}

// xarray gives the entries of an xarray (include/linux/xarray.h).
func (k *Kernel) xarray(entry uint64, depth int, each func(at uint64) bool) bool {
	if entry&xarrayTag != xarrayNode || entry < firstPointer {
		return entry&xarrayTag != 0 || entry < highHalf || each(entry)
	}
	n := k.object("xa_node", entry-xarrayNode)
	slots := n.at("slots")
	for i := uint64(0); i < xarraySlots && depth < maxXarray && slots != 0; i++ {
		if e, ok := k.u64(slots + 8*i); ok && e != 0 && !k.xarray(e, depth+1, each) {
			return false
		}
	}
	return true
}
