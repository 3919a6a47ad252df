package kernel

import (
	"fmt"
	"strings"

	"telltale/internal/procfs"
	"telltale/internal/state"
)

// Bounds of open files.
const (
	maxFDs  = 1 << 20 // fs.nr_open
	maxOpen = 4096    // of one process that are told
)

// Numbers of include/linux/fs.h and include/uapi/linux/stat.h.
const (
	modeWrite = 0x2 // FMODE_WRITE
	typeMask  = 0xf000
	typeSock  = 0xc000
)

// files reads what a process has open, and keeps its sockets.
func (k *Kernel) files(t object, p *state.Process, out *State) {
	table := t.to("files").to("fdt")
	if !table.there() {
		return
	}
	lost := k.lost
	at := table.uint("fd")
	for fd := range min(table.u32("max_fds"), maxFDs) {
		addr, ok := k.u64(at + 8*uint64(fd))
		if !ok {
			break
		}
		f := k.object("file", addr&^7) // the low bits are free for marks
		if !f.there() {
			continue
		}
		if p.FileCount++; p.FileCount > maxOpen {
			p.Unread = append(p.Unread, fmt.Sprintf("fd: more than %d", maxOpen))
			break
		}
		k.open(f, int(fd), p, out)
	}
	if n := k.lost - lost; n > 0 {
		p.Unread = append(p.Unread, fmt.Sprintf("open files: %d parts are not in the dump", n))
	}
}

// open tells one open file, and keeps what it stands for: a socket, a program of the BPF machine.
func (k *Kernel) open(f object, fd int, p *state.Process, out *State) {
	x := k.path(f.in("f_path"))
	o := state.Open{FD: fd, Target: state.Text([]byte(x.path), procfs.MaxText), Deleted: x.deleted}
	if strings.HasPrefix(x.path, "/") {
		o.Write = f.u32("f_mode")&modeWrite != 0 && !strings.HasPrefix(x.path, "/dev/")
		if o.Deleted {
			o.Size, o.Inode = int64(x.inode.uint("i_size")), x.inode.uint("i_ino")
		}
	}
	p.Files = append(p.Files, o)
	switch {
	case x.path == "anon_inode:bpf-prog":
		at := f.uint("private_data")
		if out.programs[at] == nil {
			out.programs[at] = map[int]bool{}
		}
		out.programs[at][p.PID] = true
	case strings.HasPrefix(x.path, "socket:") && x.inode.u32("i_mode")&typeMask == typeSock:
		k.held(x.inode, p.PID, out)
	}
}
